"""Sessions of the Live API: each turn of the model is one span, and the agent sees what it sees without us."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import importlib
import json
import sys
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.websocket_server import CLOSE, WebSocketServer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

MODEL = "gemini-live-2.5-flash-preview"
CONFIG = {
    "response_modalities": ["AUDIO"],
    "temperature": 0.5,
    "system_instruction": "Be short.",
    "tools": [{"function_declarations": [{"name": "weather"}]}],
}
AUDIO = {"inlineData": {"mimeType": "audio/pcm", "data": base64.b64encode(b"0" * 4000).decode()}}
USAGE = {
    "promptTokenCount": 20,
    "responseTokenCount": 30,
    "totalTokenCount": 50,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 5}, {"modality": "AUDIO", "tokenCount": 15}],
    "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 30}],
}
SPOKEN = [
    {"serverContent": {"modelTurn": {"parts": [AUDIO]}}},
    {"serverContent": {"outputTranscription": {"text": "To "}}},
    {"serverContent": {"outputTranscription": {"text": "Oslo."}}},
    {"serverContent": {"generationComplete": True}},
    {"serverContent": {"turnComplete": True}, "usageMetadata": USAGE},
]
CALLED = [{"toolCall": {"functionCalls": [{"id": "c1", "name": "weather", "args": {"city": "Oslo"}}]}}]


@pytest.fixture
def instrumented(telemetry: Any) -> Iterator[None]:
    assert telemetry is not None
    with _instrumented():
        yield


@contextlib.contextmanager
def _instrumented() -> Iterator[None]:
    from obs_instrumentors import TABLE

    from obs_run.core import hooks

    importlib.import_module("google.genai.live")
    for module, instrumentor in TABLE.items():
        if module.startswith("google.genai") and module in sys.modules:
            hooks.instrument(instrumentor, sys.modules[module])
    try:
        yield
    finally:
        hooks.undo()


def talk(answer: Callable[[Any], Any], use: Callable[[Any], Awaitable[Any]], **config: Any) -> Any:
    """Run ``use`` in a session; ``answer`` gives what follows a message of the client's."""
    genai = importlib.import_module("google.genai")

    def answering(message: Any) -> Any:
        return [{"setupComplete": {}}] if "setup" in message else answer(message)

    async def main(server: WebSocketServer) -> Any:
        client = genai.Client(api_key="none")
        # It knows no WebSockets without encryption.
        client._api_client._websocket_base_url = lambda *_: server.origin
        client._api_client._websocket_ssl_ctx = {}
        async with client.aio.live.connect(model=MODEL, config={**CONFIG, **config}) as session:
            return await use(session)

    with WebSocketServer(answering) as server, warnings.catch_warnings():
        # What clients say of older methods and parts of answers.
        warnings.simplefilter("ignore")
        returned = asyncio.run(main(server))
    gc.collect()
    return returned


async def whole(session: Any) -> list[Any]:
    await session.send_client_content(turns={"role": "user", "parts": [{"text": "Where to?"}]})
    return [message.model_dump() async for message in session.receive()]


def spoken(message: Any) -> Any:
    return SPOKEN if "client_content" in message else []


