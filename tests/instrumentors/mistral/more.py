"""What Mistral's client does beyond the scenario set: conversations, chunks, its own tracing, its variants."""

from __future__ import annotations

import importlib.util
import json
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.answers_server import AnswersServer
from tests.instrumentors.mistral.library import ANSWER, ASKED, MODEL, SPAN, TOOLS, Mistral
from tests.instrumentors.run_scenarios import instrumented
from tests.semconv import exceptions

if TYPE_CHECKING:
    from collections.abc import Iterator

RELEASE = tuple(int(part) for part in version("mistralai").split(".")[:2])
ROOT = "mistralai" if RELEASE < (2, 0) else "mistralai.client"


@pytest.fixture(params=("sync", "async"))
def mistral(request: pytest.FixtureRequest, stub: Any) -> Iterator[Mistral]:
    driver = Mistral(str(request.param), stub)
    yield driver
    driver.close()


def attribute(span: Any, name: str) -> Any:
    value = span.attributes.get(name)
    return json.loads(value) if isinstance(value, str) and value[:1] in ("[", "{") else value


def usage(span: Any) -> dict[str, int]:
    head = "gen_ai.usage."
    told = {name: value for name, value in span.attributes.items() if name not in exceptions.VIEWERS}
    return {name[len(head) :]: value for name, value in told.items() if name.startswith(head)}


def test_cached_tokens(mistral: Mistral, telemetry: Any) -> None:
    with instrumented():
        mistral.chat(model=f"{MODEL}+cached")
    # Older releases drop what they don't know.
    kept = hasattr(import_module(f"{ROOT}.models").UsageInfo, "additional_properties")
    cached = {"cache_read.input_tokens": 1} if kept else {}
    assert usage(telemetry.span()) == {"input_tokens": 3, "output_tokens": 10, **cached}


def test_stream_without_usage(mistral: Mistral, telemetry: Any) -> None:
    with instrumented():
        mistral.read(mistral.stream(model=f"{MODEL}+no-usage"))
    assert usage(telemetry.span()) == {}


def test_request(mistral: Mistral, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    asked = [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Where to?"},
                {"type": "image_url", "image_url": "data:image/png;base64,YWJj"},
            ],
        },
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "c1", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}],
        },
        {"role": "tool", "tool_call_id": "c1", "name": "weather", "content": "rain"},
    ]
    with instrumented():
        mistral.chat(messages=asked, max_tokens=20, random_seed=7, stop=["END"])
    span = telemetry.span()
    wanted = {
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": 0.75,
        "gen_ai.request.max_tokens": 20,
        "gen_ai.request.seed": 7,
        "gen_ai.request.stop_sequences": ("END",),
        "server.address": mistral.stub.host,
        "server.port": mistral.stub.port,
    }
    assert {name: span.attributes.get(name) for name in wanted} == wanted
    assert [message["parts"] for message in attribute(span, "gen_ai.input.messages")] == [
        [{"type": "text", "content": "Be brief."}],
        [
            {"type": "text", "content": "Where to?"},
            {"type": "omitted_blob", "modality": "image", "mime_type": "image/png", "size": 3},
        ],
        [{"type": "tool_call", "id": "c1", "name": "weather", "arguments": '{"city": "Oslo"}'}],
        [{"type": "tool_call_response", "id": "c1", "response": "rain"}],
    ]


@pytest.mark.parametrize("streamed", [False, True])
def test_no_sentinel_gets_out(mistral: Mistral, telemetry: Any, with_content: None, *, streamed: bool) -> None:
    assert with_content is None
    with instrumented():
        for more in ({}, {"tools": TOOLS}):
            if streamed:
                mistral.read(mistral.stream(**more))
            else:
                mistral.chat(**more)
    said = str([dict(span.attributes) for span in telemetry.spans()])
    assert "nset" not in said
    assert "pydantic" not in said


def test_stream_that_is_left_in_its_context(mistral: Mistral, telemetry: Any) -> None:
    async def leave() -> Any:
        async with await mistral.stream() as kept:
            async for _ in kept:
                break
        return kept

    with instrumented():
        if mistral.kind == "sync":
            with mistral.stream() as kept:
                next(iter(kept))
        else:
            kept = mistral.run(leave())
        assert telemetry.attributes()["obs.response.stream_end"] == "abandoned"
    assert kept is not None


def _has(module: str) -> bool:
    return importlib.util.find_spec(f"{ROOT}.{module}") is not None


TRACES = _has("_hooks.tracing")
CONFIGURED = TRACES and importlib.util.find_spec("mistralai.extra.observability.telemetry") is not None


