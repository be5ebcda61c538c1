"""Several responses at once over one WebSocket, each in a lane of the client's own: each is one span."""

from __future__ import annotations

import asyncio
import importlib
import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.websocket_server import WebSocketServer

if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
LANES = ("left", "right")


def answer(lane: str, **more: Any) -> dict[str, Any]:
    text = {"type": "output_text", "text": f"From the {lane}.", "annotations": []}
    return {
        "id": f"resp_{lane}",
        "object": "response",
        "model": f"model-of-{lane}",
        "status": "completed",
        "output": [{**MESSAGE, "content": [text]}],
        "usage": {"input_tokens": len(lane), "output_tokens": 3, "total_tokens": 3 + len(lane)},
        **more,
    }


def event(kind: str, lane: str, **more: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", "stream_id": lane, "response": answer(lane, **more)}


BEGINNINGS = [event("created", lane, status="in_progress", output=[], usage=None) for lane in reversed(LANES)]
"""Not in the order in which they are asked for."""
ERROR = {
    "type": "error",
    "stream_id": "left",
    "error": {"type": "invalid_request_error", "code": "bad", "message": "-"},
}


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, package: Any) -> Callable[[list[Any]], list[Any]]:
    """Give a function that asks in two lanes at once and returns what each says, given what the server says."""
    lanes = importlib.import_module("openai.lib.responses_websocket")
    limits = lanes.ResponsesWebSocketLimits(4, 100, 100, 100_000, 100_000)

    def body(lane: str) -> dict[str, Any]:
        return {"type": "response.create", "model": f"asked-of-{lane}", "input": f"To the {lane}."}

    def shown(work: Callable[[], Any]) -> Any:
        try:
            return work().model_dump()
        except lanes.ResponsesWebSocketError as error:
            return type(error).__name__

    def sync(origin: str) -> list[Any]:
        client = package.OpenAI(api_key="none", websocket_base_url=f"{origin}/v1")
        with (
            client.responses.connect() as connection,
            lanes.ResponsesWebSocketSession(connection, limits=limits) as session,
        ):
            asked = [session.lane(lane) for lane in LANES]
            for name, lane in zip(LANES, asked, strict=True):
                lane.send(body(name))
            return [shown(partial(lane.get_final_response, timeout=5)) for lane in asked]

    async def use(origin: str) -> list[Any]:
        client = package.AsyncOpenAI(api_key="none", websocket_base_url=f"{origin}/v1")
        opened = client.responses.connect()
        async with opened as connection, lanes.AsyncResponsesWebSocketSession(connection, limits=limits) as session:
            asked = [session.lane(lane) for lane in LANES]
            for name, lane in zip(LANES, asked, strict=True):
                await lane.send(body(name))
            answers = await asyncio.gather(*(lane.get_final_response() for lane in asked), return_exceptions=True)
        return [shown(partial(_raised, said)) for said in answers]

    def ask(events: list[Any]) -> list[Any]:
        with WebSocketServer(lambda message: events if message["stream_id"] == LANES[-1] else []) as server:
            return sync(server.origin) if request.param == "sync" else asyncio.run(use(server.origin))

    return ask


def _raised(said: Any) -> Any:
    if isinstance(said, BaseException):
        raise said
    return said


@pytest.mark.usefixtures("with_content")
def test_each_lane_is_a_span_and_the_agent_sees_the_same(ask: Any, library: Any, telemetry: Any) -> None:
    from obs_run.core import hooks
    from tests.instrumentors.openai.drivers import instrument

    events = [*BEGINNINGS, *(event("completed", lane) for lane in LANES)]
    plain = ask(events)
    instrument(library)
    try:
        assert ask(events) == plain
    finally:
        hooks.undo()
    spans = {span.attributes["gen_ai.response.id"]: dict(span.attributes) for span in telemetry.spans()}
    assert set(spans) == {f"resp_{lane}" for lane in LANES}
    for lane in LANES:
        attributes = spans[f"resp_{lane}"]
        assert attributes["gen_ai.request.model"] == f"asked-of-{lane}"
        assert attributes["gen_ai.response.model"] == f"model-of-{lane}"
        assert attributes["gen_ai.usage.input_tokens"] == len(lane)
        assert json.loads(attributes["gen_ai.input.messages"])[0]["parts"][0]["content"] == f"To the {lane}."
        assert json.loads(attributes["gen_ai.output.messages"])[0]["parts"][0]["content"] == f"From the {lane}."


@pytest.mark.usefixtures("instrumented")
def test_an_error_ends_the_response_of_its_lane(ask: Any, telemetry: Any) -> None:
    failed, answered = ask([BEGINNINGS[0], ERROR, event("completed", "right")])
    assert failed == "ResponsesWebSocketError"
    assert answered["id"] == "resp_right"
    errors = {span.attributes["gen_ai.request.model"]: span.attributes.get("error.type") for span in telemetry.spans()}
    assert errors == {"asked-of-left": "bad", "asked-of-right": None}
