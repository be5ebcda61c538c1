"""Host and port of a server, as the conventions want them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from obs_run.base import payload

if TYPE_CHECKING:
    from obs_run.core.operations import Operation

_DEFAULT_PORTS = {"http": 80, "https": 443}


def read_server_address(operation: Operation, url: str, *, default_port: int | None = None) -> None:
    """Read where a request goes from its URL; leave the operation as it is where that names no host."""
    parts = urlsplit(url)
    if not parts.hostname:
        return
    operation.server_address = parts.hostname
    operation.server_port = parts.port or _DEFAULT_PORTS.get(parts.scheme, default_port)


def read_store_address(operation: Operation, address: Any) -> None:
    """Read where a vector store is: a URL, or host and port alone, as its client keeps it; an embedded one has none."""
    if not isinstance(address, str) or not address:
        return
    url = address if "//" in address else f"//{address}"
    read_server_address(operation, url, default_port=_DEFAULT_PORTS["https"])


def host_and_port(url: Any) -> tuple[str | None, int | None]:
    """Return host and port of a URL that httpx has parsed."""
    return payload.as_text(url.host), url.port or _DEFAULT_PORTS.get(url.scheme)
