"""Generators of libraries that leave what they make current to whoever reads them: here it is current in them alone.

An async generator shares Python's context with the code that reads it. A library that makes a span current around a
``yield`` thereby has all that the agent does with the piece happen in that span, and in the next run too where the
generator is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import context as api_context

from obs_run.base import generators, guard
from obs_run.base.stand_in import no_frame, passed_over
from obs_run.base.steps import Step
from obs_run.context import current_context
from obs_run.core import ownership
from obs_run.core.control_flow import end_inside, end_with_outcome, outcome_of
from obs_run.core.outcomes import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.hooks import Wrapper

__all__ = ["asked", "wrap_generator_apart"]

_ASKED = api_context.create_key("obs-run-asked")


def wrap_generator_apart(read: Callable[[Call], Any]) -> Wrapper:
    """Return the wrapper of a generator function in whose steps alone is current what the library makes so.

    What ``read(call)`` returns is there inside, by ``asked``. Runs that the generator leaves open end with it.
    """

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with no_frame:
            inner = wrapped(*args, **kwargs)
        return guard.call("stream", _follow, read, Call(instance, args, kwargs), inner, default=inner)

    return wrapper


def _follow(read: Callable[[Call], Any], call: Call, inner: Any) -> Any:
    return generators.followed(inner, lambda: _KeptStep(read(call)))


def asked() -> Any:
    """Return what was read of the innermost such call, None where there is none."""
    return api_context.get_value(_ASKED)


class _KeptStep(Step):
    """A step of such a generator."""

    __slots__ = ("_kept",)

    def __init__(self, asked: Any) -> None:
        self._kept = _KeptContext(asked)
        super().__init__(self._kept)

    def end(self, error: BaseException) -> None:
        """End what the generator began and left open."""
        if not isinstance(error, (StopIteration, StopAsyncIteration)):
            self._kept.end(error)

    def closing(self) -> Step:
        """Have the generator take back in its own context what it made current there."""
        return Step(self._kept)


class _KeptContext:
    """What is current in a generator, from step to step."""

    def __init__(self, asked: Any) -> None:
        self._outer = ownership.current_recording()
        self._inside = api_context.set_value(_ASKED, asked, current_context.current())
        self._outside = self._inside

    def __enter__(self) -> None:
        """Go on with what was current in the step before."""
        self._outside = api_context.get_current()
        # The library takes back what it made current in an earlier step: nothing of ours may lie on top of that.
        api_context.attach(self._inside)

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """Keep what is current, and have what is the reader's be so."""
        if error is None:
            self._inside = api_context.get_current()
        api_context.attach(self._outside)

    def end(self, error: BaseException) -> None:
        """End the recordings that were current in the last step, from the innermost to the generator's own."""
        outcome = outcome_of(error, {})
        recording: Any = ownership.recording_in(self._inside)
        while recording is not None and recording is not self._outer:
            if not recording.is_ended:
                end_inside(recording, outcome or "cancelled")
                if outcome is None:
                    recording.end(error)
                else:
                    end_with_outcome(recording, outcome)
            recording = recording.outer
