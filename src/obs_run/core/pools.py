"""Pools of connections: how many are idle and in use, who waits for one, how long that takes.

An instrumentor says with pure functions which pool and which connection a call of the library is about. The figures
follow from those calls alone, so that a pool is never asked, and never kept.
"""

from __future__ import annotations

import time
import weakref
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run import settings
from obs_run.base import generators, guard
from obs_run.base.stand_in import hide_frame, passed_over
from obs_run.core import semconv
from obs_run.core.figures import Level, figures
from obs_run.core.outcomes import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

    from obs_run.core.figures import Count, Durations
    from obs_run.core.hooks import Wrapper

__all__ = [
    "PoolDescription",
    "PoolReader",
    "wrap_acquire",
    "wrap_async_acquire",
    "wrap_async_create",
    "wrap_close",
    "wrap_close_idle",
    "wrap_create",
    "wrap_describe",
    "wrap_detach",
    "wrap_recreate",
    "wrap_release",
]

_MOST_CONNECTIONS = 10_000


class PoolDescription(NamedTuple):
    """What is known of a pool from when it is made; None is no limit, or not known."""

    name: str
    most: int | None = None
    """The most connections that may be open."""
    most_idle: int | None = None
    least_idle: int | None = None


def is_timeout_error(error: BaseException) -> bool:
    """Whether an exception is one of the many classes of this name, or derived from one."""
    return any(kind.__name__ == "TimeoutError" for kind in type(error).__mro__)


class PoolReader(NamedTuple):
    """How the calls of a library are read: pure functions."""

    pool: Callable[[Call], Any]
    """The pool that a call is about, or what stands for it as it allows weak references; None for none."""
    describe: Callable[[Call], PoolDescription]
    """Describe a pool that is not known yet, of which a call is the first."""
    acquired: Callable[[Any], Any] = lambda returned: returned
    """The object that stands for a connection, in what ``acquire`` returned; it is told by its identity."""
    released: Callable[[Call], Any] = lambda call: call.argument(0, "connection")
    """The same of a call that releases or closes one; None for none."""
    created: Callable[[Call, Any], Any] = lambda _call, returned: returned
    """The same of a call that opens one, and what it returned."""
    is_timeout: Callable[[BaseException], bool] = is_timeout_error


class Pool:
    """What is known of a pool; the library's connections stand here as numbers."""

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
        attributes = self._attributes = {semconv.POOL_NAME: description.name}
        self.held: dict[int, int] = {}
        """When each connection was acquired that is in use."""
        self.open: dict[int, weakref.ref[Any] | None] = {}
        """Those that are open, as long as there are such objects."""
        self.waiting: set[int] = set()
        """The waits that go on."""
        self._wait_time: Durations = figures.durations(semconv.METRIC_POOL_WAIT_TIME, attributes)
        self._use_time: Durations = figures.durations(semconv.METRIC_POOL_USE_TIME, attributes)
        self._create_time: Durations = figures.durations(semconv.METRIC_POOL_CREATE_TIME, attributes)
        self._timeouts: Count = figures.count(semconv.METRIC_POOL_TIMEOUTS, attributes)

    def levels(self) -> Iterable[Level]:
        """Return how many connections there are, and who waits."""
        attributes = self._attributes
        used = len(self.held)
        idle = max(0, len(self.open) - used)
        yield Level(semconv.METRIC_POOL_COUNT, used, {**attributes, semconv.POOL_STATE: "used"})
        yield Level(semconv.METRIC_POOL_COUNT, idle, {**attributes, semconv.POOL_STATE: "idle"})
        yield Level(semconv.METRIC_POOL_PENDING, len(self.waiting), attributes)
        limits = (
            (semconv.METRIC_POOL_MAX, self.description.most),
            (semconv.METRIC_POOL_IDLE_MAX, self.description.most_idle),
            (semconv.METRIC_POOL_IDLE_MIN, self.description.least_idle),
        )
        for metric, limit in limits:
            if limit is not None:
                yield Level(metric, limit, attributes)

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
        if acquired is not None:
            self._use_time.add((time.perf_counter_ns() - acquired) / 1e9)

    def create(self, connection: Any, begun: int) -> None:
        """Note that a connection was opened."""
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


def pool_of(reader: PoolReader, call: Call) -> Pool | None:
    """Return what is known of the pool that a call is about."""
    owner = reader.pool(call)
    if owner is None:
        return None
    pool: Pool | None = figures.kept.get(id(owner))
    if pool is None:
        pool = Pool(reader.describe(call))
        figures.keep(owner, pool)
    return pool


