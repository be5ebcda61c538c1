"""How the outcome of a call gets into its operation, at once or as the agent reads it; finished once."""

from __future__ import annotations

import weakref
from dataclasses import field
from functools import partial
from sys import is_finalizing
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, Generic

from obs_run.base import generators, guard
from obs_run.base.steps import Step
from obs_run.core import content
from obs_run.core.control_flow import outcome_of
from obs_run.core.sparse_dataclasses import sparse_dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import TypeVar

    from obs_run.core.nesting import NestedInvocation
    from obs_run.core.recorder import Recording

    OperationT_contra = TypeVar("OperationT_contra", contravariant=True, default=Any)
else:
    from typing import TypeVar

    # Before Python 3.13 a type variable has no default, which only type checkers ask for.
    OperationT_contra = TypeVar("OperationT_contra", contravariant=True)

__all__ = ["Call", "Reader"]

_FOLLOWED = (GeneratorType, AsyncGeneratorType, CoroutineType)
_CANCELLATIONS = ("CancelledError", "Cancelled")


class Call:
    """A call of a target: the object it belongs to and its arguments, which ``begin`` may replace by copies."""

    __slots__ = ("args", "instance", "kwargs")

    def __init__(self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.instance = instance
        self.args = args
        self.kwargs = kwargs

    def argument(self, position: int, name: str) -> Any:
        """Return an argument that may be given by place or by name, None where it is not given."""
        return self.args[position] if len(self.args) > position else self.kwargs.get(name)

    def replace(self, position: int, name: str, value: Any) -> None:
        """Give the target another value of an argument; the agent's own objects stay as they are."""
        if len(self.args) > position:
            self.args = (*self.args[:position], value, *self.args[position + 1 :])
        else:
            self.kwargs = {**self.kwargs, name: value}


@sparse_dataclass
class Reader(Generic[OperationT_contra]):
    """How the outcome of an operation is read into it; what the library gives is of any type.

    ``result`` reads what the call returned. ``deferred`` gives, where the agent reads the outcome by itself later, the
    object by which the recording is found then, None otherwise. ``chunk`` reads one chunk of a stream.
    ``is_synthetic`` tells whether the agent must not see the chunk, because it did not ask for it. ``end`` is called
    once when a stream is over, however it ends. ``failure`` reads the library's error. ``closed`` reads a response
    that the agent closed without iterating. ``lazy`` says that the call returns a generator which asks nothing of the
    provider before the agent reads from it. A generator that is returned is always followed, without ``deferred``.
    ``single_response`` says that the chunks are those of one answer, which has no first chunk worth a time.
    ``held`` puts what follows it, which the function that it is given makes, into the place of a generator that stands
    in what was returned, and says whether there is one. ``caught`` gives the exception that the library caught, where
    what it returned tells of one.
    ``outcomes`` names the exceptions by which the library leaves a run that has not failed, and what they mean.
    """

    result: Callable[[OperationT_contra, Any], None]
    deferred: Callable[[Any], Any] | None = None
    chunk: Callable[[OperationT_contra, Any], None] | None = None
    is_synthetic: Callable[[OperationT_contra, Any], bool] | None = None
    end: Callable[[OperationT_contra], None] | None = None
    failure: Callable[[OperationT_contra, BaseException], None] | None = None
    closed: Callable[[OperationT_contra, Any], None] | None = None
    lazy: bool = False
    single_response: bool = False
    held: Callable[[Any, Callable[[Any], Any]], bool] | None = None
    caught: Callable[[OperationT_contra], BaseException | None] | None = None
    outcomes: Mapping[str, str] = field(default_factory=dict)


class OutcomeTracker(Step):
    """An operation whose outcome is being read: the step of its call, and then those of the stream that it gave."""

    __slots__ = ("__weakref__", "is_iterated", "key", "reader", "recording")

    def __init__(self, recording: Recording | NestedInvocation, reader: Reader) -> None:
        self._context = recording
        self.recording = recording
        self.reader = reader
        self.key: weakref.ref[Any] | None = None
        self.is_iterated = False

    def read_returned(self, returned: Any) -> Any:
        """Read what the call returned, and return what the agent gets; it is over unless the agent reads the rest."""
        if isinstance(returned, _FOLLOWED):
            return self._follow_generator(returned)
        reader, operation = self.reader, self.recording.operation
        if reader.held is not None and guard.call("result", reader.held, returned, self._follow_generator):
            return returned
        key = None if reader.deferred is None else guard.call("result", reader.deferred, returned)
        if key is None:
            content.read("result", reader.result, operation, returned)
            self.finish(None if reader.caught is None else guard.call("result", reader.caught, operation))
        else:
            guard.call("result", self._wait_for, key)
        return returned

    def _follow_generator(self, returned: Any) -> Any:
        operation = self.recording.operation
        if getattr(operation, "stream", False) is None and not isinstance(returned, CoroutineType):
            # Not every library has the agent say beforehand that it wants a stream.
            operation.stream = True  # type: ignore[attr-defined]
        following = generators.followed(returned, self.start_reading)
        guard.call("result", self._wait_for, following)
        return following

    def start_reading(self, *, is_current: bool = True) -> OutcomeTracker:
        """Return the steps in which the agent reads; with ``is_current`` the recording owns what happens inside."""
        if not self.is_iterated:
            self.is_iterated = True
            self.recording.read_unfinished = weakref.WeakMethod(self._read_end)
        self._context = self.recording if is_current else None
        return self

    def hides(self, chunk: Any) -> bool:
        """Read a chunk; return whether the agent must not see it, which does not depend on whether it could be read."""
        reader, recording = self.reader, self.recording
        try:
            if not reader.single_response:
                recording.chunk()
            if reader.chunk is not None:
                reader.chunk(recording.operation, chunk)
        except Exception as error:  # noqa: BLE001 (it is ours)
            guard.failed("chunk", error)
        try:
            return reader.is_synthetic is not None and reader.is_synthetic(recording.operation, chunk)
        except Exception as error:  # noqa: BLE001 (it is ours)
            guard.failed("chunk", error)
            return False

    def end(self, error: BaseException) -> None:
        """End with what the library raised: instead of a result, or as its stream was read or left."""
        if not self.is_iterated:
            self.finish(error)
        elif isinstance(error, (StopIteration, StopAsyncIteration)):
            self.finish()
        elif isinstance(error, GeneratorExit):
            self.finish(stream_end="abandoned")
        elif type(error).__name__ in _CANCELLATIONS:
            self.finish(error, "cancelled")
        else:
            self.finish(error)

    def close(self, response: Any) -> None:
        """End as the agent closes the response."""
        if self.is_iterated:
            self.finish(stream_end="abandoned")
            return
        if self.reader.closed is not None:
            content.read("close", self.reader.closed, self.recording.operation, response)
        self.finish()

    def finish(self, error: BaseException | None = None, stream_end: str | None = None) -> None:
        """End the recording, once; ``stream_end`` says why the stream was not read to its end."""
        recording, reader = self.recording, self.reader
        if recording.is_ended:
            return
        operation = recording.operation
        if self.key is not None:
            _waiting.pop(id(self.key()), None)
        self._read_end()
        if error is not None and reader.failure is not None:
            guard.call("failure", reader.failure, operation, error)
        if stream_end is not None and hasattr(operation, "stream_end") and not operation.is_answered():
            operation.stream_end = stream_end
        guard.call("finish", self._end_recording, error, stream_end)

    def _end_recording(self, error: BaseException | None, stream_end: str | None) -> None:
        """End the recording; what is raised to leave a run that has not failed is no error."""
        operation: Any = self.recording.operation
        if hasattr(operation, "outcome"):
            outcome = stream_end if error is None else outcome_of(error, self.reader.outcomes)
            if outcome is not None and not operation.is_answered():
                operation.outcome, error = operation.outcome or outcome, None
        self.recording.end(error)

    def _read_end(self) -> None:
        """Read what has come in of a stream, which is over."""
        if self.reader.end is not None and (self.key is not None or self.is_iterated):
            content.read("end", self.reader.end, self.recording.operation)

    def _wait_for(self, key: Any) -> None:
        number = id(key)
        if self.key is not None:
            _waiting.pop(id(self.key()), None)
        earlier = tracker_of(key)
        if earlier is not None:
            # What can wait for one result at a time is asked anew: the earlier one is not to come.
            earlier.finish(stream_end="abandoned")
        # Where the process leaves first, what the agent has read is recorded all the same.
        self.recording.read_unfinished = weakref.WeakMethod(self._read_end)
        self.key = weakref.ref(key, partial(guard.call, "finish", _abandon, number))
        _waiting[number] = self


_waiting: dict[int, OutcomeTracker] = {}


def tracker_of(key: Any) -> OutcomeTracker | None:
    """Return what reads the outcome that is found by ``key``, None where nothing does."""
    tracker = _waiting.get(id(key))
    if tracker is None or tracker.key is None or tracker.key() is not key:
        return None
    return tracker


def _abandon(number: int, _: object) -> None:
    """End the recording of a response that the agent let go of without reading it to its end."""
    tracker = _waiting.pop(number, None)
    # While the interpreter goes down its modules are half gone; open spans were ended before.
    if tracker is not None and not is_finalizing():
        tracker.finish(stream_end="abandoned")
