"""What is known of a connection, and of the subjects that messages go by."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core.destination_templates import template_of
from obs_run.core.message_rates import ConnectionRates

if TYPE_CHECKING:
    from obs_run.core.operations import MessageOperation

_SYSTEM = "nats"
_OF_SERVER = "$"
"""What the server's own subjects begin with: JetStream's calls, acknowledgements, stores of keys and objects."""
_INBOX = "_INBOX."
ACKNOWLEDGEMENT = "$JS.ACK."


def is_internal(client: Any, subject: Any) -> bool:
    """Whether what goes by a subject is no message of the agent's, or is the answer to one."""
    if not isinstance(subject, str) or subject.startswith((_OF_SERVER, _INBOX)):
        return True
    prefix = payload.get(client, "_inbox_prefix")
    return isinstance(prefix, (bytes, bytearray)) and subject.startswith(_prefix(bytes(prefix)))


@lru_cache
def _prefix(prefix: bytes) -> str:
    return prefix.decode(errors="replace") + "."


def describe(client: Any, operation: MessageOperation, subject: Any, template: str | None = None) -> None:
    """Fill in what holds of all messages of a connection, and where one goes or comes from."""
    operation.system = _SYSTEM
    if isinstance(subject, str):
        operation.destination = subject
        operation.destination_template = template or template_of(subject)
    operation.client_id = payload.get_text(payload.get(client, "options"), "name")
    uri = payload.get(client, "_current_server", "uri")
    host = payload.get_text(uri, "hostname")
    if host is None:
        return
    operation.server_address, operation.server_port = host, payload.get_int(uri, "port")
    operation.network_transport = "tcp"
    operation.peer_service = host if operation.server_port is None else f"{host}:{operation.server_port}"


def may_send(client: Any) -> bool:
    """Whether one more message that is sent by a connection may have a span."""
    return _rates.has_room(client)


def may_receive(client: Any, subject: Any) -> bool:
    """Whether one more message of a subscription may have a span."""
    return _rates.has_room(client, subject)


def measure_rest_of(client: Any, subject: Any) -> None:
    """Measure the messages of a subscription, which is left, that had no span."""
    _rates.measure(client, subject)


def measure_rest(client: Any) -> None:
    """Measure those of a connection, which is closed."""
    _rates.measure_all(client)


def _describe_rest(operation: MessageOperation, client: Any, subject: Any) -> None:
    describe(client, operation, subject)


_rates = ConnectionRates(_describe_rest)
"""By connection and the subject that is subscribed to."""
