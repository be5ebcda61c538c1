"""Wrappers of functions that send, receive or wait for messages, each call of which is one step of an exchange."""

from __future__ import annotations

from collections import deque
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from obs_run.base import generators, guard
from obs_run.base.stand_in import no_frame, passed_over
from obs_run.base.steps import Step
from obs_run.context import current_context
from obs_run.core import message_carriers
from obs_run.core.outcomes import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context

    from obs_run.core.hooks import Wrapper
    from obs_run.core.message_carriers import Sender

__all__ = [
    "QueuedContexts",
    "ReceivingStep",
    "make_future",
    "wrap_async_step",
    "wrap_followed_step",
    "wrap_receive",
    "wrap_step",
]


def _wrap(begin: Callable[[Call], Step | None], read: Callable[[Step, Any], Any]) -> Wrapper:
    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = Call(instance, args, kwargs)
        step = guard.call("begin", begin, call)
        if step is None:
            with no_frame:
                return wrapped(*args, **kwargs)
        with step:
            returned = wrapped(*call.args, **call.kwargs)
        return guard.call("outcome", read, step, returned, default=returned)

    return wrapper


def _read_returned(step: Step, returned: Any) -> Any:
    return step.read_returned(returned)


def _read_or_follow(step: Step, returned: Any) -> Any:
    if isinstance(returned, CoroutineType):
        return generators.followed(returned, lambda: step)
    return step.read_returned(returned)


def wrap_step(begin: Callable[[Call], Step | None]) -> Wrapper:
    """Return the wrapper of a function during which the step that ``begin(call)`` gives goes on; None for none."""
    return _wrap(begin, _read_returned)


def wrap_followed_step(begin: Callable[[Call], Step | None]) -> Wrapper:
    """Return the wrapper of a function, as ``wrap_step`` does, whose coroutine is followed where it returns one."""
    return _wrap(begin, _read_or_follow)


def wrap_async_step(begin: Callable[[Call], Step | None]) -> Wrapper:
    """Return the wrapper of a coroutine function, as ``wrap_step`` does of a sync one."""

    @passed_over
    async def observe(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = Call(instance, args, kwargs)
        step = guard.call("begin", begin, call)
        if step is None:
            with no_frame:
                return await wrapped(*args, **kwargs)
        with step:
            returned = await wrapped(*call.args, **call.kwargs)
        return guard.call("outcome", step.read_returned, returned, default=returned)

    return generators.named_coroutines(observe)


class ReceivingStep(Step):
    """The receiving of a message, or of a frame of one."""

    __slots__ = ()

    def read_received(self, received: Any, sender: Sender | None) -> None:
        """Read what was received, as the agent gets it."""

    def read_future(self, future: Any) -> None:
        """Follow the future that holds it."""


_CLEANING = ReceivingStep()
"""Where ours failed: what a message carries is taken out all the same."""


def wrap_receive(begin: Callable[[Call], ReceivingStep | None]) -> Wrapper:
    """Return the wrapper of a function that receives, at once or as a future, by steps that ``begin(call)`` gives.

    What messages carry of their senders is taken out whatever becomes of the step; but not where that is None, inside
    of another such function.
    """

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = Call(instance, args, kwargs)
        step = guard.call("begin", begin, call, default=_CLEANING)
        if step is None:
            with no_frame:
                return wrapped(*args, **kwargs)
        with step:
            returned = wrapped(*call.args, **call.kwargs)
        if hasattr(returned, "holds_message"):
            returned.holds_message = True
            guard.call("outcome", step.read_future, returned)
            return returned
        sender = None
        try:
            returned, sender = message_carriers.take_out(returned)
        except Exception as error:  # noqa: BLE001 (it is ours)
            guard.failed("message", error)
        guard.call("outcome", step.read_received, returned, sender)
        return returned

    return wrapper


def make_future(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    """Make a future that reads messages where the library makes one of asyncio's: a wrapper of the class."""
    try:
        # Agents without asyncio need not load it.
        from asyncio import Future

        from obs_run.core.message_futures import MessageFuture

        kind = MessageFuture if wrapped is Future else wrapped
    except Exception as error:  # noqa: BLE001 (it is ours)
        guard.failed("message", error)
        kind = wrapped
    return kind(*args, **kwargs)


class QueuedContexts:
    """The contexts in which messages were given to a queue, for when they are taken out of it."""

    __slots__ = ("_contexts",)

    def __init__(self) -> None:
        self._contexts: deque[Context] = deque()

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._contexts)

    def put(self) -> None:
        """Keep what is current for the next message."""
        self._contexts.append(current_context.current())

    def clear(self) -> None:
        """Forget them."""
        self._contexts.clear()

    def take(self) -> Step:
        """Return the step in which the message that waits longest is sent."""
        return Step(current_context.ContextScope(self._contexts.popleft()))
