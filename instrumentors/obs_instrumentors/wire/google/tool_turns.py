"""What requests for content say of tools: those they offer, and what those gave that ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.tool_choice import is_forced
from obs_run.base import payload
from obs_run.core import content
from obs_run.core.operations import ToolResult

from .contents import get

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.core.operations import Inference


def read_tools(operation: Inference, body: Any) -> None:
    """Have what a request says of tools read where somebody waits for it."""
    operation.tool_results = _tool_results(get(body, "contents"))
    tools = payload.as_list(get(body, "tools"))
    if tools:
        operation.offered_tools = _tool_names(tools)
        mode = payload.as_text(get(body, "toolConfig", "functionCallingConfig", "mode"))
        operation.must_call_tool = is_forced(mode) and mode not in _FREE_MODES


_FREE_MODES = ("MODE_UNSPECIFIED", "VALIDATED")


def _tool_results(contents: Any) -> Iterator[ToolResult]:
    """Go through the results after the model's last answer, the newest first; older releases know names alone."""
    for raw in reversed(payload.as_list(contents)):
        if get(raw, "role") == "model":
            return
        for part in reversed(payload.as_list(get(raw, "parts"))):
            response = get(part, "functionResponse")
            if response is not None:
                yield _tool_result(response)


def _tool_result(raw: Any) -> ToolResult:
    response = get(raw, "response")
    # By the API's own word an output stands under "output", and what went wrong under "error".
    is_error = isinstance(response, dict) and bool(response.get("error")) and "output" not in response
    return ToolResult(
        payload.as_text(get(raw, "id")),
        payload.as_text(get(raw, "name")),
        is_error=is_error,
        result=response if content.wanted() else None,
    )


def _tool_names(tools: list[Any]) -> Iterator[str | None]:
    for tool in tools:
        for function in payload.as_list(get(tool, "functionDeclarations")):
            yield payload.as_text(get(function, "name"))
