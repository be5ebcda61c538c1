"""Spans of libraries that trace themselves, each of which is a recording of ours.

What the library sets on one is read into its operation. Others who set something, as an agent does in its tools, set it
on the span that is exported.
"""

from __future__ import annotations

import sys
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.trace import Span, Status, StatusCode, get_current_span

from obs_run.base import guard
from obs_run.core import content
from obs_run.core.control_flow import end_inside, end_with_outcome, outcome_of
from obs_run.core.span_attributes import assign, is_usage, operation_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.trace import SpanContext

    from obs_run.core.operations import Operation

__all__ = ["Vocabulary", "note_raised"]

_API = "opentelemetry"
_UNKNOWN = "_OTHER"
"""The ``error.type`` of what nobody knows more of, as the conventions have it."""


_NOTHING: Mapping[str, str] = MappingProxyType({})


class Vocabulary(NamedTuple):
    """How the spans of a library are read.

    ``package`` is the library's: what its modules set is read, what others set is the agent's own. ``operation`` gives
    what a span of that name and attributes tells of; None for one that is not worth telling, so that what is inside of
    it belongs to what is around it. ``names`` are the library's words for attributes of the conventions. ``read`` reads
    an attribute that has no such name into the operation. ``event`` reads an event. ``failure`` reads what the library
    says was raised, and returns what really was.
    """

    package: str
    operation: Callable[[str, Mapping[str, Any]], Operation | None] = operation_of
    names: Mapping[str, str] = _NOTHING
    read: Callable[[Operation, str, Any], None] | None = None
    event: Callable[[Operation, str, Mapping[str, Any]], None] | None = None
    failure: Callable[[Operation, BaseException], BaseException] | None = None
    sums_runs: bool = True
    """Whether the tokens that the library tells of a run are those of this run."""
    outcomes: Mapping[str, str] = _NOTHING
    """The exceptions by which the library leaves a run that has not failed, and what they mean."""
    has_metrics: bool = False
    """Whether the library measures what it traces, by a ``meter_provider`` that stands beside the tracer's."""

    def is_library(self, module: str) -> bool:
        """Whether code in ``module`` is the library's, or the API's which it calls."""
        return module.partition(".")[0] == _API or f"{module}.".startswith(f"{self.package}.")


class RecordedSpan(Span):
    """What a library holds as its span: a recording, or the one around it where it has none of its own."""

    def __init__(self, vocabulary: Vocabulary, recording: Any, operation: Operation | None) -> None:
        self.recording = recording
        self._vocabulary = vocabulary
        self._operation = operation
        """None where the recording is not its own."""
        self._name = None if operation is None else operation.span_name()
        self._raised: BaseException | None = None
        self._handled = id(sys.exc_info()[1])
        """What the code around it was about to handle when it began."""
        self._has_failed = False

    def __getattr__(self, name: str) -> Any:
        """Return whatever else the exported span has."""
        return getattr(self.recording.span, name)

    def get_span_context(self) -> SpanContext:
        """Return the ids of the exported span."""
        return self.recording.span.get_span_context()  # type: ignore[no-any-return]

    def is_recording(self) -> bool:
        """Whether what is set arrives."""
        return not self.recording.is_ended

    def set_attribute(self, key: str, value: Any) -> None:
        """Read what the library sets, and set what others do."""
        if self._is_called_by_library():
            self._read({key: value})
        else:
            self.recording.span.set_attribute(key, value)

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Read what the library sets, and set what others do."""
        if self._is_called_by_library():
            self._read(attributes)
        else:
            self.recording.span.set_attributes(attributes)

    def add_event(self, name: str, attributes: Mapping[str, Any] | None = None, timestamp: int | None = None) -> None:
        """Read the library's event, and add those of others."""
        if not self._is_called_by_library():
            self.recording.span.add_event(name, attributes, timestamp)
        elif self._operation is not None and self._vocabulary.event is not None:
            content.read("callback", self._vocabulary.event, self._operation, name, attributes or {})

    def add_link(self, context: SpanContext, attributes: Mapping[str, Any] | None = None) -> None:
        """Link the exported span."""
        self.recording.span.add_link(context, attributes)

    def update_name(self, name: str) -> None:
        """Rename the exported span, unless it is the library's name for it."""
        if not self._is_called_by_library():
            self.recording.span.update_name(name)

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Note that the library says it failed."""
        if not self._is_called_by_library():
            self.recording.span.set_status(status, description)
            return
        code = status.status_code if isinstance(status, Status) else status
        self._has_failed = code is StatusCode.ERROR
        said = status.description if isinstance(status, Status) else description
        if self._has_failed and said and self._operation is not None:
            self._operation.error_message = said

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: FBT001, FBT002 (as the API has it)
    ) -> None:
        """Note what the library says was raised."""
        if self._is_called_by_library():
            self._raised = exception
        else:
            self.recording.span.record_exception(exception, attributes, timestamp, escaped)

    def end(self, end_time: int | None = None) -> None:  # noqa: ARG002 (as the API has it)
        """End the recording."""
        if self._operation is not None and not self.recording.is_ended:
            guard.call("end", self._end, self._operation)

    def fail(self, error: BaseException, *, is_failure: bool) -> None:
        """Note what a block is left by in which the span is current."""
        self._raised = error
        self._has_failed = self._has_failed or is_failure

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """End the recording as its block is left."""
        if error is not None:
            self.fail(error, is_failure=True)
        self.end()

    def _read(self, attributes: Mapping[str, Any]) -> None:
        if self._operation is not None:
            content.read("callback", read_attributes, self._vocabulary, self._operation, attributes)
            guard.call("callback", self._rename, self._operation)

    def _rename(self, operation: Operation) -> None:
        """Have the exported span's name say what is known by now."""
        name = operation.span_name()
        if name != self._name and self.recording.operation is operation:
            self.recording.span.update_name(name)
        self._name = name

    def _end(self, operation: Operation) -> None:
        recording, raised = self.recording, self._raised or self._left_by()
        outcome = None if raised is None else outcome_of(raised, self._vocabulary.outcomes)
        if raised is not None and operation.IS_RUN:
            guard.call("end", end_inside, recording, outcome or "cancelled")
        if outcome is not None:
            end_with_outcome(recording, outcome)
        elif not self._has_failed and operation.error_type is None:
            recording.end()
        elif raised is None:
            operation.error_type = operation.error_type or _UNKNOWN
            recording.end()
        else:
            failure = self._vocabulary.failure
            recording.end(raised if failure is None else failure(operation, raised))

    def _left_by(self) -> BaseException | None:
        """Return what leaves the block that the span ends with; not every library tells the span."""
        error = sys.exc_info()[1]
        return None if id(error) == self._handled else error

    def _is_called_by_library(self) -> bool:
        return self._vocabulary.is_library(sys._getframe(2).f_globals.get("__name__", ""))  # noqa: SLF001


def note_raised(error: BaseException, span: Any = None) -> None:
    """Note what was raised in a library's span, the current one by default, of which it says only that it failed."""
    failed = get_current_span() if span is None else span
    if isinstance(failed, RecordedSpan):
        failed.fail(error, is_failure=False)


def read_attributes(vocabulary: Vocabulary, operation: Operation, attributes: Mapping[str, Any]) -> None:
    """Read what a library sets on a span into the operation that it tells of."""
    for name, value in attributes.items():
        if operation.IS_RUN and not vocabulary.sums_runs and is_usage(name):
            continue
        is_known = assign(operation, vocabulary.names.get(name, name), value)
        if not is_known and vocabulary.read is not None:
            vocabulary.read(operation, name, value)
