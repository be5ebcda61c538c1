"""Functions that an agent runs because a model asked for them, as frameworks tell of them."""

from __future__ import annotations

from typing import Any

from obs_run.core import content
from obs_run.core.operations import ToolCall

__all__ = ["function_call", "read_result"]


def function_call(name: str | None, description: str | None, arguments: Any, call_id: str | None = None) -> ToolCall:
    """Return the operation of a function's call, with its arguments by name."""
    operation = ToolCall(tool_name=name, tool_type="function", tool_description=description, call_id=call_id)
    content.note_arguments(operation, arguments)
    return operation


def read_result(operation: ToolCall, returned: Any) -> None:
    """Read what a function returned."""
    if content.wanted():
        operation.result = returned
