"""A reader of records that are in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.telemetry.announced_runs import joined
from obs_run.telemetry.matching import matches_log, matches_point, matches_trace
from obs_run.telemetry.summary import summary, usage

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self, Unpack

    from obs_run.telemetry.otlp_records import Records
    from obs_run.telemetry.reader import GroupedBy, LogSearch, PointSearch, Search
    from obs_run.telemetry.records import LogLine, Point, Span, Trace, Usage

_MOST_FOUND = 10


class HeldReader:
    """Answers from ``records``; of a span that was recorded twice the first counts."""

    signals = frozenset({"traces", "logs", "metrics"})

    def __init__(self, records: Records, place: str) -> None:
        self.place = place
        self.damaged = records.damaged
        self._spans: dict[str, dict[str, Span]] = {}
        for span in sorted(joined(records.spans), key=lambda span: span.start_ns):
            self._spans.setdefault(span.trace_id, {}).setdefault(span.span_id, span)
        self._lines = sorted(records.logs, key=lambda line: line.time_ns)
        self._logs: dict[str, list[LogLine]] = {}
        for line in self._lines:
            if line.trace_id:
                self._logs.setdefault(line.trace_id, []).append(line)
        self._points = sorted(records.points, key=lambda point: point.time_ns)
        ids = dict.fromkeys([*self._spans, *self._logs])
        found = [summary(trace_id, self.spans(trace_id), self.logs(trace_id)) for trace_id in ids]
        self._traces = sorted(found, key=lambda trace: trace.start_ns, reverse=True)

    def __enter__(self) -> Self:
        """Return the reader."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def traces(self, limit: int = 20, **search: Unpack[Search]) -> list[Trace]:
        """Return the newest traces first."""
        return self._matching(search)[:limit]

    def _matching(self, search: Search) -> list[Trace]:
        return [
            trace
            for trace in self._traces
            if matches_trace(trace, self.spans(trace.trace_id), self.logs(trace.trace_id), search)
        ]

    def newest(self) -> Trace | None:
        """Return the trace that began last; one of which only log lines are known if there is no other."""
        traces = self.traces(1) or self.traces(1, without_spans=True)
        return traces[0] if traces else None

    def find(self, prefix: str) -> list[Trace]:
        """Return the traces whose id begins with ``prefix``, at most ten."""
        low = prefix.lower()
        return [trace for trace in self._traces if trace.trace_id.startswith(low)][:_MOST_FOUND]

    def spans(self, trace_id: str) -> list[Span]:
        """Return the spans of the trace in the order in which they began."""
        return list(self._spans.get(trace_id, {}).values())

    def logs(self, trace_id: str) -> list[LogLine]:
        """Return the log lines of the trace in the order of time."""
        return self._logs.get(trace_id, [])

    def log_lines(self, limit: int = 1000, **search: Unpack[LogSearch]) -> list[LogLine]:
        """Return the newest log lines, of traces and of none, in the order of time."""
        return [line for line in self._lines if matches_log(line, search)][-limit:]

    def points(self, **search: Unpack[PointSearch]) -> list[Point]:
        """Return metric points in the order of time."""
        return [point for point in self._points if matches_point(point, search)]

    def usage(self, by: GroupedBy = "model", **search: Unpack[Search]) -> list[Usage]:
        """Return what the model calls of the traces that are searched for used, the most expensive group first."""
        found = self._matching(search) if search else self._traces
        return usage((span for trace in found for span in self.spans(trace.trace_id)), by)
