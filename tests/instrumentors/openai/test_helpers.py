"""The client's own helpers, which do not call ``create``: parse, and streams as context managers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest
from obs_instrumentors.clients import hosts
from pydantic import BaseModel

from obs_run.core.operations import Inference

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKED: dict[str, Any] = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "Where to?"}]}


class Answer(BaseModel):
    answer: str = ""


@pytest.fixture
def client(stub: Any, instrumented: None) -> Iterator[openai.OpenAI]:
    assert instrumented is None
    with openai.OpenAI(base_url=stub.url, api_key="stub") as made:
        yield made


@pytest.fixture
def async_client(stub: Any, instrumented: None) -> openai.AsyncOpenAI:
    assert instrumented is None
    return openai.AsyncOpenAI(base_url=stub.url, api_key="stub")


def assert_whole(attributes: dict[str, Any]) -> None:
    assert attributes["gen_ai.operation.name"] == "chat"
    assert attributes["gen_ai.response.id"]
    assert attributes["gen_ai.usage.output_tokens"] > 0


def test_chat_parse(client: openai.OpenAI, telemetry: Any) -> None:
    completion = client.chat.completions.parse(**ASKED, response_format=Answer)
    assert isinstance(completion.choices[0].message.parsed, Answer)
    assert_whole(telemetry.attributes())
    assert telemetry.attributes()["gen_ai.output.type"] == "json"


async def test_async_chat_parse(async_client: openai.AsyncOpenAI, telemetry: Any) -> None:
    async with async_client as client:
        completion = await client.chat.completions.parse(**ASKED, response_format=Answer)
    assert isinstance(completion.choices[0].message.parsed, Answer)
    assert_whole(telemetry.attributes())


def test_chat_stream_helper(client: openai.OpenAI, telemetry: Any) -> None:
    with client.chat.completions.stream(**ASKED) as stream:
        kinds = {event.type for event in stream}
        assert stream.get_final_completion().choices[0].message.content
    assert "content.delta" in kinds
    assert_whole(telemetry.attributes())
    assert telemetry.attributes()["gen_ai.request.stream"] is True


async def test_async_chat_stream_helper(async_client: openai.AsyncOpenAI, telemetry: Any) -> None:
    async with async_client as client, client.chat.completions.stream(**ASKED) as stream:
        async for _ in stream:
            pass
        assert (await stream.get_final_completion()).choices[0].message.content
    assert_whole(telemetry.attributes())


def test_responses_parse(client: openai.OpenAI, telemetry: Any) -> None:
    response = client.responses.parse(model="gpt-5-mini", input="Where to?", text_format=Answer)
    assert isinstance(response.output_parsed, Answer)
    assert_whole(telemetry.attributes())


def test_responses_stream_helper(client: openai.OpenAI, telemetry: Any) -> None:
    with client.responses.stream(model="gpt-5-mini", input="Where to?") as stream:
        for _ in stream:
            pass
        assert stream.get_final_response().output_text
    assert_whole(telemetry.attributes())


def test_azure(stub: Any, instrumented: None, telemetry: Any) -> None:
    assert instrumented is None
    azure = openai.AzureOpenAI(azure_endpoint=stub.origin, api_key="stub", api_version="2025-04-01-preview")
    with azure as client:
        client.chat.completions.create(**ASKED)
    assert_whole(telemetry.attributes())
    assert telemetry.attributes()["gen_ai.provider.name"] == "azure.ai.openai"


@pytest.mark.parametrize(
    ("url", "provider", "port"),
    [
        ("https://api.openai.com/v1", "openai", 443),
        ("https://eu.api.openai.com/v1", "openai", 443),
        ("https://mine.openai.azure.com/openai", "azure.ai.openai", 443),
        ("https://mine.services.ai.azure.com/openai/v1", "azure.ai.openai", 443),
        ("https://models.inference.ai.azure.com", "azure.ai.inference", 443),
        ("https://api.deepseek.com", "deepseek", 443),
        ("https://api.perplexity.ai", "perplexity", 443),
        ("https://openrouter.ai/api/v1", "openrouter", 443),
        ("https://generativelanguage.googleapis.com/v1beta/openai/", "gcp.gemini", 443),
        ("https://api.groq.com/openai/v1", "groq", 443),
        # vLLM and LM Studio by their usual ports: any server of this API may stand there.
        ("http://localhost:8000/v1", "openai", 8000),
        ("http://localhost:1234/v1", "openai", 1234),
        ("https://notapi.openai.com.example.org/v1", "openai", 443),
    ],
)
def test_the_provider_is_named_by_the_endpoint(url: str, provider: str, port: int) -> None:
    operation = Inference("chat")
    hosts.read_provider(operation, openai.OpenAI(base_url=url, api_key="stub"), "openai")
    assert (operation.provider, operation.server_port) == (provider, port)


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        ("http://localhost:1234/v1", "lm_studio"),
        ("http://localhost:4321/v1", "openai"),
        ("https://gateway.example.org/v1", "mine"),
        ("https://gateway.example.org:8443/v1", "mine"),
        ("https://api.deepseek.com", "deepseek"),
    ],
)
def test_the_user_names_the_provider(url: str, provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_PROVIDER_HOSTS", "localhost:1234=lm_studio,gateway.example.org=mine")
    operation = Inference("chat")
    hosts.read_provider(operation, openai.OpenAI(base_url=url, api_key="stub"), "openai")
    assert operation.provider == provider


@pytest.mark.sampled
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fingerprint", "provider"),
    [("vllm-0.33.0-H100-tp8-bf16-a3b21f94", "vllm"), ("fp_ollama", "ollama"), ("fp_44709d6fcb", "openai")],
)
def test_a_server_that_anyone_runs_is_named_by_its_answer(
    client: openai.OpenAI, telemetry: Any, fingerprint: str, provider: str, *, stream: bool
) -> None:
    answer = client.chat.completions.create(**{**ASKED, "model": f"some+fingerprint={fingerprint}"}, stream=stream)
    list(answer)
    assert telemetry.attributes()["gen_ai.provider.name"] == provider


def test_azure_behind_a_gateway(telemetry: Any, instrumented: None) -> None:
    assert (instrumented, telemetry.spans()) == (None, [])
    operation = Inference("chat")
    azure = openai.AzureOpenAI(base_url="https://gateway.example.org/openai", api_key="stub", api_version="2025-04-01")
    hosts.read_provider(operation, azure, "openai")
    assert operation.provider == "azure.ai.openai"
