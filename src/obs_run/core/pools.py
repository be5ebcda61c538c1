"""Pools of connections: how many are idle and in use, who waits for one, how long that takes.

An instrumentor says with pure functions which pool and which connection a call of the library is about. What is
measured follows from those calls alone, so that a pool is never asked, and never kept.
"""

from __future__ import annotations

import time
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run import settings
from obs_run.base import generators, guard
from obs_run.base.stand_in import hide_frame, no_frame, passed_over
from obs_run.base.steps import Step
from obs_run.core import noted_calls
from obs_run.core.observed_metrics import observed_metrics
from obs_run.core.outcomes import Call
from obs_run.core.pool_states import Pool, PoolDescription

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from obs_run.core.hooks import Wrapper

__all__ = [
    "PoolDescription",
    "PoolReader",
    "wrap_acquire",
    "wrap_async_acquire",
    "wrap_async_create",
    "wrap_block",
    "wrap_close",
    "wrap_close_idle",
    "wrap_create",
    "wrap_describe",
    "wrap_detach",
    "wrap_recreate",
    "wrap_release",
]

_SITE = "pool"


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


def pool_of(reader: PoolReader, call: Call) -> Pool | None:
    """Return what is known of the pool that a call is about."""
    owner = reader.pool(call)
    if owner is None or isinstance(owner, Pool):
        return owner
    pool: Pool | None = observed_metrics.kept.get(id(owner))
    if pool is None:
        pool = Pool(reader.describe(call))
        observed_metrics.keep(owner, pool)
    return pool


class _Wait:
    """A call that waits for a connection."""

    __slots__ = ("_begun", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._begun = time.perf_counter_ns()
        observed_metrics.watch()
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
        wait = guard.call(_SITE, _begin, reader, instance, args, kwargs)
        try:
            returned = wrapped(*args, **kwargs)
        except BaseException as error:
            if wait is not None:
                guard.call(_SITE, wait.fail, error, reader.is_timeout)
            hide_frame(error, error.__traceback__)
            raise
        if wait is not None:
            guard.call(_SITE, _end, reader, wait, returned)
        return returned

    return wrapper


def wrap_async_acquire(reader: PoolReader) -> Wrapper:
    """Return the wrapper of a coroutine function that waits for a connection and returns it."""

    @passed_over
    async def run(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        wait = guard.call(_SITE, _begin, reader, instance, args, kwargs)
        try:
            returned = await wrapped(*args, **kwargs)
        except BaseException as error:
            if wait is not None:
                guard.call(_SITE, wait.fail, error, reader.is_timeout)
            hide_frame(error, error.__traceback__)
            raise
        if wait is not None:
            guard.call(_SITE, _end, reader, wait, returned)
        return returned

    return generators.named_coroutines(run)


class _Block(Step):
    """A ``with`` block that has a connection: waited for until it begins, and given back when it is over."""

    __slots__ = ("_connection", "_pool", "_reader", "_wait")

    def __init__(self, reader: PoolReader, call: Call) -> None:
        super().__init__()
        self._reader = reader
        self._pool = pool_of(reader, call)
        self._wait = None if self._pool is None else _Wait(self._pool)
        self._connection: Any = None

    def hides(self, chunk: Any) -> bool:
        """Note that the block has begun with its connection."""
        guard.call(_SITE, self._acquire, chunk)
        return False

    def _acquire(self, chunk: Any) -> None:
        wait, self._wait = self._wait, None
        if wait is not None:
            self._connection = self._reader.acquired(chunk)
            wait.end(self._connection)

    def end(self, error: BaseException) -> None:
        """Note that the block is over, or never began."""
        wait, self._wait = self._wait, None
        if wait is not None:
            wait.fail(error, self._reader.is_timeout)
        elif self._pool is not None and self._connection is not None:
            self._pool.release(self._connection)


def _follow_block(reader: PoolReader, call: Call, returned: Any) -> Any:
    start = partial(_Block, reader, call)
    if isinstance(returned, (AbstractContextManager, AbstractAsyncContextManager)) and hasattr(returned, "gen"):
        # As contextlib has it; the object stays the one that the agent's code was given.
        returned.gen = generators.followed(returned.gen, start)
        return returned
    return generators.followed(returned, start)


def wrap_block(reader: PoolReader) -> Wrapper:
    """Return the wrapper of a generator function, of either kind, that yields a connection; for ``with`` as a rule."""

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with no_frame:
            returned = wrapped(*args, **kwargs)
        return guard.call(_SITE, _follow_block, reader, Call(instance, args, kwargs), returned, default=returned)

    return wrapper


def _note_created(reader: PoolReader, call: Call, returned: Any, error: BaseException | None, begun: int) -> None:
    pool = pool_of(reader, call) if error is None else None
    if pool is not None:
        pool.create(reader.created(call, returned), begun)


def wrap_create(reader: PoolReader) -> Wrapper:
    """Return the wrapper of a function that opens the connection that its call is about."""
    return noted_calls.wrap_timed(_SITE, partial(_note_created, reader))


def wrap_async_create(reader: PoolReader) -> Wrapper:
    """Return the wrapper of a coroutine function that opens the connection that its call is about."""
    return noted_calls.wrap_async_timed(_SITE, partial(_note_created, reader))


def _wrap_before(note: Callable[[Pool, Any], None], reader: PoolReader) -> Wrapper:
    def read(call: Call) -> None:
        connection = reader.released(call)
        pool = None if connection is None else pool_of(reader, call)
        if pool is not None:
            note(pool, connection)

    return noted_calls.wrap_before(_SITE, read)


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

    def note(call: Call, _returned: Any) -> None:
        described = read(call)
        if described is not None:
            owner, description = described
            observed_metrics.keep(owner, Pool(description))

    return noted_calls.wrap_after(_SITE, note)


def _take_description(call: Call, returned: Any) -> None:
    known: Pool | None = observed_metrics.kept.get(id(call.instance))
    if known is not None and call.instance is not returned:
        observed_metrics.keep(returned, Pool(known.description))


def wrap_recreate() -> Wrapper:
    """Return the wrapper of a pool's method that returns another pool to take its place."""
    return noted_calls.wrap_after(_SITE, _take_description)
