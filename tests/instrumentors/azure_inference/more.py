"""What Azure AI Inference's scenarios leave out: its own tracing, image embeddings, ways to say a request."""

from __future__ import annotations

import json
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.azure_inference.library import ANSWER, ASKED, MODEL, Azure
from tests.instrumentors.run_scenarios import instrumented

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = {"model": MODEL, "messages": ASKED["messages"], "max_tokens": 9}


@pytest.fixture(params=("sync", "async"))
def client(request: pytest.FixtureRequest, stub: Any, telemetry: Any) -> Iterator[Azure]:
    assert telemetry is not None
    driver = Azure(request.param, stub)
    stub.reset()
    with instrumented():
        yield driver
    driver.close()


@pytest.mark.parametrize("body", [BODY, json.dumps(BODY).encode()], ids=("dict", "bytes"))
def test_a_body_of_the_agents_own(body: Any, client: Azure, telemetry: Any) -> None:
    client.run(client.client.complete(body))
    told = telemetry.attributes()
    assert told["gen_ai.request.model"] == MODEL
    assert told["gen_ai.request.max_tokens"] == 9


def test_messages_as_objects(client: Azure, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    models = import_module("azure.ai.inference.models")
    said = [models.SystemMessage(content="Be kind."), models.UserMessage(content="Where to?")]
    client.chat(messages=said)
    told = json.loads(telemetry.attributes()["gen_ai.input.messages"])
    assert [(message["role"], message["parts"][0]["content"]) for message in told] == [
        ("system", "Be kind."),
        ("user", "Where to?"),
    ]


def test_a_stream_as_context(stub: Any, telemetry: Any) -> None:
    client = Azure("sync", stub)
    with instrumented():
        stream = client.asked(stream=True, extras={"model": f"{MODEL}+slow=0.05"})
        next(stream)
        stream.__exit__(None, None, None)
        assert telemetry.attributes()["obs.response.stream_end"] == "abandoned"
    client.close()


def test_image_embeddings(client: Azure, telemetry: Any) -> None:
    client.embed("ImageEmbeddingsClient", [{"image": "data:image/png;base64,c3R1Yg=="}])
    assert telemetry.span().name == f"embeddings {MODEL}"
    assert telemetry.attributes()["obs.request.input_count"] == 1


if find_spec("azure.ai.inference.tracing"):

    @pytest.fixture
    def own_tracing() -> Iterator[Any]:
        settings = import_module("azure.core.settings").settings
        settings.tracing_implementation = "opentelemetry"
        instrumentor = import_module("azure.ai.inference.tracing").AIInferenceInstrumentor()
        yield instrumentor
        settings.tracing_implementation.unset_value()
        instrumentor.uninstrument()

    @pytest.mark.parametrize("stream", [False, True])
    def test_own_tracing_tells_nothing_twice(stream: bool, client: Azure, own_tracing: Any, telemetry: Any) -> None:  # noqa: FBT001
        own_tracing.instrument()
        assert own_tracing.is_instrumented()
        if stream:
            client.stream()
        else:
            _, answer = client.chat()
            assert answer["choices"][0]["message"]["content"] == ANSWER
        inferences = [span for span in telemetry.spans() if "gen_ai.operation.name" in span.attributes]
        assert [span.name for span in inferences] == [f"chat {MODEL}"]
