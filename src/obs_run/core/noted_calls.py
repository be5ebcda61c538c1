"""Wrappers of functions of whose calls something is noted, and that is no recording.

``note`` gets the call, and after it what it returned: a failure of it is said under ``site``, and the agent sees none.
"""

from __future__ import annotations

import time
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from obs_run.base import generators, guard
from obs_run.base.stand_in import hide_frame, passed_over
from obs_run.core.outcomes import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.hooks import Wrapper

    Note = Callable[[Call, Any], object]
    NoteOfOutcome = Callable[[Call, Any, BaseException | None, int], object]
    """Gets the call, what it returned, what it raised, and when it began (``time.perf_counter_ns()``)."""

__all__ = ["wrap_after", "wrap_async_after", "wrap_async_timed", "wrap_before", "wrap_either_timed", "wrap_timed"]


def wrap_before(site: str, note: Callable[[Call], object]) -> Wrapper:
    """Return the wrapper of a function, of any kind, that calls ``note`` before it."""

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        guard.call(site, note, Call(instance, args, kwargs))
        return wrapped(*args, **kwargs)

    return wrapper


def wrap_after(site: str, note: Note) -> Wrapper:
    """Return the wrapper of a function that calls ``note`` when it has returned."""

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            returned = wrapped(*args, **kwargs)
        except BaseException as error:
            hide_frame(error, error.__traceback__)
            raise
        guard.call(site, note, Call(instance, args, kwargs), returned)
        return returned

    return wrapper


def wrap_async_after(site: str, note: Note) -> Wrapper:
    """Return the wrapper of such a coroutine function."""

    @passed_over
    async def run(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            returned = await wrapped(*args, **kwargs)
        except BaseException as error:
            hide_frame(error, error.__traceback__)
            raise
        guard.call(site, note, Call(instance, args, kwargs), returned)
        return returned

    return generators.named_coroutines(run)


def wrap_timed(site: str, note: NoteOfOutcome) -> Wrapper:
    """Return the wrapper of a function that calls ``note`` when it is over, whichever way."""

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        begun = time.perf_counter_ns()
        try:
            returned = wrapped(*args, **kwargs)
        except BaseException as error:
            guard.call(site, note, Call(instance, args, kwargs), None, error, begun)
            hide_frame(error, error.__traceback__)
            raise
        guard.call(site, note, Call(instance, args, kwargs), returned, None, begun)
        return returned

    return wrapper


def wrap_async_timed(site: str, note: NoteOfOutcome) -> Wrapper:
    """Return the wrapper of such a coroutine function."""

    @passed_over
    async def run(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        begun = time.perf_counter_ns()
        try:
            returned = await wrapped(*args, **kwargs)
        except BaseException as error:
            guard.call(site, note, Call(instance, args, kwargs), None, error, begun)
            hide_frame(error, error.__traceback__)
            raise
        guard.call(site, note, Call(instance, args, kwargs), returned, None, begun)
        return returned

    return generators.named_coroutines(run)


def wrap_either_timed(site: str, note: NoteOfOutcome) -> Wrapper:
    """Return the wrapper of a function that may return a coroutine, as ``wrap_timed`` and ``wrap_async_timed`` do."""

    @passed_over
    async def wait(coroutine: Any, call: Call, begun: int) -> Any:
        try:
            returned = await coroutine
        except BaseException as error:
            guard.call(site, note, call, None, error, begun)
            hide_frame(error, error.__traceback__)
            raise
        guard.call(site, note, call, returned, None, begun)
        return returned

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        begun = time.perf_counter_ns()
        call = Call(instance, args, kwargs)
        try:
            returned = wrapped(*args, **kwargs)
        except BaseException as error:
            guard.call(site, note, call, None, error, begun)
            hide_frame(error, error.__traceback__)
            raise
        if isinstance(returned, CoroutineType):
            waiting = wait(returned, call, begun)
            guard.call("begin", generators.take_name, waiting, returned)
            return waiting
        guard.call(site, note, call, returned, None, begun)
        return returned

    return wrapper