@pytest.mark.parametrize("streamed", [False, True])
def test_one_span_beside_native_tracing(
    mistral: Mistral, telemetry: Any, monkeypatch: pytest.MonkeyPatch, *, streamed: bool
) -> None:
    """Whether the client traces by a variable, or wherever there is a provider of spans."""
    from obs_run.runtime.process_runtime import runtime

    def ask() -> None:
        if streamed:
            mistral.read(mistral.stream())
        else:
            mistral.chat()

    runtime().set_up()
    monkeypatch.setenv("MISTRAL_SDK_TELEMETRY", "global")
    ask()
    assert len(telemetry.spans()) == (1 if TRACES else 0)
    telemetry.clear()
    before = telemetry.total("gen_ai.client.inference.usage.input_tokens")
    with instrumented():
        ask()
    assert [span.name for span in telemetry.spans()] == [SPAN]
    assert telemetry.total("gen_ai.client.inference.usage.input_tokens") - before == 3


def test_native_spans_for_others_stay(mistral: Mistral, telemetry: Any) -> None:
    """The user may let the client send its spans elsewhere, as to Mistral itself."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    elsewhere = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(elsewhere))
    if CONFIGURED:
        import_module("mistralai.extra.observability").configure_telemetry(mistral.client, provider=provider)
    with instrumented():
        mistral.chat()
    assert [span.name for span in telemetry.spans()] == [SPAN]
    assert len(elsewhere.get_finished_spans()) == (1 if CONFIGURED else 0)


if _has("conversations"):

    def _start(mistral: Mistral, **more: Any) -> Any:
        asked = {"inputs": "Where to?", "model": MODEL, **more}
        return mistral.run(mistral.call(mistral.client.beta.conversations, "start", **asked))

    def test_conversation(mistral: Mistral, telemetry: Any, with_content: None) -> None:
        assert with_content is None
        with instrumented():
            first = _start(mistral, instructions="Be brief.", completion_args={"temperature": 0.5})
            mistral.run(
                mistral.call(
                    mistral.client.beta.conversations,
                    "append",
                    conversation_id=first.conversation_id,
                    inputs=[{"type": "message.input", "role": "user", "content": "And when?"}],
                )
            )
        spans = sorted(telemetry.spans(), key=lambda span: int(span.start_time))
        assert [span.name for span in spans] == [SPAN, "chat"]
        assert {span.attributes["gen_ai.conversation.id"] for span in spans} == {first.conversation_id}
        assert spans[0].attributes["gen_ai.request.temperature"] == 0.5
        assert attribute(spans[0], "gen_ai.system_instructions") == [{"type": "text", "content": "Be brief."}]
        assert attribute(spans[1], "gen_ai.input.messages") == [
            {"role": "user", "parts": [{"type": "text", "content": "And when?"}]}
        ]
        assert attribute(spans[0], "gen_ai.output.messages") == [
            {"role": "assistant", "parts": [{"type": "text", "content": ANSWER}]}
        ]
        assert usage(spans[0]) == {"input_tokens": 3, "output_tokens": 8}

    def test_conversation_of_an_agent_with_tools_of_mistral(mistral: Mistral, telemetry: Any) -> None:
        with instrumented():
            _start(mistral, inputs="Where to? [stub:connectors]", model=None, agent_id="ag_1")
        span = telemetry.span()
        assert (span.name, span.attributes["gen_ai.agent.id"]) == ("chat", "ag_1")
        assert usage(span) == {"input_tokens": 107, "output_tokens": 8}

    @pytest.mark.parametrize("streamed", [False, True])
    def test_conversation_that_asks_for_tools(
        mistral: Mistral, telemetry: Any, with_content: None, *, streamed: bool
    ) -> None:
        assert with_content is None
        with instrumented():
            if streamed:
                asked = {"inputs": "Where to?", "model": MODEL, "tools": TOOLS}
                mistral.read(mistral.call(mistral.client.beta.conversations, "start_stream", **asked))
            else:
                _start(mistral, tools=TOOLS)
        span = telemetry.span()
        assert span.attributes["gen_ai.response.finish_reasons"] == ("tool_call",)
        assert span.attributes["obs.response.tool_calls"] == ("weather", "hotels")
        parts = attribute(span, "gen_ai.output.messages")[0]["parts"]
        assert [(part["name"], part["arguments"]) for part in parts] == [
            ("weather", '{"city": "Lisbon"}'),
            ("hotels", '{"city": "Lisbon"}'),
        ]

    def test_stream_of_a_conversation(mistral: Mistral, telemetry: Any, with_content: None) -> None:
        assert with_content is None
        with instrumented():
            asked = {"inputs": "Where to?", "model": MODEL}
            mistral.read(mistral.call(mistral.client.beta.conversations, "start_stream", **asked))
        span = telemetry.span()
        assert span.attributes["gen_ai.request.stream"] is True
        assert span.attributes["gen_ai.conversation.id"].startswith("conv_")
        assert span.attributes["gen_ai.response.model"] == MODEL
        assert usage(span) == {"input_tokens": 3, "output_tokens": 8}
        assert attribute(span, "gen_ai.output.messages") == [
            {"role": "assistant", "parts": [{"type": "text", "content": ANSWER}]}
        ]

    @pytest.mark.parametrize("streamed", [False, True])
    def test_thoughts(mistral: Mistral, telemetry: Any, with_content: None, *, streamed: bool) -> None:
        assert with_content is None
        with instrumented():
            if streamed:
                mistral.read(mistral.stream(model=f"{MODEL}+thinking"))
            else:
                mistral.chat(model=f"{MODEL}+thinking")
        assert attribute(telemetry.span(), "gen_ai.output.messages")[0]["parts"] == [
            {"type": "reasoning", "content": "First I think about it."},
            {"type": "text", "content": ANSWER},
        ]


if _has("responses"):

    @pytest.mark.parametrize("streamed", [False, True])
    def test_responses(mistral: Mistral, telemetry: Any, with_content: None, *, streamed: bool) -> None:
        assert with_content is None
        with instrumented():
            made = mistral.call(mistral.client.responses, "create", model=MODEL, input="Where to?", stream=streamed)
            if streamed:
                mistral.read(made)
            else:
                mistral.run(made)
        span = telemetry.span()
        assert span.name == SPAN
        assert span.attributes["gen_ai.response.finish_reasons"] == ("stop",)
        assert usage(span)["input_tokens"] == 3
        assert not [name for name in span.attributes if name.startswith("openai.")]
        assert attribute(span, "gen_ai.output.messages")[0]["parts"][0]["content"] == ANSWER


def test_parsed_answer(mistral: Mistral, telemetry: Any) -> None:
    pydantic = import_module("pydantic")
    trip = pydantic.create_model("Trip", city=(str, ...))
    with instrumented():
        answer = mistral.run(mistral.call(mistral.client.chat, "parse", response_format=trip, **ASKED))
    assert answer.choices[0].message.parsed.city == "Lisbon"
    span = telemetry.span()
    assert (span.name, span.attributes["gen_ai.output.type"]) == (SPAN, "json")


def test_verdicts_and_documents(mistral: Mistral, telemetry: Any) -> None:
    with instrumented():
        mistral.run(mistral.call(mistral.client.classifiers, "moderate", model="mistral-moderation", inputs=["a", "b"]))
        document = {"type": "document_url", "document_url": "https://example.org/a.pdf"}
        mistral.run(mistral.call(mistral.client.ocr, "process", model="mistral-ocr", document=document))
    told = {span.name: dict(span.attributes) for span in telemetry.spans()}
    assert sorted(told) == ["moderation mistral-moderation", "ocr mistral-ocr"]
    assert told["moderation mistral-moderation"]["obs.request.input_count"] == 2


def test_azure(mistral: Mistral, telemetry: Any) -> None:
    place = f"{mistral.stub.origin}/mistral"
    if RELEASE < (2, 0):
        made = import_module("mistralai_azure").MistralAzure
        client = made(azure_api_key="stub", azure_endpoint=place)
    else:
        client = import_module("mistralai.azure.client").MistralAzure(api_key="stub", server_url=place)
    with instrumented():
        mistral.run(mistral.call(client.chat, "complete", **ASKED))
        mistral.read(mistral.call(client.chat, "stream", **ASKED))
    spans = telemetry.spans()
    assert [span.name for span in spans] == [SPAN, SPAN]
    assert {span.attributes["gen_ai.provider.name"] for span in spans} == {"azure.ai.inference"}
    assert [usage(span)["input_tokens"] for span in spans] == [3, 3]


def test_a_batch_is_no_call_of_a_model(telemetry: Any) -> None:
    job = {
        "id": "1",
        "object": "batch",
        "input_files": ["f"],
        "endpoint": "/v1/chat/completions",
        "model": MODEL,
        "errors": [],
        "status": "SUCCESS",
        "created_at": 1,
        "total_requests": 1,
        "completed_requests": 1,
        "succeeded_requests": 1,
        "failed_requests": 0,
        "usage": {"prompt_tokens": 3, "completion_tokens": 10, "total_tokens": 13},
    }
    with AnswersServer(job) as server, instrumented():
        client = import_module(ROOT).Mistral(api_key="none", server_url=server.origin)
        jobs = client.batch.jobs
        assert jobs.create(input_files=["f"], endpoint="/v1/chat/completions", model=MODEL).id == "1"
        assert jobs.get(job_id="1").succeeded_requests == 1
        jobs.cancel(job_id="1")
    # Some releases make a span of their own of each request.
    assert [span for span in telemetry.spans() if span.instrumentation_scope.name == "obs_run"] == []
    telemetry.clear()
