"""The agent's functions that the client calls for the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content
from obs_run.core.operations import ToolCall
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call


def start_operation(call: Call) -> tuple[ToolCall, Reader] | None:
    """Return the operation that the call of a function means."""
    function = call.argument(1, "function_to_invoke")
    operation = ToolCall(
        tool_name=payload.get_text(function, "__name__"),
        tool_type="function",
        tool_description=payload.as_text((payload.get(function, "__doc__") or "").strip()),
    )
    content.note_arguments(operation, call.argument(0, "args"))
    return operation, _READER


def _read_result(operation: ToolCall, returned: Any) -> None:
    if content.wanted():
        operation.result = returned


def _read_failure(operation: ToolCall, error: BaseException) -> None:
    """Name the function's own error, not the client's around it."""
    operation.error_type = payload.error_name(error.__context__ or error)


_READER = Reader(_read_result, failure=_read_failure)
