"""Connections of OpenAI's client that stay open: of the Realtime API, and of the Responses API over a WebSocket."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from obs_instrumentors.clients import hosts
from obs_instrumentors.wire.openai import realtime, realtime_response, responses_websocket
from obs_instrumentors.wire.websocket_address import host_and_port, is_closed, uri_of
from obs_run.base import payload
from obs_run.core import sessions
from obs_run.core.hooks import Target
from obs_run.core.sessions import Messages

if TYPE_CHECKING:
    from obs_instrumentors.wire.openai.responses import Response
    from obs_run.core.hooks import Wrapper
    from obs_run.core.outcomes import Call
    from obs_run.core.sessions import Session


def _open(connection: Any) -> realtime.State:
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


def _sent(session: Session, call: Call) -> None:
    realtime.read_sent(session, _event(call))


def _response_sent(session: Session, call: Call) -> None:
    responses_websocket.read_sent(session, _event(call))


def _sent_in_lane(session: Session, call: Call) -> None:
    lane = payload.get_text(payload.get(call.instance, "_state"), "stream_id")
    responses_websocket.read_sent(session, _event(call), lane)


def _connection_of_lane(lane: Any) -> Any:
    return lane._session.connection  # noqa: SLF001 (there is no public name)


_REALTIME = Messages(_open, _sent, realtime.read_received, realtime_response.finish, is_closed)
_RESPONSES = Messages(_open, _response_sent, responses_websocket.read_received, responses_websocket.finish, is_closed)
_LANES = replace(_RESPONSES, sent=_sent_in_lane, connection=_connection_of_lane)
_LANES_MODULE = "openai.lib.responses_websocket._session"


def _targets(module: str, name: str, messages: Messages) -> tuple[Target, ...]:
    """Return the targets of a connection's class and of its async twin."""
    send, async_send = sessions.wrap_send(messages), sessions.wrap_async_send(messages)
    receive, async_receive = sessions.wrap_receive(messages), sessions.wrap_async_receive(messages)
    methods: tuple[tuple[str, Wrapper, Wrapper], ...] = (
        ("send", send, async_send),
        # In newer releases; where ``send`` passes it, it is the method of a class beneath.
        ("send_raw", send, async_send),
        ("recv_bytes", receive, async_receive),
        ("close", sessions.wrap_close(), sessions.wrap_close()),
    )
    targets: list[Target] = []
    for method, wrapper, async_wrapper in methods:
        targets.append(Target(module, f"{name}.{method}", wrapper, optional=True))
        targets.append(Target(module, f"Async{name}.{method}", async_wrapper, optional=True))
    return tuple(targets)


TARGETS = (
    *_targets("openai.resources.realtime.realtime", "RealtimeConnection", _REALTIME),
    *_targets("openai.resources.beta.realtime.realtime", "RealtimeConnection", _REALTIME),
    *_targets("openai.resources.responses.responses", "ResponsesConnection", _RESPONSES),
    *_targets("openai.resources.beta.responses.responses", "ResponsesConnection", _RESPONSES),
    Target(_LANES_MODULE, "ResponsesWebSocketLane.send", sessions.wrap_send(_LANES)),
    Target(_LANES_MODULE, "AsyncResponsesWebSocketLane.send", sessions.wrap_async_send(_LANES)),
)
