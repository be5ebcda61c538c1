"""Bridged spans that are open, and the calls of functions that they were begun in."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.base.thrown_in import raise_when_gone
from obs_run.core.open_recordings import open_recordings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType
    from typing import Protocol

    from opentelemetry.context import Context

    from obs_run.bridge.pairs import Start
    from obs_run.bridge.source import Statement
    from obs_run.core.sink import ErrorRecord

    class WhenLeft(Protocol):
        """Ends what was begun in a call of a function."""

        def __call__(self, activation: Activation, error: BaseException | None, /, *, has_raised: bool) -> object:
            """Do it."""


GENERATOR = 0x20 | 0x200  # CO_GENERATOR, CO_ASYNC_GENERATOR
COROUTINE = 0x80  # CO_COROUTINE
LEFT_BY_EXCEPTION = "left by an exception"
"""What is said of the failure where no more of it is known."""
_OURS = 4
"""The frames of ours from where it is asked who goes on, up to ``__del__``."""


class OpenSpan:
    """A span whose beginning a line told, and what lines told of it since."""

    __slots__ = (
        "around", "ended_at", "failed_likeness", "has_end_line", "has_failed", "is_current", "is_over", "owner",
        "recording", "start", "statement", "values",
    )  # fmt: skip

    def __init__(self, recording: Any, statement: Statement, start: Start, values: Mapping[str, str]) -> None:
        self.recording = recording
        self.statement = statement
        self.start = start
        self.values = values
        """The values of its line by the last words of their expressions."""
        self.around: Context = recording.around
        self.is_current = False
        self.is_over = False
        """Whether a line has told its end; a later one may still tell it better."""
        self.ended_at: int | None = None
        self.has_end_line = False
        """Whether a line has told how it came out."""
        self.has_failed = False
        self.owner = 0
        """The object whose methods begin and end it, by its id; 0 where that does not matter."""
        self.failed_likeness = 0
        """How likely the line that told of its failure meant it."""

    def enter(self) -> None:
        """Make it what happens now."""
        self.recording.__enter__()
        self.is_current = True

    def leave(self) -> None:
        """Have what follows happen outside of it."""
        if self.is_current:
            self.is_current = False
            self.recording.__exit__(None, None, None)

    def fail(
        self, failure: ErrorRecord | None, message: str, line: int | None, moment: int | None, *, goes_on: bool = False
    ) -> None:
        """Note that it has failed; what comes after may still overcome that.

        What happens meanwhile is inside of it where another line that tells how it comes out may follow.
        """
        self.has_failed = True
        note_failure(self.recording.operation, failure, message)
        self._note_end(line, moment)
        if goes_on:
            self.recording.operation.end = None

    def overcome(self) -> None:
        """Note that what has failed was done all the same."""
        self.has_failed = False
        operation = self.recording.operation
        operation.failure = operation.error_message = operation.error_type = None

    def end(self, line: int, moment: int) -> None:
        """Note that it is over, and have what follows happen outside of it; a later line may tell its end better."""
        self.is_over = True
        self._note_end(line, moment)
        self.leave()

    def _note_end(self, line: int | None, moment: int | None) -> None:
        self.ended_at = moment
        self.has_end_line = line is not None
        operation = self.recording.operation
        operation.end_line = line
        operation.end = None if line is None else "line"
        if line is not None:
            # The process may end before the function is left, or while a traceback that somebody keeps has its frame.
            open_recordings.replace(self.recording.span.get_span_context().span_id, self._end_at_line, self.recording)

    def _end_at_line(self, _: object, __: object) -> None:
        self.finish("line", None)

    def finish(self, how: str, error: BaseException | None) -> None:
        """End it for good; ``how`` its end is known where no line told it."""
        self.leave()
        operation = self.recording.operation
        operation.end = operation.end or ("line" if self.has_end_line else how)
        if self.ended_at is not None:
            self.recording.over_at(self.ended_at)
        self.recording.end(error)


def note_failure(operation: Any, failure: ErrorRecord | None, message: str) -> None:
    """Note that a piece of work has failed, by an exception if that is known."""
    operation.failure, operation.error_message = failure, message
    operation.error_type = (None if failure is None else failure.error_type) or "failure"


class Activation:
    """One call of a function, for as long as its frame lives.

    It is the frame's trace function, which is never called unless a debugger is at work: the one reference that the
    interpreter lets go of when the function is left, on all versions and without a cost for other calls.
    """

    __slots__ = ("__weakref__", "_caller", "_caller_code", "_flags", "_place", "_when_left", "spans")

    def __init__(self, frame: FrameType) -> None:
        caller = frame.f_back
        self._caller = id(caller)
        self._caller_code = None if caller is None else caller.f_code
        self._place = None if caller is None else caller.f_lasti
        self._flags = frame.f_code.co_flags
        self.spans: list[OpenSpan] = []
        """Those of the automatic part."""
        self._when_left: dict[object, WhenLeft] = {}

    def __call__(self, *_: object) -> Activation:
        """Do nothing, for a debugger."""
        return self

    def when_left(self, key: object, end: WhenLeft) -> None:
        """Have ``end(activation, error, has_raised=...)`` called when the call has been left, once for a key."""
        self._when_left[key] = end

    def forget(self, key: object) -> None:
        """Have nothing called for a key: what it stands for is over."""
        self._when_left.pop(key, None)

    def end(self, error: BaseException | None = None, *, has_raised: bool = False) -> None:
        """End what was begun in the call, which has been left: by ``error``, or by an exception that is not known."""
        while self._when_left:
            try:
                _, end = self._when_left.popitem()
            except KeyError:  # another thread was faster
                return
            guard.call("bridge", end, self, error, has_raised=has_raised)

    def has_returned(self, frame: FrameType) -> bool:
        """Whether the call has returned, now that ``frame`` goes on: after an exception that goes on elsewhere."""
        if self._flags & GENERATOR:
            # Who reads it may go on in another place than at first, and need not read it to its end.
            return True
        if frame.f_lasti != self._place:
            return False
        # A task's coroutine is called anew after each wait, from the same place of the event loop.
        return id(frame) == self._caller or bool(self._flags & COROUTINE and frame.f_code is self._caller_code)

    def __del__(self) -> None:
        """End what was begun in the call, which has been left."""
        # What is thrown in while one is being made leaves it without.
        if not getattr(self, "_when_left", None):
            return
        try:
            guard.call("bridge", self._end)
        except BaseException as error:  # noqa: BLE001 (raised again, where Python does not drop it)
            # What a signal handler of the agent threw in, a time limit or Ctrl-C.
            thrown_in = raise_when_gone(error)  # noqa: F841 (see there)

    def _end(self) -> None:
        frame = _resumed_frame()
        # Where nobody goes on, the program is over, and so is what it left open.
        if frame is not None:
            self.end(has_raised=not self.has_returned(frame))


def _resumed_frame() -> FrameType | None:
    """Return the frame that goes on where a call has been left, None where the program is over."""
    try:
        return sys._getframe(_OURS)  # noqa: SLF001 (the one that the interpreter is back in)
    except ValueError:
        return None


def find_activation(frame: FrameType) -> Activation | None:
    """Return what is known of a call of a function, None where nothing was begun in it."""
    known = frame.f_trace
    return known if isinstance(known, Activation) else None


def ensure_activation(frame: FrameType) -> Activation | None:
    """Return the same, noted from now on; None where a debugger has the frame."""
    if frame.f_trace is None:
        frame.f_trace = Activation(frame)
    return find_activation(frame)


def end_left(frame: FrameType | None) -> None:
    """End what was begun in calls that the exception being handled has left, now that ``frame`` goes on."""
    error = sys.exc_info()[1]
    if error is not None:
        end_left_by(error, frame)


def end_left_by(error: BaseException, frame: FrameType | None) -> None:
    """End what was begun in calls that an exception has left."""
    for activation in left_by(error, frame):
        activation.end(error)


def left_by(error: BaseException, frame: FrameType | None) -> list[Activation]:
    """Return the calls that an exception has left, now that ``frame`` goes on, the innermost first."""
    on_stack = set()
    while frame is not None:
        on_stack.add(id(frame))
        frame = frame.f_back
    left: list[Activation] = []
    place = error.__traceback__
    while place is not None:
        activation = find_activation(place.tb_frame)
        if activation is not None and id(place.tb_frame) not in on_stack:
            left.append(activation)
        place = place.tb_next
    return left[::-1]
