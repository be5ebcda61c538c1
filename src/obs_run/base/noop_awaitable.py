"""What a logging call returns: something to await, or not."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator


class NoopAwaitable(Coroutine[Any, Any, None]):
    """The record is made already: awaiting this does nothing more, and nobody complains if it is not awaited.

    It is a coroutine in the eyes of ``asyncio.create_task``, ``asyncio.run`` and ``gather``.
    """

    __slots__ = ()

    def __await__(self) -> Generator[Any, Any, None]:
        """End at once."""
        return iter(())  # type: ignore[return-value]

    def send(self, value: Any) -> Any:  # noqa: ARG002 (nothing waits for it)
        """End at once, as a coroutine does."""
        raise StopIteration

    def throw(self, kind: Any, value: Any = None, traceback: Any = None) -> Any:
        """Raise what is thrown in, as a coroutine does."""
        error = kind if isinstance(kind, BaseException) else kind() if value is None else value
        raise error.with_traceback(traceback) if traceback is not None else error

    def close(self) -> None:
        """Do nothing."""


NOOP_AWAITABLE = NoopAwaitable()
