"""Connections that aiohttp's client sessions keep, by server; a wait for one includes opening it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.http_pools import server_reader
from obs_run.core.pools import wrap_async_acquire, wrap_close, wrap_release

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call


def _server(key: Any) -> tuple[str, int]:
    return str(key.host), payload.coalesce(payload.as_int(key.port), 443 if key.is_ssl else 80)


def read_connection(call: Call) -> Any:
    """Read which connection is given back."""
    return call.argument(1, "protocol")


def read_closed(call: Call) -> Any:
    """Read which connection is given back and not kept."""
    protocol = read_connection(call)
    is_over = call.kwargs.get("should_close") or call.instance._force_close or protocol.should_close  # noqa: SLF001 (no public way)
    return protocol if is_over else None


_CONNECT = server_reader(
    lambda call: _server(call.argument(0, "req").connection_key),
    acquired=lambda connection: connection._protocol,  # noqa: SLF001 (it has none when it is given back)
)
_RELEASE = server_reader(lambda call: _server(call.argument(0, "key")), released=read_connection)
_CONNECTOR = "aiohttp.connector"

INSTRUMENTORS = (
    Instrumentor(
        "aiohttp connections",
        "aiohttp",
        ">=3.8,<4",
        (
            Target(_CONNECTOR, "BaseConnector.connect", wrap_async_acquire(_CONNECT)),
            Target(_CONNECTOR, "BaseConnector._release", wrap_release(_RELEASE)),
            Target(_CONNECTOR, "BaseConnector._release", wrap_close(_RELEASE._replace(released=read_closed))),
        ),
        ("pools of connections",),
        is_counting=True,
    ),
)
