"""Requests that reach gunicorn's workers of WSGI applications; those that serve ASGI with uvicorn are uvicorn's.

Chosen: patches around the handling of a request, where the worker makes the environ and starts the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire import wsgi
from obs_run.base import payload
from obs_run.base.steps import Step
from obs_run.core import noted_calls
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.message_steps import wrap_step
from obs_run.core.server_requests import RequestStep, current_step, status_of

if TYPE_CHECKING:
    from obs_run.core.operations import HttpServerRequest
    from obs_run.core.outcomes import Call


def begin_handling(call: Call) -> RequestStep:
    """Begin the handling of a request."""

    def finish(operation: HttpServerRequest, _: Any) -> None:
        operation.route = operation.route or wsgi.read_route(step.details)

    step = RequestStep(call.instance, payload.get_if_readable(call.instance, "wsgi"), finish)
    return step


def note_environ(_: Call, made: Any) -> None:
    """Begin to record the request, of which the environ tells."""
    step = current_step()
    if step is not None:
        step.details = made[1]
        step.begin(*wsgi.parse_request(made[1]))


def begin_answer(call: Call) -> Step | None:
    """Read how the application answers, and add to the head what it is to have."""
    step = current_step()
    headers = call.argument(1, "headers")
    if step is None:
        return None
    step.note_status(status_of(call.argument(0, "status")))
    added = step.answers([name for name, _ in headers])
    if added:
        call.replace(1, "headers", [*headers, *added.items()])
    return Step()


INSTRUMENTORS = (
    Instrumentor(
        "gunicorn",
        "gunicorn",
        ">=21,<28",
        (
            Target("gunicorn.workers.sync", "SyncWorker.handle_request", wrap_step(begin_handling)),
            Target("gunicorn.workers.gthread", "ThreadWorker.handle_request", wrap_step(begin_handling)),
            Target("gunicorn.workers.base_async", "AsyncWorker.handle_request", wrap_step(begin_handling)),
            Target("gunicorn.http.wsgi", "create", noted_calls.wrap_after("request", note_environ)),
            Target("gunicorn.http.wsgi", "Response.start_response", wrap_step(begin_answer)),
        ),
        ("requests",),
        is_server=True,
    ),
)
