"""Whatever a record holds comes back as it was, or as the plain value that it stands for."""

from __future__ import annotations

import enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_run.buffer import codec
from obs_run.core.sink import (
    ErrorRecord,
    LogRecord,
    OperationRecord,
    Readings,
    ResourceRecord,
    Scope,
    SpanEvent,
    SpanLink,
    SpanRecord,
    Timing,
)

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
attributes = st.dictionaries(st.text(), plain, max_size=5)
ids = st.integers(1, 2**64 - 1)
traces = st.integers(1, 2**128 - 1)
links = st.builds(SpanLink, traces, ids, st.integers(0, 255), st.booleans(), st.text(), st.none() | attributes)
spans = st.builds(
    SpanRecord,
    st.text(),
    st.sampled_from(["INTERNAL", "CLIENT"]),
    traces,
    ids,
    st.integers(0, 2**63),
    st.integers(0, 2**63),
    st.none() | links,
    attributes,
    st.lists(st.builds(SpanEvent, st.text(), attributes, ids), max_size=3).map(tuple),
    st.lists(links, max_size=3).map(tuple),
    st.none() | st.booleans(),
    st.none() | st.text(),
    st.text() | st.builds(Scope, st.text(), st.none() | st.text(), st.none(), st.none() | attributes),
    st.none() | st.builds(ResourceRecord, attributes, st.text()),
)
seconds = st.floats(0, 1e6)
operations = st.builds(
    OperationRecord,
    st.text(),
    attributes,
    attributes,
    st.builds(Timing, seconds, st.none() | seconds, st.none() | seconds, st.none() | ids),
    attributes,
    st.none() | st.builds(ErrorRecord, st.none() | st.text(), st.text()),
    st.integers(0, 1 << 40),
    st.lists(st.tuples(ids, st.none() | st.text()), max_size=3).map(tuple),
    st.none() | st.text(),
    st.none() | ids,
)
nothing = st.just(())
changes_of_spans = st.builds(codec.SpanChanges, st.text(), attributes, nothing, nothing, st.none(), st.none())
series = st.lists(st.tuples(st.text(), st.floats(0, 1e6), attributes), max_size=3)
records = st.one_of(
    st.builds(codec.Opening, attributes, st.none() | spans),
    st.builds(codec.Run, spans),
    st.builds(codec.Begun, spans),
    st.builds(codec.Ended, spans, st.none() | operations, st.booleans(), st.just(())),
    st.builds(codec.Measured, operations),
    st.builds(codec.Lost, st.integers(0)),
    st.builds(codec.Left, st.none() | spans),
    st.builds(codec.Metrics, plain),
    st.builds(codec.Observed, st.builds(Readings, series, series, st.just([]))),
)


@given(records)
def test_records_come_back(record: codec.Record) -> None:
    assert codec.decode(codec.encode(record)) == record


@given(
    operations,
    st.none() | st.builds(codec.SpanChanges, st.text(), attributes, st.just(()), st.just(()), st.none(), st.none()),
)
def test_ends_of_own_spans_come_back(operation: OperationRecord, changes: codec.SpanChanges | None) -> None:
    assert codec.decode(codec.encode_ended(7, 8, changes, operation)) == codec.OwnEnded(7, 8, changes, operation)


def test_beginnings_of_own_spans_come_back() -> None:
    begun = codec.OwnBegun("chat", "CLIENT", 1 << 100, 2, 3, 4, is_parent_remote=True, trace_state="a=b")
    assert codec.decode(codec.encode_begun(*begun)) == begun


@given(plain, attributes, st.none() | st.text())
def test_log_records_come_back(body: Any, given_attributes: dict[str, Any], event: str | None) -> None:
    record = LogRecord(
        time_ns=1, severity=9, severity_text="INFO", body=body, attributes=given_attributes, trace=(1, 2, 1),
        scope=Scope("s", "1"), event_name=event, resource=ResourceRecord({"a": 1}),
    )  # fmt: skip
    back = codec.decode(codec.encode(codec.Logged(record)))
    assert isinstance(back, codec.Logged)
    assert [getattr(back.record, name) for name in LogRecord.__slots__] == [
        getattr(record, name) for name in LogRecord.__slots__
    ]


class Level(int):
    pass


class Word(str):
    __slots__ = ()


class Color(str, enum.Enum):
    RED = "red"


class Strange:
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (Level(3), 3),
        (Word("a"), "a"),
        (Color.RED, "red"),
        ({Word("k"): [Level(1), (Word("b"),)]}, {"k": [1, ("b",)]}),
        (bytearray(b"x"), b"x"),
        (Strange(), "<Strange that cannot be shown>"),
    ],
)
def test_values_that_are_not_plain_are_stored_as_plain_ones(value: Any, stored: Any) -> None:
    record = codec.Opening({"it": value})
    back = codec.decode(codec.encode(record))
    assert back == codec.Opening({"it": stored})


def test_what_contains_itself_has_an_end() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert isinstance(codec.decode(codec.encode(codec.Opening({"it": endless}))), codec.Opening)


@given(st.binary())
def test_other_bytes_are_no_record(data: bytes) -> None:
    with pytest.raises(codec.UnreadableError):
        codec.decode(data)


@given(records, st.integers(0), st.integers(0, 255))
def test_changed_bytes_are_a_record_or_none(record: codec.Record, place: int, value: int) -> None:
    data = bytearray(codec.encode(record))
    data[place % len(data)] = value
    try:
        codec.decode(bytes(data))
    except codec.UnreadableError:
        return
