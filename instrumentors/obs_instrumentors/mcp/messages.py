"""What a message of MCP asks for, and what its answer says, whatever the release and the side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content
from obs_run.core.operations import McpCall, McpServerCall
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from .connections import Peer

_TOLD_ELSEWHERE = ("notifications/progress", "notifications/message")
"""Of these a single request may send thousands, and they say nothing that its span does not."""
_TIMED_OUT = (408, -32001)
_MALFORMED = "-32602"


def call(kind: type[McpCall], method: str | None, params: Any, peer: Peer, request_id: Any = None) -> Any:
    """Return the operation of a message; None where it is not worth a span.

    ``params`` are a dict as it is sent, or a model of the library's.
    """
    if not method or method in _TOLD_ELSEWHERE:
        return None
    operation = kind(
        method,
        request_id=None if request_id is None else str(request_id),
        session_id=peer.session_id,
        protocol_version=peer.protocol_version,
        transport=peer.transport,
        network_protocol=peer.network_protocol,
    )
    if isinstance(operation, McpServerCall):
        operation.client_address, operation.client_port = peer.address, peer.port
    else:
        operation.server_address, operation.server_port = peer.address, peer.port
    if method == "tools/call":
        operation.tool_name = payload.get_text(params, "name")
        content.note_arguments(operation, payload.get(params, "arguments"))
    elif method == "prompts/get":
        operation.prompt_name = payload.get_text(params, "name")
    elif method.startswith("resources/") or method == "notifications/resources/updated":
        uri = payload.get(params, "uri")
        operation.resource_uri = None if uri is None else str(uri)
    return operation


def read_result(operation: McpCall, result: Any) -> None:
    """Read what a request gave: a dict as it was sent, or a model of the library's."""
    if operation.name == "initialize":
        version = payload.get_text(result, "protocolVersion") or payload.get_text(result, "protocol_version")
        operation.protocol_version = version or operation.protocol_version
    if operation.name != "tools/call":
        return
    if payload.get(result, "isError") is True or payload.get(result, "is_error") is True:
        operation.error_type = "tool_error"
    if content.wanted():
        dump = getattr(result, "model_dump", None)
        operation.result = result if dump is None else dump(by_alias=True, mode="json", exclude_none=True)


def read_error(operation: McpCall, told: Any) -> None:
    """Read an error as JSON-RPC has it."""
    code = payload.get_int(told, "code")
    if code is not None:
        operation.error_type = operation.status_code = str(code)
        operation.error_message = payload.get_text(told, "message")


def read_failure(operation: McpCall, error: BaseException) -> None:
    """Read what a call raised: ``McpError``, ``MCPError``, or what the library answers with an error for."""
    told = payload.get(error, "error")
    if payload.get_int(told, "code") in _TIMED_OUT and isinstance(error.__context__, TimeoutError):
        # Nobody answered with this code.
        operation.error_type = "timeout"
    elif told is not None:
        read_error(operation, told)
    elif isinstance(operation, McpServerCall) and type(error).__name__ == "ValidationError":
        operation.error_type = operation.status_code = _MALFORMED


READER: Reader[Any] = Reader(result=read_result, failure=read_failure)
