"""Requests that reach uvicorn, whatever application it serves, under gunicorn too.

Chosen: patches around the handling of a request, so that what uvicorn logs of it is inside.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire import asgi
from obs_run.base import payload
from obs_run.core import noted_calls
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.message_steps import wrap_async_step
from obs_run.core.server_requests import MessageStep, RequestStep, current_step, note_reset_signals

if TYPE_CHECKING:
    from obs_run.core.operations import HttpServerRequest
    from obs_run.core.outcomes import Call


def begin_handling(call: Call) -> RequestStep:
    """Begin the handling of a request or of a websocket's connection."""
    protocol = call.instance
    scope = protocol.scope
    application = call.argument(0, "app") or payload.get(protocol, "app")
    return RequestStep(protocol, application, partial(_finish, scope), partial(asgi.parse_request, scope))


def _finish(scope: Any, operation: HttpServerRequest, _: Any) -> None:
    operation.route = asgi.read_route(scope)


def begin_sending(call: Call) -> MessageStep | None:
    """Read what the application sends."""
    step = current_step(call.instance)
    if step is None:
        return None
    asgi.note_message(step, call)
    return MessageStep(step, is_last=asgi.is_last(call.argument(0, "message")))


_HTTP = ("h11_impl", "httptools_impl", "zttp_impl", "zttp_h2_impl")
_WEBSOCKETS = ("websockets_impl", "websockets_sansio_impl", "wsproto_impl")
_MODULES = (
    *(f"uvicorn.protocols.http.{name}" for name in _HTTP),
    *(f"uvicorn.protocols.websockets.{name}" for name in _WEBSOCKETS),
)
_WORKERS = ("uvicorn.workers", "uvicorn_worker._workers")
_RESET = noted_calls.wrap_after("signals", note_reset_signals)
INSTRUMENTORS = (
    Instrumentor(
        "uvicorn",
        "uvicorn",
        ">=0.20,<1",
        tuple(
            target
            for module in _MODULES
            for target in (
                Target(module, "*.run_asgi", wrap_async_step(begin_handling)),
                Target(module, "*.send", wrap_async_step(begin_sending)),
                Target(module, "*.asgi_send", wrap_async_step(begin_sending)),
            )
        )
        + tuple(Target(module, "UvicornWorker.init_signals", _RESET, optional=True) for module in _WORKERS),
        ("requests",),
        is_server=True,
    ),
)
