"""Connections of OpenAI's client that stay open: of the Realtime API, and of the Responses API over a WebSocket."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.websocket_address import is_closed
from obs_run.core import sessions
from obs_run.core.hooks import Target
from obs_run.core.late_functions import late_functions
from obs_run.core.sessions import Messages

if TYPE_CHECKING:
    from obs_run.core.hooks import Wrapper

_LANES_MODULE = "openai.lib.responses_websocket._session"

# Few agents open a connection, and the formats are much to load.
_connections = partial(late_functions(__package__), "connections")
_wire = late_functions("obs_instrumentors.wire.openai")


def _connection_of_lane(lane: Any) -> Any:
    return lane._session.connection  # noqa: SLF001 (there is no public name)


_REALTIME = Messages(
    _connections("read_address"),
    _connections("read_sent"),
    _wire("realtime", "read_received"),
    _wire("realtime_response", "finish"),
    is_closed,
)
_RESPONSES = Messages(
    _connections("read_address"),
    _connections("read_response_sent"),
    _wire("responses_websocket", "read_received"),
    _wire("responses_websocket", "finish"),
    is_closed,
)
_LANES = _RESPONSES._replace(sent=_connections("read_sent_in_lane"), connection=_connection_of_lane)


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
