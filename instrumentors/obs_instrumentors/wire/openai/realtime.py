"""The Realtime API's events, and those of the Responses API over a WebSocket: each response is one operation.

What comes amid a response is kept as it is, and read only if the response does not reach its end, which says it all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire import uncounted
from obs_instrumentors.wire.failures import error_code, error_type
from obs_instrumentors.wire.plain import plain
from obs_run.base import payload
from obs_run.base.json_text import from_json
from obs_run.core import content

from . import responses
from .common_fields import read_sampling
from .response_items import input_messages, system_instructions, tool_definition
from .responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.sessions import Session

_START = re.compile(rb'\s*\{\s*(?:"event_id"\s*:\s*"[^"]*"\s*,\s*)?"type"\s*:\s*"([^"]+)"')
"""How events begin; the type of others is found by parsing them."""
_MOST_KEPT = 262_144
"""Bytes of the events that are kept of one response."""
_MOST_ITEMS = 256
"""Items that wait for the response they are the input of."""
_FINAL = {f"response.{status}" for status in ("done", "completed", "incomplete", "failed", "cancelled")}
_TEXT_DELTAS = {
    "response.text.delta": "response.output_text.delta",
    "response.audio_transcript.delta": "response.output_text.delta",
    "response.output_audio_transcript.delta": "response.output_text.delta",
}
"""Deltas of texts that the Responses API calls otherwise."""
_NEVER_KEPT = ("response.audio.delta", "response.output_audio.delta")


@dataclass
class State:
    """What is known of a session from event to event."""

    origin: Callable[[Response], None]
    """Says on an operation who answers, and where."""
    model: str | None = None
    """The model that the connection was opened with."""
    settings: dict[str, Any] = field(default_factory=dict)
    items: list[dict[str, Any]] = field(default_factory=list)
    """What came into the conversation since the last response; kept while content is wanted."""
    unacknowledged: list[dict[str, Any]] = field(default_factory=list)
    """Items that the agent sent and the server has not told of yet."""


@dataclass
class RealtimeResponse(Response):
    """A response over a connection, and what has come in of it so far."""

    event_id: str | None = None
    """The id that the agent gave to the event that asks for it."""
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
    if isinstance(event, str):
        # As many characters as are looked at, so that no audio is encoded.
        event = event[:256].encode("utf-8", "replace")
    if isinstance(event, (bytes, bytearray)):
        found = _START.match(event)
        return found[1].decode("utf-8", "replace") if found else payload.get_text(from_json(event), "type")
    return payload.get_text(event, "type")


def read_sent(session: Session, event: Any) -> None:
    """Read what the agent is about to send: an event as object, dict or JSON."""
    kind = _kind_of_sent(event)
    read = _SENT.get(kind or "")
    if read is not None:
        read(session, _fields(event))


def _kind_of_sent(event: Any) -> str | None:
    kind = kind_of(event)
    if kind is None and isinstance(event, str):
        return payload.get_text(from_json(event), "type")
    return kind


def _fields(event: Any) -> dict[str, Any]:
    """Return an event as a dict that nobody else holds."""
    if isinstance(event, (str, bytes, bytearray)):
        return payload.as_dict(from_json(event))
    return payload.as_dict(content.copied(plain(event)))


def _start_response(session: Session, event: dict[str, Any]) -> None:
    _start(session, payload.as_dict(event.get("response")), payload.as_text(event.get("event_id")))


def _start(session: Session, asked: dict[str, Any], event_id: str | None) -> RealtimeResponse:
    """Begin a response; what it is not asked with is as the session has it."""
    state: State = session.state
    body = {**state.settings, **asked}
    operation = RealtimeResponse(event_id=event_id, stream=True)
    body["model"] = state.model or body.get("model")
    body.setdefault("max_output_tokens", body.get("max_response_output_tokens"))
    read_sampling(operation, body)
    operation.reasoning_level = payload.get_text(body.get("reasoning"), "effort")
    modalities = payload.as_list(body.get("output_modalities")) or payload.as_list(body.get("modalities"))
    if modalities:
        operation.output_type = "speech" if "audio" in modalities else "text"
    if content.wanted():
        _read_content(operation, state, body, asked.get("input"))
    state.origin(operation)
    session.start(operation)
    return operation


def _read_content(operation: RealtimeResponse, state: State, body: dict[str, Any], own_input: Any) -> None:
    operation.system_instructions = system_instructions(body)
    operation.tool_definitions = [tool_definition(tool) for tool in payload.as_list(body.get("tools"))] or None
    if own_input is not None:
        operation.has_own_input = True
        operation.input_items = payload.as_list(own_input)
    else:
        operation.input_items, state.items = state.items, []


def _update_session(session: Session, event: dict[str, Any]) -> None:
    """Read what the session is set to, by the agent or as the server has it."""
    told = payload.as_dict(event.get("session"))
    session.state.settings.update({name: value for name, value in told.items() if value is not None})


def _add_sent_item(session: Session, event: dict[str, Any]) -> None:
    item = event.get("item")
    if not content.wanted() or not isinstance(item, dict):
        return
    _wait(session.state.items, item)
    if item.get("role") != "assistant":
        _wait(session.state.unacknowledged, item)


def _wait(items: list[dict[str, Any]], item: dict[str, Any]) -> None:
    items.append(item)
    del items[:-_MOST_ITEMS]


def read_received(session: Session, event: Any) -> None:
    """Read a server's event as it came, as bytes or text."""
    kind = kind_of(event)
    if kind is None:
        return
    if kind in _FINAL:
        _end(session, payload.as_dict(payload.get(from_json(event), "response")))
    elif kind.startswith("response.") and kind != "response.created":
        _keep(session, kind, event)
    else:
        read = _RECEIVED.get(kind)
        if read is not None:
            read(session, payload.as_dict(from_json(event)))


