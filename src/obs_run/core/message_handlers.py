"""Functions of the agent's that a library calls with each message: the work on it goes on inside of its recording."""

from __future__ import annotations

from functools import partial
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from obs_run.base import generators, guard
from obs_run.base.stand_in import no_frame, passed_over
from obs_run.base.steps import Step
from obs_run.context import current_context, run_context
from obs_run.core import handled_messages, recorder
from obs_run.core.outcomes import Call, OutcomeTracker

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.hooks import Wrapper
    from obs_run.core.operations import MessageOperation
    from obs_run.core.outcomes import Reader

    Begin = Callable[[Any], tuple[MessageOperation, Reader, dict[str, str] | None] | None]
    Start = Callable[[MessageOperation, list[dict[str, str]]], Any]

__all__ = ["followed_handler", "followed_reader", "followed_work", "wrap_made_work"]


def followed_handler(handler: Any, begin: Begin) -> Any:
    """Return the coroutine function that is called in the place of ``handler``; the handler itself if it is none.

    ``begin(message)`` gives what its work is recorded as, and what carries the sender's trace, which is None where the
    sender does the work itself, at once; None for nothing.
    """
    if not _gives_coroutines(handler):
        # The library has its own words for that.
        return handler

    @passed_over
    async def handle(message: Any, /, *args: Any, **kwargs: Any) -> Any:
        step = guard.call("begin", _begin, begin, message, default=_UNRECORDED)
        with step:
            returned = await handler(message, *args, **kwargs)
        return guard.call("outcome", step.read_returned, returned, default=returned)

    guard.call("begin", generators.take_name, handle, handler)
    return handle


def followed_work(work: Any, begin: Begin, start: Start = handled_messages.start_handling) -> Any:
    """Return the function that is called in the place of ``work``; ``begin`` gets the call of it.

    ``start(operation, senders)`` begins the recording, of a coroutine that it returns too.
    """

    @passed_over
    def do(*args: Any, **kwargs: Any) -> Any:
        step = guard.call("begin", _begin, begin, Call(None, args, kwargs), start, default=_UNRECORDED)
        with step:
            returned = work(*args, **kwargs)
        return guard.call("outcome", step.read_returned, returned, default=returned)

    guard.call("begin", generators.take_name, do, work)
    return do


def wrap_made_work(begin: Callable[[Call, Call], Any]) -> Wrapper:
    """Return the wrapper of a function that makes one that does the work on messages.

    ``begin`` gets the call that made it, and the call of what it made, and gives what ``followed_handler`` asks for.
    """

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with no_frame:
            made = wrapped(*args, **kwargs)
        begin_work = partial(begin, Call(instance, args, kwargs))
        return guard.call("begin", followed_work, made, begin_work, default=made)

    return wrapper


def followed_reader(read: Callable[[Any], Any], note: Callable[[Any], object]) -> Callable[[Any], Any]:
    """Return the function that is called in the place of ``read``, a deserializer; ``note`` gets what that makes."""

    @passed_over
    def follow(text: Any) -> Any:
        with no_frame:
            made = read(text)
        guard.call("message", note, made)
        return made

    return follow


_UNRECORDED = Step()


def _gives_coroutines(handler: Any) -> bool:
    return iscoroutinefunction(handler) or iscoroutinefunction(getattr(handler, "func", None))


def _begin(begin: Begin, message: Any, start: Start = handled_messages.start_handling) -> Step:
    request = begin(message)
    if request is None:
        return _UNRECORDED
    operation, reader, sender = request
    if sender is None:
        recording: Any = recorder.start(operation, run_context.for_itself(current_context.current()))
    else:
        recording = start(operation, [sender])
    return _UNRECORDED if recording is None else OutcomeTracker(recording, reader)
