"""What Anthropic's format means in the shapes that no stub thinks of, with its own client over HTTP."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.answers_server import AnswersServer
from tests.instrumentors.anthropic.more import hooked

if TYPE_CHECKING:
    from collections.abc import Iterator

anthropic = importlib.import_module("anthropic")
ASKED: dict[str, Any] = {"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}


def message(*blocks: dict[str, Any], usage: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": list(blocks) or [{"type": "text", "text": "hi"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage or {"input_tokens": 1000, "output_tokens": 100},
        **more,
    }


def started(usage: Any = None) -> dict[str, Any]:
    return {"type": "message_start", "message": {**message(usage=usage), "content": [], "stop_reason": None}}


@pytest.fixture
def instrumented(telemetry: Any) -> Iterator[None]:
    assert telemetry is not None
    with hooked():
        yield


@pytest.fixture
def answering(instrumented: None) -> Any:
    """Return what gives a client for answers."""
    assert instrumented is None
    opened: list[tuple[AnswersServer, Any]] = []

    def answer(*answers: Any) -> Any:
        server = AnswersServer(*answers).__enter__()
        client = anthropic.Anthropic(base_url=server.origin, api_key="none", max_retries=0)
        opened.append((server, client))
        return client

    yield answer
    for server, client in opened:
        client.close()
        server.__exit__()


def test_searches_are_paid_for(answering: Any, telemetry: Any) -> None:
    used = {"input_tokens": 1000, "output_tokens": 100, "server_tool_use": {"web_search_requests": 2}}
    answering(message(usage=used)).messages.create(**ASKED)
    attributes = telemetry.attributes()
    assert attributes["obs.usage.web_searches"] == 2
    assert attributes["obs.cost.total"] == pytest.approx(1000 * 3e-6 + 100 * 15e-6 + 0.02)


def _iteration(kind: str, tokens_in: int, tokens_out: int, **more: Any) -> dict[str, Any]:
    cache = {"cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    return {"type": kind, "input_tokens": tokens_in, "output_tokens": tokens_out, **cache, **more}


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_that_was_several(answering: Any, telemetry: Any, *, stream: bool) -> None:
    iterations = [
        _iteration("compaction", 50_000, 100),
        _iteration("message", 220, 8),
        _iteration("advisor_message", 1_000, 20, model="claude-opus-4-5"),
    ]
    used = {"input_tokens": 220, "output_tokens": 8, "iterations": iterations}
    if stream:
        events = [started(), {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": used}]
        list(answering([*events, {"type": "message_stop"}]).messages.create(**ASKED, stream=True))
    else:
        answering(message(usage=used)).messages.create(**ASKED)
    attributes = telemetry.attributes()
    assert attributes["gen_ai.usage.input_tokens"] == 51_220
    assert attributes["gen_ai.usage.output_tokens"] == 128
    sonnet = 50_220 * 3e-6 + 108 * 15e-6
    opus = 1_000 * 5e-6 + 20 * 25e-6
    assert attributes["obs.cost.total"] == pytest.approx(sonnet + opus)


def test_what_a_stream_left_early_cost_is_not_known(answering: Any, telemetry: Any) -> None:
    events = [started(), {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "a"}}]
    with answering([*events, {"type": "ping"}]).messages.create(**ASKED, stream=True) as stream:
        next(iter(stream))
    attributes = telemetry.attributes()
    assert attributes["obs.cost.input"] == pytest.approx(0.003)
    assert "obs.cost.output" not in attributes
    assert "obs.cost.total" not in attributes


def test_an_error_inside_of_a_200(answering: Any, telemetry: Any) -> None:
    answering({"type": "error", "error": {"type": "overloaded_error", "message": "x"}}).messages.create(**ASKED)
    span = telemetry.span()
    assert span.status.status_code.name == "ERROR"
    assert span.attributes["error.type"] == "overloaded_error"


def test_an_error_amid_a_stream(answering: Any, telemetry: Any) -> None:
    failed = {"type": "error", "error": {"type": "overloaded_error", "message": "x"}}
    with pytest.raises(anthropic.APIError):
        list(answering([started(), failed]).messages.create(**ASKED, stream=True))
    assert telemetry.attributes()["error.type"] == "overloaded_error"


def test_calls_with_one_index(answering: Any, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    events = [started()]
    for name, city in (("a", "Oslo"), ("b", "Rome")):
        block = {"type": "tool_use", "id": name, "name": name, "input": {}}
        piece = {"type": "input_json_delta", "partial_json": json.dumps({"city": city})}
        events.append({"type": "content_block_start", "index": 0, "content_block": block})
        events.append({"type": "content_block_delta", "index": 0, "delta": piece})
        events.append({"type": "content_block_stop", "index": 0})
    ended = {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 5}}
    list(answering([*events, ended]).messages.create(**ASKED, stream=True))
    attributes = telemetry.attributes()
    assert attributes["obs.response.tool_calls"] == ("a", "b")
    (told,) = json.loads(attributes["gen_ai.output.messages"])
    assert [part["arguments"] for part in told["parts"]] == [{"city": "Oslo"}, {"city": "Rome"}]


def test_later_zeros_take_nothing_back(answering: Any, telemetry: Any) -> None:
    later = {"input_tokens": 0, "output_tokens": 5}
    events = [started(), {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": later}]
    list(answering(events).messages.create(**ASKED, stream=True))
    assert telemetry.attributes()["gen_ai.usage.input_tokens"] == 1000


def test_blocks_that_we_do_not_know(answering: Any, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    new = {"type": "novelty", "inside": {"a": [1]}}
    result = {"type": "tool_result", "tool_use_id": "1", "is_error": True, "content": [{"type": "text", "text": "no"}]}
    source = {"type": "url", "url": "https://example.org/a.pdf"}
    document = {"type": "document", "title": "a.pdf", "source": source}
    asked = [{"role": "user", "content": [result]}, {"role": "user", "content": [document, new]}]
    answering(message(new)).messages.create(**{**ASKED, "messages": asked})
    attributes = telemetry.attributes()
    (told,) = json.loads(attributes["gen_ai.output.messages"])
    assert told["parts"] == [new]
    sent = json.loads(attributes["gen_ai.input.messages"])
    assert sent[0]["parts"] == [{"type": "tool_call_response", "id": "1", "response": "no", "is_error": True}]
    uri = {"type": "uri", "modality": "document", "mime_type": None, "uri": source["url"], "name": "a.pdf"}
    assert sent[1]["parts"] == [uri, new]


def test_a_compressed_stream_is_recorded_whatever_way_it_is_read(instrumented: None, telemetry: Any) -> None:
    assert instrumented is None
    delta = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 100}}
    with AnswersServer([started(), delta, {"type": "message_stop"}], compresses=True) as server:
        client = anthropic.Anthropic(base_url=server.origin, api_key="none", max_retries=0)
        assert len(list(client.messages.create(**ASKED, stream=True))) == 3
        assert len(list(client.messages.create(**ASKED, stream=True).response.iter_lines())) == 9
        with client.messages.with_streaming_response.create(**ASKED, stream=True) as response:
            assert len(list(response.iter_lines())) == 9
        client.close()
    used = [span.attributes["gen_ai.usage.output_tokens"] for span in telemetry.spans()]
    assert used == [100, 100, 100]
    assert not [span for span in telemetry.spans() if "obs.response.stream_end" in span.attributes]


def test_a_batch_is_no_call_of_a_model(answering: Any, telemetry: Any) -> None:
    begun = {
        "id": "msgbatch_1",
        "type": "message_batch",
        "processing_status": "in_progress",
        "request_counts": {"processing": 2, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0},
        "created_at": "2026-11-01T00:00:00Z",
        "expires_at": "2026-11-02T00:00:00Z",
        "ended_at": None,
        "archived_at": None,
        "cancel_initiated_at": None,
        "results_url": None,
    }
    results = [{"custom_id": "a", "result": {"type": "succeeded", "message": message()}}] * 2
    lines = "\n".join(map(json.dumps, results)).encode()
    with AnswersServer(lines) as others:
        ended = {**begun, "processing_status": "ended", "results_url": f"{others.origin}/v1/results"}
        client = answering(begun, ended)
        # The oldest has them in beta alone.
        batches = getattr(client.messages, "batches", None) or client.beta.messages.batches
        batches.create(requests=[{"custom_id": name, "params": ASKED} for name in ("a", "b")])
        batches.retrieve("msgbatch_1")
        batches.cancel("msgbatch_1")
        assert [each.result.message.usage.output_tokens for each in batches.results("msgbatch_1")] == [100, 100]
    spans = telemetry.spans()
    assert spans[0].name == "create_batch claude-sonnet-4-5"
    # Releases that trace themselves tell of the others too.
    assert {span.attributes.get("gen_ai.operation.name") for span in spans[1:]} <= {None}
    assert not [name for span in spans for name in span.attributes if "usage" in name or "cost" in name]
