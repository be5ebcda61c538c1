"""Answers that come in pieces, whoever's wire format it is: messages and parts that grow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core import content, messages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from obs_run.core.messages import Message, Part
    from obs_run.core.operations import FetchedResponse, Inference, RemoteAgentRun


def append_text(operation: Inference, text: str, index: int = 0) -> None:
    """Add a piece of text to one of the answers, if content is wanted."""
    if not content.wanted():
        return
    if operation.output_messages is None:
        operation.output_messages = []
    while len(operation.output_messages) <= index:
        operation.output_messages.append(messages.message("assistant"))
    # A part for each piece: adding to the text would copy it with every piece.
    operation.output_messages[index]["parts"].append(messages.text(text))


def join_texts(operation: Inference | RemoteAgentRun) -> None:
    """Make one text of each message's pieces."""
    for message in operation.output_messages or []:
        pieces = [part["content"] for part in message["parts"]]
        message["parts"] = [messages.text("".join(pieces))]


def finish(operation: Inference) -> None:
    """Join the pieces, and say on each message why the answer ended."""
    join_texts(operation)
    if not operation.finish_reasons:
        return
    for message in operation.output_messages or []:
        message["finish_reason"] = operation.finish_reasons[0]


def output_message(operation: Inference | FetchedResponse | RemoteAgentRun, parts: Iterable[Part]) -> Message:
    """Return the model's only answer, with the reason why it ended."""
    reason = operation.finish_reasons[0] if operation.finish_reasons else None
    return messages.message("assistant", *parts, finish_reason=reason)


def note_tool_calls(operation: Any, calls: Iterable[tuple[str | None, str]]) -> None:
    """Note which tools an answer asks for, each by the id of the call and the tool's name."""
    asked = list(calls)
    operation.tool_calls = [name for _, name in asked] or None
    operation.tool_call_ids = [call_id for call_id, _ in asked] or None


def append_part(parts: list[Part], part: Part) -> None:
    """Add a part of an answer to those before; a text that goes on from the last one is put to it."""
    if parts and part["type"] == parts[-1]["type"] and _is_text(part) and _is_text(parts[-1]):
        parts[-1]["content"] += part["content"]
    else:
        parts.append(part)


def _is_text(part: Part) -> bool:
    # What a provider calls a text may be none.
    return part["type"] in ("text", "reasoning") and isinstance(part.get("content"), str)
