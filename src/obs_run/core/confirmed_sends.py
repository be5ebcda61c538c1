"""Sending of messages that the broker confirms later, by a future that the agent may wait for or let go."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from obs_run.base import guard, payload
from obs_run.base.steps import Step

if TYPE_CHECKING:
    from obs_run.core.outcomes import Reader

__all__ = ["ConfirmedStep"]


class ConfirmedStep(Step):
    """The sending, from the call until what it returned says what became of the message."""

    __slots__ = ("_reader", "_recording")

    def __init__(self, recording: Any, reader: Reader) -> None:
        super().__init__(recording)
        self._recording = recording
        self._reader = reader

    def read_returned(self, returned: Any) -> Any:
        """Have it noted when the message is kept, or is not."""
        returned.add_done_callback(partial(guard.call, "outcome", self._note_outcome))
        return returned

    def end(self, error: BaseException) -> None:
        """Note that it was not sent."""
        self._end(error)

    def _note_outcome(self, future: Any) -> None:
        # To ask the future for its exception would say that the agent knows it.
        error = payload.get(future, "_exception")
        if future.cancelled():
            self._recording.operation.error_type = "cancelled"
        elif error is None:
            guard.call("result", self._reader.result, self._recording.operation, payload.get(future, "_result"))
        self._end(error)

    def _end(self, error: BaseException | None) -> None:
        if error is not None and self._reader.failure is not None:
            guard.call("result", self._reader.failure, self._recording.operation, error)
        self._recording.end(error)
