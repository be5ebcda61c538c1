"""Connections of OpenAI's client that stay open: of the Realtime API, and of the Responses API over a WebSocket."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from obs_instrumentors.clients import hosts
from obs_instrumentors.wire.openai import realtime
from obs_instrumentors.wire.websocket_address import host_and_port, is_closed, uri_of
from obs_run.base import payload
from obs_run.core import sessions
from obs_run.core.hooks import Target
from obs_run.core.sessions import Messages

if TYPE_CHECKING:
    from collections.abc import Callable

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


def _sent(read: Callable[[Session, Any], None], session: Session, call: Call) -> None:
    event = call.argument(0, "event")
    read(session, call.argument(0, "data") if event is None else event)


_REALTIME = Messages(_open, partial(_sent, realtime.read_sent), realtime.read_received, realtime.finish, is_closed)
_RESPONSES = Messages(
    _open,
    partial(_sent, realtime.start_over_websocket),
    realtime.read_over_websocket,
    realtime.finish_over_websocket,
    is_closed,
)


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
)
