"""What is open in this process, for those who look while it works: the run's span, and spans of work that lasts."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import ReadableSpan

from obs_run import settings
from obs_run.base import guard
from obs_run.core import run_spans
from obs_run.core.open_recordings import open_recordings
from obs_run.pipeline import open_spans
from obs_run.pipeline.items import OpenItem
from obs_run.pipeline.rebuilt_span import rebuild_span
from obs_run.process import run
from obs_run.process.unpatched import monotonic, time
from obs_run.sdk import span_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.sdk.resources import Resource

    from obs_run.pipeline.items import Item


class OpenWork:
    """Gives what is open and older than the settings say, at every look as it is then; for the export thread."""

    def __init__(self, resource: Callable[[], Resource]) -> None:
        self._resource = resource
        self._age: float = settings.get("OBS_OPEN_SPANS_SECONDS")
        self._due = monotonic() + self._age

    def seconds_until_due(self) -> float | None:
        """Return the seconds until the next look; None where nothing is open."""
        if not self._age or not (run.is_owned() or len(open_recordings)):
            return None
        left: float = self._due - monotonic()
        return max(0.0, left)

    def take(self) -> list[Item]:
        """Return what is to be shown now."""
        if not self._age or monotonic() < self._due:
            return []
        self._due = monotonic() + open_spans.period(self._age)
        now_ns = time.time_ns()
        latest_ns = now_ns - int(self._age * 1e9)
        items: list[Item] = [
            OpenItem(rebuild_span(span, end_time=now_ns), is_run=False) for span in _open_before(latest_ns)
        ]
        record = run_spans.at_start() if run.is_owned() and run.started_ns() <= latest_ns else None
        if record is not None:
            span = span_records.span_of(record._replace(end_ns=now_ns), self._resource())
            items.append(OpenItem(span, is_run=True))
        return items


def _open_before(latest_ns: int) -> Iterator[ReadableSpan]:
    for record in islice(open_recordings.records(), open_spans.MOST_SHOWN):
        span = guard.call("open spans", _span_of, record)
        if span is not None and span.context.trace_flags.sampled and (span.start_time or 0) <= latest_ns:
            yield span


def _span_of(record: Any) -> Any:
    """Return the span of the SDK's that an open record is, or is recorded by; None where there is none."""
    if isinstance(record, tuple):
        record = record[0]
    span = getattr(record, "span", record)
    return span if isinstance(span, ReadableSpan) else None