class _Wait:
    """A call that waits for a connection."""

    __slots__ = ("_begun", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._begun = time.perf_counter_ns()
        figures.watch()
        pool.waiting.add(id(self))

    def end(self, connection: Any) -> None:
        """Note that the connection was acquired."""
        self._pool.waiting.discard(id(self))
        self._pool.acquire(connection, self._begun)
        self._show(None)

    def fail(self, error: BaseException, is_timeout: Callable[[BaseException], bool]) -> None:
        """Note that there was none."""
        self._pool.waiting.discard(id(self))
        if is_timeout(error):
            self._pool.time_out()
        self._show(error)

    def _show(self, error: BaseException | None) -> None:
        """Make a span of a wait that was long."""
        seconds = (time.perf_counter_ns() - self._begun) / 1e9
        if seconds < settings.get("OBS_SLOW_ACQUIRE_SECONDS"):
            return
        from obs_run.core.operations import PoolAcquire

        operation = PoolAcquire(pool_name=self._pool.description.name)
        recording = _recorder().start(operation, begun=self._begun)
        if recording is not None:
            recording.end(error)


@cache
def _recorder() -> ModuleType:
    from obs_run.core import recorder

    return recorder


def _begin(reader: PoolReader, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Wait | None:
    pool = pool_of(reader, Call(instance, args, kwargs))
    return None if pool is None else _Wait(pool)


def _end(reader: PoolReader, wait: _Wait, returned: Any) -> None:
    wait.end(reader.acquired(returned))


def wrap_acquire(reader: PoolReader) -> Wrapper:
    """Return the wrapper of a function that waits for a connection and returns it."""

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        wait = guard.call("pool", _begin, reader, instance, args, kwargs)
        try:
            returned = wrapped(*args, **kwargs)
        except BaseException as error:
            if wait is not None:
                guard.call("pool", wait.fail, error, reader.is_timeout)
            hide_frame(error, error.__traceback__)
            raise
        if wait is not None:
            guard.call("pool", _end, reader, wait, returned)
        return returned

    return wrapper


def wrap_async_acquire(reader: PoolReader) -> Wrapper:
    """Return the wrapper of a coroutine function that waits for a connection and returns it."""

    @passed_over
    async def run(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        wait = guard.call("pool", _begin, reader, instance, args, kwargs)
        try:
            returned = await wrapped(*args, **kwargs)
        except BaseException as error:
            if wait is not None:
                guard.call("pool", wait.fail, error, reader.is_timeout)
            hide_frame(error, error.__traceback__)
            raise
        if wait is not None:
            guard.call("pool", _end, reader, wait, returned)
        return returned

    return _coroutine_function(run)


def _coroutine_function(run: Callable[..., Any]) -> Wrapper:
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        coroutine = run(wrapped, instance, args, kwargs)
        # Python's warning of one that was never awaited tells the name.
        guard.call("begin", generators.take_name, coroutine, wrapped)
        return coroutine

    return wrapper


def _create(reader: PoolReader, call: Call, returned: Any, begun: int) -> None:
    pool = pool_of(reader, call)
    if pool is not None:
        pool.create(reader.created(call, returned), begun)


def wrap_create(reader: PoolReader) -> Wrapper:
    """Return the wrapper of a function that opens the connection that its call is about."""

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        begun = time.perf_counter_ns()
        try:
            returned = wrapped(*args, **kwargs)
        except BaseException as error:
            hide_frame(error, error.__traceback__)
            raise
        guard.call("pool", _create, reader, Call(instance, args, kwargs), returned, begun)
        return returned

    return wrapper


def wrap_async_create(reader: PoolReader) -> Wrapper:
    """Return the wrapper of a coroutine function that opens the connection that its call is about."""

    @passed_over
    async def run(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        begun = time.perf_counter_ns()
        try:
            returned = await wrapped(*args, **kwargs)
        except BaseException as error:
            hide_frame(error, error.__traceback__)
            raise
        guard.call("pool", _create, reader, Call(instance, args, kwargs), returned, begun)
        return returned

    return _coroutine_function(run)


def _wrap_before(note: Callable[[Pool, Any], None], reader: PoolReader) -> Wrapper:
    def read(call: Call) -> None:
        connection = reader.released(call)
        pool = None if connection is None else pool_of(reader, call)
        if pool is not None:
            note(pool, connection)

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        guard.call("pool", read, Call(instance, args, kwargs))
        return wrapped(*args, **kwargs)

    return wrapper


def wrap_release(reader: PoolReader) -> Wrapper:
    """Return the wrapper of a function, of either kind, that gives a connection back."""
    return _wrap_before(Pool.release, reader)


def wrap_close(reader: PoolReader) -> Wrapper:
    """Return the wrapper of a function that closes a connection; it may be in use still, until it is given back."""
    return _wrap_before(Pool.close, reader)


def wrap_close_idle(reader: PoolReader) -> Wrapper:
    """Return the wrapper of a function, of either kind, that closes all connections that are idle."""
    return _wrap_before(lambda pool, _: pool.close_idle(), reader._replace(released=lambda call: call))


def _detach(pool: Pool, connection: Any) -> None:
    pool.release(connection)
    pool.close(connection)


def wrap_detach(reader: PoolReader) -> Wrapper:
    """Return the wrapper of a function by which a connection leaves the pool and stays open."""
    return _wrap_before(_detach, reader)


def wrap_describe(read: Callable[[Call], tuple[Any, PoolDescription] | None]) -> Wrapper:
    """Return the wrapper of a function, as a constructor, that ``read`` takes a pool and its description from."""

    def note(call: Call) -> None:
        described = read(call)
        if described is not None:
            owner, description = described
            figures.keep(owner, Pool(description))

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            returned = wrapped(*args, **kwargs)
        except BaseException as error:
            hide_frame(error, error.__traceback__)
            raise
        guard.call("pool", note, Call(instance, args, kwargs))
        return returned

    return wrapper


def _take_description(before: Any, after: Any) -> None:
    known: Pool | None = figures.kept.get(id(before))
    if known is not None and before is not after:
        figures.keep(after, Pool(known.description))


def wrap_recreate() -> Wrapper:
    """Return the wrapper of a pool's method that returns another pool to take its place."""

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            returned = wrapped(*args, **kwargs)
        except BaseException as error:
            hide_frame(error, error.__traceback__)
            raise
        guard.call("pool", _take_description, instance, returned)
        return returned

    return wrapper
