"""Requests that reach a server of ``aiohttp.web``.

Chosen: patches around the handling of a request, so that what aiohttp logs of it is inside.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire import http_requests
from obs_run.base import payload
from obs_run.core import noted_calls
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.message_steps import wrap_async_step
from obs_run.core.server_requests import RequestStep, answers_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obs_run.core.operations import HttpServerRequest
    from obs_run.core.outcomes import Call


def begin_handling(call: Call) -> RequestStep:
    """Begin the handling of a request."""
    request, handler = call.argument(0, "request"), call.argument(2, "request_handler")
    return RequestStep(request, handler, partial(_finish, request), partial(parse_request, request))


def parse_request(request: Any) -> tuple[HttpServerRequest, Mapping[str, list[str]]]:
    """Return the operation of a ``BaseRequest``, and its headers."""
    headers: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        headers.setdefault(name.lower(), []).append(value)
    url = request.rel_url
    operation = http_requests.start_operation(request.method, url.raw_path, headers)
    operation.query = url.raw_query_string or None
    operation.scheme = payload.get_text(request, "scheme")
    version = request.version
    operation.protocol_version = f"{version[0]}.{version[1]}"
    operation.client_address = payload.get_text(request, "remote")
    http_requests.fill_address(operation, None, None)
    return operation, headers


def _finish(request: Any, operation: HttpServerRequest, returned: Any) -> None:
    """Read what came of it: the answer, and whether it went out whole."""
    if isinstance(returned, tuple):
        status = payload.get_int(returned[0], "status")
        if status is not None:
            operation.note_status(status)
    # It is a mapping as well.
    found = getattr(payload.get_if_readable(request, "_match_info"), "route", None)
    operation.route = payload.get_text(found, "resource", "canonical")


def answer(call: Call, _: Any) -> None:
    """Add to the head of an answer what it is to have."""
    headers = call.instance.headers
    headers.extend(answers_of(list(headers)))


INSTRUMENTORS = (
    Instrumentor(
        "aiohttp-server",
        "aiohttp",
        ">=3.9,<4",
        (
            Target("aiohttp.web_protocol", "RequestHandler._handle_request", wrap_async_step(begin_handling)),
            Target(
                "aiohttp.web_response",
                "StreamResponse._prepare_headers",
                noted_calls.wrap_async_after("answer", answer),
            ),
        ),
        ("requests",),
        is_server=True,
    ),
)