def _keep(session: Session, kind: str, event: Any) -> None:
    """Keep a piece of a response that goes on."""
    operations = session.operations()
    going_on = [each for each in operations if each.is_created] or operations
    if not going_on:
        return
    if kind.endswith(".delta"):
        operation = going_on[0]
        if len(going_on) > 1:
            operation = _by_id(going_on, payload.get_text(from_json(event), "response_id")) or operation
        session.chunk(operation)
        if kind in _NEVER_KEPT or not content.wanted():
            return
    elif kind not in ("response.output_item.added", "response.output_item.done"):
        return
    else:
        operation = _by_id(going_on, payload.get_text(from_json(event), "response_id")) or going_on[0]
    if operation.kept_bytes < _MOST_KEPT:
        operation.kept.append(event)
        operation.kept_bytes += len(event)


def _by_id(operations: list[Any], response_id: str | None) -> Any:
    for operation in operations:
        if response_id is not None and operation.response_id == response_id:
            return operation
    return None


def _created(session: Session, event: dict[str, Any]) -> None:
    """Read that a response has begun: the oldest that was asked for, or one of the server's own accord."""
    waiting = [operation for operation in session.operations() if not operation.is_created]
    operation = waiting[0] if waiting else _start(session, {}, None)
    operation.is_created = True
    operation.response_id = payload.get_text(event, "response", "id")
    if not operation.has_own_input:
        # What the server had to tell of them came after the response was asked for.
        operation.input_items += session.state.items
        session.state.items = []


def _end(session: Session, answer: dict[str, Any]) -> None:
    operations = session.operations()
    created = [each for each in operations if each.is_created] or operations
    operation = _by_id(created, payload.get_text(answer, "id"))
    if operation is None and created:
        operation = created[0]
    if operation is None:
        return
    operation.answer = answer
    operation.response_model = payload.get_text(session.state.settings, "model")
    session.end(operation)


def _added(session: Session, event: dict[str, Any]) -> None:
    """Read an item that the server has put into the conversation: the agent's, or what was heard."""
    item = event.get("item")
    if not content.wanted() or not isinstance(item, dict) or not _is_input(item):
        return
    state: State = session.state
    if any(item.get("id") is not None and item.get("id") == each.get("id") for each in state.items):
        return
    if state.unacknowledged:
        sent = state.unacknowledged.pop(0)
        sent.setdefault("id", item.get("id"))
    else:
        _wait(state.items, item)


def _is_input(item: dict[str, Any]) -> bool:
    kind = payload.get_text(item, "type") or "message"
    return item.get("role") in ("user", "system") or kind.endswith(("_output", "_approval_response"))


def _transcribed(session: Session, event: dict[str, Any]) -> None:
    """Read what was said in audio that the agent or its user sent."""
    if not content.wanted():
        return
    item_id = event.get("item_id")
    waiting = list(session.state.items)
    for operation in session.operations():
        waiting += operation.input_items
    for item in waiting:
        if isinstance(item, dict) and item.get("id") == item_id:
            _write_transcript(item, event)


