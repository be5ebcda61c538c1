"""Sessions of the Live API: each turn of the model is one operation, until it is complete or asks for a function."""

from __future__ import annotations

import sys
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.google.contents import get
from obs_instrumentors.wire.plain import plain
from obs_instrumentors.wire.websocket_address import host_and_port, is_closed, uri_of
from obs_run.base import guard, payload
from obs_run.base.json_text import from_json
from obs_run.core import content, sessions
from obs_run.core.hooks import Target
from obs_run.core.sessions import Messages

from . import live_turn
from .live_turn import State, current, start

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.outcomes import Call
    from obs_run.core.sessions import Session

_MODULE = "google.genai.live"
_DEEPEST = 8
_MOST_CONTENTS = 256
_CONTENT_FIELDS = ("parts", "role")


def _open(connection: Any) -> State:
    """Return what is known of a session, as its client makes it."""
    setup = payload.as_dict(get(from_json(_request()), "setup"))
    uses_vertex = payload.get(connection, "_api_client", "vertexai")
    websocket = payload.get(connection, "_ws")
    host, port = host_and_port(uri_of(websocket))
    when_lost = payload.get(websocket, "connection_lost_waiter")
    if when_lost is not None:
        when_lost.add_done_callback(partial(guard.call, "close", _end_what_was_left, weakref.ref(connection)))
    return State(setup, "gcp.vertex_ai" if uses_vertex else "gcp.gemini", host, port)


def _end_what_was_left(session: weakref.ref[Any], _lost: object) -> None:
    """End what goes on in a session whose block the agent has left: the client closes no session but its connection."""
    connection = session()
    protocol = payload.get(connection, "_ws", "protocol")
    # Of one that the server closed the agent may still read what came before.
    if payload.get(protocol, "close_rcvd_then_sent") is False:
        sessions.close(connection)


def _request() -> Any:
    """Return the first message as it went out: only the function that makes the session has it."""
    frame = sys._getframe(1)  # noqa: SLF001 (there is no public name)
    for _ in range(_DEEPEST):
        if frame.f_back is None:
            return None
        frame = frame.f_back
        if frame.f_code.co_name == "connect" and frame.f_globals.get("__name__") == _MODULE:
            return frame.f_locals.get("request")
    return None


def _end_answered(session: Session) -> None:
    """End a turn whose last message did not come, because the agent goes on."""
    for turn in session.operations():
        if turn.is_answered():
            session.end(turn)


def _add_contents(session: Session, value: Any) -> None:
    """Keep what the agent sends, as part of a turn that has not begun to be answered, or for the next one."""
    if not content.wanted():
        return
    turn = current(session)
    is_early = turn is not None and not turn.has_begun
    contents = turn.contents if turn is not None and is_early else session.state.contents
    contents += _as_contents(value)
    del contents[:-_MOST_CONTENTS]


def _as_contents(value: Any) -> list[Any]:
    """Return contents as dicts that nobody else holds; a text or part alone is the user's."""
    if value is None:
        return []
    if isinstance(value, (list, tuple)):
        contents: list[Any] = []
        for each in value:
            contents += _as_contents(each)
        return contents
    if isinstance(value, str):
        return [{"role": "user", "parts": [{"text": value}]}]
    fields = content.copied(plain(value))
    if any(get(fields, name) is not None for name in _CONTENT_FIELDS):
        return [fields]
    return [{"role": "user", "parts": [fields]}]


def _sent_content(session: Session, call: Call) -> None:
    """Read ``send_client_content``, whose turn is complete unless it says otherwise."""
    _end_answered(session)
    _add_contents(session, call.kwargs.get("turns"))
    if call.kwargs.get("turn_complete", True):
        _ask(session)


def _ask(session: Session) -> None:
    turn = current(session)
    if turn is None or turn.has_begun:
        start(session)


def _sent_realtime_input(session: Session, call: Call) -> None:
    """Read ``send_realtime_input``: a text asks for an answer, as does the end of what the user does."""
    text = call.kwargs.get("text")
    if text is None and call.kwargs.get("activity_end") is None:
        return
    _end_answered(session)
    _add_contents(session, text)
    _ask(session)


def _sent_tool_response(session: Session, call: Call) -> None:
    """Read ``send_tool_response``, after which the model goes on."""
    _read_tool_responses(session, call.kwargs.get("function_responses"))


def _read_tool_responses(session: Session, responses: Any) -> None:
    for turn in session.operations():
        if turn.asks_for_tools():
            session.end(turn)
    if content.wanted():
        each = responses if isinstance(responses, (list, tuple)) else [responses]
        parts = [{"functionResponse": content.copied(plain(response))} for response in each]
        session.state.contents.append({"role": "user", "parts": parts})
    _ask(session)


def _sent_context_update(session: Session, call: Call) -> None:
    """Read ``send_context_update``, which holds for the turns to come."""
    if not content.wanted():
        return
    told: dict[str, Any] = {}
    instructions, tools = call.kwargs.get("system_instruction"), call.kwargs.get("tools")
    if instructions is not None:
        contents = _as_contents(instructions)
        told["systemInstruction"] = {
            "parts": [part for each in contents for part in payload.as_list(get(each, "parts"))]
        }
    if tools is not None:
        told["tools"] = [_as_tool(tool) for tool in payload.as_list(tools)]
    session.state.setup = {**session.state.setup, **told}


def _as_tool(tool: Any) -> Any:
    """Return a tool as it is sent; of a function of the agent's its name."""
    if callable(tool):
        return {"functionDeclarations": [{"name": payload.get_text(tool, "__name__")}]}
    return content.copied(plain(tool))


def _sent_anything(session: Session, call: Call) -> None:
    """Read ``send``, the older method for all of these."""
    value = call.kwargs.get("input")
    first = value[0] if isinstance(value, (list, tuple)) and value else value
    fields = payload.as_dict(first)
    if get(fields, "functionResponses") is not None:
        _read_tool_responses(session, get(fields, "functionResponses"))
    elif get(fields, "name") is not None and get(fields, "response") is not None:
        _read_tool_responses(session, value)
    elif get(fields, "turns") is not None or get(fields, "turnComplete") is not None:
        _end_answered(session)
        _add_contents(session, get(fields, "turns"))
        if get(fields, "turnComplete"):
            _ask(session)
    elif get(fields, "data") is None and get(fields, "mediaChunks") is None:
        _end_answered(session)
        _add_contents(session, value)
        if call.kwargs.get("end_of_turn"):
            _ask(session)


def _is_lost(error: BaseException) -> bool:
    """Whether the connection was closed, which newer releases say with an error of their own."""
    return is_closed(error) or type(error).__name__ in ("APIError", "ClientError", "ServerError")


def _target(method: str, sent: Callable[[Session, Call], None]) -> Target:
    return Target(_MODULE, f"AsyncSession.{method}", sessions.wrap_async_send(_messages(sent)), optional=True)


def _messages(sent: Callable[[Session, Call], None]) -> Messages:
    return Messages(_open, sent, live_turn.received, live_turn.finish, _is_lost)


_RECEIVING = _messages(_sent_anything)
TARGETS = (
    Target(_MODULE, "AsyncSession.__init__", sessions.wrap_open(_RECEIVING)),
    Target(_MODULE, "AsyncSession._receive", sessions.wrap_async_receive(_RECEIVING)),
    Target(_MODULE, "AsyncSession.close", sessions.wrap_close()),
    _target("send", _sent_anything),
    _target("send_client_content", _sent_content),
    _target("send_realtime_input", _sent_realtime_input),
    _target("send_tool_response", _sent_tool_response),
    _target("send_context_update", _sent_context_update),
)
