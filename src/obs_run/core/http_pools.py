"""Connections that HTTP clients keep open, by server."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.core import noted_calls, semconv
from obs_run.core.observed_metrics import Observation, observed_metrics
from obs_run.core.pool_states import PoolDescription, ServerPool
from obs_run.core.pools import PoolReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from obs_run.core.hooks import Wrapper
    from obs_run.core.outcomes import Call

    Server = tuple[str, int]
    ReadConnections = Callable[[Any], Iterable["Connection"]]

__all__ = ["Connection", "server_reader", "wrap_made"]

_MOST_SERVERS = 200


class Connection(NamedTuple):
    """A connection of a pool as it is now; ``connection`` is the library's object."""

    connection: Any
    server: Server
    is_idle: bool


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


def _describe(_: Call) -> PoolDescription:
    raise AssertionError("a server's pool is described when it is made")


def server_reader(server: Callable[[Call], Server | None], **more: Any) -> PoolReader:
    """Return the reader of calls that are about a server's connections; ``more`` as of ``PoolReader``."""

    def read_pool(call: Call) -> ServerPool | None:
        found = server(call)
        return None if found is None else _pool_of_server(*found)

    return PoolReader(read_pool, _describe, **more)


class _Connections:
    """The connections of one client's pool, looked at when metrics are collected."""

    __slots__ = ("_inherited", "_pool", "_read")

    def __init__(self, pool: Any, read: ReadConnections) -> None:
        self._pool = weakref.ref(pool)
        self._read = read
        self._inherited: weakref.WeakSet[Any] = weakref.WeakSet()

    def observations(self) -> Iterable[Observation]:
        """Return how many there are of each server, idle and active."""
        pool = self._pool()
        if pool is None:
            return
        numbers: dict[Server, list[int]] = {}
        for connection, server, is_idle in self._read(pool):
            if connection not in self._inherited:
                numbers.setdefault(server, [0, 0])[is_idle] += 1
        for (host, port), of_states in numbers.items():
            for state, number in zip((ServerPool.USED, "idle"), of_states, strict=True):
                labels = {semconv.SERVER_ADDRESS: host, semconv.SERVER_PORT: port, semconv.HTTP_CONNECTION_STATE: state}
                yield Observation(semconv.METRIC_HTTP_CONNECTIONS, number, labels)

    def begin_in_child(self) -> None:
        """Let go of what is the parent's."""
        pool = self._pool()
        if pool is not None:
            self._inherited.update(each.connection for each in self._read(pool))


def wrap_made(read: ReadConnections) -> Wrapper:
    """Return the wrapper of a pool's constructor.

    ``read(pool)`` is called in other threads whenever metrics are collected, and may read attributes only: nothing of
    a request's way is ours, for there may be thousands a second.
    """

    def note(call: Call, _returned: Any) -> None:
        observed_metrics.keep(call.instance, _Connections(call.instance, read))

    return noted_calls.wrap_after("pool", note)
