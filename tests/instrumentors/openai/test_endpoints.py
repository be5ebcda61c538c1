"""Every endpoint but chat completions, and the content of all, with OpenAI's own client."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

SOUND = ("a.wav", b"RIFF")
TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}, "strict": False}


def _response(calls: Any, **more: Any) -> Any:
    return calls.run(calls.client.responses.create(model="gpt-5-mini", input="Where to?", **more))


def _fetched(calls: Any, telemetry: Any) -> None:
    made = _response(calls)
    telemetry.clear()
    calls.run(calls.client.responses.retrieve(made.id))


ENDPOINTS: dict[str, tuple[Callable[[Any, Any], Any], dict[str, Any]]] = {
    "responses": (
        lambda calls, _: _response(calls, tools=[TOOL], reasoning={"effort": "low"}),
        {
            "name": "chat gpt-5-mini",
            "openai.api.type": "responses",
            "gen_ai.request.reasoning.level": "low",
            "gen_ai.response.status": "completed",
            "gen_ai.response.finish_reasons": ("tool_call",),
            "obs.response.tool_calls": ("weather",),
            "gen_ai.usage.input_tokens": 3,
        },
    ),
    "responses, stream": (
        lambda calls, _: calls.read(_response(calls, stream=True)),
        {
            "name": "chat gpt-5-mini",
            "gen_ai.request.stream": True,
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.usage.input_tokens": 3,
        },
    ),
    "responses, fetched": (
        _fetched,
        {"name": "fetch_response", "gen_ai.response.status": "completed", "gen_ai.response.finish_reasons": ("stop",)},
    ),
    "completions": (
        lambda calls, _: calls.run(calls.client.completions.create(model="babbage-002", prompt="x", max_tokens=5)),
        {
            "name": "text_completion babbage-002",
            "gen_ai.request.max_tokens": 5,
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.usage.input_tokens": 1,
        },
    ),
    "completions, stream": (
        lambda calls, _: calls.read(
            calls.run(calls.client.completions.create(model="babbage-002", prompt="x", stream=True))
        ),
        {"name": "text_completion babbage-002", "gen_ai.response.finish_reasons": ("stop",)},
    ),
    "embeddings": (
        lambda calls, _: calls.run(
            calls.client.embeddings.create(model="text-embedding-3-small", input=["one", "two"], dimensions=8)
        ),
        {
            "name": "embeddings text-embedding-3-small",
            "gen_ai.embeddings.dimension.count": 8,
            "gen_ai.request.encoding_formats": ("base64",),
            "obs.request.input_count": 2,
            "gen_ai.usage.input_tokens": 2,
        },
    ),
    "images": (
        lambda calls, _: calls.run(calls.client.images.generate(model="gpt-image-1", prompt="a dog", n=2)),
        {
            "name": "image_generation gpt-image-1",
            "gen_ai.output.type": "image",
            "gen_ai.request.choice.count": 2,
            "gen_ai.usage.image.output_tokens": 544,
        },
    ),
    "image edits": (
        lambda calls, _: calls.run(
            calls.client.images.edit(model="gpt-image-1", prompt="a cat", image=("a.png", b"x", "image/png"))
        ),
        {"name": "image_edit gpt-image-1", "gen_ai.usage.image.output_tokens": 272},
    ),
    "speech": (
        lambda calls, _: calls.run(calls.client.audio.speech.create(model="tts-1", voice="alloy", input="Hello")),
        {"name": "speech tts-1", "gen_ai.output.type": "speech"},
    ),
    "transcription": (
        lambda calls, _: calls.run(calls.client.audio.transcriptions.create(model="whisper-1", file=SOUND)),
        {"name": "transcription whisper-1", "obs.usage.audio_seconds": 4.2},
    ),
    "transcription, tokens": (
        lambda calls, _: calls.run(calls.client.audio.transcriptions.create(model="gpt-4o-transcribe", file=SOUND)),
        {
            "name": "transcription gpt-4o-transcribe",
            "gen_ai.usage.input_tokens": 42,
            "gen_ai.usage.audio.input_tokens": 40,
            "gen_ai.usage.text.input_tokens": 2,
        },
    ),
    "transcription, stream": (
        lambda calls, _: calls.read(
            calls.run(calls.client.audio.transcriptions.create(model="gpt-4o-transcribe", file=SOUND, stream=True))
        ),
        {"name": "transcription gpt-4o-transcribe", "gen_ai.usage.input_tokens": 42, "gen_ai.request.stream": True},
    ),
    "translation": (
        lambda calls, _: calls.run(calls.client.audio.translations.create(model="whisper-1", file=SOUND)),
        {"name": "translation whisper-1", "gen_ai.output.type": "text"},
    ),
    "moderation": (
        lambda calls, _: calls.run(calls.client.moderations.create(model="omni-moderation-latest", input="hello")),
        {"name": "moderation omni-moderation-latest", "obs.request.input_count": 1},
    ),
}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_endpoint_gives_one_span(endpoint: str, calls: Any, telemetry: Any, stub: Any) -> None:
    act, expected = ENDPOINTS[endpoint]
    with warnings.catch_warnings():
        # The newest client warns of endpoints that will go.
        warnings.simplefilter("ignore", DeprecationWarning)
        act(calls, telemetry)
    span = telemetry.span()
    common = {"gen_ai.provider.name": "openai", "server.address": stub.host, "server.port": stub.port}
    told = {"name": span.name, **span.attributes}
    assert {name: told.get(name) for name in (expected | common)} == expected | common
    assert span.kind.name == "CLIENT"
    assert span.status.status_code.name == "UNSET"


def test_other_endpoints_are_left_alone(calls: Any, telemetry: Any) -> None:
    calls.run(calls.client.models.retrieve("gpt-5-mini"))
    assert telemetry.spans() == []


@pytest.mark.usefixtures("with_content")
@pytest.mark.parametrize("stream", [False, True])
def test_content_of_chat(calls: Any, telemetry: Any, *, stream: bool) -> None:
    tool = {"type": "function", "function": {"name": "weather", "description": "Of a city.", "parameters": {}}}
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
    asked = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Weather?"}, picture]},
        {"role": "assistant", "tool_calls": [_call("call_1", '{"city": "Oslo"}')]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
    ]
    made = calls.run(calls.chat.create(model="gpt-5-mini", messages=asked, tools=[tool], stream=stream))
    if stream:
        calls.read(made)
    attributes = telemetry.attributes()
    assert json.loads(attributes["gen_ai.input.messages"]) == [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "Weather?"},
                {"type": "omitted_blob", "modality": "image", "mime_type": "image/png", "size": 2},
            ],
        },
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "call_1", "name": "weather", "arguments": '{"city": "Oslo"}'}],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": "rain"}]},
    ]
    assert json.loads(attributes["gen_ai.output.messages"]) == [
        {
            "role": "assistant",
            "parts": [{"type": "text", "content": "Based on the tools: rain"}],
            "finish_reason": "stop",
        }
    ]
    assert json.loads(attributes["gen_ai.tool.definitions"]) == [
        {"type": "function", "name": "weather", "description": "Of a city.", "parameters": {}}
    ]
    (event,) = telemetry.events("gen_ai.client.inference.operation.details")
    assert event.attributes["gen_ai.input.messages"][0]["role"] == "system"


@pytest.mark.usefixtures("with_content")
@pytest.mark.parametrize("stream", [False, True])
def test_content_of_responses(calls: Any, telemetry: Any, *, stream: bool) -> None:
    made = _response(calls, instructions="Be brief.", tools=[TOOL], stream=stream)
    if stream:
        calls.read(made)
    attributes = telemetry.attributes()
    assert json.loads(attributes["gen_ai.system_instructions"]) == [{"type": "text", "content": "Be brief."}]
    assert json.loads(attributes["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "Where to?"}]}
    ]
    (answer,) = json.loads(attributes["gen_ai.output.messages"])
    assert [part["type"] for part in answer["parts"]] == ["tool_call"]
    assert answer["finish_reason"] == "tool_call"


def _call(call_id: str, arguments: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": "weather", "arguments": arguments}}
