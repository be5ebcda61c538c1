"""What servers of every kind tell of an HTTP request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from obs_run.base import payload
from obs_run.core.operations import HttpServerRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def start_operation(method: str | None, path: str, headers: Mapping[str, list[str]]) -> HttpServerRequest:
    """Return the operation of a request, with what its headers say; whom it was sent to is in ``host``."""
    operation = HttpServerRequest(method or "GET")
    operation.path = path
    operation.user_agent = headers.get("user-agent", [None])[0]
    host = headers.get("host", [""])[0]
    if host:
        try:
            parts = urlsplit(f"//{host}")
            operation.server_address, operation.server_port = parts.hostname, parts.port
        except ValueError:
            # Whoever asks may write anything there.
            operation.server_address = None
    return operation


def fill_address(operation: HttpServerRequest, address: Any, port: Any) -> None:
    """Say where the server listens, as far as the request has not said whom it asks."""
    if operation.server_address is None:
        operation.server_address, operation.server_port = payload.as_text(address) or None, payload.as_int(port)
    elif operation.server_port is None:
        operation.server_port = _DEFAULT_PORTS.get(operation.scheme or "")


def parse_version(protocol: Any) -> str | None:
    """Return the version in a protocol's name, as in ``HTTP/1.1``."""
    return payload.as_text(str(protocol).partition("/")[2]) or None
