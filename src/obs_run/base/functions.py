"""Functions of the agent with something around each call: what ``trace_function`` and the other decorators stand on.

A decorated function stays what it was: plain, coroutine function, generator function or asynchronous generator
function, with its name, signature and annotations; so do static methods, class methods, properties and classes.
"""

from __future__ import annotations

import inspect
from functools import cached_property, partial, partialmethod, wraps
from types import (
    BuiltinFunctionType,
    CoroutineType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from obs_run.base import guard
from obs_run.base.generators import follow_async_generators, follow_generators
from obs_run.base.stand_in import no_frame, passed_over
from obs_run.base.steps import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AbstractContextManager

    F = TypeVar("F", bound=Callable[..., Any])

    Begin = Callable[[tuple[Any, ...], dict[str, Any]], "CallObserver"]


# What has a function inside and is made anew around it.
_DESCRIPTORS = (staticmethod, classmethod, property, cached_property, partialmethod)
# What can do no more than be called; a function of ours takes its place.
_FUNCTIONS = (FunctionType, MethodType, BuiltinFunctionType, MethodDescriptorType, WrapperDescriptorType)


class CallObserver(Protocol):
    """What goes around one call."""

    def running(self) -> AbstractContextManager[Any]:
        """Return what is current while the function's own code runs; asked again for each step of a generator."""

    def end(self, error: BaseException | None, result: Any) -> None:
        """Take how the call ended: with an error, or with a result (None from generators)."""


def observe_calls(function: F, begin: Begin) -> F:
    """Return ``function`` with an observer of each call; ``begin`` makes it from the call's arguments.

    What fails in an observer is said once and skipped; the function's own errors pass through.
    """
    return cast("F", guard.call("decorator", _observe, function, begin, default=function))


def is_decorable(value: Any) -> bool:
    """Whether a value is what decorators are put on."""
    return callable(value) or isinstance(value, _DESCRIPTORS)


def name_of(function: Any) -> str:
    """Return ``module.qualname``, as far as a callable has them."""
    inner = innermost(function)
    module, name = getattr(inner, "__module__", None), getattr(inner, "__qualname__", type(inner).__qualname__)
    return f"{module}.{name}" if module else str(name)


def innermost(function: Any) -> Any:
    """Return what partial objects, static and class methods and properties are made of."""
    while isinstance(function, (partial, *_DESCRIPTORS)):
        if isinstance(function, property):
            function = function.fget
        elif isinstance(function, (staticmethod, classmethod)):
            function = function.__func__
        else:
            function = function.func
    return function


def _observe(function: Any, begin: Begin) -> Any:
    if isinstance(function, _DESCRIPTORS):
        return _observe_descriptor(function, begin)
    if not callable(function):
        guard.warn_once(f"{type(function).__name__} cannot be decorated: it is no function; it is left as it is")
        return function
    if isinstance(function, type):
        # The class itself must stay: agents subclass it and ask isinstance.
        function.__init__ = _observe(function.__init__, begin)  # type: ignore[misc]
        return function
    observed = _observe_call(function, begin)
    if isinstance(function, _FUNCTIONS):
        return observed
    # What else an object can do, agents go on to ask of it: a cache is cleared, a task is sent.
    from obs_run.base.observed_objects import ObservedObject

    return ObservedObject(function, observed)


def _observe_call(function: Any, begin: Begin) -> Any:
    """Return a function that calls ``function``, which is of the same kind."""
    if _is_of(function, inspect.iscoroutinefunction):
        return _observe_coroutine(function, begin)
    if _is_of(function, inspect.isgeneratorfunction):
        return _observe_generator(function, begin)
    if _is_of(function, inspect.isasyncgenfunction):
        return _observe_async_generator(function, begin)
    return _observe_plain(function, begin)


def _observe_descriptor(descriptor: Any, begin: Begin) -> Any:
    """Return what a class has in place of ``descriptor``: of the same type, with the function inside observed."""
    if isinstance(descriptor, property):
        return descriptor.getter(_observe(descriptor.fget, begin))
    if isinstance(descriptor, partialmethod):
        return type(descriptor)(_observe(descriptor.func, begin), *descriptor.args, **descriptor.keywords)
    if isinstance(descriptor, cached_property):
        return type(descriptor)(_observe(descriptor.func, begin))
    return type(descriptor)(_observe(descriptor.__func__, begin))


def _is_of(function: Any, is_kind: Callable[[Any], bool]) -> bool:
    """Whether a function, or else an object that can be called, is of a kind."""
    if is_kind(function):
        return True
    return not inspect.isroutine(function) and is_kind(getattr(function, "__call__", None))  # noqa: B004 (its kind is asked)


class _ObservedCall(Step):
    """One call of a function that returns its result or a coroutine, and its observer."""

    __slots__ = ("_running", "end_observer")

    def __init__(self, begin: Begin, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        observer = begin(args, kwargs)
        self._context = None
        self._running, self.end_observer = observer.running, observer.end

    def __enter__(self) -> None:
        """Enter what is current now; an observer may say something else at each step."""
        self._context = guard.call("decorator", self._running)
        Step.__enter__(self)

    def end(self, error: BaseException | None) -> None:
        """Pass on that the call has failed."""
        guard.call("decorator", self.end_observer, error, None)


class _ObservedStream(_ObservedCall):
    """One call of a generator function, from its first step to its last."""

    __slots__ = ()

    def end(self, error: BaseException | None) -> None:
        """Pass on how the call ended; a generator that is closed early has not failed."""
        has_failed = not isinstance(error, (StopIteration, StopAsyncIteration, GeneratorExit))
        super().end(error if has_failed else None)


def _observe_plain(function: Any, begin: Begin) -> Any:
    @wraps(function)
    @passed_over
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        step = guard.call("decorator", _ObservedCall, begin, args, kwargs)
        if step is None:
            with no_frame:
                return function(*args, **kwargs)
        with step:
            result = function(*args, **kwargs)
        if isinstance(result, CoroutineType):
            # A plain function around a coroutine, as other decorators leave them: the work is still to come.
            return _observe_awaiting(result, step)
        guard.call("decorator", step.end_observer, None, result)
        return result

    return wrapper


async def _observe_awaiting(coroutine: Coroutine[Any, Any, Any], step: _ObservedCall) -> Any:
    with step:
        result = await coroutine
    guard.call("decorator", step.end_observer, None, result)
    return result


def _observe_coroutine(function: Any, begin: Begin) -> Any:
    @wraps(function)
    @passed_over
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        step = guard.call("decorator", _ObservedCall, begin, args, kwargs)
        if step is None:
            with no_frame:
                return await function(*args, **kwargs)
        with step:
            result = await function(*args, **kwargs)
        guard.call("decorator", step.end_observer, None, result)
        return result

    return wrapper


def _observe_generator(function: Any, begin: Begin) -> Any:
    return wraps(function)(follow_generators(function, partial(_ObservedStream, begin)))


def _observe_async_generator(function: Any, begin: Begin) -> Any:
    return wraps(function)(follow_async_generators(function, partial(_ObservedStream, begin)))
