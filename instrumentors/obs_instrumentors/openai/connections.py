"""What goes over connections of OpenAI's client that stay open, loaded when the first one is opened."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from obs_instrumentors.clients import hosts
from obs_instrumentors.wire.openai import realtime, responses_websocket
from obs_instrumentors.wire.websocket_address import host_and_port, uri_of
from obs_run.base import payload

if TYPE_CHECKING:
    from obs_instrumentors.wire.openai.responses import Response
    from obs_run.core.outcomes import Call
    from obs_run.core.sessions import Session


def read_address(connection: Any) -> realtime.State:
    """Return what is known of a session from its address."""
    address = uri_of(payload.get(connection, "_connection"))
    query = parse_qs(payload.get_text(address, "query") or "")
    models = query.get("model") or query.get("deployment")
    return realtime.State(partial(_read_origin, address), models[0] if models else None)


def _read_origin(address: Any, operation: Response) -> None:
    host, port = host_and_port(address)
    hosts.read_provider_at(operation, host, port, "openai")


def _event(call: Call) -> Any:
    """Return what a method of a connection sends, whose name tells whether it is an object or JSON."""
    event = call.argument(0, "event")
    return call.argument(0, "data") if event is None else event


def read_sent(session: Session, call: Call) -> None:
    """Read what is about to be sent to the Realtime API."""
    realtime.read_sent(session, _event(call))


def read_response_sent(session: Session, call: Call) -> None:
    """Read what is about to be sent to the Responses API."""
    responses_websocket.read_sent(session, _event(call))


def read_sent_in_lane(session: Session, call: Call) -> None:
    """Read what is about to be sent to the Responses API in a lane."""
    lane = payload.get_text(payload.get(call.instance, "_state"), "stream_id")
    responses_websocket.read_sent(session, _event(call), lane)
