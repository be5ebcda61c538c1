"""LiteLLM over OpenAI's client with both under our hooks, its Router, and usage that it counted by itself."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.litellm.library import ASKED, LIBRARY, MODEL, USAGE, LiteLLM

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKENS = {
    f"gen_ai.usage.{direction}_tokens": f"gen_ai.client.inference.usage.{direction}_tokens"
    for direction in ("input", "output")
}


@pytest.fixture(params=LIBRARY.kinds)
def its(request: pytest.FixtureRequest, stub: Any, telemetry: Any) -> Iterator[LiteLLM]:
    """LiteLLM and OpenAI's client, both instrumented, as an agent's process has them."""
    from obs_instrumentors import TABLE

    from obs_run.core import hooks

    assert telemetry is not None
    importlib.import_module("litellm")
    for module, instrumentor in TABLE.items():
        if instrumentor in ("obs_instrumentors.litellm", "obs_instrumentors.openai") and module in sys.modules:
            hooks.instrument(instrumentor, sys.modules[module])
    assert {status.instrumentor.library: status.skipped for status in hooks.statuses()} == {
        "litellm": None,
        "openai": None,
    }
    driver = LiteLLM(request.param, stub)
    stub.reset()
    yield driver
    driver.close()
    hooks.undo()


def _sent(its: LiteLLM) -> int:
    return len(its.stub.requests)


@pytest.mark.parametrize("how", ["whole", "stream", "completion", "stream of a completion", "response"])
def test_one_span_over_openai(its: LiteLLM, telemetry: Any, how: str) -> None:
    before = {name: telemetry.total(metric) for name, metric in _TOKENS.items()}
    asking = {"stream": True, "stream_options": {"include_usage": True}}
    if how == "whole":
        its.chat()
    elif how == "stream":
        its.read(its.call("completion", **ASKED, **asking))
    elif how == "completion":
        its.run(its.call("text_completion", model=f"openai/{MODEL}", prompt="Where to?"))
    elif how == "stream of a completion":
        name = "text-completion-openai/gpt-3.5-turbo-instruct"
        its.read(its.call("text_completion", model=name, prompt="Where to?", **asking))
    elif hasattr(its.package, "responses"):
        its.run(its.call("responses", model=f"openai/{MODEL}", input="Where to?"))
    else:
        # The oldest release has no responses.
        its.chat()
    assert _sent(its) == 1
    attributes = telemetry.attributes()
    assert attributes["gen_ai.provider.name"] == "openai"
    assert {name: attributes[name] for name in _TOKENS} == {name: USAGE[name] for name in _TOKENS}
    counted = {name: telemetry.total(metric) - before[name] for name, metric in _TOKENS.items()}
    assert counted == {name: USAGE[name] for name in _TOKENS}


def test_embeddings_over_openai(its: LiteLLM, telemetry: Any) -> None:
    its.run(its.call("embedding", model="openai/text-embedding-3-small", input=["Where to?"]))
    assert telemetry.span().name == "embeddings text-embedding-3-small"


def test_place_and_retries_are_known(its: LiteLLM, telemetry: Any) -> None:
    """The client below LiteLLM tries again, within the one call that the agent made."""
    its.chat(model=f"openai/{MODEL}+429-once")
    assert _sent(its) == 2
    attributes = telemetry.attributes()
    assert attributes["obs.request.retries"] == 1
    assert (attributes["server.address"], attributes["server.port"]) == (its.stub.host, its.stub.port)


@pytest.mark.parametrize("stream", [False, True])
def test_fallback_of_a_router(its: LiteLLM, telemetry: Any, *, stream: bool) -> None:
    """The deployment that failed and the one that answered, each as what it is."""
    here = {"api_base": its.stub.url, "api_key": "none"}
    models = {"first": "openai/stub-400", "second": f"openai/{MODEL}"}
    deployments = [{"model_name": name, "litellm_params": {"model": model, **here}} for name, model in models.items()]
    router = its.package.Router(model_list=deployments, fallbacks=[{"first": ["second"]}], num_retries=0)
    ask = router.completion if its.kind == "sync" else router.acompletion
    answer = ask(model="first", messages=ASKED["messages"], stream=stream)
    if stream:
        its.read(answer)
    else:
        its.run(answer)
    failed, answered = telemetry.spans()
    assert failed.name == "chat stub-400"
    assert failed.attributes["error.type"] == "litellm.exceptions.BadRequestError"
    assert answered.name == f"chat {MODEL}"
    assert answered.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert "error.type" not in answered.attributes


@pytest.mark.parametrize("model", [f"openai/{MODEL}+no-usage", "ollama_chat/llama3.2+no-usage"])
def test_own_counts_are_not_told(its: LiteLLM, telemetry: Any, model: str) -> None:
    if model.startswith("ollama") and its.kind == "async" and not hasattr(its.package, "responses"):
        # Release 1.60 shows the body of this answer to nobody, and so nobody can tell whose counts they are.
        return
    base = {"api_base": its.stub.origin} if model.startswith("ollama") else {}
    answer = its.run(its.call("completion", **{**ASKED, "model": model, **base}))
    assert answer.usage is not None
    assert not [name for name in telemetry.attributes() if "usage" in name or "cost" in name]


def test_own_counts_of_a_stream_are_not_told(its: LiteLLM, telemetry: Any) -> None:
    """Asked for usage, LiteLLM ends a stream with its own count where the provider tells none."""
    stream = its.call(
        "completion",
        **{**ASKED, "model": "ollama_chat/llama3.2+no-usage", "api_base": its.stub.origin},
        stream=True,
        stream_options={"include_usage": True},
    )
    *_, last = its.read(stream)
    assert last.usage.total_tokens > 0
    assert not [name for name in telemetry.attributes() if "usage" in name]


def test_mocked_answer_is_no_usage(its: LiteLLM, telemetry: Any) -> None:
    its.chat(mock_response="Nowhere.")
    assert _sent(its) == 0
    assert not [name for name in telemetry.attributes() if "usage" in name]


def test_nobody_to_answer(its: LiteLLM, telemetry: Any) -> None:
    with pytest.raises(its.package.BadRequestError):
        its.chat(model="no-such-model")
    attributes = telemetry.attributes()
    assert attributes["gen_ai.provider.name"] == "litellm"
    assert attributes["error.type"] == "litellm.exceptions.BadRequestError"
