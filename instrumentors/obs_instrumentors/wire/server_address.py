"""Host and port of a request's URL, as the conventions want them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from obs_run.core.operations import Operation

DEFAULT_PORTS = {"http": 80, "https": 443}


def read_server_address(operation: Operation, url: str) -> None:
    """Read where a request goes from its URL; leave the operation as it is where that names no host."""
    parts = urlsplit(url)
    if not parts.hostname:
        return
    operation.server_address = parts.hostname
    operation.server_port = parts.port or DEFAULT_PORTS.get(parts.scheme)
