"""Requests that reach Python's own servers, ``http.server`` and ``wsgiref``, and those made of them, as werkzeug's.

Chosen: patches around the handling of a request, where the base class reads and writes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire import http_requests, wsgi
from obs_run.base import payload
from obs_run.core import noted_calls
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.message_steps import wrap_step
from obs_run.core.server_requests import RequestStep, answers_of, current_step, status_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obs_run.core.operations import HttpServerRequest
    from obs_run.core.outcomes import Call

_OLDEST = "HTTP/0.9"


def begin_handling(call: Call) -> RequestStep:
    """Begin the handling of what a connection brings next."""
    handler = call.instance

    def finish(operation: HttpServerRequest, _: Any) -> None:
        environ = step.details or payload.get_if_readable(handler, "environ")
        operation.route = operation.route or wsgi.read_route(environ)

    step = RequestStep(handler, _application(handler.server), finish)
    return step


def note_request(call: Call, is_parsed: Any) -> None:
    """Begin the request, once its head is read."""
    handler = call.instance
    step = current_step(handler)
    if step is None or not is_parsed:
        return
    step.begin(*parse_request(handler))


def _application(server: Any) -> Any:
    """Return the application of a WSGI server, None of any other."""
    return payload.get_if_readable(server, "app") or payload.get_if_readable(server, "application")


def parse_request(handler: Any) -> tuple[HttpServerRequest, Mapping[str, list[str]]]:
    """Return the operation of the request that a ``BaseHTTPRequestHandler`` has read, and its headers."""
    headers: dict[str, list[str]] = {}
    for name, value in handler.headers.items():
        headers.setdefault(name.lower(), []).append(value)
    path, _, query = handler.path.partition("?")
    operation = http_requests.start_operation(handler.command, path, headers)
    operation.query = query or None
    operation.scheme = "https" if hasattr(handler.connection, "cipher") else "http"
    operation.protocol_version = http_requests.parse_version(handler.request_version)
    client, address = handler.client_address, payload.get(handler.server, "server_address")
    operation.client_address = payload.as_text(client[0]) if isinstance(client, tuple) else None
    http_requests.fill_address(operation, *(address[:2] if isinstance(address, tuple) else (None, None)))
    return operation, headers


def note_status(call: Call) -> None:
    """Read how a handler answers."""
    step = current_step(call.instance)
    if step is not None:
        step.note_status(payload.as_int(call.argument(0, "code")))


def answer(call: Call) -> None:
    """Add to the head of an answer what it is to have, as it is finished."""
    buffered = payload.get_if_readable(call.instance, "_headers_buffer")
    if not isinstance(buffered, list) or call.instance.request_version == _OLDEST:
        return
    present = [line.partition(b":")[0].decode("latin-1") for line in buffered]
    for name, value in answers_of(present, call.instance).items():
        buffered.append(f"{name}: {value}\r\n".encode("latin-1"))


def note_start(call: Call) -> None:
    """Read how a WSGI application answers, and add to the head what it is to have."""
    step = current_step(payload.get_if_readable(call.instance, "request_handler"))
    headers = call.argument(1, "headers")
    if step is None or step.server is None:
        return
    step.details = payload.get_if_readable(call.instance, "environ")
    step.note_status(status_of(call.argument(0, "status")))
    if type(headers) is list:
        # wsgiref itself adds to the application's list.
        headers += step.answers([name for name, _ in headers]).items()


_HANDLER = "BaseHTTPRequestHandler"
INSTRUMENTORS = (
    Instrumentor(
        "http.server",
        "Python's http.server",
        ">=3.10",
        (
            Target("http.server", f"{_HANDLER}.handle_one_request", wrap_step(begin_handling)),
            Target("http.server", f"{_HANDLER}.parse_request", noted_calls.wrap_after("request", note_request)),
            Target("http.server", f"{_HANDLER}.send_response_only", noted_calls.wrap_before("answer", note_status)),
            Target("http.server", f"{_HANDLER}.end_headers", noted_calls.wrap_before("answer", answer)),
            # Until werkzeug 2.1 these are its own.
            Target("werkzeug.serving", "WSGIRequestHandler*.handle_one_request", wrap_step(begin_handling)),
            Target(
                "werkzeug.serving", "WSGIRequestHandler*.send_response", noted_calls.wrap_before("answer", note_status)
            ),
            Target("wsgiref.simple_server", "WSGIRequestHandler.handle", wrap_step(begin_handling)),
            Target("wsgiref.handlers", "BaseHandler.start_response", noted_calls.wrap_before("answer", note_start)),
        ),
        ("requests",),
        is_server=True,
    ),
)
