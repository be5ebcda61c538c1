"""Attributes that a library sets on spans of its own, read into the operation that its span tells of.

Libraries that trace themselves know the conventions, so what a name means stands beside the operation's fields. A
library's other words for the same things are its vocabulary's ``names``.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content, operations, semconv

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from obs_run.core.operations import Operation

__all__ = ["assign", "is_usage", "operation_of"]

_fields: dict[type, dict[str, str]] = {}
_content_fields: dict[type, dict[str, str]] = {}


@cache
def _kinds() -> Mapping[str, Callable[[str], Operation]]:
    """Return operations by the names that the conventions give them; they are loaded with the first span."""
    from obs_run.core.framework_calls import FrameworkInference

    return {
        "chat": FrameworkInference,
        "generate_content": FrameworkInference,
        "text_completion": FrameworkInference,
        "embeddings": operations.Embedding,
        "invoke_agent": operations.AgentRun,
        "invoke_workflow": operations.Workflow,
        "execute_tool": operations.ToolCall,
        "retrieval": operations.Retrieval,
        "search_memory": operations.Memory,
        "upsert_memory": operations.Memory,
    }


@cache
def _usage_fields() -> Mapping[str, str]:
    return {name: field for field, name in operations.Usage.ATTRIBUTES.items()}


def operation_of(name: str, attributes: Mapping[str, Any]) -> Operation | None:
    """Return the operation that a span tells of by ``gen_ai.operation.name`` or by its name; None for others."""
    told = attributes.get(semconv.OPERATION_NAME)
    operation_name = told if isinstance(told, str) and told else name.partition(" ")[0]
    kind = _kinds().get(operation_name)
    return None if kind is None else kind(operation_name)


def assign(operation: Operation, name: str, value: Any) -> bool:
    """Set the field of ``operation`` that is the attribute ``name``; return whether there is one.

    What is empty says nothing. Content is read only where it is wanted.
    """
    kind = type(operation)
    if kind not in _fields:
        _fields[kind] = {attribute: field for field, attribute in kind.ATTRIBUTES.items() if field != "name"}
        _content_fields[kind] = {attribute: field for field, attribute in kind.CONTENT.items()}
    if is_usage(name) and hasattr(operation, "usage"):
        _assign_usage(operation, _usage_fields()[name], value)
    elif name in _content_fields[kind]:
        _assign_content(operation, _content_fields[kind][name], name, value)
    elif name in _fields[kind]:
        if value not in (None, ""):
            setattr(operation, _fields[kind][name], _plain(value))
    else:
        return False
    return True


def is_usage(name: str) -> bool:
    """Whether an attribute counts tokens."""
    return name in _usage_fields()


def _assign_usage(operation: Any, field: str, value: Any) -> None:
    count = payload.as_int(value)
    if count is None:
        return
    if operation.usage is None:
        # Where the provider told none, some tell zeros.
        if not count:
            return
        operation.usage = operations.Usage()
    setattr(operation.usage, field, count)


def _assign_content(operation: Any, field: str, name: str, value: Any) -> None:
    parsed = _parsed(value)
    if name == semconv.OUTPUT_MESSAGES and operation.ASKS_FOR_TOOLS:
        read_tool_calls(operation, parsed)
    if name == semconv.TOOL_CALL_ARGUMENTS and isinstance(operation, operations.ToolCall):
        content.note_arguments(operation, parsed)
    elif content.wanted():
        setattr(operation, field, parsed)


def read_tool_calls(operation: Any, said: Any) -> None:
    """Read which tools an answer asks for, in the form of the conventions' messages."""
    parts = [part for each in payload.as_list(said) for part in payload.get_list(each, "parts")]
    calls = [part for part in parts if payload.get_text(part, "type") == "tool_call"]
    if calls:
        operation.tool_calls = [payload.get_text(call, "name") or "" for call in calls]
        operation.tool_call_ids = [payload.get_text(call, "id") for call in calls]


def _plain(value: Any) -> Any:
    """Return a list where the library wrote one as a text."""
    if isinstance(value, str) and value.startswith("["):
        return _parsed(value)
    return list(value) if isinstance(value, tuple) else value


def _parsed(value: Any) -> Any:
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
