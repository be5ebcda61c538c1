"""What was said to models and by them, as messages of the GenAI conventions (``role`` and ``parts``).

Content is on spans, or on log events of the span, or in the events that older conventions had for each message.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.core import semconv

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from obs_run.telemetry.records import LogLine, Span

Message = dict[str, Any]


class Content(NamedTuple):
    """The messages of one span; empty where none were recorded."""

    system: list[Message]
    input: list[Message]
    output: list[Message]


def content(span: Span, logs: Iterable[LogLine] = ()) -> Content:
    """Return the messages of ``span``; ``logs`` are the log lines of its trace."""
    found = _content(span.attributes)
    if any(found):
        return found
    for line in logs:
        if line.span_id == span.span_id and line.event_name == semconv.EVENT_INFERENCE_DETAILS:
            body = line.body if isinstance(line.body, dict) else {}
            found = _content({**body, **line.attributes})
            if any(found):
                return found
    return _older(span)


def events_by_span(logs: Iterable[LogLine]) -> dict[str | None, list[LogLine]]:
    """Return the log lines that may hold messages, by their spans: for who asks for the content of many."""
    found: dict[str | None, list[LogLine]] = {}
    for line in logs:
        if line.event_name == semconv.EVENT_INFERENCE_DETAILS:
            found.setdefault(line.span_id, []).append(line)
    return found


def value(attribute: Any) -> Any:
    """Return an attribute that is JSON, or is not, as the value that it means."""
    if not isinstance(attribute, str):
        return attribute
    try:
        return json.loads(attribute)
    except (ValueError, RecursionError):
        return attribute


def text_of(message: Message) -> str:
    """Return the text of a message, without its other parts."""
    parts = (part for part in message["parts"] if part.get("type") == "text")
    return "\n".join(str(part["content"]) for part in parts if part.get("content"))


def _content(attributes: Mapping[str, Any]) -> Content:
    system = _messages(attributes.get(semconv.SYSTEM_INSTRUCTIONS), "system")
    told = [_messages(attributes.get(name), role) for name, role in _SIDES]
    return Content(system, *told)


_SIDES = ((semconv.INPUT_MESSAGES, "user"), (semconv.OUTPUT_MESSAGES, "assistant"))


def _messages(attribute: Any, role: str) -> list[Message]:
    told = value(attribute)
    if not told:
        return []
    if not isinstance(told, list):
        return [_message(told, role)]
    if all(isinstance(each, dict) and "role" not in each for each in told):
        # Instructions are parts without a message around them.
        return [{"role": role, "parts": [_part(each) for each in told]}]
    return [_message(each, role) for each in told]


def _message(told: Any, role: str) -> Message:
    if not isinstance(told, dict):
        return {"role": role, "parts": [_part(told)]}
    parts = told.get("parts", told.get("content"))
    listed = parts if isinstance(parts, list) else [] if parts is None else [parts]
    name = told.get("role")
    return {**told, "role": name if isinstance(name, str) else role, "parts": [_part(part) for part in listed]}


def _part(told: Any) -> dict[str, Any]:
    return told if isinstance(told, dict) else {"type": "text", "content": told}


def _older(span: Span) -> Content:
    found = Content([], [], [])
    for event in span.events:
        if event.name not in semconv.OLD_MESSAGE_EVENTS:
            continue
        word = event.name.split(".")[1]
        side = {"system": found.system, "choice": found.output}.get(word, found.input)
        told = value(event.attributes.get("message", event.attributes.get("content")))
        side.extend(_messages(told, "assistant" if word == "choice" else word))
    return found
