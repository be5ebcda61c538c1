"""Calls from program to program: what is sent carries the trace, and what is received begins where it was sent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import wrapt
from opentelemetry import trace

from obs_run.core import native_spans, ownership, peer_calls, recorder
from obs_run.core.operations import A2aCall, A2aServerCall, AgentRun
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.unit.core.conftest import FakeSink

READER: Reader[Any] = Reader(lambda *_: None)


def carry(call: Any, fields: Any) -> None:
    call.replace(0, "headers", {**call.argument(0, "headers"), **fields(call.argument(0, "headers"))})


@wrapt.decorator
def carried(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    return peer_calls.wrap_carried(carry)(wrapped, instance, args, kwargs)


@wrapt.decorator
def received(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    def begin(call: Any) -> Any:
        return A2aServerCall("Listen"), READER, call.argument(0, "headers")

    return peer_calls.wrap_stream_receive(begin)(wrapped, instance, args, kwargs)


@carried
def send(headers: dict[str, str]) -> dict[str, str]:
    return headers


async def pieces_for(headers: Any, raised: Exception | None = None) -> AsyncIterator[int]:
    assert headers is not None
    for piece in range(3):
        yield piece
    if raised is not None:
        raise raised


listen: Any = received(pieces_for)


def asked(headers: Any, *, pieces: int = 9, raised: Exception | None = None) -> list[int]:
    async def asking() -> list[int]:
        got: list[int] = []
        stream: Any = listen(headers, raised)
        async for piece in stream:
            assert ownership.current_recording() is None
            got.append(piece)
            if len(got) == pieces:
                break
        await stream.aclose()
        return got

    return asyncio.run(asking())


def client() -> Any:
    recording: Any = recorder.start(A2aCall("Ask"))
    return recording


def test_what_a_recorded_call_sends_carries_its_trace(fake: FakeSink) -> None:
    own = {"a": "b"}
    recording = client()
    with recording:
        headers = send(own)
    recording.end()
    assert own == {"a": "b"}
    assert sorted(headers) == ["a", "traceparent"]
    assert headers["traceparent"].split("-")[2] == f"{fake.of('Ask').span_id:016x}"


@pytest.mark.parametrize("inside", [None, AgentRun(agent_name="planner")])
def test_what_no_call_sends_is_as_it_was(inside: AgentRun | None, fake: FakeSink) -> None:
    assert fake.ended == []
    recording: Any = None if inside is None else recorder.start(inside)
    if recording is None:
        assert send({"a": "b"}) == {"a": "b"}
        return
    with recording:
        assert send({"a": "b"}) == {"a": "b"}
    recording.end()


def test_a_stream_begins_where_it_was_asked_for(fake: FakeSink) -> None:
    recording = client()
    with recording:
        headers = send({})
    assert asked(headers) == [0, 1, 2]
    recording.end()
    assert fake.trees() == ["Ask(Listen)"]


def test_a_request_from_elsewhere_in_the_process_begins_in_its_context(fake: FakeSink) -> None:
    recording = client()
    assert asked(recording.context) == [0, 1, 2]
    recording.end()
    assert fake.trees() == ["Ask(Listen)"]


@pytest.mark.parametrize("carrier", [{}, {"traceparent": "nonsense"}, "nonsense", 3])
def test_what_tells_of_no_trace_begins_here(carrier: Any, fake: FakeSink) -> None:
    assert asked(carrier) == [0, 1, 2]
    assert fake.trees() == ["Listen"]


def test_a_span_of_the_server_that_came_first_is_the_parent(fake: FakeSink) -> None:
    recording = client()
    with recording:
        headers = send({})
    between: Any = recorder.start(AgentRun(name="POST"), recording.context)
    with between:
        stream: Any = listen(headers)
        asyncio.run(read(stream))
    between.end()
    recording.end()
    assert fake.trees() == ["Ask(POST(Listen))"]


async def read(stream: Any) -> None:
    async for _ in stream:
        pass


@pytest.mark.parametrize(
    ("pieces", "raised", "told"),
    [
        (1, None, {"obs.outcome": "abandoned"}),
        (9, ValueError("no"), {"error.type": "ValueError"}),
        (9, asyncio.CancelledError(), {"obs.outcome": "cancelled"}),
    ],
)
def test_how_a_stream_ends_is_told(pieces: int, raised: Any, told: dict[str, str], fake: FakeSink) -> None:
    if raised is None:
        asked({}, pieces=pieces)
    else:
        with pytest.raises(type(raised)):
            asked({}, pieces=pieces, raised=raised)
    attributes = fake.of("Listen").record.attributes
    assert {name: attributes[name] for name in told} == told
    assert ("error.type" in attributes) == ("error.type" in told)


def test_tracers_of_an_adopted_api_make_no_spans_that_are_covered() -> None:
    api = native_spans.AdoptedApi(trace, lambda name, *_: name.startswith("own."))
    tracer = api.get_tracer("library", "1")
    with tracer.start_as_current_span("own.step") as span:
        assert span is trace.INVALID_SPAN
    assert isinstance(tracer, native_spans.AdoptedTracer)
    assert api.SpanKind is trace.SpanKind
