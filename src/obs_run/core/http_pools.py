"""Connections that HTTP clients keep open, by server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.core import semconv
from obs_run.core.observed_metrics import Observation, observed_metrics
from obs_run.core.pool_states import PoolDescription, ServerPool
from obs_run.core.pools import PoolReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from obs_run.core.hooks import Wrapper
    from obs_run.core.outcomes import Call

    Server = tuple[str, int]
    Counted = Iterable[tuple[Server, bool]]
    """The server of each connection, and whether it is idle."""

__all__ = ["server_reader", "wrap_assigned"]

_MOST_SERVERS = 200


class _Clients:
    """The servers that this process's clients have spoken to."""

    def __init__(self) -> None:
        self.pools: dict[Server, ServerPool] = {}

    def observations(self) -> Iterable[Observation]:
        """Return those of each server."""
        for pool in list(self.pools.values()):
            yield from pool.observations()

    def begin_in_child(self) -> None:
        """Let go of what is the parent's."""
        for pool in list(self.pools.values()):
            pool.begin_in_child()


_clients = _Clients()


def _pool_of_server(host: str, port: int) -> ServerPool | None:
    """Return the pool of a server; None of further ones where there are too many."""
    if id(_clients) not in observed_metrics.kept:
        observed_metrics.keep(_clients, _clients)
    pool = _clients.pools.get((host, port))
    if pool is None and len(_clients.pools) < _MOST_SERVERS:
        pool = _clients.pools.setdefault((host, port), ServerPool(host, port))
    return pool


def _describe(host: str, port: int) -> PoolDescription:
    return PoolDescription(f"{host}:{port}")


def server_reader(server: Callable[[Call], Server], **more: Any) -> PoolReader:
    """Return the reader of calls that are about a server's connections; ``more`` as of ``PoolReader``."""
    return PoolReader(lambda call: _pool_of_server(*server(call)), lambda call: _describe(*server(call)), **more)


class _Connections:
    """The connections of one client's pool, as it counts them itself."""

    __slots__ = ("counted",)

    def __init__(self) -> None:
        self.counted: dict[tuple[Server, bool], int] = {}

    def observations(self) -> Iterable[Observation]:
        """Return how many there are of each server, idle and active."""
        for ((host, port), is_idle), number in list(self.counted.items()):
            state = "idle" if is_idle else ServerPool.USED
            labels = {semconv.SERVER_ADDRESS: host, semconv.SERVER_PORT: port, semconv.HTTP_CONNECTION_STATE: state}
            yield Observation(semconv.METRIC_HTTP_CONNECTIONS, number, labels)

    def begin_in_child(self) -> None:
        """Let go of what is the parent's."""
        self.counted = {}


def _note_connections(read: Callable[[Any], Counted], pool: Any) -> None:
    kept: _Connections | None = observed_metrics.kept.get(id(pool))
    if kept is None:
        kept = _Connections()
        observed_metrics.keep(pool, kept)
    counted: dict[tuple[Server, bool], int] = {}
    for connection in read(pool):
        counted[connection] = counted.get(connection, 0) + 1
    kept.counted = counted


def wrap_assigned(read: Callable[[Any], Counted]) -> Wrapper:
    """Return the wrapper of a pool's method after which its connections may be others, or in another state."""

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        returned = wrapped(*args, **kwargs)
        # Each request passes here twice.
        guard.call("pool", _note_connections, read, instance)
        return returned

    return wrapper
