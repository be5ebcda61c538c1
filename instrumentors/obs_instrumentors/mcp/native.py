"""The spans that release 2 of MCP's SDK, and fastmcp, make themselves stand back where we record the message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import native_spans, ownership, semconv
from obs_run.core.operations import McpCall

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call


def no_span(call: Call) -> Any:
    """Answer ``otel_span`` with what makes no span, within a message that we record."""
    recording = ownership.current_recording()
    operation = None if recording is None else recording.operation
    attributes = call.kwargs.get("attributes") or {}
    if not isinstance(operation, McpCall) or attributes.get(semconv.MCP_METHOD_NAME) != operation.name:
        return None
    if operation.request_id is None:
        # The dispatcher has just given it.
        operation.request_id = payload.as_text(attributes.get(semconv.JSONRPC_REQUEST_ID))
    return native_spans.scope_without_span()
