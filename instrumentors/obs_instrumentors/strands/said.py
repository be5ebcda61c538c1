"""What Strands tells in events and lists: messages, tools, memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content, messages, semconv
from obs_run.core.operations import Memory, ToolCall
from obs_run.core.span_attributes import read_tool_calls

if TYPE_CHECKING:
    from collections.abc import Mapping

_OUTCOMES = {
    "cancelled": "cancelled",
    "checkpoint": "interrupted",
    "guardrail_intervened": "blocked",
    "interrupt": "interrupted",
}
"""What the reasons mean for which an agent stopped, where that is neither success nor failure."""


def definition(tool: Any) -> messages.ToolDefinition:
    """Return a tool that the model was offered."""
    parameters = payload.get(tool, "inputSchema")
    return messages.tool_definition(
        payload.get_text(tool, "name") or "",
        payload.get_text(tool, "description"),
        payload.coalesce(payload.get(parameters, "json"), parameters),
    )


def event(told: Any, name: str, said: Mapping[str, Any]) -> None:
    """Read the messages that the library tells in events."""
    if isinstance(told, Memory):
        if content.wanted():
            _read_memory(told, name, said.get("content"))
        return
    for key, value in said.items():
        if key != semconv.OUTPUT_MESSAGES and not content.wanted():
            continue
        plain = parsed(value)
        if isinstance(told, ToolCall):
            _read_tool(told, plain)
        elif key == semconv.OUTPUT_MESSAGES:
            _read_output(told, plain)
        if content.wanted():
            field = {each: at for at, each in told.CONTENT.items()}.get(key)
            if field is not None:
                setattr(told, field, plain)


def _read_output(told: Any, said: Any) -> None:
    reasons = [payload.get_text(each, "finish_reason") for each in payload.as_list(said)]
    known = [reason for reason in reasons if reason]
    if told.IS_MODEL_CALL:
        told.finish_reasons = known or None
        read_tool_calls(told, said)
    elif told.IS_AGENT and known and told.outcome is None:
        told.outcome = _OUTCOMES.get(known[-1])


def _read_tool(tool: ToolCall, said: Any) -> None:
    if not content.wanted():
        return
    for part in [part for each in payload.as_list(said) for part in payload.get_list(each, "parts")]:
        if payload.get_text(part, "type") == "tool_call":
            tool.arguments = payload.get(part, "arguments")
        else:
            blocks = payload.get(part, "response")
            texts = [payload.get_text(block, "text") for block in payload.as_list(blocks)]
            tool.result = texts[0] if len(texts) == 1 and texts[0] is not None else blocks


def _read_memory(memory: Memory, name: str, said: Any) -> None:
    if name == "memory.query":
        memory.query_text = said
    elif name == "memory.results":
        entries = payload.as_list(parsed(said))
        memory.records = [{key: value for key, value in each.items() if value is not None} for each in entries]
    else:
        memory.records = [{"content": said}]


def parsed(value: Any) -> Any:
    """Return what is written as JSON."""
    try:
        return json.loads(value)
    except (TypeError, ValueError, RecursionError):
        # What the user has the library redact is no JSON.
        return value
