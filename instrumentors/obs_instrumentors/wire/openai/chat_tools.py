"""What a request of the chat completions API says of tools: those it offers, and what those gave that ran."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.tool_choice import is_forced
from obs_run.base import payload
from obs_run.core import content
from obs_run.core.operations import ToolResult

from .chat_messages import chat_message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.core.operations import Inference

_RESULT_ROLES = ("tool", "function")
_NAMES = (("function", "name"), ("custom", "name"), ("name",))
"""Where a tool has its name; Functions, as tools were called before there were others, have it themselves."""


def read_tools(operation: Inference, body: dict[str, Any]) -> None:
    """Have what a request says of tools read where somebody waits for it."""
    operation.tool_results = tool_results(body.get("messages"))
    tools, functions = body.get("tools"), body.get("functions")
    if tools or functions:
        operation.offered_tools = tool_names(tools, functions)
        operation.must_call_tool = is_forced(body.get("tool_choice")) or is_forced(body.get("function_call"))


def tool_results(raw_messages: Any) -> Iterator[ToolResult]:
    """Go through the results after the model's last answer, the newest first."""
    for raw in results_of(raw_messages):
        result = response(raw) if content.wanted() else None
        yield ToolResult(payload.get_text(raw, "tool_call_id"), payload.get_text(raw, "name"), result=result)


def results_of(raw_messages: Any) -> Iterator[Any]:
    """Go through the messages of tools after the model's last answer, the newest first.

    Calls of one answer may stand in several messages, each with its result behind it.
    """
    for raw in reversed(raw_messages if isinstance(raw_messages, (list, tuple)) else ()):
        role = payload.get(raw, "role")
        if role in _RESULT_ROLES:
            yield raw
        elif role == "assistant" and not payload.get(raw, "tool_calls") and not payload.get(raw, "function_call"):
            return


def response(raw: Any) -> Any:
    """Return what a tool gave by its message."""
    return chat_message(raw)["parts"][0].get("response")


def tool_names(*tools: Any) -> Iterator[str | None]:
    """Go through the names of the tools in lists of them."""
    for raw in chain.from_iterable(map(payload.as_list, tools)):
        names = (payload.get_text(raw, *path) for path in _NAMES)
        yield next((name for name in names if name is not None), None)
