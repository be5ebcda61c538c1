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
a function or coroutine function that begins the    ``wrap_within`` and ``wrap_async_within`` with a
run itself, by a callback in the same task          ``BeginningCall``, which ``make_begun_current`` tells
a function or coroutine function that returns a     ``wrap_returned_within``
generator, in which a run goes on
==================================================  ==========================================================
"""

from __future__ import annotations

from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry import context as api_context

from obs_run.base import generators, guard
from obs_run.base.stand_in import no_frame, passed_over
from obs_run.base.steps import Step
from obs_run.context import current_context
from obs_run.core import noted_calls, ownership
from obs_run.core.outcomes import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context

    from obs_run.context.current_context import Entry
    from obs_run.core.hooks import Wrapper

__all__ = [
    "BeginningCall",
    "CallScope",
    "Reading",
    "make_begun_current",
    "wrap_async_within",
    "wrap_before",
    "wrap_context",
    "wrap_expecting",
    "wrap_generator_within",
    "wrap_returned_within",
    "wrap_within",
]

_BEGINNING = api_context.create_key("obs-run-beginning-call")


def wrap_context(make_current: Callable[[Call], object]) -> Wrapper:
    """Return the wrapper of a function that prepares the context in which the agent's code will run."""

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        returned = wrapped(*args, **kwargs)
        guard.call("context", make_current, Call(instance, args, kwargs))
        return returned

    return wrapper


def wrap_before(note: Callable[[Call], object]) -> Wrapper:
    """Return the wrapper of a function by whose call the framework tells of a run, as a callback does."""
    return noted_calls.wrap_before("callback", note)


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


def wrap_returned_within(find: Callable[[Any], Any]) -> Wrapper:
    """Return the wrapper of a function, coroutine function or not, that returns a generator of either kind.

    ``find(generator)`` gives what goes on as the generator is read; None for nothing.
    """

    def followed(returned: Any) -> Any:
        return guard.call("stream", _follow_returned, find, returned, default=returned)

    @passed_over
    async def wait(coroutine: Any) -> Any:
        with no_frame:
            returned = await coroutine
        return followed(returned)

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
        with no_frame:
            returned = wrapped(*args, **kwargs)
        if not isinstance(returned, CoroutineType):
            return followed(returned)
        coroutine = wait(returned)
        guard.call("begin", generators.take_name, coroutine, wrapped)
        return coroutine

    return wrapper


def _follow_returned(find: Callable[[Any], Any], returned: Any) -> Any:
    reading = find(returned) if isinstance(returned, (GeneratorType, AsyncGeneratorType)) else None
    return returned if reading is None else generators.followed(returned, lambda: _ReadingStep(reading))


class Reading(NamedTuple):
    """A run that goes on as its stream is read."""

    recording: Any
    note: Callable[[Any], object]
    """Gets each piece."""
    end: Callable[[BaseException], object]
    """Gets what was raised: an error, the sign that the stream is over, or GeneratorExit where it was left."""


class _ReadingStep(Step):
    __slots__ = ("_reading",)

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading.recording)
        self._reading = reading

    def hides(self, chunk: Any) -> bool:
        """Have a piece noted; the agent sees them all."""
        guard.call("chunk", self._reading.note, chunk)
        return False

    def end(self, error: BaseException) -> None:
        """Have the run ended."""
        guard.call("finish", self._reading.end, error)


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


class BeginningCall:
    """A call that begins one run, of which a callback tells: from then to the end of the call that run is current."""

    __slots__ = ("_entries", "_has_begun")

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._has_begun = False

    def __enter__(self) -> None:
        """Be there for the callback."""
        current_context.enter(self, self._inside, self._entries)

    def __exit__(self, *_: object) -> None:
        """Have that be current again which was so before the call."""
        for _entry in self._entries.copy():
            current_context.leave(self, self._entries)

    def begin(self, recording: Any) -> None:
        """Make the call's run current; the runs of further callbacks are inside of it, with calls of their own."""
        if not self._has_begun:
            self._has_begun = True
            current_context.enter(self, recording.inside, self._entries)

    def _inside(self, context: Context) -> Context:
        return api_context.set_value(_BEGINNING, self, context)


def make_begun_current(recording: Any) -> None:
    """Make a run current that a callback tells of, until the ``BeginningCall`` around is over; nothing without one."""
    call: Any = api_context.get_value(_BEGINNING)
    if call is not None:
        call.begin(recording)


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
