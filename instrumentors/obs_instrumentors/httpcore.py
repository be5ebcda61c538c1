"""Connections of httpcore, which httpx keeps its own in, sync and async, of both generations.

Chosen: the constructor of a pool, whose lists are looked at when metrics are collected, and the wait for a connection.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.http_pools import Connection, server_reader, wrap_made
from obs_run.core.pools import wrap_acquire, wrap_async_acquire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.core.outcomes import Call

_PORTS = {b"https": 443, b"wss": 443}


@lru_cache(maxsize=256)
def _server(scheme: bytes, host: bytes, port: int | None) -> tuple[str, int]:
    return host.decode("ascii"), _PORTS.get(scheme, 80) if port is None else port


def read_server(call: Call) -> tuple[str, int] | None:
    """Read where a request is to go; None if it was given a connection already, and will not wait."""
    if call.instance.connection is not None:
        return None
    url = call.instance.request.url
    return _server(url.scheme, url.host, url.port)


def read_connections(pool: Any) -> Iterator[Connection]:
    """Read a pool's connections; those through a proxy are the server's."""
    # One that was just given a request thinks itself idle until that is sent.
    active = {id(request.connection) for request in list(pool._requests)}  # noqa: SLF001 (no public way)
    for connection in list(pool._connections):  # noqa: SLF001 (the public way may be the agent's own)
        origin = getattr(connection, "_remote_origin", None) or getattr(connection, "_origin", None)
        if origin is not None:
            server = _server(origin.scheme, origin.host, origin.port)
            yield Connection(connection, server, id(connection) not in active)


def is_timeout(error: BaseException) -> bool:
    """Whether a wait was given up."""
    return type(error).__name__ == "PoolTimeout"


def _nothing(_: Any) -> None:
    # Which connections are in use the pool itself tells: one may serve several requests.
    return None


_WAIT = server_reader(read_server, acquired=_nothing, is_timeout=is_timeout)


def _library(name: str, versions: str) -> Instrumentor:
    sync, later = f"{name}._sync.connection_pool", f"{name}._async.connection_pool"
    made = wrap_made(read_connections)
    targets = (
        Target(sync, "PoolRequest.wait_for_connection", wrap_acquire(_WAIT)),
        Target(sync, "ConnectionPool.__init__", made),
        Target(later, "AsyncPoolRequest.wait_for_connection", wrap_async_acquire(_WAIT)),
        Target(later, "AsyncConnectionPool.__init__", made),
    )
    return Instrumentor(name, name, versions, targets, ("pools of connections",), is_counting=True)


INSTRUMENTORS = (_library("httpcore", ">=1.0.3,<2"), _library("httpcore2", ">=2,<3"))
