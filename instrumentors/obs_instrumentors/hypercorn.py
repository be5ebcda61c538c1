"""Requests that reach hypercorn, whatever ASGI application it serves.

Chosen: patches around the handling of a request, so that what hypercorn logs of it is inside.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire import asgi
from obs_run.base import payload
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.message_steps import wrap_async_step
from obs_run.core.server_requests import MessageStep, RequestStep, current_step

if TYPE_CHECKING:
    from obs_run.core.operations import HttpServerRequest
    from obs_run.core.outcomes import Call


def begin_handling(call: Call) -> RequestStep | None:
    """Begin the handling of a request or of a websocket's connection; the application's life time is neither."""
    scope = call.argument(2, "scope")
    if payload.get(scope, "type") not in asgi.KINDS:
        return None
    stream = getattr(call.argument(4, "send"), "__self__", None)
    return RequestStep(stream, call.argument(0, "app"), partial(_finish, scope), partial(asgi.parse_request, scope))


def _finish(scope: Any, operation: HttpServerRequest, _: Any) -> None:
    operation.route = asgi.read_route(scope)


def begin_sending(call: Call) -> MessageStep | None:
    """Read what the application sends."""
    step = current_step(call.instance)
    if step is None or call.argument(0, "message") is None:
        return None
    asgi.note_message(step, call)
    return MessageStep(step, is_last=asgi.is_last(call.argument(0, "message")))


INSTRUMENTORS = (
    Instrumentor(
        "hypercorn",
        "hypercorn",
        ">=0.15,<1",
        (
            Target("hypercorn.asyncio.task_group", "_handle", wrap_async_step(begin_handling)),
            Target("hypercorn.trio.task_group", "_handle", wrap_async_step(begin_handling)),
            Target("hypercorn.protocol.http_stream", "HTTPStream.app_send", wrap_async_step(begin_sending)),
            Target("hypercorn.protocol.ws_stream", "WSStream.app_send", wrap_async_step(begin_sending)),
        ),
        ("requests",),
        is_server=True,
    ),
)
