"""What every place that telemetry is read from can answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from typing_extensions import Self, Unpack

    from obs_run.telemetry.records import LogLine, Point, Span, Trace, Usage

GroupedBy = Literal["agent", "conversation", "model", "operation", "service"]
"""What usage is added up by: a field of the model call's span."""
TraceStatus = Literal["error", "ok", "unfinished"]


class ReadError(Exception):
    """A place cannot be read; the message is one line for the user."""


class Search(TypedDict, total=False):
    """What a trace has to have; what is not said, or None, may be anything."""

    service: str | None
    """A service that took part."""
    agent: str | None
    model: str | None
    conversation: str | None
    operation: str | None
    tool: str | None
    status: TraceStatus | None
    """An error, or neither an error nor an unfinished span, or an unfinished span."""
    errors: bool
    """Whether it has to have an error."""
    since_ns: int | None
    """When it began at the earliest."""
    until_ns: int | None
    """Before when it began."""
    attributes: Mapping[str, str] | None
    """Attributes of one of its spans or of that span's resource, all of them of the same span."""
    text: str | None
    """What occurs in a span (name, attributes, events, status) or in a log line, in upper or lower case."""
    without_spans: bool
    """Whether a trace will do of which only log lines are known: not sampled, or no span has ended yet."""
    without_usage: bool
    """Whether nobody asks what the traces used, which takes time of thousands; it may be None then."""


class LogSearch(TypedDict, total=False):
    """What a log line has to have; what is not said, or None, may be anything."""

    service: str | None
    severity: int | None
    """OpenTelemetry's number, at least."""
    since_ns: int | None
    until_ns: int | None
    attributes: Mapping[str, str] | None
    text: str | None
    """What occurs in body, event name or attributes."""
    is_outside_traces: bool


class PointSearch(TypedDict, total=False):
    """What a metric point has to have; what is not said, or None, may be anything."""

    name: str | None
    service: str | None
    since_ns: int | None
    until_ns: int | None


class TraceReader(Protocol):
    """Traces by search, the spans and log lines of one, log lines and metric points; ``ReadError`` where it fails."""

    @property
    def place(self) -> str:
        """What is read, in words: ``the local store at ...``."""

    @property
    def signals(self) -> frozenset[str]:
        """Which of traces, logs and metrics this kind of place can hold."""

    @property
    def damaged(self) -> int:
        """How many values that were read are of no use, and were left out."""

    def __enter__(self) -> Self:
        """Return the reader; leaving the block closes it."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close it."""

    def close(self) -> None:
        """Let go of what was opened."""

    def traces(self, limit: int = 20, **search: Unpack[Search]) -> Sequence[Trace]:
        """Return the newest traces first."""

    def newest(self) -> Trace | None:
        """Return the trace that began last; one of which only log lines are known if there is no other."""

    def find(self, prefix: str) -> Sequence[Trace]:
        """Return the traces whose id begins with ``prefix``, at most ten."""

    def spans(self, trace_id: str) -> Sequence[Span]:
        """Return the spans of the trace in the order in which they began."""

    def logs(self, trace_id: str) -> Sequence[LogLine]:
        """Return the log lines of the trace in the order of time."""

    def log_lines(self, limit: int = 1000, **search: Unpack[LogSearch]) -> Sequence[LogLine]:
        """Return the newest log lines, of traces and of none, in the order of time."""

    def points(self, **search: Unpack[PointSearch]) -> Sequence[Point]:
        """Return metric points in the order of time."""

    def usage(self, by: GroupedBy = "model", **search: Unpack[Search]) -> Sequence[Usage]:
        """Return what the model calls of the traces that are searched for used, the most expensive group first."""
