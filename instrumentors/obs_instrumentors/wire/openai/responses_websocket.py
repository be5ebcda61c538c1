"""The Responses API over a WebSocket, where nothing but responses is asked for, in one lane or in several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire import uncounted
from obs_instrumentors.wire.failures import error_type
from obs_run.base import payload
from obs_run.base.json_text import from_json

from . import realtime, realtime_response, responses
from .realtime_response import RealtimeResponse

if TYPE_CHECKING:
    from obs_run.core.sessions import Session

_ENVELOPE = ("type", "event_id", "stream_id")
"""What of an event is no part of the request."""


def read_sent(session: Session, event: Any, lane: str | None = None) -> None:
    """Read what the agent is about to send, in a lane of its own if it is told one."""
    if realtime_response.kind_of(event) != "response.create":
        return
    body = realtime_response.fields_of(event)
    event_id, stream_id = payload.as_text(body.get("event_id")), payload.as_text(body.get("stream_id"))
    operation = RealtimeResponse(event_id=event_id, stream_id=lane or stream_id)
    asked = responses.parse_request({name: value for name, value in body.items() if name not in _ENVELOPE})
    for name, value in vars(asked).items():
        if value is not None:
            setattr(operation, name, value)
    operation.stream = True
    session.state.origin(operation)
    session.start(operation)


def read_received(session: Session, event: Any) -> None:
    """Read a server's event as it came; an error ends the response that was asked for, or else the one that goes on."""
    if realtime_response.kind_of(event) != "error":
        realtime.read_received(session, event)
        return
    told = from_json(event)
    operations = session.operations()
    asked = realtime_response.waiting(operations, told)
    operation = asked[0] if asked else realtime_response.find(operations, told)
    if operation is not None:
        operation.error_type = error_type(payload.coalesce(payload.get(told, "error"), told))
        session.end(operation)


def finish(operation: RealtimeResponse) -> None:
    """Complete a response, which can be fetched later."""
    realtime_response.finish(operation)
    uncounted.note_answer(operation, is_over=operation.is_answered())
