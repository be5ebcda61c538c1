from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from obs_run.core import message_carriers
from obs_run.core.message_carriers import Sender

SENDERS = some.builds(
    Sender,
    some.integers(1, (1 << 128) - 1),
    some.integers(1, (1 << 64) - 1),
    some.sampled_from([0, 1]),
    some.integers(0, (1 << 63) - 1),
)
SENDER = Sender(0xABC, 0xDEF, 1, 1)
SCALARS = some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text()
VALUES = some.recursive(SCALARS, lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner), max_leaves=8)
STRUCTURES = some.lists(VALUES) | some.dictionaries(some.text(), VALUES)
SEPARATORS = some.sampled_from([(",", ":"), (", ", ": "), (" , ", " : "), ("\t,\n", ":\r\n")])
TAILS = some.sampled_from([b"", b"\n", b" \r\n"])
CONTEXT = set_span_in_context(NonRecordingSpan(SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(1))))


@given(STRUCTURES, SEPARATORS, TAILS, SENDERS)
def test_json_means_the_same_and_comes_out_as_it_was(
    value: Any, separators: tuple[str, str], tail: bytes, sender: Sender
) -> None:
    payload = json.dumps(value, separators=separators).encode() + tail
    carried = message_carriers.carried(payload, sender)
    assert carried is not None
    assert json.loads(carried) == value
    assert (carried[:1], carried.rstrip()[-1:]) == (payload[:1], payload.rstrip()[-1:])
    assert message_carriers.read(carried) == (payload, sender)


@given(SCALARS | STRUCTURES, SENDERS, some.sampled_from([4, 5]))
def test_pickles_mean_the_same_and_come_out_as_they_were(value: Any, sender: Sender, protocol: int) -> None:
    payload = pickle.dumps(value, protocol)
    carried = message_carriers.carried(payload, sender)
    if carried is not None:
        assert pickle.loads(carried) == value
        assert message_carriers.read(carried) == (payload, sender)


@given(some.binary(max_size=400))
def test_other_bytes_are_left_alone(payload: bytes) -> None:
    assert message_carriers.read(payload) == (payload, None)
    carried = message_carriers.carried(payload, SENDER)
    assert carried is None or message_carriers.read(carried) == (payload, SENDER)


@given(some.text(" \t", min_size=340, max_size=440))
def test_blanks_of_somebody_else_stay(blanks: str) -> None:
    payload = ('{"a": 1' + blanks + "}").encode()
    assert message_carriers.read(payload)[0] == payload


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"text",
        b"{name} is not {filled in}",
        b"{'a': 1}",
        b'{"a": 1} and more',
        b'topic\t{"a": 1}',
        b'topic {"a":1}',
        b'8 {"a": 1}',
        b'deadbeef {"a": 1}',
        b"\x80\x04.",
        b'"a text"',
        b"7",
        json.dumps({"a": 1}).encode("utf-16"),
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=range(14),
)
def test_what_has_no_sure_place_carries_nothing(payload: bytes) -> None:
    assert message_carriers.carried(payload, SENDER) is None


def test_behind_a_topic() -> None:
    payload = b'TRANSCRIPTION: {"text": "hello"}'
    carried = message_carriers.carried(payload, SENDER)
    assert carried is not None
    topic, text = carried.split(b" ", 1)
    assert (topic, json.loads(text)) == (b"TRANSCRIPTION:", {"text": "hello"})
    assert message_carriers.read(carried) == (payload, SENDER)


def test_what_is_long_is_believed_to_be_json_only_where_that_is_known() -> None:
    payload = json.dumps({"audio": "x" * 100_000}).encode()
    assert message_carriers.carried(payload, SENDER) is None
    carried = message_carriers.carried(payload, SENDER, is_json=True)
    assert carried is not None
    assert message_carriers.read(carried) == (payload, SENDER)


@pytest.mark.parametrize(
    ("topic", "is_one"),
    [
        (b"event.weather", True),
        (b"ERROR:", True),
        (b"session-3f2a", True),
        (b"transcript.en", True),
        (b"", False),
        (b"42", False),
        (b"size 42", False),
        (b"9f86d081884c7d659a2feaa0c55ad015", False),
        (b"n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg", False),
        (b"caf\xc3\xa9", False),
        (b"a\x00b", False),
        (b"x" * 200, False),
    ],
)
def test_topics_are_words(topic: bytes, *, is_one: bool) -> None:
    assert message_carriers.is_topic(topic) == is_one


def test_who_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    sender = message_carriers.sender_of(CONTEXT, "127.0.0.1")
    assert sender is not None
    assert sender.headers() == {"traceparent": f"00-{0xABC:032x}-{0xDEF:016x}-01"}
    under_way = sender.seconds_under_way()
    assert under_way is not None
    assert 0 <= under_way < 60
    assert sender._replace(sent_at=1 << 62).seconds_under_way() is None
    assert message_carriers.sender_of(CONTEXT, "example.com") is None
    monkeypatch.setenv("OTEL_PROPAGATORS", "baggage")
    assert message_carriers.sender_of(CONTEXT, "127.0.0.1") is None


def test_a_user_who_wants_nothing_carried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_PROPAGATE_ZMQ", "off")
    assert message_carriers.sender_of(CONTEXT, "127.0.0.1") is None
