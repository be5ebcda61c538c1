"""Connections of httpcore, which httpx keeps its own in, sync and async, of both generations.

Chosen: the function that gives requests to connections, under the pool's own lock, and the wait for one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.http_pools import server_reader, wrap_assigned
from obs_run.core.pools import wrap_acquire, wrap_async_acquire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.core.outcomes import Call

_PORTS = {b"https": 443, b"wss": 443}


@lru_cache(maxsize=256)
def _server(scheme: bytes, host: bytes, port: int | None) -> tuple[str, int]:
    return host.decode("ascii"), _PORTS.get(scheme, 80) if port is None else port


def read_server(call: Call) -> tuple[str, int]:
    """Read where a request that waits is to go."""
    url = call.instance.request.url
    return _server(url.scheme, url.host, url.port)


def read_connections(pool: Any) -> Iterator[tuple[tuple[str, int], bool]]:
    """Read a pool's connections; those through a proxy are the server's."""
    # One that was just given a request thinks itself idle until that is sent.
    active = {id(request.connection) for request in pool._requests}  # noqa: SLF001 (no public way)
    for connection in pool.connections:
        origin = getattr(connection, "_remote_origin", None) or getattr(connection, "_origin", None)
        if origin is not None:
            yield _server(origin.scheme, origin.host, origin.port), id(connection) not in active


def is_timeout(error: BaseException) -> bool:
    """Whether a wait was given up."""
    return type(error).__name__ == "PoolTimeout"


def _nothing(_: Any) -> None:
    # Which connections are in use the pool itself tells: one may serve several requests.
    return None


_WAIT = server_reader(read_server, acquired=_nothing, is_timeout=is_timeout)


def _library(name: str, versions: str) -> Instrumentor:
    sync, later = f"{name}._sync.connection_pool", f"{name}._async.connection_pool"
    assigned = wrap_assigned(read_connections)
    targets = (
        Target(sync, "PoolRequest.wait_for_connection", wrap_acquire(_WAIT)),
        Target(sync, "ConnectionPool._assign_requests_to_connections", assigned),
        Target(later, "AsyncPoolRequest.wait_for_connection", wrap_async_acquire(_WAIT)),
        Target(later, "AsyncConnectionPool._assign_requests_to_connections", assigned),
    )
    return Instrumentor(name, name, versions, targets, ("pools of connections",), is_counting=True)


INSTRUMENTORS = (_library("httpcore", ">=1.0.3,<2"), _library("httpcore2", ">=2,<3"))
