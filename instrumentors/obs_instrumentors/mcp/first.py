"""Release 1 of MCP's SDK: what its sessions send and its servers handle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from obs_run.base import payload
from obs_run.core.operations import McpCall, McpServerCall
from obs_run.core.outcomes import Reader

from . import connections, messages

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from obs_run.core.outcomes import Call

    Received = tuple[Any, Reader, Any]


def begin_request(call: Call) -> tuple[Any, Reader] | None:
    """Return the operation of ``BaseSession.send_request``."""
    session, root = call.instance, payload.get(call.argument(0, "request"), "root")
    operation = _sent(session, root, request_id=payload.get(session, "_request_id"))
    if operation is None:
        return None

    def read(operation: McpCall, result: Any) -> None:
        messages.read_result(operation, result)
        if operation.name == "initialize":
            connections.note_version(session, operation.protocol_version)

    return operation, Reader(result=read, failure=messages.read_failure)


def begin_notification(call: Call) -> tuple[Any, Reader] | None:
    """Return the operation of ``BaseSession.send_notification``."""
    operation = _sent(call.instance, payload.get(call.argument(0, "notification"), "root"))
    return None if operation is None else (operation, messages.READER)


def _sent(session: Any, root: Any, request_id: Any = None) -> Any:
    peer = connections.peer_behind(payload.get(session, "_write_stream"), connections.version_of(session))
    return messages.call(McpCall, payload.get_text(root, "method"), payload.get(root, "params"), peer, request_id)


def carry(call: Call, fields: Callable[[Any], dict[str, str]]) -> None:
    """Put the trace into ``_meta`` of a copy of what is sent."""
    name = "request" if "request" in call.kwargs or "Request" in type(call.argument(0, "")).__name__ else "notification"
    message = call.argument(0, name)
    root = payload.get(message, "root")
    params = payload.get(root, "params")
    meta = payload.get(params, "meta")
    added = fields(payload.get(meta, "model_extra"))
    if not added or root is None:
        return
    if params is None:
        params = _field_model(root, "params")()
    if isinstance(params, dict):
        params = {**params, "_meta": {**params.get("_meta", {}), **added}}
    else:
        meta = _field_model(params, "meta")(**added) if meta is None else meta.model_copy(update=added)
        params = params.model_copy(update={"meta": meta})
    call.replace(0, name, message.model_copy(update={"root": root.model_copy(update={"params": params})}))


def _field_model(model: Any, name: str) -> Any:
    """Return the class of a field of a model, which may be None there."""
    annotation = type(model).model_fields[name].annotation
    kinds = get_args(annotation) or (annotation,)
    return next((kind for kind in kinds if hasattr(kind, "model_fields")), dict)


def handle_request(call: Call) -> Received | None:
    """Return the operation of ``Server._handle_request``."""
    return _received(call.argument(0, "message"), call.argument(1, "req"), call.argument(2, "session"))


def handle_request_of_server(call: Call) -> Received | None:
    """Return the operation of a request that a server sends to its client."""
    responder = call.argument(0, "responder")
    return _received(responder, payload.get(responder, "request", "root"), call.instance)


def handle_initialize(call: Call) -> Received | None:
    """Return the operation of the one request that ``ServerSession`` answers itself."""
    responder = call.argument(0, "responder")
    root = payload.get(responder, "request", "root")
    if payload.get_text(root, "method") != "initialize":
        return None
    return _received(responder, root, call.instance)


def handle_notification(call: Call) -> Received | None:
    """Return the operation of a notification that ``Server._handle_message`` gets, as it does requests."""
    root = payload.get(call.argument(0, "message"), "root")
    return None if root is None else _heeded(root, _peer(call.argument(1, "session"), None))


def handle_notification_of_server(call: Call) -> Received | None:
    """Return the operation of a notification that a server sends to its client."""
    return _heeded(payload.get(call.argument(0, "notification"), "root"), _peer(call.instance, None))


def _received(responder: Any, root: Any, session: Any) -> Received | None:
    params, meta = payload.get(root, "params"), payload.get(responder, "request_meta")
    peer = _peer(session, payload.get(responder, "message_metadata", "request_context"))
    request_id = payload.get(responder, "request_id")
    operation = messages.call(McpServerCall, payload.get_text(root, "method"), params, peer, request_id)
    if operation is None:
        return None

    def read(operation: McpCall, _: Any) -> None:
        if operation.name == "initialize":
            connections.note_version(session, operation.protocol_version)

    return operation, Reader(result=read, failure=messages.read_failure), payload.get(meta, "model_extra")


def _heeded(root: Any, peer: connections.Peer) -> Received | None:
    params = payload.get(root, "params")
    operation = messages.call(McpServerCall, payload.get_text(root, "method"), params, peer)
    meta: Mapping[str, Any] | None = payload.get(params, "meta", "model_extra")
    return None if operation is None else (operation, messages.READER, meta)


def _peer(session: Any, request: Any) -> connections.Peer:
    version = connections.version_of(session)
    if request is not None:
        return connections.asking_peer(request, version)
    return connections.peer_behind(payload.get(session, "_write_stream"), version)


def read_response(operation: Any, call: Call) -> None:
    """Read what ``RequestResponder.respond`` is given."""
    if not isinstance(operation, McpServerCall):
        return
    if operation.request_id != str(payload.get(call.instance, "request_id")):
        return
    response = call.argument(0, "response")
    if payload.get(response, "code") is not None:
        messages.read_error(operation, response)
    else:
        messages.read_result(operation, payload.get(response, "root"))
