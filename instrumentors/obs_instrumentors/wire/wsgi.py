"""Requests as WSGI's environ tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire import http_requests
from obs_run.base import payload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obs_run.core.operations import HttpServerRequest

_HTTP = "HTTP_"


def parse_request(environ: Mapping[str, Any]) -> tuple[HttpServerRequest, dict[str, list[str]]]:
    """Return the operation of a request, and its headers."""
    headers = {
        name[len(_HTTP) :].replace("_", "-").lower(): [str(value)]
        for name, value in environ.items()
        if name.startswith(_HTTP)
    }
    # The bytes of a path are given as latin-1.
    path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}".encode("latin-1", "replace")
    operation = http_requests.start_operation(
        payload.get_text(environ, "REQUEST_METHOD"), path.decode("utf-8", "replace"), headers
    )
    operation.query = payload.get_text(environ, "QUERY_STRING") or None
    operation.scheme = payload.get_text(environ, "wsgi.url_scheme")
    operation.protocol_version = http_requests.parse_version(environ.get("SERVER_PROTOCOL"))
    operation.client_address = payload.get_text(environ, "REMOTE_ADDR") or None
    http_requests.fill_address(operation, environ.get("SERVER_NAME"), environ.get("SERVER_PORT"))
    return operation, headers


def read_route(environ: Any) -> str | None:
    """Return the route that the framework found and told of here, as bottle does."""
    return payload.get_text(environ, "bottle.route", "rule")
