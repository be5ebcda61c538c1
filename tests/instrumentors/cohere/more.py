"""What Cohere's scenario set leaves open: usage in all its forms, raw answers, errors amid a stream, clouds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.cohere.library import ASKED, LIBRARY, MODEL, SAID, Cohere
from tests.instrumentors.run_scenarios import instrumented
from tests.semconv import exceptions

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=LIBRARY.kinds)
def its(request: pytest.FixtureRequest, stub: Any, telemetry: Any) -> Iterator[Cohere]:
    assert telemetry is not None
    driver = Cohere(request.param, stub)
    with instrumented():
        yield driver
    driver.close()


def _usage(telemetry: Any) -> dict[str, Any]:
    return {
        name.removeprefix("gen_ai.usage."): value
        for name, value in telemetry.attributes().items()
        if name.startswith("gen_ai.usage.") and name not in exceptions.VIEWERS
    }


@pytest.mark.parametrize(
    ("switch", "usage"),
    [
        ("unbilled", {"input_tokens": 63, "output_tokens": 8}),
        ("cached", {"input_tokens": 3, "output_tokens": 8, "cache_read.input_tokens": 1}),
        ("no-usage", {}),
    ],
)
def test_usage(its: Cohere, telemetry: Any, switch: str, usage: dict[str, int]) -> None:
    its.run(its.v2.chat(**{**ASKED, "model": f"{MODEL}+{switch}"}))
    assert _usage(telemetry) == usage
    telemetry.clear()
    its.read(its.v2.chat_stream(**{**ASKED, "model": f"{MODEL}+{switch}"}))
    assert _usage(telemetry) == usage


def test_thoughts_and_tool_answers(its: Cohere, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    said = [
        {"role": "system", "content": "Be brief."},
        *ASKED["messages"],
        {"role": "assistant", "tool_plan": "Look.", "tool_calls": [_CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "document", "document": {"data": {"sun": 1}}}]},
    ]
    its.read(its.v2.chat_stream(model=f"{MODEL}+thinking", messages=said))
    attributes = telemetry.attributes()
    assert json.loads(attributes["gen_ai.input.messages"])[2:] == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Look."},
                {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": '{"city": "Oslo"}'},
            ],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": '{"sun":1}'}]},
    ]
    (answer,) = json.loads(attributes["gen_ai.output.messages"])
    assert answer["parts"][0] == {"type": "reasoning", "content": "First I think about it."}


_CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}


def test_history_of_the_first_version(its: Cohere, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    its.run(its.v1.chat(**SAID, chat_history=[{"role": "CHATBOT", "message": "Welcome."}]))
    history, asked = json.loads(telemetry.attributes()["gen_ai.input.messages"])
    assert history == {"role": "assistant", "parts": [{"type": "text", "content": "Welcome."}]}
    assert asked["role"] == "user"


def test_error_amid_a_stream(its: Cohere, telemetry: Any) -> None:
    its.read(its.v2.chat_stream(**{**ASKED, "model": f"{MODEL}+stream-error=4"}))
    attributes = telemetry.attributes()
    assert attributes["error.type"] == "_OTHER"
    assert attributes["gen_ai.response.finish_reasons"] == ("error",)


def test_raw_answer(its: Cohere, telemetry: Any) -> None:
    if not hasattr(its.v2, "with_raw_response"):
        # Release 5.11 has no such mode.
        return
    its.run(its.v2.with_raw_response.chat(**ASKED))
    assert _usage(telemetry) == {"input_tokens": 3, "output_tokens": 8}


@pytest.mark.parametrize(
    ("name", "provider"), [("BedrockClientV2", "aws.bedrock"), ("SagemakerClient", "aws.sagemaker")]
)
def test_clouds(stub: Any, telemetry: Any, name: str, provider: str) -> None:
    """The cloud's client, with its own way of sending taken out of it, is named for the cloud."""
    driver = Cohere("sync", stub)
    cloud = type(name, (type(driver.v2),), {})
    with instrumented():
        client = cloud("none", base_url=f"{stub.origin}/cohere", httpx_client=driver.http)
        client.chat(**ASKED)
    attributes = telemetry.attributes()
    assert attributes["gen_ai.provider.name"] == provider
    assert "server.address" not in attributes
    driver.close()
