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

_KEPT = 16  # answers; a trace of 10,000 spans takes tens of megabytes


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
        self._kept: OrderedDict[Hashable, object] = OrderedDict()
        self._lock = Lock()

    def recorded(self, reader: TraceReader, trace: Trace) -> Recorded:
        """Return all of ``trace``; kept until its summary says something else."""

        def read() -> Recorded:
            return Recorded(trace, tuple(reader.spans(trace.trace_id)), tuple(reader.logs(trace.trace_id)))

        return self.keep(("trace", trace), read)

    def keep(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what ``make`` returns, or returned for an equal key."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]  # type: ignore[return-value]
        made = make()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return made
