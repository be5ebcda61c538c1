"""Futures of a library's own making that hold messages, which are read where the agent takes them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.base.stand_in import no_frame
from obs_run.core import message_carriers

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from obs_run.core.message_carriers import Sender

__all__ = ["MessageFuture"]


class MessageFuture(asyncio.Future):  # type: ignore[type-arg]  # of whatever
    """A future of asyncio's; ``read`` gets what it holds and who sent it, in the task that takes it.

    It may be taken several times, and in several tasks.
    """

    holds_message = False
    """Whether it holds what was received, and not what was made of it."""
    read: Callable[[Any, Sender | None], object] | None = None
    _taken_out: tuple[Any, Sender | None] | None = None

    def result(self) -> Any:
        """Return what it holds."""
        with no_frame:
            held = super().result()
        sender = None
        if self.holds_message:
            if self._taken_out is None:
                self._taken_out = message_carriers.take_out(held)
            held, sender = self._taken_out
        if self.read is not None:
            guard.call("message", self.read, held, sender)
        return held

    def __await__(self) -> Generator[Any, None, Any]:
        """Wait for it, as asyncio's own class does."""
        with no_frame:
            if not self.done():
                self._asyncio_future_blocking = True
                yield self
            if not self.done():
                raise RuntimeError("await wasn't used with future")
            return self.result()

    __iter__ = __await__
