"""What a client asks an agent for, and what that answers."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from obs_run.base import payload
from obs_run.core import content
from obs_run.core.operations import A2aAgentCall, A2aCall
from obs_run.core.outcomes import Reader

from . import events

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.outcomes import Call

_SYSTEMS = {"JsonRpcTransport": "jsonrpc", "GrpcTransport": "grpc"}
"""By the ends of the names of the library's transports."""
_GRPC = "GRPC"
_PORTS = {"http": 80, "https": 443}
_DNS = "dns:///"
_DEEPEST = 4


def begin_message(call: Call) -> tuple[A2aAgentCall, Reader[Any]]:
    """Return the operation of ``send_message``, which gives what comes back event by event, be it one."""
    request, client = call.argument(0, "request"), call.instance
    streams = payload.get(client, "_config", "streaming") and payload.get(client, "_card", "capabilities", "streaming")
    operation = _asked(A2aAgentCall, "SendStreamingMessage" if streams else "SendMessage", client)
    message = payload.get(request, "message")
    events.note_ids(operation, message)
    if streams:
        operation.stream = True
    if content.wanted() and message is not None:
        operation.input_messages = [events.message_of(message)]
    answer = events.Answer()
    return operation, Reader(_nothing, chunk=answer.read, end=answer.end, lazy=True, single_response=not streams)


def begin_subscription(call: Call) -> tuple[A2aCall, Reader[Any]]:
    """Return the operation of ``subscribe``, which gives what becomes of a task that goes on."""
    operation = _asked(A2aCall, "SubscribeToTask", call.instance)
    operation.task_id = payload.get_text(call.argument(0, "request"), "id")
    return operation, Reader(_nothing, chunk=events.Answer(keeps_texts=False).read, lazy=True, single_response=True)


def begin_request(method: str, call: Call) -> tuple[A2aCall, Reader[Any]]:
    """Return the operation of a request that has one answer."""
    operation = _asked(A2aCall, method, call.instance)
    operation.task_id = events.task_asked_for(call.argument(0, "request"))
    return operation, Reader(events.read_answer)


def begin_card(call: Call) -> tuple[A2aCall, Reader[Any]]:
    """Return the operation of ``get_agent_card``, for which a document is fetched."""
    operation = A2aCall("GetAgentCard")
    _note_address(operation, payload.get_text(call.instance, "base_url"))
    return operation, Reader(events.read_answer)


def _nothing(_operation: Any, _returned: Any) -> None:
    """Read nothing: what is returned is read piece by piece."""


def _asked(kind: Any, method: str, client: Any) -> Any:
    operation = kind(method)
    card = payload.get(client, "_card")
    events.note_card(operation, card)
    transport = _innermost(payload.get(client, "_transport"))
    names = [each.__name__ for each in type(transport).__mro__]
    operation.rpc_system = next((_SYSTEMS[end] for end in _SYSTEMS for name in names if name.endswith(end)), None)
    url = payload.get_text(transport, "url")
    if url is None:
        # The one by gRPC has a channel, which does not tell where it leads to.
        interfaces = payload.get(card, "supported_interfaces") or ()
        url = next((each.url for each in interfaces if each.protocol_binding == _GRPC), None)
    _note_address(operation, url)
    return operation


def _innermost(transport: Any) -> Any:
    for _ in range(_DEEPEST):
        base = payload.get(transport, "_base")
        if base is None:
            break
        transport = base
    return transport


def _note_address(operation: A2aCall, url: str | None) -> None:
    if not url:
        return
    place = url.removeprefix(_DNS)
    parts = urlsplit(place if "//" in place else f"//{place}")
    operation.server_address = parts.hostname
    operation.server_port = parts.port or _PORTS.get(parts.scheme)


def carry(call: Call, fields: Callable[[Any], dict[str, str]]) -> None:
    """Put the trace among the service parameters, which become headers or metadata, of a copy of the call's context."""
    if len(call.args) < 2 and "context" not in call.kwargs:  # noqa: PLR2004 (the request, and this)
        # Not every transport of the agent's own may take one.
        return
    context = call.argument(1, "context")
    parameters = payload.get(context, "service_parameters") or {}
    own = {name.lower(): text for name, text in parameters.items()}
    added = {name: text for name, text in fields(own).items() if name not in own}
    if not added:
        return
    parameters = {**parameters, **added}
    if context is None:
        context = import_module("a2a.client.client").ClientCallContext(service_parameters=parameters)
    else:
        context = context.model_copy(update={"service_parameters": parameters})
    call.replace(1, "context", context)
