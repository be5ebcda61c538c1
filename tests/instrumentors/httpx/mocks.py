"""Transports and mocks of the agent's own beneath httpx."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

from tests.instrumentors.plain_http.scenarios import ASKED, CHAT, MODEL
from tests.instrumentors.run_scenarios import instrumented

URL = f"https://api.openai.com{CHAT}"
ANSWER = {
    "id": "c1",
    "object": "chat.completion",
    "model": MODEL,
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Lisbon"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}


def test_a_transport_of_the_agents_own(telemetry: Any) -> None:
    httpx = import_module("httpx")

    def answer(request: Any) -> Any:
        assert request.headers["authorization"] == "Bearer sk-1"
        return httpx.Response(200, json=ANSWER)

    with instrumented(), httpx.Client(transport=httpx.MockTransport(answer)) as client:
        assert client.post(URL, json=ASKED, headers={"authorization": "Bearer sk-1"}).json() == ANSWER
        with client.stream("POST", URL, json=ASKED, headers={"authorization": "Bearer sk-1"}) as response:
            assert response.read()
    assert [span.attributes["gen_ai.usage.input_tokens"] for span in telemetry.spans()] == [3, 3]


def test_respx(telemetry: Any) -> None:
    httpx, respx = import_module("httpx"), import_module("respx")

    async def ask() -> Any:
        async with httpx.AsyncClient() as client:
            return (await client.post(URL, json=ASKED)).json()

    with instrumented(), respx.mock as mock:
        route = mock.post(URL).mock(return_value=httpx.Response(200, json=ANSWER))
        assert asyncio.run(ask()) == ANSWER
        assert httpx.post(URL, json=ASKED).json() == ANSWER
        assert route.call_count == 2
    assert [span.attributes["gen_ai.response.finish_reasons"] for span in telemetry.spans()] == [("stop",)] * 2


def test_hooks_and_a_body_that_is_read_early(stub: Any, telemetry: Any) -> None:
    httpx = import_module("httpx")
    with instrumented():
        hooks = {"response": [lambda response: response.read()]}
        with httpx.Client(event_hooks=hooks) as client, client.stream("POST", stub.origin + CHAT, json=ASKED) as got:
            assert got.json()["model"] == MODEL
    assert telemetry.attributes()["gen_ai.usage.output_tokens"] == 10


def test_the_body_is_a_generator(stub: Any, telemetry: Any) -> None:
    httpx = import_module("httpx")
    with instrumented():
        pieces = iter([b'{"model": "llama3.2", "messages": ', b'[{"role": "user", "content": "Where to?"}]}'])
        assert httpx.post(stub.origin + CHAT, content=pieces).json()["model"] == MODEL
    assert telemetry.spans() == []
