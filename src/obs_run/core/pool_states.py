"""What is known of a pool of connections, and counted of it."""

from __future__ import annotations

import time
import weakref
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from obs_run.core import semconv
from obs_run.core.observed_metrics import Observation, observed_metrics

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from obs_run.core.observed_metrics import Count, Durations

__all__ = ["Pool", "PoolDescription", "ServerPool"]

_MOST_CONNECTIONS = 10_000


class PoolDescription(NamedTuple):
    """What is known of a pool from when it is made; None is no limit, or not known."""

    name: str
    most: int | None = None
    """The most connections that may be open."""
    most_idle: int | None = None
    least_idle: int | None = None


class Pool:
    """What is known of a pool; the library's connections stand here as numbers."""

    COUNT: ClassVar[str] = semconv.METRIC_POOL_COUNT
    STATE: ClassVar[str] = semconv.POOL_STATE
    USED: ClassVar[str] = "used"
    PENDING: ClassVar[str] = semconv.METRIC_POOL_PENDING
    WAIT_TIME: ClassVar[str] = semconv.METRIC_POOL_WAIT_TIME
    TIMEOUTS: ClassVar[str] = semconv.METRIC_POOL_TIMEOUTS

    __slots__ = (
        "_attributes",
        "_create_time",
        "_timeouts",
        "_use_time",
        "_wait_time",
        "description",
        "held",
        "open",
        "waiting",
    )

    def __init__(self, description: PoolDescription) -> None:
        self.description = description
        attributes = self._attributes = self.attributes()
        self.held: dict[int, int] = {}
        """When each connection was acquired that is in use."""
        self.open: dict[int, weakref.ref[Any] | None] = {}
        """Those that are open, as long as there are such objects."""
        self.waiting: set[int] = set()
        """The waits that go on."""
        self._wait_time: Durations = observed_metrics.durations(self.WAIT_TIME, attributes)
        self._use_time: Durations | None = self._durations(semconv.METRIC_POOL_USE_TIME)
        self._create_time: Durations | None = self._durations(semconv.METRIC_POOL_CREATE_TIME)
        self._timeouts: Count = observed_metrics.count(self.TIMEOUTS, attributes)

    def _durations(self, metric: str) -> Durations | None:
        """Return what takes durations that the conventions have for this kind of pools."""
        return observed_metrics.durations(metric, self._attributes)

    def attributes(self) -> Mapping[str, Any]:
        """Return the labels of its metrics."""
        return {semconv.POOL_NAME: self.description.name}

    def observations(self) -> Iterable[Observation]:
        """Return how many connections there are, and who waits."""
        attributes = self._attributes
        used = len(self.held)
        idle = max(0, len(self.open) - used)
        yield Observation(self.COUNT, used, {**attributes, self.STATE: self.USED})
        yield Observation(self.COUNT, idle, {**attributes, self.STATE: "idle"})
        yield Observation(self.PENDING, len(self.waiting), attributes)
        limits = (
            (semconv.METRIC_POOL_MAX, self.description.most),
            (semconv.METRIC_POOL_IDLE_MAX, self.description.most_idle),
            (semconv.METRIC_POOL_IDLE_MIN, self.description.least_idle),
        )
        for metric, limit in limits:
            if limit is not None:
                yield Observation(metric, limit, attributes)

    def begin_in_child(self) -> None:
        """Let go of connections and waits, which are the parent's."""
        self.held.clear()
        self.open.clear()
        self.waiting.clear()

    def acquire(self, connection: Any, begun: int) -> None:
        """Note that a connection was acquired; who asked has waited since ``begun``."""
        now = time.perf_counter_ns()
        self._wait_time.add((now - begun) / 1e9)
        if connection is not None and self._note_open(connection):
            self.held[id(connection)] = now

    def time_out(self) -> None:
        """Note that a wait was given up."""
        self._timeouts.add()

    def release(self, connection: Any) -> None:
        """Note that a connection was given back."""
        acquired = self.held.pop(id(connection), None)
        if acquired is not None and self._use_time is not None:
            self._use_time.add((time.perf_counter_ns() - acquired) / 1e9)

    def create(self, connection: Any, begun: int) -> None:
        """Note that a connection was opened."""
        if self._create_time is not None:
            self._create_time.add((time.perf_counter_ns() - begun) / 1e9)
        self._note_open(connection)

    def close(self, connection: Any) -> None:
        """Note that a connection is open no more."""
        self.open.pop(id(connection), None)

    def close_idle(self) -> None:
        """Note that those that are not in use are open no more."""
        for key in list(self.open):
            if key not in self.held:
                self.open.pop(key, None)

    def _note_open(self, connection: Any) -> bool:
        """Note a connection that is open, which the library may let go of without a word."""
        key = id(connection)
        if key in self.open:
            return True
        if len(self.open) >= _MOST_CONNECTIONS:
            return False
        held, still_open = self.held, self.open

        def forget(_: object) -> None:
            held.pop(key, None)
            still_open.pop(key, None)

        try:
            still_open[key] = weakref.ref(connection, forget)
        except TypeError:
            still_open[key] = None
        return True


class ServerPool(Pool):
    """The connections of this process's HTTP clients to one server, by the conventions of HTTP."""

    __slots__ = ("_server",)

    COUNT = semconv.METRIC_HTTP_CONNECTIONS
    STATE = semconv.HTTP_CONNECTION_STATE
    USED = "active"
    PENDING = semconv.METRIC_HTTP_PENDING
    WAIT_TIME = semconv.METRIC_HTTP_WAIT_TIME
    TIMEOUTS = semconv.METRIC_HTTP_TIMEOUTS

    def __init__(self, host: str, port: int) -> None:
        self._server = {semconv.SERVER_ADDRESS: host, semconv.SERVER_PORT: port}
        super().__init__(PoolDescription(f"{host}:{port}"))

    def attributes(self) -> Mapping[str, Any]:
        """Return the labels of its metrics."""
        return self._server

    def _durations(self, metric: str) -> Durations | None:  # noqa: ARG002 (as the conventions of HTTP have none)
        return None
