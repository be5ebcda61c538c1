"""The Responses API over a WebSocket: each response is one span, as over HTTP."""

from __future__ import annotations

import asyncio
import json
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.websocket_server import WebSocketServer

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL = "gpt-5-mini"
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "To Oslo.", "annotations": []}],
}
COMPLETED = {
    "id": "resp_1",
    "object": "response",
    "model": "gpt-5-mini-2025-08-07",
    "status": "completed",
    "output": [MESSAGE],
    "usage": {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10},
}
ANSWER = [
    {"type": "response.created", "response": {**COMPLETED, "status": "in_progress", "output": [], "usage": None}},
    {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "item_id": "msg_1", "delta": "To "},
    {"type": "response.completed", "response": COMPLETED},
]
ERROR = {
    "type": "error",
    "status": 400,
    "error": {"type": "invalid_request_error", "code": "previous_response_not_found", "message": "No.", "param": "x"},
}
ASKED = {"type": "response.create", "model": MODEL, "input": "Where to?", "instructions": "Be short."}


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["responses", "beta.responses"])
def resource(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def connect(kind: str, resource: str, package: Any) -> Callable[[str], Any]:
    """Give a function that returns what opens a connection to an address."""

    def connect(origin: str) -> Any:
        made = package.OpenAI if kind == "sync" else package.AsyncOpenAI
        client = made(api_key="none", base_url="http://unused.invalid/v1", websocket_base_url=f"{origin}/v1")
        return attrgetter(resource)(client).connect()

    return connect


@pytest.fixture
def ask(kind: str, connect: Callable[[str], Any]) -> Callable[..., list[Any]]:
    """Give a function that asks over one connection, and reads as many events as it is told."""

    def ask(events: list[Any], *asked: Any, read: int) -> list[Any]:
        with WebSocketServer(lambda _: events) as server:
            if kind == "sync":
                connection = connect(server.origin).enter()
                for each in asked:
                    connection.send(each)
                received = [connection.recv().model_dump() for _ in range(read)]
                connection.close()
                return received

            async def use() -> list[Any]:
                async with connect(server.origin) as connection:
                    for each in asked:
                        await connection.send(each)
                    return [(await connection.recv()).model_dump() for _ in range(read)]

            return asyncio.run(use())

    return ask


@pytest.mark.usefixtures("with_content")
def test_a_response_is_one_span(ask: Any, library: Any, telemetry: Any) -> None:
    from obs_run.core import hooks
    from tests.instrumentors.openai.drivers import instrument

    plain = ask(ANSWER, ASKED, read=3)
    instrument(library)
    try:
        assert ask(ANSWER, ASKED, read=3) == plain
    finally:
        hooks.undo()
    attributes = telemetry.attributes()
    assert {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "openai.api.type": "responses",
        "gen_ai.request.model": MODEL,
        "gen_ai.response.model": COMPLETED["model"],
        "gen_ai.response.id": "resp_1",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.request.stream": True,
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 3,
        "server.address": "127.0.0.1",
    }.items() <= attributes.items()
    assert json.loads(attributes["gen_ai.input.messages"])[0]["parts"] == [{"type": "text", "content": "Where to?"}]
    assert json.loads(attributes["gen_ai.system_instructions"]) == [{"type": "text", "content": "Be short."}]
    assert json.loads(attributes["gen_ai.output.messages"])[0]["parts"] == [{"type": "text", "content": "To Oslo."}]


@pytest.mark.usefixtures("instrumented", "with_content")
@pytest.mark.parametrize(
    ("events", "error", "text"), [([ERROR], "previous_response_not_found", None), (ANSWER[:2], None, "To ")]
)
def test_a_response_without_an_end(events: Any, error: str | None, text: str | None, ask: Any, telemetry: Any) -> None:
    ask(events, ASKED, read=len(events))
    attributes = telemetry.attributes()
    assert attributes.get("error.type") == error
    assert attributes.get("obs.response.stream_end") == (None if error else "abandoned")
    assert ("gen_ai.output.messages" in attributes) == (text is not None)
