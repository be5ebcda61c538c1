"""The spans that release 2 of MCP's SDK, and fastmcp, make themselves stand back where we record the message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import native_spans, ownership, semconv
from obs_run.core.operations import McpCall, McpServerCall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obs_run.core.outcomes import Call


def no_span(call: Call) -> Any:
    """Answer ``otel_span`` with what makes no span, within a message that we record."""
    operation = _current()
    attributes = call.kwargs.get("attributes") or {}
    if operation is None or attributes.get(semconv.MCP_METHOD_NAME) != operation.name:
        return None
    if operation.request_id is None:
        # The dispatcher has just given it.
        operation.request_id = payload.as_text(attributes.get(semconv.JSONRPC_REQUEST_ID))
    return native_spans.scope_without_span()


def covers_client(_name: str, _attributes: Mapping[str, Any], _operation: Any) -> bool:
    """Whether we record what a span of fastmcp's client is around: each of them is around a message."""
    return True


def covers_server(name: str, attributes: Mapping[str, Any], operation: Any) -> bool:
    """Whether a span of fastmcp's server tells of the message that we record, and not of what its handling asks for."""
    if not isinstance(operation, McpServerCall):
        return False
    # Release 3 gives the attributes later.
    method, _, subject = name.partition(" ")
    if method != operation.name:
        return False
    return operation.tool_name in (None, attributes.get(semconv.TOOL_NAME), subject) or not subject


def is_carried(_: Call) -> bool | None:
    """Answer ``inject_trace_context`` where the message carries the trace already, or must not."""
    return None if _current() is None else True


def _current() -> McpCall | None:
    recording = ownership.current_recording()
    operation = None if recording is None else recording.operation
    return operation if isinstance(operation, McpCall) else None