@pytest.mark.usefixtures("with_content")
def test_a_turn_is_one_span_and_the_agent_sees_the_same(telemetry: Any) -> None:
    plain = talk(spoken, whole)
    with _instrumented():
        assert talk(spoken, whole) == plain
    span = telemetry.span()
    attributes = dict(span.attributes)
    assert span.name == f"generate_content {MODEL}"
    assert {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.request.model": MODEL,
        "gen_ai.request.stream": True,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.output.type": "speech",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 20,
        "gen_ai.usage.output_tokens": 30,
        "gen_ai.usage.audio.input_tokens": 15,
        "gen_ai.usage.audio.output_tokens": 30,
        "server.address": "127.0.0.1",
    }.items() <= attributes.items()
    assert attributes["gen_ai.response.time_to_first_chunk"] > 0
    assert json.loads(attributes["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "Where to?"}]}
    ]
    assert json.loads(attributes["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "To Oslo."}], "finish_reason": "stop"}
    ]
    assert json.loads(attributes["gen_ai.system_instructions"]) == [{"type": "text", "content": "Be short."}]
    assert [tool["name"] for tool in json.loads(attributes["gen_ai.tool.definitions"])] == ["weather"]


@pytest.mark.usefixtures("instrumented", "with_content")
@pytest.mark.parametrize("is_told", [True, False])
def test_a_function_is_called_and_answered(is_told: bool, telemetry: Any) -> None:  # noqa: FBT001 (pytest's way)
    called = [{**CALLED[0], "usageMetadata": USAGE}] if is_told else CALLED

    def answer(message: Any) -> Any:
        if "tool_response" in message:
            return [{"serverContent": {"modelTurn": {"parts": [{"text": "Cold."}]}}}, SPOKEN[-1]]
        return called

    async def use(session: Any) -> None:
        await session.send_client_content(turns={"role": "user", "parts": [{"text": "Where to?"}]})
        async for message in session.receive():
            if message.tool_call is not None:
                response = {"id": "c1", "name": "weather", "response": {"celsius": 3}}
                await session.send_tool_response(function_responses=[response])

    talk(answer, use, response_modalities=["TEXT"])
    first, second = (dict(span.attributes) for span in telemetry.spans())
    assert first["gen_ai.response.finish_reasons"] == ("tool_call",)
    assert first["obs.response.tool_calls"] == ("weather",)
    assert ("gen_ai.usage.input_tokens" in first) == is_told
    assert json.loads(first["gen_ai.output.messages"])[0]["parts"] == [
        {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Oslo"}}
    ]
    assert json.loads(second["gen_ai.input.messages"]) == [
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": {"celsius": 3}}]}
    ]
    assert json.loads(second["gen_ai.output.messages"])[0]["parts"] == [{"type": "text", "content": "Cold."}]
    assert second["gen_ai.usage.output_tokens"] == 30


@pytest.mark.usefixtures("instrumented", "with_content")
def test_the_model_answers_what_it_heard_and_is_interrupted(telemetry: Any) -> None:
    heard = [{"serverContent": {"inputTranscription": {"text": text}}} for text in ("Where ", "to?")]
    cut = [{"serverContent": {"interrupted": True}}, {"serverContent": {"turnComplete": True}}]

    async def use(session: Any) -> None:
        await session.send_realtime_input(audio={"data": b"0000", "mime_type": "audio/pcm;rate=16000"})
        async for _ in session.receive():
            pass

    talk(lambda _: [*heard, *SPOKEN[:2], *cut], use)
    attributes = telemetry.attributes()
    assert attributes["gen_ai.response.finish_reasons"] == ("cancelled",)
    assert json.loads(attributes["gen_ai.input.messages"])[0]["parts"] == [{"type": "text", "content": "Where to?"}]
    assert json.loads(attributes["gen_ai.output.messages"])[0]["parts"] == [{"type": "text", "content": "To "}]


@pytest.mark.usefixtures("instrumented", "with_content")
@pytest.mark.parametrize("method", ["text", "older"])
def test_texts_are_sent_otherwise(method: str, telemetry: Any) -> None:
    async def use(session: Any) -> None:
        if method == "text":
            await session.send_realtime_input(text="Where to?")
        else:
            await session.send(input="Where to?", end_of_turn=True)
        async for _ in session.receive():
            pass

    talk(lambda _: SPOKEN, use)
    attributes = telemetry.attributes()
    assert json.loads(attributes["gen_ai.input.messages"])[0]["parts"] == [{"type": "text", "content": "Where to?"}]
    assert attributes["gen_ai.usage.output_tokens"] == 30


@pytest.mark.usefixtures("instrumented", "with_content")
def test_a_session_is_left_amid_a_turn(telemetry: Any) -> None:
    async def use(session: Any) -> None:
        await session.send_client_content(turns={"role": "user", "parts": [{"text": "Where to?"}]})
        pieces = session.receive()
        await pieces.__anext__()
        await pieces.__anext__()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(pieces.__anext__(), 0.05)
        await session.close()

    talk(lambda _: SPOKEN[:2], use)
    attributes = telemetry.attributes()
    assert attributes["obs.response.stream_end"] == "abandoned"
    assert json.loads(attributes["gen_ai.output.messages"])[0]["parts"] == [{"type": "text", "content": "To "}]


@pytest.mark.usefixtures("instrumented")
def test_a_turn_ends_as_its_block_is_left_though_the_agent_keeps_the_session(telemetry: Any) -> None:
    async def use(session: Any) -> Any:
        await session.send_client_content(turns={"role": "user", "parts": [{"text": "Where to?"}]})
        await session.receive().__anext__()
        return session

    kept = talk(lambda _: SPOKEN[:2], use)
    assert kept is not None
    assert telemetry.attributes()["obs.response.stream_end"] == "abandoned"


@pytest.mark.usefixtures("instrumented")
def test_a_wait_that_is_cancelled_ends_nothing(telemetry: Any) -> None:
    async def use(session: Any) -> Any:
        await session.send_client_content(turns={"role": "user", "parts": [{"text": "Where to?"}]})
        await session.receive().__anext__()
        waiting = asyncio.ensure_future(session.receive().__anext__())
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await session.send_realtime_input(audio={"data": b"0000", "mime_type": "audio/pcm;rate=16000"})
        return [message async for message in session.receive()]

    rest = talk(lambda message: SPOKEN[:1] if "client_content" in message else SPOKEN[1:], use)
    assert len(rest) == len(SPOKEN) - 1
    attributes = telemetry.attributes()
    assert attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert "obs.response.stream_end" not in attributes


@pytest.mark.usefixtures("instrumented")
def test_sessions_at_once_are_told_apart(telemetry: Any) -> None:
    async def use(session: Any) -> Any:
        await session.send_client_content(turns={"role": "user", "parts": [{"text": "Where to?"}]})
        pieces = session.receive()
        await pieces.__anext__()
        other = asyncio.get_running_loop().run_in_executor(None, lambda: talk(spoken, whole, temperature=0.75))
        assert len(await other) == len(SPOKEN)
        async for _ in pieces:
            pass

    talk(spoken, use)
    told = [span.attributes for span in telemetry.spans()]
    assert [attributes["gen_ai.request.temperature"] for attributes in told] == [0.75, 0.5]
    assert {attributes["gen_ai.usage.output_tokens"] for attributes in told} == {30}


@pytest.mark.usefixtures("instrumented", "with_content")
def test_what_a_call_of_functions_took_may_come_after_it(telemetry: Any) -> None:
    async def use(session: Any) -> None:
        await session.send_client_content(turns={"role": "user", "parts": [{"text": "Where to?"}]})
        pieces = session.receive()
        for _ in range(3):
            await pieces.__anext__()

    early = {"usageMetadata": {**USAGE, "responseTokenCount": 1}}
    talk(lambda _: [early, *CALLED, {"usageMetadata": USAGE}], use)
    attributes = telemetry.attributes()
    assert attributes["gen_ai.usage.output_tokens"] == 30
    assert "obs.response.stream_end" not in attributes


@pytest.mark.usefixtures("instrumented", "with_content")
def test_instructions_and_tools_are_changed_amid_a_session(telemetry: Any) -> None:
    def hotels() -> None:
        """Look for hotels."""

    # Older releases cannot.
    can = hasattr(importlib.import_module("google.genai.live").AsyncSession, "send_context_update")

    async def use(session: Any) -> None:
        if can:
            await session.send_context_update(system_instruction="Be long.")
            await session.send_context_update(tools=[{"function_declarations": [{"name": "flights"}]}, hotels])
        await whole(session)

    talk(spoken, use)
    attributes = telemetry.attributes()
    text = json.loads(attributes["gen_ai.system_instructions"])[0]["content"]
    assert text == ("Be long." if can else "Be short.")
    names = [tool["name"] for tool in json.loads(attributes["gen_ai.tool.definitions"])]
    assert names == (["flights", "hotels"] if can else ["weather"])


@pytest.mark.usefixtures("instrumented")
def test_the_server_goes_away(telemetry: Any) -> None:
    async def use(session: Any) -> Any:
        await session.send_client_content(turns={"role": "user", "parts": [{"text": "Where to?"}]})
        try:
            async for _ in session.receive():
                pass
        except Exception as error:  # noqa: BLE001 (releases differ in its class)
            return f"{type(error).__module__}.{type(error).__qualname__}"

    raised = talk(lambda _: [*SPOKEN[:2], CLOSE], use)
    assert telemetry.attributes()["error.type"] == raised


@pytest.mark.parametrize(
    "function",
    ["live._request", "live.start", "live_turn._says_anything", "live_turn._read_answer", "live_turn.message"],
)
def test_faults_of_ours_are_harmless(
    function: str, telemetry: Any, with_content: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert with_content is None
    plain = talk(spoken, whole)
    calls: list[Any] = []

    def fail(*args: Any, **_: Any) -> Any:
        calls.append(args)
        raise RuntimeError("ours")

    telemetry.may_fail = True
    monkeypatch.setattr(f"obs_instrumentors.google_genai.{function}", fail)
    with _instrumented():
        assert talk(spoken, whole) == plain
    assert calls
