"""What is known of a producer or consumer, and of the topics that messages go by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core.destination_templates import template_of
from obs_run.core.message_rates import ConnectionRates

if TYPE_CHECKING:
    from obs_run.core.operations import MessageOperation

_SYSTEM = "kafka"
_SEPARATORS = "._-"


def describe(client: Any, operation: MessageOperation, topic: Any) -> None:
    """Fill in what holds of all messages of a producer or consumer, and which topic it is."""
    operation.system = _SYSTEM
    if isinstance(topic, str):
        operation.destination, operation.destination_template = topic, template_of(topic, _SEPARATORS)
    operation.client_id = payload.get_text(_connections_of(client), "_client_id")
    operation.consumer_group = payload.get_text(client, "_group_id")
    servers = _servers_of(client)
    if not servers:
        return
    # Which of several has the topic only they know.
    operation.server_address, operation.server_port = _parts_of(servers[0])
    operation.network_transport = "tcp"
    operation.peer_service = servers[0] if len(servers) == 1 else None


def host_of(client: Any) -> str | None:
    """Return the host of a broker, the first that a client asks."""
    servers = _servers_of(client)
    return _parts_of(servers[0])[0] if servers else None


def _connections_of(client: Any) -> Any:
    return payload.coalesce(payload.get(client, "client"), payload.get(client, "_client"))


def _servers_of(client: Any) -> list[str]:
    told = payload.get(_connections_of(client), "_bootstrap_servers")
    servers = told.split(",") if isinstance(told, str) else payload.as_list(told)
    return [each for each in servers if isinstance(each, str)]


def _parts_of(server: str) -> tuple[str | None, int | None]:
    host, _, port = server.rpartition(":")
    return (host.strip("[]"), int(port)) if host and port.isdecimal() else (server, None)


def may_send(producer: Any) -> bool:
    """Whether one more message that is sent may have a span."""
    return _rates.has_room(producer)


def may_receive(consumer: Any, topic: str) -> bool:
    """Whether one more message of a topic may have a span."""
    return _rates.has_room(consumer, topic)


def measure_rest(client: Any) -> None:
    """Measure the messages of a producer or consumer, which is stopped, that had no span."""
    _rates.measure_all(client)


_rates = ConnectionRates(lambda operation, client, topic: describe(client, operation, topic))
"""By producer, and by consumer and topic."""
