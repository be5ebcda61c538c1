"""Requests as ASGI's scope tells them, and what is sent for an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire import http_requests
from obs_run.base import payload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obs_run.core.operations import HttpServerRequest
    from obs_run.core.outcomes import Call
    from obs_run.core.server_requests import RequestStep

KINDS = ("http", "websocket")
_SWITCHED = 101
_REFUSED = 403


def parse_request(scope: Mapping[str, Any]) -> tuple[HttpServerRequest, dict[str, list[str]]]:
    """Return the operation of a request, or of a websocket's connection, and its headers."""
    headers: dict[str, list[str]] = {}
    for name, value in scope.get("headers") or ():
        headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    operation = http_requests.start_operation(payload.get_text(scope, "method"), scope.get("path", ""), headers)
    operation.query = (scope.get("query_string") or b"").decode("latin-1") or None
    operation.scheme = payload.get_text(scope, "scheme")
    operation.protocol_version = payload.get_text(scope, "http_version")
    client, server = scope.get("client") or (None,), scope.get("server") or (None, None)
    operation.client_address = payload.as_text(client[0])
    http_requests.fill_address(operation, *server[:2])
    return operation, headers


def read_route(scope: Any) -> str | None:
    """Return the route that the framework found: FastAPI's and Starlette's, where it tells of it."""
    route = payload.get(scope, "route")
    path = payload.get_text(route, "path_format") or payload.get_text(route, "path")
    if path is None:
        path = _path_of(payload.get(scope, "router", "routes"), payload.get(scope, "endpoint"), scope)
    if path is None:
        return None
    mounted = payload.get_text(scope, "root_path") or ""
    return path if path.startswith(mounted) else mounted.rstrip("/") + path


def _path_of(routes: Any, endpoint: Any, scope: Any) -> str | None:
    """Return the path of the route to an endpoint, where the router does not say which it took."""
    if endpoint is None or not isinstance(routes, list):
        return None
    for route in routes:
        if getattr(route, "endpoint", None) is endpoint and route.matches(scope)[0].value:
            return payload.get_text(route, "path")
    return None


def note_message(step: RequestStep, call: Call) -> None:
    """Read what the application sends, in the server's first argument, and add to the answer what it is to have."""
    message = call.argument(0, "message")
    kind = payload.get_text(message, "type")
    if kind in ("http.response.start", "websocket.http.response.start"):
        step.note_status(payload.get_int(message, "status"))
        _answer(step, call, message)
    elif kind == "websocket.accept":
        step.note_status(_SWITCHED)
        _answer(step, call, message)
    elif kind == "websocket.close" and step.details is None:
        # Closed before it was accepted.
        step.note_status(_REFUSED)
    if kind is not None and kind.startswith("websocket."):
        step.details = kind


def _answer(step: RequestStep, call: Call, message: dict[str, Any]) -> None:
    headers = list(message.get("headers") or ())
    added = step.answers(name.decode("latin-1") for name, _ in headers)
    if added:
        headers += [(name.lower().encode(), value.encode()) for name, value in added.items()]
        call.replace(0, "message", {**message, "headers": headers})


def is_last(message: Any) -> bool:
    """Whether a message ends the answer; what the application does then is not waited for."""
    return payload.get(message, "type") == "http.response.body" and not payload.get(message, "more_body")
