"""What the scenarios of watsonx.ai leave out: several prompts, texts alone, parameters as objects."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.run_scenarios import instrumented
from tests.instrumentors.watsonx.library import ANSWER, MODEL, SAID, Watsonx

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def client(stub: Any, telemetry: Any) -> Iterator[Watsonx]:
    assert telemetry is not None
    driver = Watsonx("sync", stub)
    stub.reset()
    with instrumented():
        yield driver
    driver.close()


def test_several_prompts_are_one_call(client: Watsonx, telemetry: Any) -> None:
    assert client.model().generate_text(["Where to?", "Where to?"]) == [ANSWER, ANSWER]
    told = telemetry.attributes()
    assert told["obs.request.input_count"] == 2
    assert told["gen_ai.usage.input_tokens"] == 6
    assert told["gen_ai.usage.output_tokens"] == 20


def test_several_prompts_as_they_come(client: Watsonx, telemetry: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        returned = client.model().generate(["Where to?", "Where to?"], async_mode=True)
    assert telemetry.spans() == []
    assert len(list(returned)) == 2
    assert telemetry.span().name == f"text_completion {MODEL}"
    assert telemetry.attributes()["gen_ai.usage.output_tokens"] == 20


def test_text_alone_is_one_call(client: Watsonx, telemetry: Any) -> None:
    assert client.model().generate_text("Where to?") == ANSWER
    assert telemetry.attributes()["gen_ai.usage.output_tokens"] == 10


def test_raw_events(client: Watsonx, telemetry: Any) -> None:
    events = client.read(client.texts(raw_response=True))
    assert events[1]["results"][0]["generated_text"] == "This "
    assert telemetry.attributes()["gen_ai.usage.output_tokens"] == 8


def test_parameters_as_objects(client: Watsonx, telemetry: Any) -> None:
    schema = import_module("ibm_watsonx_ai.foundation_models.schema")
    client.model().chat(SAID, schema.TextChatParameters(max_tokens=9, temperature=0.25))
    told = telemetry.attributes()
    assert told["gen_ai.request.max_tokens"] == 9
    assert told["gen_ai.request.temperature"] == 0.25


def test_documents_are_embeddings(client: Watsonx, telemetry: Any) -> None:
    model = client.models.Embeddings(model_id=MODEL, api_client=client.api)
    assert len(model.embed_documents(["a", "b", "c"])) == 3
    assert telemetry.attributes()["obs.request.input_count"] == 3
