"""Anthropic's bodies, as the API sends them, in the conventions' words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from obs_instrumentors.anthropic import _endpoint, completions, tools
from obs_instrumentors.wire.anthropic import blocks, messages

from obs_run.core import content
from obs_run.core.operations import Usage
from obs_run.core.outcomes import Call

if TYPE_CHECKING:
    from obs_instrumentors.wire.endpoint import Endpoint

WHOLE: dict[str, Any] = {
    "id": "msg_013Zva2CMHLNnXjNJJKqJ2EF",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-4-6",
    "content": [
        {"type": "thinking", "thinking": "They want the weather.", "signature": "EqQBCgIYAhIM"},
        {"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix"},
        {"type": "text", "text": "I'll look."},
        {"type": "tool_use", "id": "toolu_01D7FLrfh4GYq7yT1ULFeyMV", "name": "weather", "input": {"city": "Oslo"}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 21,
        "cache_creation_input_tokens": 188086,
        "cache_read_input_tokens": 4,
        "cache_creation": {"ephemeral_5m_input_tokens": 188000, "ephemeral_1h_input_tokens": 86},
        "output_tokens": 393,
        "output_tokens_details": {"thinking_tokens": 120},
        "service_tier": "priority",
        "speed": "fast",
    },
}
STREAM: list[dict[str, Any]] = [
    {
        "type": "message_start",
        "message": {**WHOLE, "content": [], "stop_reason": None, "usage": {"input_tokens": 2679, "output_tokens": 3}},
    },
    {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "server_tool_use", "id": "srvtoolu_014", "name": "web_search", "input": {}},
    },
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"query'}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '": "NYC"}'}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "content_block_start",
        "index": 1,
        "content_block": {
            "type": "web_search_tool_result",
            "tool_use_id": "srvtoolu_014",
            "content": {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"},
        },
    },
    {"type": "content_block_stop", "index": 1},
    {"type": "content_block_start", "index": 2, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "text_delta", "text": "Hel"}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "text_delta", "text": "lo"}},
    {"type": "content_block_delta", "index": 7, "delta": {"type": "text_delta", "text": "lost"}},
    {"type": "content_block_stop", "index": 2},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "pause_turn", "stop_sequence": None},
        "usage": {"input_tokens": 10682, "output_tokens": 510, "server_tool_use": {"web_search_requests": 1}},
    },
    {"type": "message_stop"},
]


@pytest.fixture
def wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_mode", "span")


@pytest.fixture
def unwanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_mode", "none")


def _read(events: list[dict[str, Any]]) -> messages.Answer:
    operation = messages.Answer()
    for event in events:
        messages.read_event(operation, event)
    messages.finish(operation)
    return operation


@pytest.mark.usefixtures("wanted")
def test_a_whole_message() -> None:
    operation = messages.Answer()
    messages.read_response(operation, WHOLE)
    assert operation.usage == Usage(
        input_tokens=188111,
        output_tokens=393,
        cache_read_tokens=4,
        cache_write_tokens=188086,
        cache_write_5m_tokens=188000,
        cache_write_1h_tokens=86,
        reasoning_tokens=120,
    )
    assert operation.price_context == {"service_tier": "priority", "speed": "fast"}
    assert operation.finish_reasons == ["tool_call"]
    assert operation.tool_calls == ["weather"]
    assert operation.extra == {
        "anthropic.message.stop_reason": "tool_use",
        "anthropic.response.service_tier": "priority",
    }
    assert operation.output_messages is not None
    assert operation.output_messages[0]["parts"] == [
        {"type": "reasoning", "content": "They want the weather."},
        {"type": "redacted_thinking"},
        {"type": "text", "content": "I'll look."},
        {
            "type": "tool_call",
            "id": "toolu_01D7FLrfh4GYq7yT1ULFeyMV",
            "name": "weather",
            "arguments": {"city": "Oslo"},
        },
    ]


@pytest.mark.usefixtures("wanted")
def test_a_stream() -> None:
    operation = _read(STREAM)
    # The last event counts what the server's tools brought in.
    assert operation.usage == Usage(input_tokens=10682, output_tokens=510)
    assert operation.finish_reasons == ["pause_turn"]
    assert operation.tool_calls is None
    assert operation.output_messages is not None
    assert operation.output_messages[0] == {
        "role": "assistant",
        "finish_reason": "pause_turn",
        "parts": [
            {
                "type": "server_tool_call",
                "id": "srvtoolu_014",
                "name": "web_search",
                "server_tool_call": {"type": "web_search", "input": {"query": "NYC"}},
            },
            {
                "type": "server_tool_call_response",
                "id": "srvtoolu_014",
                "server_tool_call_response": {
                    "type": "web_search",
                    "content": {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"},
                },
            },
            {"type": "text", "content": "Hello"},
        ],
    }


@pytest.mark.usefixtures("wanted")
def test_a_stream_that_ends_early_counts_what_is_known() -> None:
    operation = _read(STREAM[:4])
    assert operation.usage == Usage(input_tokens=2679)
    assert operation.finish_reasons is None
    assert operation.output_messages is not None
    # The half of the arguments that came in is no JSON yet.
    assert operation.output_messages[0]["parts"][0]["server_tool_call"]["input"] == '{"query'


@pytest.mark.usefixtures("unwanted")
def test_without_content_no_text_is_kept() -> None:
    operation = messages.parse_request(
        {"model": "m", "messages": [{"role": "user", "content": "secret"}], "system": "secret"}
    )
    for event in STREAM:
        messages.read_event(operation, event)
    assert "max_uses_exceeded" not in repr(operation)
    messages.finish(operation)
    assert "secret" not in repr(operation)
    assert operation.output_messages is None


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("compaction", "compaction"),
    ],
)
def test_reasons(told: str, reason: str) -> None:
    operation = messages.Answer()
    messages.read_response(operation, {**WHOLE, "stop_reason": told})
    assert operation.finish_reasons == [reason]


@pytest.mark.parametrize("broken", [None, "text", 7, [], {}, {"usage": "none", "content": "text", "stop_reason": 3}])
def test_answers_of_another_shape_tell_nothing(broken: Any) -> None:
    operation = messages.Answer()
    messages.read_response(operation, broken)
    messages.read_event(operation, broken)
    messages.finish(operation)
    assert (operation.usage, operation.finish_reasons, operation.tool_calls) == (None, None, None)


@pytest.mark.parametrize(
    ("block", "parts"),
    [
        (
            {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
            [{"type": "file", "modality": "document", "mime_type": None, "file_id": "file_1"}],
        ),
        (
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}},
            [{"type": "blob", "modality": "document", "mime_type": "application/pdf", "content": "JVBERi0="}],
        ),
        (
            {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "one"}]}},
            [{"type": "text", "content": "one"}],
        ),
        (
            {"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "echo", "server_name": "mine", "input": {"a": 1}},
            [
                {
                    "type": "server_tool_call",
                    "id": "mcptoolu_1",
                    "name": "echo",
                    "server_tool_call": {"type": "echo", "server_name": "mine", "input": {"a": 1}},
                }
            ],
        ),
        (
            {"type": "container_upload", "file_id": "file_2"},
            [{"type": "file", "modality": "document", "mime_type": None, "file_id": "file_2"}],
        ),
        (
            {"type": "compaction", "content": "So far."},
            [{"type": "compaction", "id": None, "content": "So far."}],
        ),
        ({"type": "hologram", "data": "x"}, [{"type": "hologram", "data": "x"}]),
        (
            {
                "type": "tool_result",
                "tool_use_id": "toolu_1",
                "content": [
                    {"type": "text", "text": '{"a": 1}'},
                    {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
                ],
            },
            [
                {"type": "tool_call_response", "id": "toolu_1", "response": '{"a": 1}'},
                {"type": "uri", "modality": "image", "mime_type": None, "uri": "https://example.org/a.png"},
            ],
        ),
    ],
)
def test_blocks(block: dict[str, Any], parts: list[dict[str, Any]]) -> None:
    assert blocks.parts([block]) == parts


def test_definitions_of_tools() -> None:
    given = [
        {"name": "weather", "description": "Of a city.", "input_schema": {"type": "object"}},
        {"type": "custom", "name": "hotels", "input_schema": {"type": "object"}},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 5},
    ]
    assert [blocks.tool_definition(each) for each in given] == [
        {"type": "function", "name": "weather", "description": "Of a city.", "parameters": {"type": "object"}},
        {"type": "function", "name": "hotels", "parameters": {"type": "object"}},
        {"type": "web_search_20250305", "name": "web_search"},
    ]


@pytest.mark.parametrize(
    ("method", "path", "endpoint"),
    [
        ("post", "/v1/messages", messages.ENDPOINT),
        ("post", "/v1/messages/count_tokens", messages.COUNT),
        ("post", "/v1/messages/batches", messages.BATCH),
        ("post", "/v1/complete", completions.ENDPOINT),
        ("get", "/v1/messages/batches", None),
        ("post", "/v1/messages/batches/msgbatch_1/cancel", None),
        ("post", "/v1/sessions", None),
        ("post", "/v1/sessions/sesn_1/events", None),
        ("get", "/v1/models", None),
    ],
)
def test_endpoints(method: str, path: str, endpoint: Endpoint | None) -> None:
    assert _endpoint(method, path) is endpoint


@pytest.mark.usefixtures("wanted")
def test_a_member_of_a_toolset_is_a_tool() -> None:
    asked = {"name": "click", "id": "toolu_2", "input": {"x": 1}, "toolset_name": "browser"}
    operation, reader = tools.start_tool_call(Call(None, (asked,), {}))
    assert (operation.tool_name, operation.call_id, operation.arguments) == ("click", "toolu_2", {"x": 1})
    reader.result(operation, {"type": "tool_result", "content": "no such place", "is_error": True})
    assert (operation.error_type, operation.result) == ("tool_error", "no such place")
