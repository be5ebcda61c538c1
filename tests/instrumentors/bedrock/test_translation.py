"""Bedrock's translation on bodies as they come over the wire."""

from __future__ import annotations

from typing import Any

import pytest
from obs_instrumentors.bedrock import agents, answer, bodies, converse

from obs_run.core import content
from obs_run.core.operations import Embedding, Inference, RemoteAgentRun, Rerank, Usage

PICTURE = b"\x89PNG"
ENCODED = "iVBORw=="


@pytest.fixture
def wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_mode", "span")


@pytest.fixture
def unwanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_mode", "none")


def test_no_text_is_kept_unless_wanted(unwanted: None) -> None:
    assert unwanted is None
    operation = converse.parse_request({"messages": [{"role": "user", "content": [{"text": "secret"}]}]})
    for event in (
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "secret"}}},
        {"messageStop": {"stopReason": "max_tokens"}},
    ):
        converse.read_event(operation, event)
    answer.finish(operation)
    assert "secret" not in str(operation)
    assert operation.finish_reasons == ["length"]


def test_parts_of_converse(wanted: None) -> None:
    assert wanted is None
    said = [
        {"text": "Look"},
        {"image": {"format": "png", "source": {"bytes": PICTURE}}},
        {"document": {"format": "pdf", "name": "guide", "source": {"s3Location": {"uri": "s3://guide/a.pdf"}}}},
        {"cachePoint": {"type": "default"}},
        {"reasoningContent": {"reasoningText": {"text": "Hm", "signature": "x"}}},
    ]
    results = [{"toolResult": {"toolUseId": "t1", "content": [{"json": {"sun": True}}], "status": "success"}}]
    operation = converse.parse_request(
        {
            "messages": [{"role": "user", "content": said}, {"role": "user", "content": results}],
            "system": [{"text": "Be kind."}, {"cachePoint": {"type": "default"}}],
        }
    )
    assert operation.system_instructions == [{"type": "text", "content": "Be kind."}]
    assert operation.input_messages == [
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "Look"},
                {"type": "blob", "modality": "image", "mime_type": "image/png", "content": ENCODED},
                {
                    "type": "uri",
                    "modality": "document",
                    "mime_type": "application/pdf",
                    "uri": "s3://guide/a.pdf",
                    "name": "guide",
                },
                {"type": "reasoning", "content": "Hm"},
            ],
        },
        {
            "role": "tool",
            "parts": [{"type": "tool_call_response", "id": "t1", "response": {"sun": True}, "status": "success"}],
        },
    ]


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        ({"inputTokens": 5, "outputTokens": 2, "totalTokens": 7}, Usage(5, 2)),
        ({"inputTokens": 5, "outputTokens": 2, "totalTokens": 17, "cacheReadInputTokens": 10}, Usage(15, 2, 10)),
        ({"inputTokens": 15, "outputTokens": 2, "totalTokens": 17, "cacheReadInputTokens": 10}, Usage(15, 2, 10)),
        ({"inputTokens": 5, "outputTokens": 2, "cacheReadInputTokenCount": 0}, Usage(5, 2, 0)),
        ({}, None),
    ],
)
def test_cached_tokens_are_counted_once(told: dict[str, int], usage: Usage | None) -> None:
    operation = converse.parse_request({})
    converse.read_response(operation, {"usage": told, "stopReason": "end_turn"})
    assert operation.usage == usage


@pytest.mark.parametrize(
    ("model", "body", "kind", "name"),
    [
        ("m", {"anthropic_version": "bedrock-2023-05-31", "messages": []}, Inference, "chat"),
        ("m", {"messages": [{"role": "user", "content": [{"text": "x"}]}]}, Inference, "chat"),
        ("m", {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}, Inference, "chat"),
        ("amazon.titan-embed-text-v1", {"inputText": "x"}, Embedding, "embeddings"),
        ("arn:aws:bedrock:x", {"inputText": "x", "normalize": True}, Embedding, "embeddings"),
        ("cohere.embed-v4:0", {"texts": ["x"], "input_type": "search_query"}, Embedding, "embeddings"),
        ("m", {"inputText": "x", "textGenerationConfig": {}}, Inference, "text_completion"),
        ("m", {"query": "x", "documents": ["y"]}, Rerank, "rerank"),
        ("m", {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "x"}}, Inference, "image_generation"),
    ],
)
def test_a_body_is_told_by_its_shape(model: str, body: dict[str, Any], kind: type, name: str) -> None:
    operation = bodies.parse_request(body, model)
    assert isinstance(operation, kind)
    assert operation.name == name


