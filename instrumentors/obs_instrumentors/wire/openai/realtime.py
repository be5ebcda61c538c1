"""The Realtime API's events: each response is one operation, whoever asked for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.failures import error_code, error_type
from obs_run.base import payload
from obs_run.base.json_text import from_json
from obs_run.core import content

from .common_fields import read_sampling
from .realtime_response import RealtimeResponse, fields_of, find, keep, keeps, kind_of, waiting
from .response_items import system_instructions, tool_definition

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.sessions import Session

    from .responses import Response

_MOST_ITEMS = 256
"""Items that wait for the response they are the input of."""
_FINAL = tuple(f"response.{status}" for status in ("done", "completed", "incomplete", "failed", "cancelled"))


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


def read_sent(session: Session, event: Any) -> None:
    """Read what the agent is about to send: an event as object, dict or JSON."""
    read = _SENT.get(kind_of(event) or "")
    if read is not None:
        read(session, fields_of(event))


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
    if keeps(kind):
        _keep(session, kind, event)
        return
    read = _RECEIVED.get(kind)
    if read is not None:
        read(session, payload.as_dict(from_json(event)))


def _keep(session: Session, kind: str, event: Any) -> None:
    operation = find(session.operations(), event)
    if operation is not None:
        session.chunk(operation)
        keep(operation, kind, event)


def _created(session: Session, event: dict[str, Any]) -> None:
    """Read that a response has begun: the oldest that was asked for, or one of the server's own accord."""
    asked = waiting(session.operations(), event)
    operation = asked[0] if asked else _start(session, {}, None)
    operation.is_created = True
    operation.response_id = payload.get_text(event, "response", "id")
    if not operation.has_own_input:
        # What the server had to tell of them came after the response was asked for.
        operation.input_items += session.state.items
        session.state.items = []


def _end(session: Session, event: dict[str, Any]) -> None:
    operation = find(session.operations(), event)
    if operation is not None:
        operation.answer = payload.as_dict(event.get("response"))
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
    items = list(session.state.items)
    for operation in session.operations():
        items += operation.input_items
    for item in items:
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
    asked = waiting(operations, error)
    for operation in asked:
        if event_id is not None and operation.event_id == event_id:
            return operation
    if event_id is not None or not asked:
        return None
    about = (payload.get_text(error, "param"), error_code(error))
    is_of_response = any("response" in (name or "") for name in about)
    is_of_server = payload.get_text(error, "type") not in (None, "invalid_request_error")
    return asked[-1] if is_of_response or is_of_server else None


_SENT: dict[str, Callable[[Session, dict[str, Any]], None]] = {
    "response.create": _start_response,
    "session.update": _update_session,
    "conversation.item.create": _add_sent_item,
}
_RECEIVED: dict[str, Callable[[Session, dict[str, Any]], None]] = {
    "session.created": _update_session,
    "session.updated": _update_session,
    "response.created": _created,
    **dict.fromkeys(_FINAL, _end),
    "conversation.item.created": _added,
    "conversation.item.added": _added,
    "conversation.item.input_audio_transcription.completed": _transcribed,
    "error": _failed,
}
