"""Functions of the agent with something around each call: what ``trace_function`` and the other decorators stand on.

A decorated function stays what it was: plain, coroutine function, generator function or asynchronous generator
function, with its name, signature and annotations; so do static methods, class methods and classes.
"""

from __future__ import annotations

import inspect
from contextlib import nullcontext
from functools import partial, wraps
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from obs_run.base import guard
from obs_run.base.generators import followed

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AbstractContextManager

    F = TypeVar("F", bound=Callable[..., Any])

    Begin = Callable[[tuple[Any, ...], dict[str, Any]], "Watch"]


class Watch(Protocol):
    """What goes around one call."""

    def running(self) -> AbstractContextManager[Any]:
        """Return what is current while the function's own code runs; asked again for each step of a generator."""

    def end(self, error: BaseException | None, result: Any) -> None:
        """Take how the call ended: with an error, or with a result (None from generators)."""


def watched(function: F, begin: Begin) -> F:
    """Return ``function`` with a watch around each call; ``begin`` makes it from the call's arguments.

    What fails in a watch is said once and skipped; the function's own errors pass through.
    """
    return cast("F", _watched(function, begin))


def name_of(function: Any) -> str:
    """Return ``module.qualname``, as far as a callable has them."""
    inner = innermost(function)
    module, name = getattr(inner, "__module__", None), getattr(inner, "__qualname__", type(inner).__qualname__)
    return f"{module}.{name}" if module else str(name)


def innermost(function: Any) -> Any:
    """Return what partial objects, static and class methods are made of."""
    while isinstance(function, (partial, staticmethod, classmethod)):
        function = function.func if isinstance(function, partial) else function.__func__
    return function


def _watched(function: Any, begin: Begin) -> Any:
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(_watched(function.__func__, begin))
    if isinstance(function, type):
        # The class itself must stay: agents subclass it and ask isinstance.
        function.__init__ = _watched(function.__init__, begin)  # type: ignore[misc]
        return function
    for is_kind, around in _KINDS:
        if is_kind(function) or (not inspect.isroutine(function) and is_kind(getattr(function, "__call__", None))):  # noqa: B004 (its kind is asked)
            return around(function, begin)
    return _plain(function, begin)


class _Call:
    """One call's watch behind the guard, as ``core.generators`` follows a generator."""

    def __init__(self, begin: Begin, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.recording: Any = self
        self.iterated = False
        self._watch: Watch | None = guard.call("decorator", begin, args, kwargs)

    def running(self) -> AbstractContextManager[Any]:
        if self._watch is None:
            return nullcontext()
        return guard.call("decorator", self._watch.running) or nullcontext()

    def __enter__(self) -> None:
        self._current = self.running()
        self._current.__enter__()

    def __exit__(self, *error: object) -> None:
        self._current.__exit__(*error)  # type: ignore[arg-type]

    def chunk(self, item: Any) -> bool:  # noqa: ARG002 (nothing is hidden)
        return False

    def finish(self, error: BaseException | None = None, how: str | None = None, result: Any = None) -> None:  # noqa: ARG002 (as in ``generators``)
        watch, self._watch = self._watch, None
        if watch is not None:
            guard.call("decorator", watch.end, error, result)

    def failed(self, error: BaseException) -> None:
        # A generator that is closed early has not failed.
        self.finish(None if isinstance(error, GeneratorExit) else error)


def _plain(function: Any, begin: Begin) -> Any:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = _Call(begin, args, kwargs)
        try:
            with call.running():
                result = function(*args, **kwargs)
        except BaseException as error:
            call.finish(error)
            raise
        if isinstance(result, CoroutineType):
            # A plain function around a coroutine, as other decorators leave them: the work is still to come.
            return _awaited(result, call)
        call.finish(result=result)
        return result

    return wrapper


async def _awaited(coroutine: Coroutine[Any, Any, Any], call: _Call) -> Any:
    try:
        with call.running():
            result = await coroutine
    except BaseException as error:
        call.finish(error)
        raise
    call.finish(result=result)
    return result


def _coroutine(function: Any, begin: Begin) -> Any:
    @wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = _Call(begin, args, kwargs)
        return await _awaited(function(*args, **kwargs), call)

    return wrapper


def _generator(function: Any, begin: Begin) -> Any:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return (yield from followed(function(*args, **kwargs), lambda: _Call(begin, args, kwargs)))

    return wrapper


def _async_generator(function: Any, begin: Begin) -> Any:
    @wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        inner = followed(function(*args, **kwargs), lambda: _Call(begin, args, kwargs))
        advance: Callable[[], Any] = inner.__anext__
        while True:
            try:
                item = await advance()
            except StopAsyncIteration:
                return
            try:
                sent = yield item
            except GeneratorExit:
                await inner.aclose()
                raise
            except BaseException as thrown:  # noqa: BLE001 (it is the caller's, on its way into the function)
                advance = partial(inner.athrow, thrown)
            else:
                advance = inner.__anext__ if sent is None else partial(inner.asend, sent)

    return wrapper


_KINDS: tuple[tuple[Callable[[Any], bool], Callable[[Any, Begin], Any]], ...] = (
    (inspect.iscoroutinefunction, _coroutine),
    (inspect.isgeneratorfunction, _generator),
    (inspect.isasyncgenfunction, _async_generator),
)
