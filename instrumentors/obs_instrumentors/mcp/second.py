"""Release 2 of MCP's SDK: what its dispatchers send and its runners and sessions handle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core.operations import McpCall, McpServerCall

from . import connections, messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.outcomes import Call, Reader

_VERSION_IN_META = "io.modelcontextprotocol/protocolVersion"
_VERSION_IN_HEADERS = "mcp-protocol-version"


def begin_request(call: Call) -> tuple[Any, Reader] | None:
    """Return the operation of ``send_raw_request`` of a dispatcher, or of what stands for one within a request."""
    options = call.argument(2, "opts")
    return _sent(call, options, payload.get(options, "request_id"))


def begin_notification(call: Call) -> tuple[Any, Reader] | None:
    """Return the operation of ``notify``."""
    return _sent(call, call.argument(2, "opts"), None)


def _sent(call: Call, options: Any, request_id: Any) -> tuple[Any, Reader] | None:
    params = call.argument(1, "params")
    headers = payload.get(options, "headers") or {}
    version = next((text for name, text in headers.items() if name.lower() == _VERSION_IN_HEADERS), None)
    version = version or payload.get_text(params, "_meta", _VERSION_IN_META)
    peer = connections.peer_behind(connections.stream_of(call.instance), version)
    operation = messages.call(McpCall, call.argument(0, "method"), params, peer, request_id)
    return None if operation is None else (operation, messages.READER)


def carry(call: Call, fields: Callable[[Any], dict[str, str]]) -> None:
    """Put the trace into ``_meta`` of a copy of what is sent."""
    params = call.argument(1, "params")
    meta = payload.get(params, "_meta")
    added = fields(meta)
    if added:
        call.replace(1, "params", {**(params or {}), "_meta": {**(meta or {}), **added}})


def handle_request(call: Call) -> tuple[Any, Reader, Any] | None:
    """Return the operation of ``_on_request`` of a server's runner or a client's session."""
    return _received(call, payload.get(call.argument(0, "dctx"), "request_id"))


def handle_notification(call: Call) -> tuple[Any, Reader, Any] | None:
    """Return the operation of ``_on_notify``."""
    return _received(call, None)


def _received(call: Call, request_id: Any) -> tuple[Any, Reader, Any] | None:
    context, params = call.argument(0, "dctx"), call.argument(2, "params")
    connection = payload.get(call.instance, "connection")
    version = payload.get_text(connection, "protocol_version") or connections.version_of(call.instance)
    request = payload.get(context, "message_metadata", "request_context")
    if request is None:
        peer = connections.peer_behind(connections.stream_of(context), version)
    else:
        peer = connections.asking_peer(request, version)
    operation = messages.call(McpServerCall, call.argument(1, "method"), params, peer, request_id)
    meta = payload.get(params, "_meta")
    return None if operation is None else (operation, messages.READER, meta if isinstance(meta, Mapping) else None)
