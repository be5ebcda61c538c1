"""What a client sends: entries of streams, and messages by channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core import message_carriers
from obs_run.core.operations import MessageSend
from obs_run.core.outcomes import Reader

from . import clients, entries

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import MessageOperation
    from obs_run.core.outcomes import Call


def begin_xadd(call: Call) -> tuple[MessageOperation, Reader] | None:
    """Begin ``StreamCommands.xadd``."""
    if clients.is_own_protocol() or not clients.may_send(call.instance):
        return None
    operation = MessageSend(name="xadd")
    clients.describe(call.instance, operation, clients.name_of(call.argument(0, "name")))
    fields = call.argument(1, "fields")
    if isinstance(fields, dict):
        operation.body_size = sum(entries.size_of(each) for pair in fields.items() for each in pair)
    return operation, _ADDED


def begin_publish(call: Call) -> tuple[MessageOperation, Reader] | None:
    """Begin ``PubSubCommands.publish`` or ``spublish``."""
    if clients.is_own_protocol() or not clients.may_send(call.instance):
        return None
    channel = call.argument(0, "channel") or call.argument(0, "shard_channel")
    operation = MessageSend(name="publish")
    clients.describe(call.instance, operation, clients.name_of(channel))
    operation.body_size = entries.size_of(call.argument(1, "message"))
    return operation, _PUBLISHED


def carry_in_entry(call: Call, fields: Callable[[Any], dict[str, str]]) -> None:
    """Have an entry carry the trace, unless the server makes an id of what is in it."""
    if not message_carriers.uses_headers() or call.argument(9, "idmpauto") is not None:
        return
    given = call.argument(1, "fields")
    if not isinstance(given, dict) or not given:
        # The library has its own word for that.
        return
    headers = fields(entries.headers_in(given.items()))
    carrying = entries.carrying(given, headers, clients.server_of(call.instance)) if headers else None
    if carrying is not None:
        call.replace(1, "fields", carrying)


def carry_in_message(call: Call, _fields: Callable[[Any], dict[str, str]]) -> None:
    """Have a message carry the trace, where it is JSON."""
    host = clients.server_of(call.instance)
    message = message_carriers.carried_in_json(call.argument(1, "message"), host)
    if message is not None:
        call.replace(1, "message", message)


def read_id(operation: MessageOperation, returned: Any) -> None:
    """Read the id of what was added; a pipeline has none yet."""
    operation.message_id = clients.name_of(returned)


_ADDED: Reader[Any] = Reader(result=read_id)
_PUBLISHED: Reader[Any] = Reader(result=lambda _operation, _returned: None)
