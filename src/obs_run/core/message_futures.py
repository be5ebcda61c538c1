"""Futures of a library's own making that hold messages, which are read where the agent takes them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from obs_run.base import guard

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["MessageFuture", "make_message_future"]


class MessageFuture(asyncio.Future):  # type: ignore[type-arg]  # of whatever
    """A future of asyncio's; ``read`` gets what it holds, in the task that takes it, and gives what the agent sees.

    It may be taken several times, and in several tasks.
    """

    read: Callable[[Any], Any] | None = None

    def result(self) -> Any:
        """Return what it holds."""
        held = super().result()
        return held if self.read is None else guard.call("message", self.read, held, default=held)

    def __await__(self) -> Generator[Any, None, Any]:
        """Wait for it, as asyncio's own class does."""
        if not self.done():
            self._asyncio_future_blocking = True
            yield self
        if not self.done():
            raise RuntimeError("await wasn't used with future")
        return self.result()

    __iter__ = __await__


def make_message_future(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    """Make such a one where the library makes one of asyncio's: a wrapper of the class."""
    if getattr(wrapped, "__module__", None) not in ("_asyncio", "asyncio.futures"):
        return wrapped(*args, **kwargs)
    return MessageFuture(*args, **kwargs)
