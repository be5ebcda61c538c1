"""What is known of a client and its server, and of the names that messages go by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core.caches import created_in
from obs_run.core.destination_templates import template_of
from obs_run.core.message_rates import ConnectionRates

if TYPE_CHECKING:
    from obs_run.core.operations import MessageOperation

_SYSTEM = "redis"
_DEFAULT_HOST, _DEFAULT_PORT = "localhost", 6379
_SEPARATORS = ":./"
_OWN_PROTOCOLS = ("arq", "celery", "channels_redis", "dramatiq", "huey", "kombu", "rq", "socketio", "taskiq_redis")
"""Packages whose processes speak to each other by Redis: what they send is no message of the agent's."""


def name_of(key: Any) -> str | None:
    """Return the name of a key or channel, which is bytes or a text."""
    if isinstance(key, (bytes, bytearray, memoryview)):
        return bytes(key).decode(errors="replace") or None
    return payload.as_text(key)


def describe(client: Any, operation: MessageOperation, name: str | None, template: str | None = None) -> None:
    """Fill in what holds of all messages of a client, and where one goes or comes from."""
    operation.system = _SYSTEM
    operation.destination = name
    operation.destination_template = template or (None if name is None else template_of(name, _SEPARATORS))
    options = payload.get(client, "connection_pool", "connection_kwargs")
    if options is None:
        return
    path = payload.get_text(options, "path")
    if path is not None:
        operation.server_address, operation.network_transport = path, "unix"
        return
    host = payload.get_text(options, "host") or _DEFAULT_HOST
    port = payload.get_int(options, "port") or _DEFAULT_PORT
    operation.server_address, operation.server_port, operation.network_transport = host, port, "tcp"
    operation.peer_service = f"{host}:{port}"


def is_own_protocol() -> bool:
    """Whether it is another library that asks for a command, of which an instrumentor of that library tells."""
    return (created_in("redis") or "").partition(".")[0] in _OWN_PROTOCOLS


def is_pipeline(client: Any) -> bool:
    """Whether commands are kept, to be sent later together."""
    return any(kind.__name__.endswith("Pipeline") for kind in type(client).__mro__)


def may_send(client: Any) -> bool:
    """Whether one more message that is sent by a client may have a span."""
    return _rates.has_room(pool_of(client))


def may_receive(client: Any, template: str | None) -> bool:
    """Whether one more message of a channel, stream or list may have a span."""
    return _rates.has_room(pool_of(client), template or "")


def pool_of(client: Any) -> Any:
    """Return the pool of a client; the client of a cluster has none of its own."""
    return payload.get(client, "connection_pool") or client


def measure_rest(pool: Any) -> None:
    """Measure the messages of a pool, which is closed, that had no span."""
    _rates.measure_all(pool)


def _describe_rest(operation: MessageOperation, pool: Any, template: str | None) -> None:
    describe({"connection_pool": pool}, operation, template or None, template)


_rates = ConnectionRates(_describe_rest)
"""By pool, and what is received by."""


def server_of(client: Any) -> str | None:
    """Return the host of a client's server, None where it is on this machine or not known."""
    return payload.get_text(client, "connection_pool", "connection_kwargs", "host")
