"""A call inside of a recording that tells of the same thing: that has the span, and gets what the call knows of it.

So it is with a framework's run of a tool, and the call by which the tool's server is asked. Where that server is the
framework's own, so is what the server handles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from opentelemetry.trace import get_current_span

from obs_run.base import guard
from obs_run.base.payload import error_name
from obs_run.context import current_context
from obs_run.core import content, ownership, semconv, sink
from obs_run.core.operations import Operation
from obs_run.core.recording_scope import RecordingScope
from obs_run.core.sink import OperationRecord, Timing
from obs_run.process.unpatched import time

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from obs_run.context.current_context import Entry
    from obs_run.core.ongoing import FrameworkCall, OwnRecording, ReadUnfinished

_THE_OUTERS = (semconv.OPERATION_NAME, semconv.TOOL_NAME, semconv.ERROR_TYPE, semconv.OBS_OUTCOME)


class PartCall(RecordingScope):
    """A call that has no span of its own, and is measured on its own."""

    def __init__(self, operation: Operation, recording: OwnRecording, around: Context, kind: str) -> None:
        self.operation = operation
        self.span: Span = recording.span
        self.outer: OwnRecording = recording
        self.around = around
        self.is_ended = False
        self.is_frameworks = False
        self.has_failed = False
        self.provider_call: FrameworkCall | None = None
        self.read_unfinished: ReadUnfinished | None = None
        self.shared_data: Any = None
        self._kind = kind
        self._entries: list[Entry] = []
        self._started = time.perf_counter_ns()

    def chunk(self) -> None:
        """Take no note of chunks: nobody measures them."""

    def replace(self, operation: Operation) -> None:
        """Have another operation told."""
        self.operation = operation

    def end(self, error: BaseException | None = None) -> None:
        """Tell the recording around it what is known, and measure the call."""
        if not self.is_ended:
            self.is_ended = True
            guard.call("end", self._end, error)

    def _end(self, error: BaseException | None) -> None:
        duration = (time.perf_counter_ns() - self._started) / 1e9
        outer: Any = self.outer.operation
        outer_attributes = outer.attributes()
        # What is raised goes on to whoever records the tool, who knows whether it is an error there.
        outer.error_type = outer.error_type or self.operation.error_type
        if error is not None and self.operation.error_type is None:
            self.operation.error_type = error_name(error)
        attributes = self.operation.attributes()
        outer.extra.update(
            {
                name: value
                for name, value in attributes.items()
                if name not in outer_attributes and name not in _THE_OUTERS
            }
        )
        for name in self.operation.CONTENT:
            if getattr(outer, name, "not there") is None:
                setattr(outer, name, getattr(self.operation, name))
        to = sink.current()
        if to is not None:
            plain = content.plain_attributes(attributes)
            to.measure(lambda: OperationRecord(self._kind, plain, {}, Timing(duration), {}))


def part_call(operation: Operation, recording: OwnRecording, around: Context, kind: str) -> PartCall | None:
    """Return what stands for ``operation`` inside of ``recording``; None where that had another one already."""
    if semconv.MCP_METHOD_NAME in recording.operation.extra and not recording.operation.SERVES_ITSELF:
        return None
    return PartCall(operation, recording, around, kind)


class _Serving(Operation):
    """What a framework's own server does besides: nothing that is told of."""

    SERVES_ITSELF: ClassVar[bool] = True


class OwnServer(RecordingScope):
    """A server that a framework has in this process, as long as that is asked for no tool: it has no span."""

    def __init__(self) -> None:
        self.operation = _Serving("serve")
        self.around = current_context.current()
        self.span: Span = get_current_span(self.around)
        self.outer = ownership.recording_in(self.around)
        self.is_ended = False
        self.shared_data: Any = None
        self._entries: list[Entry] = []
