"""What a request of the Messages API says of tools: those it offers, and what those gave that ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.tool_choice import is_forced
from obs_run.base import payload
from obs_run.core import content
from obs_run.core.operations import ToolResult

from . import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.core.operations import Inference


def read_tools(operation: Inference, body: dict[str, Any]) -> None:
    """Have what a request says of tools read where somebody waits for it."""
    operation.tool_results = _tool_results(body.get("messages"))
    tools = body.get("tools")
    if tools:
        operation.offered_tools = (payload.get_text(tool, "name") for tool in payload.as_list(tools))
        operation.must_call_tool = is_forced(body.get("tool_choice"))


def _tool_results(raw_messages: Any) -> Iterator[ToolResult]:
    """Go through the results after the model's last answer, the newest first."""
    for raw in reversed(raw_messages if isinstance(raw_messages, (list, tuple)) else ()):
        if payload.get(raw, "role") == "assistant":
            return
        for block in reversed(payload.get_list(raw, "content")):
            if payload.get(block, "type") == "tool_result":
                yield _tool_result(block)


def _tool_result(block: Any) -> ToolResult:
    response = blocks.parts([block])[0]["response"] if content.wanted() else None
    call_id = payload.get_text(block, "tool_use_id")
    return ToolResult(call_id, is_error=payload.get(block, "is_error") is True, result=response)
