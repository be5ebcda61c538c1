"""What Google's client does beyond the scenario set: functions it runs itself, Vertex AI, media, usage."""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.google_genai.library import MODEL, SPAN, Gemini
from tests.instrumentors.run_scenarios import instrumented
from tests.instrumentors.trees import Node, assert_trees
from tests.semconv import exceptions

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=("sync", "async"))
def gemini(request: pytest.FixtureRequest, stub: Any) -> Iterator[Gemini]:
    driver = Gemini(str(request.param), stub)
    yield driver
    driver.close()


def weather(city: str) -> str:
    """Tells the weather."""
    return f"sunny in {city}"


def storm(city: str) -> str:
    """Tells nothing."""
    raise LookupError(city)


async def forecast(city: str) -> str:
    """Tells the weather, later."""
    return f"rain in {city}"


# Older releases don't resolve annotations that are text.
for _function in (weather, storm, forecast):
    _function.__annotations__ = {"city": str, "return": str}


def attribute(span: Any, name: str) -> Any:
    value = span.attributes.get(name)
    return json.loads(value) if isinstance(value, str) and value[:1] in ("[", "{") else value


def _named(spans: list[Any]) -> list[str]:
    return [span.name for span in sorted(spans, key=lambda span: int(span.start_time))]


def test_functions_that_the_client_runs(gemini: Gemini, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    with instrumented():
        answer = gemini.generate(config={"tools": [weather]})
    assert answer.text == 'Based on the tools: {"result": "sunny in Lisbon"}'
    spans = telemetry.spans()
    assert_trees(spans, Node(SPAN), Node("execute_tool weather", kind="INTERNAL"), Node(SPAN))
    tool = next(span for span in spans if span.name == "execute_tool weather")
    assert dict(tool.attributes) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "weather",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.description": "Tells the weather.",
        "gen_ai.tool.call.arguments": '{"city":"Lisbon"}',
        "gen_ai.tool.call.result": "sunny in Lisbon",
    }
    second = max((span for span in spans if span.name == SPAN), key=lambda span: int(span.start_time))
    assert [message["role"] for message in attribute(second, "gen_ai.input.messages")] == ["user", "assistant", "tool"]
    assert attribute(second, "gen_ai.input.messages")[2]["parts"] == [
        {"type": "tool_call_response", "id": None, "response": {"result": "sunny in Lisbon"}}
    ]


def test_function_that_fails(gemini: Gemini, telemetry: Any) -> None:
    with instrumented():
        gemini.generate(config={"tools": [storm]})
    failed = Node("execute_tool storm", status="ERROR", attributes={"error.type": "LookupError"})
    assert_trees(telemetry.spans(), Node(SPAN), failed, Node(SPAN))


def test_function_that_is_async(stub: Any, telemetry: Any) -> None:
    gemini = Gemini("async", stub)
    with instrumented():
        answer = gemini.generate(config={"tools": [forecast]})
        gemini.close()
    assert answer.text == 'Based on the tools: {"result": "rain in Lisbon"}'
    assert_trees(telemetry.spans(), Node(SPAN), Node("execute_tool forecast"), Node(SPAN))


def test_functions_amid_a_stream(gemini: Gemini, telemetry: Any) -> None:
    with instrumented():
        _, *pieces = gemini.read(gemini.stream(config={"tools": [weather]}))
    assert pieces[-1].text.endswith('Lisbon"}')
    assert_trees(telemetry.spans(), Node(SPAN), Node("execute_tool weather"), Node(SPAN))


