"""The buffer by itself: whatever a destination answers, in whatever order, nothing is lost without a count."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from obs_run.base import guard
from obs_run.pipeline.losses import BUFFER_FULL, NOT_DELIVERED, PARTLY_REFUSED, Reason, refused
from obs_run.pipeline.request_buffer import Delivered, Refused, Request, RequestBuffer, RetryLater
from tests.pauses import assert_puts_off

if TYPE_CHECKING:
    import pytest

    from obs_run.pipeline.request_buffer import Outcome

MOST_BYTES = 100

outcomes = st.one_of(
    st.builds(Delivered, st.integers(-5, 1 << 63)),
    st.builds(RetryLater, st.just("away"), st.one_of(st.none(), st.floats(-10, 1e300))),
    st.builds(Refused, st.sampled_from(["400", "PERMISSION_DENIED"])),
    st.just(OSError("a failure of ours")),
)
steps = st.one_of(
    st.tuples(st.just("add"), st.integers(0, 130), st.integers(1, 9)),
    st.tuples(st.just("deliver"), st.booleans(), st.lists(outcomes, max_size=6)),
    st.just(("time passes",)),
    st.just(("give up",)),
)


class Server:
    """Answers with what it is given, and then with success; knows what it took and what was counted."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome | OSError] = []
        self.arrived: list[bytes] = []
        self.taken = 0
        self.lost: Counter[Reason] = Counter()
        self.seen: list[Request] = []

    def count_lost(self, number: int, reason: Reason) -> None:
        assert number > 0
        self.lost[reason] += number

    def send(self, request: Request, until: float) -> Outcome:
        assert until > time.monotonic() - 1
        self.seen.append(request)
        outcome = self.outcomes.pop(0) if self.outcomes else Delivered()
        if isinstance(outcome, OSError):
            raise outcome
        if isinstance(outcome, Delivered):
            self.arrived.append(request.body)
            self.taken += request.items - min(request.items, max(0, outcome.rejected))
        return outcome


def _waiting(buffer: RequestBuffer) -> list[Request]:
    return [waiting.request for waiting in buffer._waiting if waiting.request is not None]


@given(st.lists(steps, max_size=40))
def test_every_item_is_delivered_waiting_or_counted_once(steps: list[tuple[object, ...]]) -> None:
    server = Server()
    buffer = RequestBuffer(MOST_BYTES, 10.0, server.count_lost)
    added: list[Request] = []
    for step in steps:
        match step:
            case ("add", int(size), int(items)):
                request = Request(len(added).to_bytes(2, "big") + b"x" * size, items)
                added.append(request)
                buffer.add(request)
            case ("deliver", bool(hurried), list(answers)):
                server.outcomes = answers
                buffer.deliver(server.send, time.monotonic() + 10 if hurried else None)
                assert buffer.bytes <= MOST_BYTES or len(buffer) == 1
            case ("time passes",):
                buffer._next_try = 0.0
            case _:
                buffer.close(NOT_DELIVERED)
                assert len(buffer) == buffer.bytes == 0
        waiting = _waiting(buffer)
        assert waiting == added[len(added) - len(waiting) :], "the newest wait, in order"
        assert buffer.bytes == sum(len(request.body) for request in waiting)
        assert server.taken + server.lost.total() + sum(request.items for request in waiting) == sum(
            request.items for request in added
        )
        assert server.arrived == sorted(server.arrived), "in the order of their arrival, each once"
        assert len(set(server.arrived)) == len(server.arrived)
        pause = buffer.seconds_until_due()
        assert (pause is None) == (not waiting)
        assert pause is None or 0 <= pause <= 300


def test_each_reason_is_the_right_one() -> None:
    server = Server()
    buffer = RequestBuffer(MOST_BYTES, 10.0, server.count_lost)
    for items in range(1, 6):
        buffer.add(Request(b"x" * 45, items))
    server.outcomes = [Refused("400"), Delivered(1), RetryLater("away")]
    buffer.deliver(server.send, None)
    buffer.close(NOT_DELIVERED)

    assert server.lost == {refused("400"): 1, PARTLY_REFUSED: 1, BUFFER_FULL: 3, NOT_DELIVERED: 9}


def test_one_request_larger_than_the_buffer_is_kept() -> None:
    server = Server()
    buffer = RequestBuffer(MOST_BYTES, 10.0, server.count_lost)
    server.outcomes = [RetryLater("away")]
    buffer.add(Request(b"x" * 1000, 7))
    buffer.deliver(server.send, None)
    buffer.deliver(server.send, time.monotonic() + 10)
    assert server.taken == 7


def test_nothing_is_sent_before_its_time_nor_after_the_deadline() -> None:
    server = Server()
    buffer = RequestBuffer(MOST_BYTES, 10.0, server.count_lost)
    buffer.add(Request(b"x", 1))
    buffer.deliver(server.send, time.monotonic() - 1)
    assert server.seen == []
    server.outcomes = [RetryLater("away", 60.0)]
    buffer.deliver(server.send, None)
    buffer.deliver(server.send, None)
    assert len(server.seen) == 1
    buffer.deliver(server.send, time.monotonic() + 10)
    assert server.taken == 1


def test_a_child_forgets_what_its_parent_waits_for() -> None:
    server = Server()
    buffer = RequestBuffer(MOST_BYTES, 10.0, server.count_lost)
    server.outcomes = [RetryLater("away", 60.0)]
    buffer.add(Request(b"x", 1))
    buffer.deliver(server.send, None)
    buffer.clear()
    assert buffer.seconds_until_due() is None
    buffer.add(Request(b"y", 2))
    buffer.deliver(server.send, None)
    assert (server.taken, server.lost) == (2, {})


def test_a_failure_of_ours_is_said_and_the_request_waits(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(guard, "_failures", set())
    server = Server()
    buffer = RequestBuffer(MOST_BYTES, 10.0, server.count_lost)
    server.outcomes = [OSError("broken")]
    buffer.add(Request(b"x", 1))
    assert_puts_off(lambda: buffer.deliver(server.send, None), buffer.seconds_until_due, 1)
    assert caplog.messages == ["sending failed and was skipped: OSError: broken"]
