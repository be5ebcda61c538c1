"""Wrappers of a framework's own functions that tell by callbacks: they make current what a callback has begun.

==================================================  ==========================================================
what the framework has                              wrapper
==================================================  ==========================================================
a function that prepares a context of Python's, in  ``wrap_context``
which the agent's code is run then
a function that begins, changes or ends a run       ``wrap_before``
a function, coroutine function, or generator        ``wrap_within``, ``wrap_async_within``,
function of either kind in which a run goes on      ``wrap_generator_within``
a generator function of either kind that begins     ``wrap_expecting``
the run itself, as it is read
==================================================  ==========================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import context as api_context

from obs_run.base import generators, guard
from obs_run.base.stand_in import no_frame, passed_over
from obs_run.base.steps import Step
from obs_run.context import current_context
from obs_run.core import ownership
from obs_run.core.outcomes import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context

    from obs_run.context.current_context import Entry
    from obs_run.core.hooks import Wrapper

__all__ = [
    "CallScope",
    "wrap_async_within",
    "wrap_before",
    "wrap_context",
    "wrap_expecting",
    "wrap_generator_within",
    "wrap_within",
]


def wrap_context(make_current: Callable[[Call], object]) -> Wrapper:
    """Return the wrapper of a function that prepares the context in which the agent's code will run."""

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        returned = wrapped(*args, **kwargs)
        guard.call("context", make_current, Call(instance, args, kwargs))
        return returned

    return wrapper


def wrap_before(note: Callable[[Call], object]) -> Wrapper:
    """Return the wrapper of a function by whose call the framework tells of a run, as a callback does."""

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        guard.call("callback", note, Call(instance, args, kwargs))
        return wrapped(*args, **kwargs)

    return wrapper


def wrap_within(find: Callable[[Call], Any]) -> Wrapper:
    """Return the wrapper of a function in which the recording that ``find(call)`` gives goes on; None for none."""

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with Step(guard.call("context", find, Call(instance, args, kwargs))):
            return wrapped(*args, **kwargs)

    return wrapper


def wrap_async_within(find: Callable[[Call], Any]) -> Wrapper:
    """Return the wrapper of a coroutine function, as ``wrap_within`` does of a sync one."""

    @passed_over
    async def run(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with Step(guard.call("context", find, Call(instance, args, kwargs))):
            return await wrapped(*args, **kwargs)

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        coroutine = run(wrapped, instance, args, kwargs)
        # Python's warning of one that was never awaited tells the name.
        guard.call("begin", generators.take_name, coroutine, wrapped)
        return coroutine

    return wrapper


def wrap_generator_within(find: Callable[[Call], Any]) -> Wrapper:
    """Return the wrapper of a generator function of either kind, as ``wrap_within`` does of other functions."""

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with no_frame:
            inner = wrapped(*args, **kwargs)
        return guard.call("stream", _follow_within, find, Call(instance, args, kwargs), inner, default=inner)

    return wrapper


def _follow_within(find: Callable[[Call], Any], call: Call, inner: Any) -> Any:
    return generators.followed(inner, lambda: Step(find(call)))


class CallScope:
    """A call in which runs begin and end: what was current before it is so after it, whatever became of them."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def __enter__(self) -> None:
        """Note what is current."""
        current_context.enter(self._entries, _unchanged, self._entries)

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """Have that be current again."""
        current_context.leave(self._entries, self._entries)


def _unchanged(context: Context) -> Context:
    return context


def wrap_expecting() -> Wrapper:
    """Return the wrapper of a generator function that begins a run as it is read, of which a callback tells."""

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
        with no_frame:
            inner = wrapped(*args, **kwargs)
        return guard.call("stream", generators.followed, inner, _expecting, default=inner)

    return wrapper


def _expecting() -> Step:
    return Step(_ExpectedScope())


class _ExpectedScope:
    """Keeps a place for the recording of a run that begins inside of it, in each of its steps."""

    __slots__ = ("_entries", "_expected")

    def __init__(self) -> None:
        self._expected = ownership.Expected(ownership.recording_in(api_context.get_current()))
        self._entries: list[Entry] = []

    def __enter__(self) -> None:
        """Be there for the callback, and for what is called inside."""
        current_context.enter(self, self._inside, self._entries)

    def __exit__(self, *_: object) -> None:
        """Go on without."""
        current_context.leave(self, self._entries)

    def _inside(self, context: Context) -> Context:
        return ownership.with_expected(self._expected, context)
