"""Cohere's answers, as recorded from its API, and what is read from them without its client."""

from __future__ import annotations

from typing import Any

import pytest
from obs_instrumentors.cohere import v2
from obs_instrumentors.wire import cohere, cohere_chat

from obs_run.core.operations import Usage

CHAT: dict[str, Any] = {
    "id": "c14c80c3-18eb-4519-9460-6c92edd8cfb4",
    "finish_reason": "TOOL_CALL",
    "message": {
        "role": "assistant",
        "tool_plan": "I will look up the weather.",
        "tool_calls": [
            {"id": "weather_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
        ],
    },
    "usage": {
        "billed_units": {"input_tokens": 21.0, "output_tokens": 14.0},
        "tokens": {"input_tokens": 512.0, "output_tokens": 47.0},
        "cached_tokens": 448.0,
    },
}


def test_chat_of_plain_data() -> None:
    method = v2.METHODS["chat"]
    operation = method.parse_request({"model": "command-a-03-2025", "messages": [], "p": 0.9, "stop_sequences": ["."]})
    method.reader.result(operation, CHAT)
    assert operation.attributes() == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "command-a-03-2025",
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.stop_sequences": ["."],
        "gen_ai.response.id": CHAT["id"],
        "gen_ai.response.finish_reasons": ["tool_call"],
        "obs.response.tool_calls": ["weather"],
        "gen_ai.usage.input_tokens": 21,
        "gen_ai.usage.output_tokens": 14,
    }


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("COMPLETE", "stop"),
        ("STOP_SEQUENCE", "stop"),
        ("MAX_TOKENS", "length"),
        ("ERROR_TOXIC", "content_filter"),
        ("TOOL_CALL", "tool_call"),
        ("USER_CANCEL", "user_cancel"),
        (None, None),
    ],
)
def test_finish_reasons(told: str | None, reason: str | None) -> None:
    assert cohere_chat.finish_reason(told) == reason


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        (None, None),
        ({"billed_units": {"search_units": 1.0}}, None),
        ({"tokens": {"input_tokens": 5.0}}, Usage(input_tokens=5)),
        ({"billed_units": {"input_tokens": 2.5}, "tokens": {"input_tokens": 5.0}}, Usage(input_tokens=5)),
        (
            {"billed_units": {"text_tokens": 3.0, "image_tokens": 1000.0}},
            Usage(input_tokens=1003, text_input_tokens=3, image_input_tokens=1000),
        ),
        (
            {"billed_units": {"input_tokens": 8.0}, "cached_tokens": 4.0},
            Usage(input_tokens=8, cache_read_tokens=4),
        ),
    ],
)
def test_usage(told: dict[str, Any] | None, usage: Usage | None) -> None:
    assert cohere.usage(told) == usage


def test_searches_are_kept() -> None:
    operation = cohere.Reranking()
    results = [{"index": 1, "relevance_score": 0.98}, {"index": 0, "relevance_score": 0.01}]
    cohere.read_rerank_response(operation, {"results": results, "meta": {"billed_units": {"search_units": 1.0}}})
    assert operation.scores == [0.98, 0.01]
    assert operation.billed_units == {"rerank_searches": 1}
    assert operation.attributes()["obs.usage.search_units"] == 1
    assert operation.usage is None


def test_a_rank_of_what_was_not_sent(with_content: None) -> None:
    assert with_content is None
    operation = cohere.parse_rerank_request({"model": "rerank-v3.5", "query": "q", "documents": ["a"]})
    results = [{"index": 99, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.5}, None]
    cohere.read_rerank_response(operation, {"results": results})
    assert operation.documents == [{"content": "a", "id": "0", "score": 0.5}]