def _write_transcript(item: dict[str, Any], event: dict[str, Any]) -> None:
    parts = payload.as_list(item.get("content"))
    place = payload.as_int(event.get("content_index")) or 0
    if place < len(parts) and isinstance(parts[place], dict):
        parts[place]["transcript"] = event.get("transcript")


def _failed(session: Session, event: dict[str, Any]) -> None:
    """Read an error event; it ends the response that was asked for by what the error is about."""
    error = payload.coalesce(event.get("error"), event)
    operation = _at_fault(session.operations(), error)
    if operation is not None:
        operation.error_type = error_type(error)
        session.end(operation)
    elif (payload.get_text(error, "param") or "").startswith("item") and session.state.unacknowledged:
        session.state.unacknowledged.pop(0)


def _at_fault(operations: list[Any], error: Any) -> Any:
    event_id = payload.get_text(error, "event_id")
    waiting = [each for each in operations if not each.is_created]
    for operation in waiting:
        if event_id is not None and operation.event_id == event_id:
            return operation
    if event_id is not None or not waiting:
        return None
    about = (payload.get_text(error, "param"), error_code(error))
    is_of_response = any("response" in (name or "") for name in about)
    is_of_server = payload.get_text(error, "type") not in (None, "invalid_request_error")
    return waiting[-1] if is_of_response or is_of_server else None


def finish(operation: RealtimeResponse) -> None:
    """Complete a response from its last event, or from what came in until it was left."""
    kept, operation.kept = operation.kept, []
    if operation.input_items and content.wanted():
        operation.input_messages = input_messages([_as_item(item) for item in operation.input_items])
    if operation.answer is not None:
        _read_answer(operation, operation.answer)
        return
    for raw in kept:
        event = payload.as_dict(from_json(raw))
        kind = payload.get_text(event, "type") or ""
        item = _as_item(event.get("item"))
        responses.read_event(operation, {**event, "type": _TEXT_DELTAS.get(kind, kind), "item": item})
    responses.read_pieces(operation)


def _read_answer(operation: RealtimeResponse, answer: dict[str, Any]) -> None:
    reason = payload.get(answer, "status_details", "reason")
    fields = {
        # The names of the Responses API.
        "incomplete_details": {"reason": reason},
        "error": payload.get(answer, "status_details", "error"),
        **answer,
        "output": [_as_item(item) for item in payload.as_list(answer.get("output"))],
    }
    responses.read_answer(operation, fields)
    conversation_id = payload.get_text(answer, "conversation_id")
    operation.conversation_id = operation.conversation_id or conversation_id


def _as_item(item: Any) -> Any:
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


def start_over_websocket(session: Session, event: Any) -> None:
    """Read what the agent sends over a connection of the Responses API."""
    if _kind_of_sent(event) != "response.create":
        return
    body = _fields(event)
    operation = RealtimeResponse(event_id=payload.as_text(body.get("event_id")), stream=True)
    asked = responses.parse_request({name: value for name, value in body.items() if name not in ("type", "event_id")})
    for name, value in vars(asked).items():
        if name != "stream" and value is not None:
            setattr(operation, name, value)
    session.state.origin(operation)
    session.start(operation)


def read_over_websocket(session: Session, event: Any) -> None:
    """Read what comes over a connection of the Responses API, where nothing but responses is asked for."""
    if kind_of(event) != "error":
        read_received(session, event)
        return
    for operation in session.operations()[:1]:
        operation.error_type = error_type(payload.coalesce(payload.get(from_json(event), "error"), from_json(event)))
        session.end(operation)


def finish_over_websocket(operation: RealtimeResponse) -> None:
    """Complete a response of the Responses API, which can be fetched later."""
    finish(operation)
    uncounted.note_answer(operation, is_over=operation.is_answered())


_SENT: dict[str, Callable[[Session, dict[str, Any]], None]] = {
    "response.create": _start_response,
    "session.update": _update_session,
    "conversation.item.create": _add_sent_item,
}
_RECEIVED: dict[str, Callable[[Session, dict[str, Any]], None]] = {
    "session.created": _update_session,
    "session.updated": _update_session,
    "response.created": _created,
    "conversation.item.created": _added,
    "conversation.item.added": _added,
    "conversation.item.input_audio_transcription.completed": _transcribed,
    "error": _failed,
}
