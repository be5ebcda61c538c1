"""All that a place holds, in batches of some hundred records: for what is copied from one place to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.readers import otlp_files
from obs_run.readers.places import is_otlp_file, open_place
from obs_run.telemetry.otlp_records import Records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from obs_run.telemetry.reader import Search, TraceReader
    from obs_run.telemetry.records import LogLine, Point

RECORDS = 500
_MOST = 2**31
_MOST_TRACES_OF_A_SERVER = 1500


def of_place(place: Path | str) -> Iterator[Records]:
    """Yield what a place holds; a file is read as far as the batch goes."""
    if is_otlp_file(str(place)):
        yield from _of_file(str(place))
        return
    with open_place(place) as reader:
        yield from of_reader(reader, {})


def of_reader(reader: TraceReader, search: Search) -> Iterator[Records]:
    """Yield the traces that are searched for, the oldest first; where all are, what is outside of traces, too."""
    limit = _MOST if "metrics" in reader.signals else _MOST_TRACES_OF_A_SERVER
    all_of_it = search.copy()
    all_of_it["without_spans"] = all_of_it["without_usage"] = True
    traces = reader.traces(limit, **all_of_it)
    yield from of_traces(reader, [trace.trace_id for trace in reversed(traces)])
    if not search:
        yield from _in_batches(reader.log_lines(_MOST, is_outside_traces=True), reader.points())


def of_traces(reader: TraceReader, trace_ids: Sequence[str]) -> Iterator[Records]:
    """Yield the spans and log lines of traces."""
    batch = Records()
    for trace_id in trace_ids:
        batch.spans += reader.spans(trace_id)
        batch.logs += reader.logs(trace_id)
        if len(batch) >= RECORDS:
            yield batch
            batch = Records()
    if len(batch):
        yield batch


def _in_batches(logs: Sequence[LogLine], points: Sequence[Point]) -> Iterator[Records]:
    for begin in range(0, len(logs), RECORDS):
        yield Records(logs=list(logs[begin : begin + RECORDS]))
    for begin in range(0, len(points), RECORDS):
        yield Records(points=list(points[begin : begin + RECORDS]))


def _of_file(name: str) -> Iterator[Records]:
    batch = Records()
    first: otlp_files.LineError | None = None
    read = False
    with otlp_files.opened(name) as file:
        for data in otlp_files.objects(file, name):
            problem = otlp_files.add(batch, data, name)
            first = first or problem
            if len(batch) >= RECORDS:
                read = True
                yield batch
                batch = Records()
    if first is not None and not (read or len(batch)):
        raise first
    yield batch
