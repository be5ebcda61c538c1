"""The interactions API of Google's client, in the releases that have its present form."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.google_genai.library import ANSWER, MODEL, SPAN, Gemini
from tests.instrumentors.run_scenarios import instrumented
from tests.semconv import exceptions

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = [{"type": "function", "name": name, "parameters": SCHEMA} for name in ("weather", "hotels")]


@pytest.fixture(params=("sync", "async"))
def gemini(request: pytest.FixtureRequest, stub: Any) -> Iterator[Gemini]:
    driver = Gemini(str(request.param), stub)
    yield driver
    driver.close()


def attribute(span: Any, name: str) -> Any:
    value = span.attributes.get(name)
    return json.loads(value) if isinstance(value, str) and value[:1] in ("[", "{") else value


def usage(span: Any) -> dict[str, int]:
    head = "gen_ai.usage."
    told = {name: value for name, value in span.attributes.items() if name not in exceptions.VIEWERS}
    return {name[len(head) :]: value for name, value in told.items() if name.startswith(head)}


def _create(gemini: Gemini, **more: Any) -> Any:
    return gemini.client.interactions.create(**{"model": MODEL, "input": "Where to?", **more})


def _present() -> bool:
    from importlib.util import find_spec

    return int(version("google-genai").split(".")[0]) > 1 and find_spec("google.genai._gaos") is not None


def test_releases() -> None:
    """What is not tested here is what the release does not have."""
    assert _present() == (int(version("google-genai").split(".")[0]) > 1)


if _present():

    def test_turns(gemini: Gemini, telemetry: Any, with_content: None) -> None:
        assert with_content is None
        with instrumented():
            first = gemini.run(
                _create(
                    gemini,
                    system_instruction="Be brief.",
                    generation_config={"temperature": 0.5, "max_output_tokens": 20, "thinking_level": "low"},
                )
            )
            picture = {"type": "image", "data": "YWJj", "mime_type": "image/png"}
            words = {"type": "text", "text": "And this?"}
            gemini.run(_create(gemini, input=[words, picture], previous_interaction_id=first.id))
        spans = sorted(telemetry.spans(), key=lambda span: int(span.start_time))
        assert [span.name for span in spans] == [SPAN, SPAN]
        wanted = {
            "gen_ai.provider.name": "gcp.gemini",
            "gen_ai.request.temperature": 0.5,
            "gen_ai.request.max_tokens": 20,
            "gen_ai.request.reasoning.level": "low",
            "gen_ai.response.id": first.id,
            "gen_ai.response.model": MODEL,
            "gen_ai.response.status": "completed",
            "gen_ai.response.finish_reasons": ("stop",),
            "server.port": gemini.stub.port,
        }
        assert {name: spans[0].attributes.get(name) for name in wanted} == wanted
        assert usage(spans[0]) == {"input_tokens": 3, "output_tokens": 6}
        assert attribute(spans[0], "gen_ai.system_instructions") == [{"type": "text", "content": "Be brief."}]
        assert attribute(spans[0], "gen_ai.output.messages") == [
            {"role": "assistant", "parts": [{"type": "text", "content": ANSWER}], "finish_reason": "stop"}
        ]
        assert spans[1].attributes["gen_ai.request.previous_response.id"] == first.id
        assert attribute(spans[1], "gen_ai.input.messages")[0]["parts"] == [
            {"type": "text", "content": "And this?"},
            {"type": "omitted_blob", "modality": "image", "mime_type": "image/png", "size": 3},
        ]

    @pytest.mark.parametrize("streamed", [False, True])
    def test_functions_asked_for(gemini: Gemini, telemetry: Any, with_content: None, *, streamed: bool) -> None:
        assert with_content is None
        with instrumented():
            if streamed:
                gemini.read(_create(gemini, tools=TOOLS, stream=True))
            else:
                gemini.run(_create(gemini, tools=TOOLS))
        span = telemetry.span()
        assert span.attributes.get("gen_ai.request.stream") == (True if streamed else None)
        assert attribute(span, "gen_ai.tool.definitions") == TOOLS
        assert span.attributes["obs.response.tool_calls"] == ("weather", "hotels")
        parts = attribute(span, "gen_ai.output.messages")[0]["parts"]
        assert [(part["type"], part["name"], part["arguments"]) for part in parts] == [
            ("tool_call", "weather", {"city": "Lisbon"}),
            ("tool_call", "hotels", {"city": "Lisbon"}),
        ]

    def test_stream_of_thoughts(gemini: Gemini, telemetry: Any, with_content: None) -> None:
        assert with_content is None
        with instrumented():
            gemini.read(_create(gemini, model=f"{MODEL}+thoughts+usage-all", stream=True))
        span = telemetry.span()
        assert "gen_ai.response.time_to_first_chunk" in span.attributes
        assert usage(span) == {
            "input_tokens": 10,
            "output_tokens": 70,
            "cache_read.input_tokens": 1,
            "reasoning.output_tokens": 64,
        }
        assert attribute(span, "gen_ai.output.messages")[0]["parts"] == [
            {"type": "reasoning", "content": "First I think about it."},
            {"type": "text", "content": ANSWER},
        ]

    def test_fetched_again(gemini: Gemini, telemetry: Any) -> None:
        made = gemini.run(_create(gemini))
        with instrumented():
            gemini.run(gemini.client.interactions.get(made.id))
        span = telemetry.span()
        assert span.name == "fetch_response"
        assert span.attributes["gen_ai.response.id"] == made.id
        assert usage(span) == {}

    def test_failure(gemini: Gemini, telemetry: Any) -> None:
        with instrumented(), pytest.raises(Exception, match="400"):
            gemini.run(_create(gemini, model="stub-400"))
        assert telemetry.attributes()["error.type"] == "INVALID_ARGUMENT"

    def test_rate_limit(gemini: Gemini, telemetry: Any) -> None:
        with instrumented():
            gemini.run(_create(gemini, model="stub-429-once"))
        assert telemetry.attributes()["obs.request.retries"] == 1


if int(version("google-genai").split(".")[0]) > 2:

    @pytest.mark.parametrize("streamed", [False, True])
    def test_answer_in_several_requests(gemini: Gemini, telemetry: Any, *, streamed: bool) -> None:
        with instrumented():
            if streamed:
                gemini.read(_create(gemini, model=f"{MODEL}+continuation", stream=True))
            else:
                gemini.run(_create(gemini, model=f"{MODEL}+continuation"))
        span = telemetry.span()
        assert span.attributes["gen_ai.response.status"] == "completed"
        assert usage(span)["output_tokens"] == 12
        assert "obs.request.retries" not in span.attributes
