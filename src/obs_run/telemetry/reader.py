"""What every place that telemetry is read from can answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obs_run.telemetry.records import LogLine, Span, Trace


class TraceReader(Protocol):
    """Traces by search, and the spans and log lines of one."""

    def traces(
        self,
        limit: int = 20,
        *,
        service: str | None = None,
        since_ns: int | None = None,
        errors: bool = False,
        without_spans: bool = False,
    ) -> Sequence[Trace]:
        """Return the newest traces first."""

    def find(self, prefix: str) -> Sequence[Trace]:
        """Return the traces whose id begins with ``prefix``, at most ten."""

    def spans(self, trace_id: str) -> Sequence[Span]:
        """Return the spans of the trace in the order in which they began."""

    def logs(self, trace_id: str) -> Sequence[LogLine]:
        """Return the log lines of the trace in the order of time."""
