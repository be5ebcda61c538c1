"""Wrappers of functions that send, receive or wait for messages, each call of which is one step of an exchange."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.base.stand_in import no_frame, passed_over
from obs_run.base.steps import Step
from obs_run.context import current_context
from obs_run.core.outcomes import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context

    from obs_run.core.hooks import Wrapper

__all__ = ["QueuedContexts", "wrap_step"]


def wrap_step(begin: Callable[[Call], Step | None]) -> Wrapper:
    """Return the wrapper of a function during which the step that ``begin(call)`` gives goes on; None for none."""

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = Call(instance, args, kwargs)
        step = guard.call("begin", begin, call)
        if step is None:
            with no_frame:
                return wrapped(*args, **kwargs)
        with step:
            returned = wrapped(*call.args, **call.kwargs)
        return guard.call("outcome", step.read_returned, returned, default=returned)

    return wrapper


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
