"""Whom LiteLLM asks, and what is read from its answers, without LiteLLM."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from obs_instrumentors.litellm import calls
from obs_instrumentors.wire import litellm_providers

from obs_run.core.operations import Embedding, ModelCall, Usage
from obs_run.core.outcomes import Call

FUNCTIONS = {function.name: function for function in calls.FUNCTIONS}


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"claude-sonnet-4-5": {"litellm_provider": "anthropic"}}
    names = ["openai", "anthropic", "bedrock", "openrouter"]
    monkeypatch.setitem(sys.modules, "litellm", SimpleNamespace(provider_list=names, model_cost=known))


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"model": "openai/gpt-5"}, ("openai", "gpt-5")),
        ({"model": "openrouter/anthropic/claude"}, ("openrouter", "anthropic/claude")),
        ({"model": "bedrock/anthropic.claude-v2:1"}, ("aws.bedrock", "anthropic.claude-v2:1")),
        ({"model": "claude-sonnet-4-5"}, ("anthropic", "claude-sonnet-4-5")),
        ({"model": "gpt-5", "custom_llm_provider": "azure"}, ("azure.ai.openai", "gpt-5")),
        ({"model": "azure/gpt-5", "custom_llm_provider": "azure"}, ("azure.ai.openai", "gpt-5")),
        ({"model": "meta/llama", "custom_llm_provider": "vertex_ai-llama_models"}, ("gcp.vertex_ai", "meta/llama")),
        ({"model": "who/knows"}, ("litellm", "who/knows")),
        ({}, ("litellm", None)),
    ],
)
def test_names(body: dict[str, Any], named: tuple[str, str | None]) -> None:
    assert litellm_providers.provider_and_model(body) == named


def begun(name: str, *args: Any, **kwargs: Any) -> Any:
    found = calls.start_operation(FUNCTIONS[name], Call(None, args, kwargs))
    assert found is not None
    return found


def test_arguments_by_place() -> None:
    operation, _ = begun("completion", "anthropic/claude-sonnet-4-5", [], temperature=0.2, stop=["."])
    assert operation.attributes() == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-sonnet-4-5",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.stop_sequences": ["."],
    }


def test_coroutine_of_the_sync_function_is_left_alone() -> None:
    assert calls.start_operation(FUNCTIONS["completion"], Call(None, ("gpt-5",), {"acompletion": True})) is None


ANSWER: dict[str, Any] = {
    "id": "chatcmpl-1",
    "model": "claude-sonnet-4-5-20250929",
    "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "Oslo."}}],
    "usage": {
        "prompt_tokens": 120,
        "completion_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 80, "cache_creation_tokens": 30},
    },
}


def test_usage_with_both_kinds_of_cache() -> None:
    operation, reader = begun("completion", "claude-sonnet-4-5", [])
    reader.result(operation, ANSWER)
    assert operation.usage == Usage(input_tokens=120, output_tokens=7, cache_read_tokens=80, cache_write_tokens=30)


@pytest.mark.parametrize(
    ("body", "known"),
    [('{"usage": {"input_tokens": 3}}', True), ('{"eval_count": 3}', True), ('{"content": "Oslo."}', False)],
)
def test_usage_that_the_body_does_not_tell(body: str, *, known: bool) -> None:
    operation, reader = begun("completion", "claude-sonnet-4-5", [])
    calls.read_body(operation, Call(None, (), {"original_response": body}))
    reader.result(operation, ANSWER)
    assert (operation.usage is not None) == known


def test_cached_answers_cost_nothing() -> None:
    operation, reader = begun("completion", "claude-sonnet-4-5", [])
    reader.result(operation, {**ANSWER, "_hidden_params": {"cache_hit": True}})
    assert operation.usage is None


def test_usage_in_two_chunks() -> None:
    operation = ModelCall("chat")
    for told in ({"prompt_tokens": 9, "completion_tokens": 1}, None, {"prompt_tokens": 0, "completion_tokens": 5}):
        calls.read_provider_chunk(operation, Call(SimpleNamespace(), (), {"chunk": {"usage": told}}))
    assert operation.usage == Usage(input_tokens=9, output_tokens=5)


def test_embeddings_have_no_output() -> None:
    operation, reader = begun("embedding", "openai/text-embedding-3-small", ["a", "b"])
    assert isinstance(operation, Embedding)
    reader.result(operation, {"model": "text-embedding-3-small", "usage": {"prompt_tokens": 2, "completion_tokens": 0}})
    assert operation.usage == Usage(input_tokens=2)


def test_place() -> None:
    operation = ModelCall("chat")
    calls.read_address(operation, Call(None, ([], "key"), {"additional_args": {"api_base": "https://api.x.ai/v1"}}))
    calls.read_provider(operation, Call(None, (), {"custom_llm_provider": "xai"}))
    assert (operation.server_address, operation.server_port, operation.provider) == ("api.x.ai", 443, "x_ai")
