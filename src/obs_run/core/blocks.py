"""Functions of a library that return a context manager: what is recorded goes on while the library's block runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.base.stand_in import no_frame
from obs_run.core import content, recorder
from obs_run.core.outcomes import Call, OutcomeTracker

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from obs_run.core.hooks import Wrapper
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Reader

    Begin = Callable[[Call], tuple[Operation, Reader] | None]

__all__ = ["wrap_block"]


def wrap_block(begin: Begin) -> Wrapper:
    """Return the wrapper of a function that returns a context manager.

    ``begin`` says what the block does, as for ``streams.wrap_call``; of the reader only how it fails is asked.
    """

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with no_frame:
            manager = wrapped(*args, **kwargs)
        return _Block(manager, begin, Call(instance, args, kwargs))

    return wrapper


class _Block:
    """The library's context manager, and what is recorded of its block."""

    def __init__(self, manager: Any, begin: Begin, call: Call) -> None:
        self._manager = manager
        self._begin = begin
        self._call = call
        self._tracker: OutcomeTracker | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._manager, name)

    def __enter__(self) -> Any:
        tracker = self._tracker = guard.call("begin", self._start)
        if tracker is None:
            return self._manager.__enter__()
        tracker.__enter__()
        try:
            return self._manager.__enter__()
        except BaseException as error:
            tracker.__exit__(type(error), error, None)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Any:
        tracker = self._tracker
        if tracker is None:
            return self._manager.__exit__(kind, error, traceback)
        try:
            is_swallowed = self._manager.__exit__(kind, error, traceback)
        except BaseException as raised:
            tracker.__exit__(type(raised), raised, None)
            raise
        left_by = None if is_swallowed else error
        # The first frame of its traceback is the library's.
        tracker.__exit__(kind if left_by is not None else None, left_by, None)
        if left_by is None:
            guard.call("finish", tracker.finish)
        return is_swallowed

    def _start(self) -> OutcomeTracker | None:
        begun = content.read("begin", self._begin, self._call)
        if begun is None:
            return None
        operation, reader = begun
        recording = recorder.start(operation)
        return None if recording is None else OutcomeTracker(recording, reader)