def test_chat_session(gemini: Gemini, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    with instrumented():
        chat = gemini.client.chats.create(model=MODEL)
        gemini.run(chat.send_message("Where to?"))
        gemini.run(chat.send_message("And when?"))
    spans = sorted(telemetry.spans(), key=lambda span: int(span.start_time))
    assert _named(spans) == [SPAN, SPAN]
    assert [len(attribute(span, "gen_ai.input.messages")) for span in spans] == [1, 3]


def test_every_detail_of_usage(gemini: Gemini, telemetry: Any) -> None:
    with instrumented():
        gemini.generate(model=f"{MODEL}+usage-all")
    told = telemetry.attributes()
    counts = {name: value for name, value in told.items() if name.startswith("gen_ai.usage.")}
    assert {name: value for name, value in counts.items() if name not in exceptions.VIEWERS} == {
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 70,
        "gen_ai.usage.cache_read.input_tokens": 1,
        "gen_ai.usage.reasoning.output_tokens": 64,
        "gen_ai.usage.text.input_tokens": 9,
        "gen_ai.usage.image.input_tokens": 1,
        "gen_ai.usage.audio.output_tokens": 6,
        "gen_ai.usage.audio.cache_read.input_tokens": 1,
    }


def test_no_usage_stays_unknown(gemini: Gemini, telemetry: Any) -> None:
    with instrumented():
        gemini.read(gemini.stream(model=f"{MODEL}+no-usage"))
    assert not [name for name in telemetry.attributes() if name.startswith("gen_ai.usage.")]


@pytest.mark.parametrize(("switch", "reason"), [("length", "length"), ("content-filter", "content_filter")])
def test_finish_reasons(gemini: Gemini, telemetry: Any, switch: str, reason: str) -> None:
    with instrumented():
        gemini.generate(model=f"{MODEL}+{switch}")
    assert telemetry.attributes()["gen_ai.response.finish_reasons"] == (reason,)


def test_request_and_media(gemini: Gemini, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    types = import_module("google.genai.types")
    picture = types.Part.from_bytes(data=b"abc", mime_type="image/png")
    paper = types.Part.from_uri(file_uri="gs://stub/paper.pdf", mime_type="application/pdf")
    config = types.GenerateContentConfig(
        system_instruction="Be brief.",
        temperature=0.5,
        top_p=0.25,
        max_output_tokens=20,
        stop_sequences=["END"],
        seed=7,
        presence_penalty=0.5,
        frequency_penalty=1.5,
        http_options={"extra_body": {"generationConfig": {"candidateCount": 2}}},
        tools=[types.Tool(google_search=types.GoogleSearch())],
    )
    with instrumented():
        gemini.generate(model=f"{MODEL}+thoughts", contents=["Where to?", picture, paper], config=config)
    span = telemetry.span()
    wanted = {
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": 0.25,
        "gen_ai.request.max_tokens": 20,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.request.seed": 7,
        "gen_ai.request.presence_penalty": 0.5,
        "gen_ai.request.frequency_penalty": 1.5,
        "gen_ai.request.choice.count": 2,
        "server.address": gemini.stub.host,
        "server.port": gemini.stub.port,
    }
    assert {name: span.attributes.get(name) for name in wanted} == wanted
    assert attribute(span, "gen_ai.system_instructions") == [{"type": "text", "content": "Be brief."}]
    assert attribute(span, "gen_ai.tool.definitions")[0]["type"] in ("googleSearch", "google_search")
    assert attribute(span, "gen_ai.input.messages")[0]["parts"] == [
        {"type": "text", "content": "Where to?"},
        {"type": "omitted_blob", "modality": "image", "mime_type": "image/png", "size": 3},
        {
            "type": "uri",
            "modality": "document",
            "mime_type": "application/pdf",
            "uri": "gs://stub/paper.pdf",
        },
    ]
    assert attribute(span, "gen_ai.output.messages")[0]["parts"][0] == {
        "type": "reasoning",
        "content": "First I think about it.",
    }


def test_tokens_counted(gemini: Gemini, telemetry: Any) -> None:
    with instrumented():
        gemini.run(gemini.client.models.count_tokens(model=MODEL, contents="Where to?"))
    assert telemetry.span().name == f"count_tokens {MODEL}"


@pytest.fixture(params=("sync", "async"))
def vertex(request: pytest.FixtureRequest, stub: Any) -> Iterator[Gemini]:
    anonymous = import_module("google.auth.credentials").AnonymousCredentials()
    anonymous.token = "stub"
    driver = Gemini(
        str(request.param), stub, vertexai=True, project="p", location="europe-west4", credentials=anonymous
    )
    yield driver
    driver.close()


def test_vertex_ai(vertex: Gemini, telemetry: Any) -> None:
    with instrumented():
        vertex.generate()
        vertex.run(vertex.client.models.embed_content(model="text-embedding-005", contents=["Where to?", "When?"]))
    spans = {span.name: dict(span.attributes) for span in telemetry.spans()}
    assert sorted(spans) == ["embeddings text-embedding-005", SPAN]
    assert {told["gen_ai.provider.name"] for told in spans.values()} == {"gcp.vertex_ai"}
    assert spans["embeddings text-embedding-005"]["gen_ai.usage.input_tokens"] == 5


def test_images(vertex: Gemini, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    with instrumented():
        vertex.run(
            vertex.client.models.generate_images(
                model="imagen-4.0-generate-001", prompt="a cat", config={"number_of_images": 2}
            )
        )
    span = telemetry.span()
    assert span.name == "image_generation imagen-4.0-generate-001"
    assert span.attributes["gen_ai.output.type"] == "image"
    assert span.attributes["gen_ai.request.choice.count"] == 2
    assert (
        attribute(span, "gen_ai.output.messages")[0]["parts"]
        == [{"type": "omitted_blob", "modality": "image", "mime_type": "image/png", "size": 4}] * 2
    )
