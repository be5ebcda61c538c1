"""What a request of the Responses API says of tools: those it offers, and what those gave that ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.tool_choice import is_forced
from obs_run.base import payload
from obs_run.core import content
from obs_run.core.operations import ToolResult

from .response_items import input_messages, tool_call_id, tool_definition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.core.operations import Inference


def read_tools(operation: Inference, body: dict[str, Any]) -> None:
    """Have what a request says of tools read where somebody waits for it."""
    operation.tool_results = _tool_results(body.get("input"))
    tools = body.get("tools")
    if tools:
        operation.offered_tools = _tool_names(tools)
        operation.must_call_tool = is_forced(body.get("tool_choice"))


def _tool_results(items: Any) -> Iterator[ToolResult]:
    """Go through the results after the model's last message, the newest first; calls may stand between them."""
    for item in reversed(items if isinstance(items, (list, tuple)) else ()):
        kind = payload.get_text(item, "type") or "message"
        if kind.endswith("_output"):
            response = None
            if content.wanted():
                (message,) = input_messages([item]) or [{"parts": [{}]}]
                response = message["parts"][0].get("response")
            is_error = payload.get(item, "status") == "failed"
            yield ToolResult(tool_call_id(item), is_error=is_error, result=response)
        elif kind == "message" and payload.get(item, "role") == "assistant":
            return


def _tool_names(tools: Any) -> Iterator[str | None]:
    """Go through the names of the tools; those that are known by their kind alone have that."""
    for raw in payload.as_list(tools):
        yield tool_definition(raw)["name"]
