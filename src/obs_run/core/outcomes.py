"""How the outcome of a call gets into its operation, at once or as the agent reads it; finished once."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from sys import is_finalizing
from types import AsyncGeneratorType, GeneratorType
from typing import TYPE_CHECKING, Any

from obs_run.base import generators, guard

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.coexistence.util_genai import Guest
    from obs_run.core.recorder import Recording

__all__ = ["Call", "Reader"]

_CANCELLATIONS = ("CancelledError", "Cancelled")


@dataclass
class Call:
    """A call of a target: the object it belongs to and its arguments, which ``begin`` may replace by copies."""

    instance: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def argument(self, position: int, name: str) -> Any:
        """Return an argument that may be given by place or by name, None where it is not given."""
        return self.args[position] if len(self.args) > position else self.kwargs.get(name)

    def replace(self, position: int, name: str, value: Any) -> None:
        """Give the target another value of an argument; the agent's own objects stay as they are."""
        if len(self.args) > position:
            self.args = (*self.args[:position], value, *self.args[position + 1 :])
        else:
            self.kwargs = {**self.kwargs, name: value}


@dataclass(frozen=True)
class Reader:
    """How the outcome of an operation is read into it.

    ``result`` reads what the call returned. ``later`` gives, where the agent reads the outcome by itself later, the
    object by which the recording is found then, None otherwise. ``chunk`` reads one piece of a stream. ``hides``
    tells whether the agent must not see the piece, because it did not ask for it. ``end`` is called once when a
    stream is over, however it ends. ``failure`` reads the library's error. ``closed`` reads a response that the agent
    closed without iterating. ``lazy`` says that the call returns a generator which asks nothing of the provider
    before the agent reads from it. A generator that is returned is always followed, without ``later``. ``whole`` says
    that the pieces are those of one answer, which has no first chunk worth a time.
    """

    result: Callable[[Any, Any], None]
    later: Callable[[Any], Any] | None = None
    chunk: Callable[[Any, Any], None] | None = None
    hides: Callable[[Any, Any], bool] | None = None
    end: Callable[[Any], None] | None = None
    failure: Callable[[Any, BaseException], None] | None = None
    closed: Callable[[Any, Any], None] | None = None
    lazy: bool = False
    whole: bool = False


class Reading:
    """An operation whose outcome is being read."""

    __slots__ = ("iterated", "key", "reader", "recording")

    def __init__(self, recording: Recording | Guest, reader: Reader) -> None:
        self.recording = recording
        self.reader = reader
        self.key: weakref.ref[Any] | None = None
        self.iterated = False

    def returned(self, returned: Any) -> Any:
        """Read what the call returned, and return what the agent gets; it is over unless the agent reads the rest."""
        if isinstance(returned, (GeneratorType, AsyncGeneratorType)):
            if getattr(self.recording.operation, "stream", False) is None:
                # Not every library has the agent say beforehand that it wants a stream.
                self.recording.operation.stream = True  # type: ignore[attr-defined]
            following = generators.followed(returned, lambda: self)
            guard.call("result", self._wait, following)
            return following
        key = None if self.reader.later is None else guard.call("result", self.reader.later, returned)
        if key is None:
            guard.call("result", self.reader.result, self.recording.operation, returned)
            self.finish()
        else:
            guard.call("result", self._wait, key)
        return returned

    def chunk(self, item: Any) -> bool:
        """Read a piece of the stream; True hides it from the agent."""
        if not self.reader.whole:
            self.recording.chunk()
        hidden = guard.call("chunk", self._read, item)
        if hidden is None and self.reader.hides is not None:
            # It could not be read; what the agent did not ask for stays hidden all the same.
            hidden = guard.call("chunk", self.reader.hides, self.recording.operation, item)
        return bool(hidden)

    def _read(self, item: Any) -> bool:
        operation, reader = self.recording.operation, self.reader
        if reader.chunk is not None:
            reader.chunk(operation, item)
        return reader.hides is not None and bool(reader.hides(operation, item))

    def closed(self, response: Any) -> None:
        """Finish as the agent closes the response."""
        if self.iterated:
            self.finish(how="abandoned")
            return
        if self.reader.closed is not None:
            guard.call("close", self.reader.closed, self.recording.operation, response)
        self.finish()

    def finish(self, error: BaseException | None = None, how: str | None = None) -> None:
        """End the recording, once; ``how`` says why the stream was not read to its end."""
        operation = self.recording.operation
        if self.recording.done:
            return
        if self.key is not None:
            _waiting.pop(id(self.key()), None)
        if (self.key is not None or self.iterated) and self.reader.end is not None:
            guard.call("end", self.reader.end, operation)
        if error is not None and self.reader.failure is not None:
            guard.call("failure", self.reader.failure, operation, error)
        if how is not None and hasattr(operation, "stream_end"):
            operation.stream_end = how
        guard.call("finish", self.recording.finish, error)

    def failed(self, error: BaseException) -> None:
        """End the recording of a stream that ended with an error, or with the agent's leaving it."""
        if isinstance(error, GeneratorExit):
            self.finish(how="abandoned")
        else:
            self.finish(error, "cancelled" if type(error).__name__ in _CANCELLATIONS else None)

    def _wait(self, key: Any) -> None:
        number = id(key)

        def forgotten(_: object) -> None:
            # The agent let go of the response without reading it to its end.
            reading = _waiting.pop(number, None)
            # While the interpreter goes down its modules are half gone; open spans were ended before.
            if reading is not None and not is_finalizing():
                reading.finish(how="abandoned")

        self.key = weakref.ref(key, forgotten)
        _waiting[number] = self


_waiting: dict[int, Reading] = {}


def waiting_for(key: Any) -> Reading | None:
    """Return what reads the outcome that is found by ``key``, None where nothing does."""
    reading = _waiting.get(id(key))
    return reading if reading is not None and reading.key is not None and reading.key() is key else None