def test_a_stream_of_anthropic(wanted: None) -> None:
    assert wanted is None
    operation = bodies.parse_request({"anthropic_version": "x", "messages": [{"role": "user", "content": "x"}]}, "m")
    assert isinstance(operation, Inference)
    usage = {"input_tokens": 4, "cache_read_input_tokens": 6, "cache_creation_input_tokens": 0, "output_tokens": 1}
    tool = {"type": "tool_use", "id": "t1", "name": "weather", "input": {}}
    for event in (
        {"type": "message_start", "message": {"id": "msg_1", "model": "claude", "usage": usage}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}},
        {"type": "content_block_start", "index": 1, "content_block": tool},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"a'}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '": 1}'}},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}},
        {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 99}},
    ):
        bodies.read_chunk(operation, event)
    bodies.finish(operation)
    assert operation.usage == Usage(10, 9, 6, 0)
    assert operation.response_id == "msg_1"
    assert operation.tool_calls == ["weather"]
    assert operation.output_messages == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Hm"},
                {"type": "tool_call", "id": "t1", "name": "weather", "arguments": {"a": 1}},
            ],
            "finish_reason": "tool_call",
        }
    ]


def test_rerank_of_the_agent_runtime(wanted: None) -> None:
    assert wanted is None
    inline = [{"type": "TEXT", "textDocument": {"text": text}} for text in ("a", "b")]
    call = agents.CALLS["Rerank"]
    operation = call.parse_request(
        {
            "queries": [{"type": "TEXT", "textQuery": {"text": "x"}}],
            "sources": [{"type": "INLINE", "inlineDocumentSource": each} for each in inline],
            "rerankingConfiguration": {
                "bedrockRerankingConfiguration": {"numberOfResults": 1, "modelConfiguration": {"modelArn": "arn:m"}}
            },
        }
    )
    assert isinstance(operation, Rerank)
    call.read(operation, {"results": [{"index": 1, "relevanceScore": 0.5}]})
    assert operation.request_model == "arn:m"
    assert operation.documents == [{"id": "1", "score": 0.5, "content": "b"}]


def test_an_agent_that_hands_control_back(unwanted: None) -> None:
    assert unwanted is None
    call = agents.CALLS["InvokeInlineAgent"]
    operation = call.parse_request({"foundationModel": "m", "sessionId": "s"})
    assert isinstance(operation, RemoteAgentRun)
    invocation = {"functionInvocationInput": {"function": "weather"}}
    call.read(operation, {"returnControl": {"invocationInputs": [invocation]}})
    assert operation.tool_calls == ["weather"]
    assert operation.usage is None


def test_later_nulls_of_a_stream_take_nothing_back() -> None:
    operation = bodies.parse_request({"prompt": "x", "max_gen_len": 9}, "meta.llama3")
    assert isinstance(operation, Inference)
    none = {"prompt_token_count": None, "generation_token_count": 2, "stop_reason": None}
    metrics = {"inputTokenCount": 17, "outputTokenCount": 3}
    for body in (
        {"generation": "a", "prompt_token_count": 17, "generation_token_count": 1, "stop_reason": None},
        {"generation": "b", **none},
        {"generation": "", **none, "generation_token_count": 3, "stop_reason": "stop"},
        {"generation": "", "amazon-bedrock-invocationMetrics": metrics},
    ):
        bodies.read_chunk(operation, body)
    bodies.finish(operation)
    assert operation.usage == Usage(17, 3)
    assert operation.finish_reasons == ["stop"]


def test_a_completion_of_ai21(wanted: None) -> None:
    assert wanted is None
    operation = bodies.parse_request({"prompt": "x", "maxTokens": 9}, "ai21.j2-mid-v1")
    data = {"text": "To Lisbon.", "tokens": [{}, {}, {}]}
    body = {
        "id": 1234,
        "prompt": {"text": "x", "tokens": [{}, {}]},
        "completions": [{"data": data, "finishReason": {"reason": "endoftext"}}],
    }
    bodies.read_response(operation, body)
    bodies.finish(operation)
    assert isinstance(operation, Inference)
    assert operation.usage == Usage(2, 3)
    assert operation.output_messages == [
        {"role": "assistant", "parts": [{"type": "text", "content": "To Lisbon."}], "finish_reason": "stop"}
    ]


def test_calls_with_one_index(wanted: None) -> None:
    assert wanted is None
    operation = converse.parse_request({"messages": []})
    for call_id, name in (("1", "a"), ("2", "b")):
        start = {"toolUse": {"toolUseId": call_id, "name": name}}
        converse.read_event(operation, {"contentBlockStart": {"contentBlockIndex": 0, "start": start}})
        delta = {"toolUse": {"input": "{}"}}
        converse.read_event(operation, {"contentBlockDelta": {"contentBlockIndex": 0, "delta": delta}})
    answer.finish(operation)
    assert operation.tool_calls == ["a", "b"]
    assert operation.output_messages is not None
    assert [part["id"] for part in operation.output_messages[0]["parts"]] == ["1", "2"]


def test_an_error_inside_of_a_body() -> None:
    operation = bodies.parse_request({"messages": [{"role": "user", "content": "x"}]}, "a-model")
    bodies.read_response(operation, {"error": {"code": 429, "message": "slow"}})
    assert operation.error_type == "429"


def test_blocks_that_we_do_not_know(wanted: None) -> None:
    assert wanted is None
    asked = [{"role": "user", "content": [{"novelty": {"a": [1]}}, {"cachePoint": {"type": "default"}}]}]
    operation = converse.parse_request({"messages": asked})
    assert operation.input_messages == [
        {"role": "user", "parts": [{"type": "novelty", "novelty": {"a": [1]}}]},
    ]
