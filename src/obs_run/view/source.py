"""What the viewer reads from, and what it keeps of the traces that were looked at last."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from contextlib import AbstractContextManager

    from obs_run.telemetry.reader import TraceReader
    from obs_run.telemetry.records import LogLine, Span, Trace

T = TypeVar("T")

_KEPT = 40_000  # spans and log lines, which take about two kilobytes each


class Recorded(NamedTuple):
    """A trace with its spans and log lines."""

    trace: Trace
    spans: tuple[Span, ...]
    logs: tuple[LogLine, ...]


class Source:
    """Opens a reader for each request: threads that answer must not share one."""

    def __init__(
        self, open_reader: Callable[[], AbstractContextManager[TraceReader]], name: str, version: Callable[[], str]
    ) -> None:
        self.open, self.name, self.version = open_reader, name, version
        self._kept: OrderedDict[Hashable, tuple[object, int]] = OrderedDict()
        self._weight = 0
        self._lock = Lock()

    def recorded(self, reader: TraceReader, trace: Trace) -> Recorded:
        """Return all of ``trace``; kept until its summary says something else."""

        def read() -> Recorded:
            return Recorded(trace, tuple(reader.spans(trace.trace_id)), tuple(reader.logs(trace.trace_id)))

        return self.keep(("trace", trace), read, trace.spans + trace.logs)

    def keep(self, key: Hashable, make: Callable[[], T], weight: int = 100) -> T:
        """Return what ``make`` returns, or returned for an equal key; what was not asked for longest is let go."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]  # type: ignore[return-value]
        made = make()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made, weight
                self._weight += weight
            while self._weight > _KEPT and len(self._kept) > 1:
                _, (_, gone) = self._kept.popitem(last=False)
                self._weight -= gone
        return made
