"""A step of somebody else's code: what of ours is current while it runs, and who learns how it ended.

Steps are the outermost code of ours around the agent's and its libraries' code. So they do nothing but guarded calls:
whatever fails in what follows a step, or in its context, stays in here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import guard, stand_in

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import TracebackType


class Step:
    """A call, or each step of a stream, with ``context`` around it; what follows it is a kind of this."""

    __slots__ = ("_context",)

    def __init__(self, context: AbstractContextManager[Any] | None = None) -> None:
        self._context = context

    def __enter__(self) -> None:
        """Enter the context."""
        context = self._context
        if context is not None:
            try:
                context.__enter__()
            except Exception as error:  # noqa: BLE001 (it is ours)
                # What was not entered must not be left.
                self._context = None
                guard.failed("context", error)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave the context, and pass on what was raised, which goes on its way whatever the context says."""
        if error is not None:
            stand_in.hide_frame(error, traceback)
        context = self._context
        if context is not None:
            try:
                context.__exit__(kind, error, traceback)
            except Exception as failure:  # noqa: BLE001 (it is ours)
                guard.failed("context", failure)
        if error is not None:
            guard.call("finish", self.end, error)

    def end(self, error: BaseException) -> None:
        """Take what was raised: an error, the sign that a stream is over, or GeneratorExit where it was left."""

    def read_returned(self, returned: Any) -> Any:
        """Have what the code returned read; return what the agent gets."""
        return returned

    def closing(self) -> Step:
        """Return what the agent's closing of the generator is done in, after ``end``."""
        return _PLAIN

    def hides(self, chunk: Any) -> bool:  # noqa: ARG002 (nobody reads it)
        """Have a chunk of a stream read; return whether the agent must not see it. Never raises."""
        return False


_PLAIN = Step()
