"""One agent's process as the relay sees it: its buffer, what is open in it, and how it ended."""

from __future__ import annotations

import os
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.sdk.resources import Resource

from obs_run.base import guard, held_values
from obs_run.buffer import codec, segment
from obs_run.buffer.reader import SegmentReader
from obs_run.core import semconv
from obs_run.pipeline import open_spans
from obs_run.pipeline.items import LogItem, OpenItem, OperationItem, SpanItem
from obs_run.privacy import held_secrets
from obs_run.process.unpatched import monotonic, time
from obs_run.relay import process_end
from obs_run.relay.process_end import WatchedProcess
from obs_run.sdk import metric_records, span_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.sdk.trace import ReadableSpan

    from obs_run.core.sink import SpanRecord
    from obs_run.pipeline.items import Item
    from obs_run.pipeline.signals import Signal
    from obs_run.relay.process_end import End
    from obs_run.relay.services import Service, Services


_NOTE_PATIENCE = 0.5
_REPEATED = {semconv.OBS_EXPORT_POSSIBLE_DUPLICATE: True}


Place = tuple[int, int]
"""The number of a segment, and an offset in it."""
_END: Place = (1 << 62, 0)
"""Behind all that a buffer holds, and what is said of a process that has ended."""


class Position(NamedTuple):
    """How far a buffer is read, and what a relay that begins there has to know."""

    number: int
    offset: int
    opening: bytes | None
    run: bytes | None
    open_spans: tuple[bytes, ...]
    announced_run: int | None = None


