"""What Gemini's format means in the shapes that no stub thinks of, with Google's own client over HTTP."""

from __future__ import annotations

import contextlib
import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.answers_server import AnswersServer
from tests.instrumentors.run_scenarios import instrumented

if TYPE_CHECKING:
    from collections.abc import Iterator

PIXEL = "iVBORw=="
SIZE = {"type": "omitted_blob", "modality": "image", "mime_type": "image/png", "size": 4}


@contextlib.contextmanager
def answering(*answers: Any) -> Iterator[Any]:
    """Give a client for answers."""
    genai = import_module("google.genai")
    with AnswersServer(*answers) as server, instrumented():
        # Its last reference closes it.
        client = genai.Client(http_options={"base_url": server.origin}, api_key="none")
        yield client.models


def answer(*parts: dict[str, Any], model: str = "gemini-2.5-flash", **candidate: Any) -> dict[str, Any]:
    told = {"content": {"role": "model", "parts": list(parts) or [{"text": "hi"}]}, "finishReason": "STOP", **candidate}
    used = {"promptTokenCount": 1000, "candidatesTokenCount": 100, "totalTokenCount": 1100}
    return {"candidates": [told], "usageMetadata": used, "modelVersion": model, "responseId": "r"}


def ask(models: Any, contents: Any = "x", model: str = "gemini-2.5-flash") -> Any:
    return models.generate_content(model=model, contents=contents)


def said(telemetry: Any, name: str) -> list[Any]:
    return list(json.loads(telemetry.attributes()[f"gen_ai.{name}.messages"]))


@pytest.mark.parametrize(
    ("model", "count", "each"), [("gemini-2.5-flash", 1, 0.035), ("gemini-3-flash-preview", 2, 0.014)]
)
def test_searches_are_paid_for(model: str, count: int, each: float, telemetry: Any) -> None:
    grounding = {"webSearchQueries": ["a", "b"], "groundingChunks": [{"web": {"uri": "u", "title": "Oslo"}}]}
    with answering(answer(model=model)) as models:
        ask(models, model=model)
        without = telemetry.attributes()["obs.cost.total"]
    telemetry.clear()
    with answering(answer(model=model, groundingMetadata=grounding)) as models:
        ask(models, model=model)
    attributes = telemetry.attributes()
    assert attributes["obs.usage.web_searches"] == count
    assert attributes["obs.cost.total"] == pytest.approx(without + count * each)


def test_a_prompt_that_is_blocked_is_no_error(telemetry: Any) -> None:
    with answering({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}}) as models:
        ask(models)
    span = telemetry.span()
    assert span.status.status_code.name == "UNSET"
    assert span.attributes["gen_ai.response.finish_reasons"] == ("content_filter",)


def test_an_error_inside_of_a_200(telemetry: Any) -> None:
    failed = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "slow down"}}
    with answering(failed) as models, contextlib.suppress(Exception):
        ask(models)
    span = telemetry.span()
    assert span.status.status_code.name == "ERROR"
    assert span.attributes["error.type"] == "RESOURCE_EXHAUSTED"


def test_parts_that_are_not_text(telemetry: Any, with_content: None) -> None:
    assert with_content is None
    media = {"inlineData": {"mimeType": "image/png", "data": PIXEL, "displayName": "a.png"}}
    parts: list[dict[str, Any]] = [
        {"executableCode": {"id": "1", "language": "PYTHON", "code": "2+2"}},
        {"codeExecutionResult": {"id": "1", "outcome": "OUTCOME_OK", "output": "4"}},
        {"toolCall": {"id": "2", "toolType": "GOOGLE_SEARCH_WEB", "args": {"queries": ["x"]}}},
        {"toolResponse": {"id": "2", "toolType": "GOOGLE_SEARCH_WEB", "response": {"hits": 1}}},
        {"novelty": {"a": [1]}, "thoughtSignature": "c2ln"},
        {"text": "hi"},
    ]
    with answering(answer(*parts)) as models:
        ask(models)
    (message,) = said(telemetry, "output")
    code, result, call, response, novelty, text = message["parts"]
    assert (code["type"], code["id"], result["type"], result["id"]) == (
        "server_tool_call",
        "1",
        "server_tool_call_response",
        "1",
    )
    assert call["name"] == "google_search_web"
    assert call["server_tool_call"]["arguments"] == {"queries": ["x"]}
    assert (response["id"], response["server_tool_call_response"]["response"]) == ("2", {"hits": 1})
    assert novelty == {"type": "novelty", "novelty": {"a": [1]}}
    assert text == {"type": "text", "content": "hi"}
    telemetry.clear()

    given = {"functionResponse": {"name": "look", "response": {"ok": True}, "parts": [media]}}
    with answering(answer()) as models:
        ask(models, [{"role": "user", "parts": [given]}])
    (asked,) = said(telemetry, "input")
    assert asked["role"] == "tool"
    assert asked["parts"] == [
        {"type": "tool_call_response", "id": None, "response": {"ok": True}},
        {**SIZE},
    ]


def test_later_pieces_without_counts_take_nothing_back(telemetry: Any) -> None:
    first, last = answer(), answer()
    first["candidates"][0].pop("finishReason")
    last["usageMetadata"] = {"candidatesTokenCount": 120}
    with answering([first, last]) as models:
        list(models.generate_content_stream(model="gemini-2.5-flash", contents="x"))
    attributes = telemetry.attributes()
    assert attributes["gen_ai.usage.input_tokens"] == 1000
    assert attributes["gen_ai.usage.output_tokens"] == 120


def test_a_batch_is_no_call_of_a_model(telemetry: Any) -> None:
    result = {"inlinedResponses": {"inlinedResponses": [{"response": answer()}]}}
    job = {
        "name": "batches/1",
        "metadata": {"state": "BATCH_STATE_SUCCEEDED", "model": "models/gemini-2.5-flash", "output": result},
        "done": True,
        "response": result,
    }
    genai = import_module("google.genai")
    with AnswersServer(job) as server, instrumented():
        client = genai.Client(http_options={"base_url": server.origin}, api_key="none")
        batches = client.batches
        requests = [{"contents": [{"role": "user", "parts": [{"text": "x"}]}]}]
        assert batches.create(model="gemini-2.5-flash", src=requests).name == "batches/1"
        used = batches.get(name="batches/1").dest.inlined_responses[0].response.usage_metadata
        assert used.total_token_count == 1100
        batches.cancel(name="batches/1")
    assert telemetry.spans() == []
