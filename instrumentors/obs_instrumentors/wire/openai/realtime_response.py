"""A response over a connection that stays open: what comes in of it, and which event is about which.

What comes amid a response is kept as it is, and read only if the response does not reach its end, which says it all.
"""

from __future__ import annotations

import re
from dataclasses import field
from typing import Any

from obs_instrumentors.wire.plain import plain
from obs_run.base import payload
from obs_run.base.json_text import from_json
from obs_run.core import content
from obs_run.core.sparse_dataclasses import sparse_dataclass

from . import responses
from .response_items import input_messages
from .responses import Response

_START = re.compile(r'\s*\{\s*(?:"event_id"\s*:\s*"[^"]*"\s*,\s*)?"type"\s*:\s*"([^"]+)"')
"""How events begin; the type of others is found by parsing them."""
_LONGEST_START = 256
_MOST_KEPT = 262_144
"""Bytes of the events that are kept of one response."""
_TEXT_DELTAS = {
    "response.text.delta": "response.output_text.delta",
    "response.audio_transcript.delta": "response.output_text.delta",
    "response.output_audio_transcript.delta": "response.output_text.delta",
}
"""Deltas of texts that the Responses API calls otherwise."""
_NEVER_KEPT = ("response.audio.delta", "response.output_audio.delta")
_ITEMS = ("response.output_item.added", "response.output_item.done")


@sparse_dataclass
class RealtimeResponse(Response):
    """A response over a connection, and what has come in of it so far."""

    event_id: str | None = None
    """The id that the agent gave to the event that asks for it."""
    stream_id: str | None = None
    """The lane that it is in, where a connection has several."""
    is_created: bool = False
    has_own_input: bool = False
    answer: Any = None
    """The response as its last event has it."""
    input_items: list[dict[str, Any]] = field(default_factory=list)
    kept: list[Any] = field(default_factory=list)
    kept_bytes: int = 0

    def is_answered(self) -> bool:
        """Whether the last event has come in."""
        return self.answer is not None


def kind_of(event: Any) -> str | None:
    """Return the type of an event, as it is sent or received or as an object."""
    if not isinstance(event, (str, bytes, bytearray)):
        return payload.get_text(event, "type")
    # No more than is looked at, so that no audio is decoded.
    start = event[:_LONGEST_START]
    found = _START.match(start if isinstance(start, str) else start.decode("utf-8", "replace"))
    return found[1] if found else payload.get_text(from_json(event), "type")


def fields_of(event: Any) -> dict[str, Any]:
    """Return an event as a dict that nobody else holds."""
    if isinstance(event, (str, bytes, bytearray)):
        return payload.as_dict(from_json(event))
    return payload.as_dict(content.copied(plain(event)))


def waiting(operations: list[Any], event: Any) -> list[Any]:
    """Return the responses that have not begun and that a server's event may be about, the oldest first."""
    return [each for each in _in_lane(operations, event) if not each.is_created]


def find(operations: list[Any], event: Any) -> RealtimeResponse | None:
    """Return the response that a server's event is about: the one it names, or else the oldest that has begun."""
    in_lane = _in_lane(operations, event)
    begun = [each for each in in_lane if each.is_created] or in_lane
    if len(begun) > 1:
        fields = from_json(event)
        named = payload.coalesce(payload.get_text(fields, "response_id"), payload.get_text(fields, "response", "id"))
        begun = [each for each in begun if each.response_id == named and named is not None] or begun
    return begun[0] if begun else None


def _in_lane(operations: list[Any], event: Any) -> list[Any]:
    """Return the responses of the lane that an event is in, where a connection has several."""
    if all(each.stream_id is None for each in operations):
        return operations
    lane = payload.get_text(from_json(event), "stream_id")
    return [each for each in operations if each.stream_id == lane]


def keeps(kind: str) -> bool:
    """Whether an event of this type brings a piece of a response."""
    return kind in _ITEMS or (kind.startswith("response.") and kind.endswith(".delta"))


def keep(operation: RealtimeResponse, kind: str, event: Any) -> None:
    """Keep a piece of a response that goes on."""
    if kind not in _ITEMS and (kind in _NEVER_KEPT or not content.wanted()):
        return
    if operation.kept_bytes < _MOST_KEPT:
        operation.kept.append(event)
        operation.kept_bytes += len(event)


def finish(operation: RealtimeResponse) -> None:
    """Complete a response from its last event, or from what came in until it was left."""
    kept, operation.kept = operation.kept, []
    if operation.input_items and content.wanted():
        operation.input_messages = input_messages([as_item(item) for item in operation.input_items])
    if operation.answer is not None:
        _read_answer(operation, operation.answer)
        return
    for raw in kept:
        event = payload.as_dict(from_json(raw))
        kind = payload.get_text(event, "type") or ""
        item = as_item(event.get("item"))
        responses.read_event(operation, {**event, "type": _TEXT_DELTAS.get(kind, kind), "item": item})
    responses.read_pieces(operation)


def _read_answer(operation: RealtimeResponse, answer: dict[str, Any]) -> None:
    reason = payload.get(answer, "status_details", "reason")
    fields = {
        # The names of the Responses API.
        "incomplete_details": {"reason": reason},
        "error": payload.get(answer, "status_details", "error"),
        **answer,
        "output": [as_item(item) for item in payload.as_list(answer.get("output"))],
    }
    responses.read_answer(operation, fields)
    conversation_id = payload.get_text(answer, "conversation_id")
    operation.conversation_id = operation.conversation_id or conversation_id


def as_item(item: Any) -> Any:
    """Return an item as the Responses API has it: what was spoken as text, where that is known."""
    parts = payload.get(item, "content")
    if not isinstance(item, dict) or not isinstance(parts, list):
        return item
    return {**item, "content": [_as_content_part(part) for part in parts]}


def _as_content_part(part: Any) -> Any:
    kind = payload.get_text(part, "type") or ""
    if not kind.endswith("audio"):
        return part
    transcript = payload.get_text(part, "transcript")
    if transcript is not None:
        return {"type": "input_text" if kind == "input_audio" else "output_text", "text": transcript}
    audio = payload.get_text(part, "audio") or ""
    return {"type": "input_audio", "input_audio": {"data": audio, "format": "pcm"}}