class Agent:
    """A process that writes into ``buffer``."""

    def __init__(self, folder: str, buffer: str, services: Services) -> None:
        self.buffer = buffer
        self._folder = folder
        self._services = services
        self._number = 0
        self._offset = segment.HEAD_SIZE
        self._reader: SegmentReader | None = None
        self._read: deque[tuple[int, str]] = deque()
        """Number and path of the segments that are read to their end and not yet let go of."""
        self._process: WatchedProcess | None = None
        self._started = 0
        self._opening: codec.Opening | None = None
        self._run: SpanRecord | None = None
        self._open: dict[int, SpanRecord] = {}
        self.announced_run: int | None = None
        """The id of the run's span, where that went out while it was open."""
        self._notes: dict[type, Callable[[Any], Item | None]] = {
            codec.Opening: self._opened,
            codec.Run: self._goes_on,
            codec.Begun: self._begun,
            codec.Ended: self._ended,
            codec.OwnBegun: self._own_begun,
            codec.OwnEnded: self._own_ended,
            codec.Measured: lambda record: OperationItem(record.operation),
            codec.Logged: self._logged,
            codec.Lost: self._lost,
            codec.Left: self._left,
            codec.Metrics: self._metrics,
            codec.Observed: self._observed,
            codec.Held: self._holds,
        }
        self.resource = Resource({"telemetry.distro.name": "obs-run", "service.name": "python"})
        self.service: Service | None = None
        self.unreadable = 0
        self.dropped = 0
        self._unknown_since = 0.0
        self._given: Place = (0, 0)
        self._is_repeated = False
        self.repeated: dict[Signal, int] = {"traces": 0, "logs": 0}
        """How many spans and log records were read that another relay may have exported, since that was asked."""
        self.is_over = False
        """Whether it has ended, and everything that it wrote has been read."""

    def resume(self, position: Position) -> None:
        """Go on where another relay stopped."""
        self._number, self._offset = position.number, position.offset
        self.announced_run = position.announced_run
        for payload in (position.opening, position.run, *position.open_spans):
            if payload is not None:
                guard.call("record", self._note, codec.decode(payload))

    def mark_until(self, place: Place) -> None:
        """Have what is before a place marked: a relay that was killed may have exported it."""
        self._given = place

    def place(self) -> Place:
        """Return up to where it has been read."""
        return _END if self.is_over else (self._number, self._offset)

    def open_items(self, age: float) -> list[Item]:
        """Return what is open and older than ``age`` seconds, as it is now."""
        if self.is_over:
            return []
        now_ns = time.time_ns()
        latest_ns = now_ns - int(age * 1e9)
        old = [span for span in islice(self._open.values(), open_spans.MOST_SHOWN) if span.start_ns <= latest_ns]
        items: list[Item] = [OpenItem(self._as_of(span, now_ns), is_run=False) for span in old]
        run = self._run
        if run is not None and run.start_ns <= latest_ns:
            items.append(OpenItem(self._as_of(run, now_ns), is_run=True))
        return items

    def _as_of(self, span: SpanRecord, now_ns: int) -> ReadableSpan:
        return span_records.span_of(span._replace(end_ns=max(now_ns, span.start_ns)), self.resource)

    def position(self) -> Position:
        """Return where a relay after this one is to go on."""
        return Position(
            self._number,
            self._offset,
            None if self._opening is None else codec.encode(self._opening),
            None if self._run is None else codec.encode(codec.Run(self._run)),
            tuple([codec.encode(codec.Begun(span)) for span in self._open.values()]),
            self.announced_run,
        )

    def name(self) -> str:
        """Return what it calls itself."""
        return str(self.resource.attributes.get("service.name", ""))

    def pid(self) -> int:
        """Return the number of its process, where it runs."""
        return int(self.buffer.partition("-")[0])

    def read(self, most_bytes: int) -> list[Item]:
        """Return what it has written since, in the order of the records."""
        items: list[Item] = []
        # Looked at first: what it wrote before its end is there by then.
        end = self._look()
        if self._process is None and not self._has_segment(self._number):
            # There was never a segment that could be read.
            end = process_end.End()
        left = most_bytes
        while left > 0 and self._open_reader():
            reader = self._reader
            assert reader is not None
            is_sealed = reader.is_sealed()
            begun = self._offset
            for place, payload in reader.records(left):
                self._is_repeated = (self._number, place) < self._given
                items.extend(self._items_of(payload))
            self._offset = reader.offset
            left -= self._offset - begun
            if left > 0 and not self._go_on(reader, is_over=is_sealed or end is not None):
                break
        if end is not None and left > 0 and not self.is_over and not self._has_segment(self._number):
            self.is_over = True
            self._is_repeated = self._given == _END
            items.extend(self._unfinished(end))
        return items

    def watch(self) -> None:
        """Have the end of the process seen, and leave what it writes for later."""
        if self._open_reader():
            self._look()

    def _look(self) -> End | None:
        """Return how the process has ended, None while it lives or somebody may still tell."""
        end = None if self._process is None else self._process.look()
        if end is None or end.is_known():
            return end
        # It was over before this relay looked; the one above was perhaps in time.
        self._unknown_since = self._unknown_since or monotonic()
        noted = process_end.take_note(os.path.dirname(self._folder), self.pid(), self._started)
        if noted is None and monotonic() - self._unknown_since < _NOTE_PATIENCE:
            return None
        return noted or end

    def skip_to(self, number: int) -> None:
        """Go on at the first segment that there is, where those before it are gone."""
        # A relay before this one was killed between writing down that it had read them, and deleting them.
        if self._reader is None and not self._read:
            self._read.extend((each, self._path(each)) for each in range(number, self._number))
        if self._reader is None and self._number < number and not self._has_segment(self._number):
            self._number, self._offset = number, segment.HEAD_SIZE

    def is_ending(self) -> bool:
        """Whether its process has ended, and not everything of it has been read."""
        return self._process is not None and self._process.end is not None and not self.is_over

    def _open_reader(self) -> bool:
        if self._reader is None and self._has_segment(self._number):
            opened = guard.call("buffer", SegmentReader, self._path(self._number), self._offset)
            if opened is None:
                # Not a segment of ours: what it holds is nothing that can be read.
                self.unreadable += 1
                self._read.append((self._number, self._path(self._number)))
                self._number += 1
                self._offset = segment.HEAD_SIZE
                return self._open_reader()
            self._reader = opened
            if self._process is None:
                self._started = opened.head.started
                self._process = WatchedProcess(opened.head.pid, self._started)
        return self._reader is not None

    def _go_on(self, reader: SegmentReader, *, is_over: bool) -> bool:
        """Go on with the next segment where this one gets no more records; False where there is none yet."""
        if not is_over:
            return False
        reader.close()
        self._reader = None
        self._read.append((self._number, reader.path))
        self._number += 1
        self._offset = segment.HEAD_SIZE
        return self._has_segment(self._number)

    def _path(self, number: int) -> str:
        return os.path.join(self._folder, segment.name_of(self.buffer, number))

    def _has_segment(self, number: int) -> bool:
        return os.path.lexists(self._path(number))

    def let_go(self, before: int) -> None:
        """Delete the segments before a number, which have been read and exported."""
        while self._read and self._read[0][0] < before:
            guard.call("buffer", os.unlink, self._read.popleft()[1])

    def close(self) -> None:
        """Let go of files and process."""
        if self._reader is not None:
            self._reader.close()
        if self._process is not None:
            self._process.close()
        if self.service is not None:
            self.service.end(self.buffer)

    def _items_of(self, payload: bytes) -> Iterator[Item]:
        try:
            record = codec.decode(payload)
        except codec.UnreadableError:
            self.unreadable += 1
            return
        item = guard.call("record", self._note, record)
        if item is not None:
            yield item

    def _note(self, record: codec.Record) -> Item | None:
        """Take note of a record, and return the item to export where it is one."""
        item: Item | None = self._notes[type(record)](record)
        return item

    def _begun(self, record: codec.Begun) -> None:
        self._open[record.span.span_id] = record.span

    def _own_begun(self, record: codec.OwnBegun) -> None:
        self._open[record.span_id] = record.span()

    def _ended(self, record: codec.Ended) -> Item:
        self._open.pop(record.span.span_id, None)
        return self._span_item(record.span, record)

    def _own_ended(self, record: codec.OwnEnded) -> Item:
        span = self._open.pop(record.span_id, None)
        if span is None:
            self.unreadable += 1
            return OperationItem(record.operation)
        if record.changes is not None:
            span = span._replace(**record.changes._asdict())
        return SpanItem(self._span(span._replace(end_ns=record.end_ns)), record.operation)

    def _opened(self, record: codec.Opening) -> None:
        self._opening, self._run = record, record.run
        self.resource = Resource(record.resource)
        self.service = self._services.of(record.resource)

    def _goes_on(self, record: codec.Run) -> None:
        self._run = record.span

    def _left(self, record: codec.Left) -> Item | None:
        self._run = None
        return None if record.run is None else self._span_item(record.run)

    def _logged(self, record: codec.Logged) -> Item:
        if self._is_repeated:
            self.repeated["logs"] += 1
            record.record.attributes = {**record.record.attributes, **_REPEATED}
        return LogItem(record.record)

    def _lost(self, record: codec.Lost) -> None:
        self.dropped += record.number

    def _observed(self, record: codec.Observed) -> None:
        if self.service is not None:
            self.service.observe(self.buffer, record.readings)

    @staticmethod
    def _holds(record: codec.Held) -> None:
        held_secrets.hold_environment(record.environ)
        held_values.hold_described(record.values)

    def _metrics(self, record: codec.Metrics) -> None:
        if self.service is not None:
            self.service.take(self.buffer, metric_records.metrics_of(record.collected))

    def _span_item(self, span: SpanRecord, ended: codec.Ended | None = None) -> SpanItem:
        if ended is None:
            return SpanItem(self._span(span))
        return SpanItem(self._span(span), ended.operation, is_told=ended.is_told, runs=ended.runs)

    def _span(self, span: SpanRecord) -> ReadableSpan:
        if self._is_repeated:
            self.repeated["traces"] += 1
            span = span._replace(attributes={**span.attributes, **_REPEATED})
        return span_records.span_of(span, self.resource)

    def _unfinished(self, end: End) -> Iterator[Item]:
        """Yield what the process left open, the newest first, and its run at last."""
        now = time.time_ns()
        for span in reversed(self._open.values()):
            yield self._span_item(_interrupted(span, end, now))
        self._open.clear()
        run, self._run = self._run, None
        if run is not None:
            yield self._span_item(ended_run(run, end, now))


def _interrupted(span: SpanRecord, end: End, now_ns: int) -> SpanRecord:
    marks = {semconv.OBS_SPAN_UNFINISHED: True, semconv.OBS_SPAN_ENDED_BY: end.describe()}
    return span._replace(end_ns=max(now_ns, span.start_ns), attributes={**span.attributes, **marks})


def ended_run(run: SpanRecord, end: End, now_ns: int) -> SpanRecord:
    """Return a run span that its process could not end."""
    attributes = {**run.attributes, semconv.OBS_SPAN_ENDED_BY: end.describe()}
    description = None
    if end.signal is not None:
        attributes[semconv.OBS_RUN_SIGNAL] = description = end.describe()
    elif end.exit_code is not None:
        attributes[semconv.OBS_RUN_EXIT_CODE] = end.exit_code
        description = f"exit code {end.exit_code}"
    if not end.is_failure():
        return run._replace(end_ns=max(now_ns, run.start_ns), attributes=attributes)
    return run._replace(
        end_ns=max(now_ns, run.start_ns), attributes=attributes, has_failed=True, description=description
    )
