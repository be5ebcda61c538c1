"""Google's wire format in the conventions' shape, on recorded bodies; the library itself is not needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from obs_instrumentors.google_genai import interactions, steps
from obs_instrumentors.wire.google import answers, contents
from obs_instrumentors.wire.google.answers import Answer

from obs_run.core.operations import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def wanted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from obs_run.core import content

    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    content.forget()
    yield
    content.forget()


# From a stream of gemini-2.5-flash with thoughts and a search tool: candidates without text come between.
PIECES: list[dict[str, Any]] = [
    {
        "candidates": [{"content": {"parts": [{"text": "Let me ", "thought": True}], "role": "model"}, "index": 0}],
        "usageMetadata": {"promptTokenCount": 11, "totalTokenCount": 40, "thoughtsTokenCount": 29},
        "modelVersion": "gemini-2.5-flash",
        "responseId": "xYz",
    },
    {"candidates": [{"content": {"parts": [{"text": "see.", "thought": True}], "role": "model"}}]},
    {"candidates": [{"content": {"parts": [{"text": "It is "}], "role": "model"}}]},
    {
        "candidates": [
            {
                "content": {
                    "parts": [
                        {"text": "sunny."},
                        {"functionCall": {"name": "weather", "args": {"city": "Oslo"}}, "thoughtSignature": "Cg=="},
                    ],
                    "role": "model",
                },
                "finishReason": "STOP",
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 11,
            "candidatesTokenCount": 6,
            "totalTokenCount": 59,
            "thoughtsTokenCount": 29,
            "toolUsePromptTokenCount": 13,
        },
    },
]


def test_pieces_of_a_stream() -> None:
    operation = Answer("generate_content")
    for piece in PIECES:
        answers.read_response(operation, piece)
    answers.finish(operation)
    assert operation.usage == Usage(input_tokens=24, output_tokens=35, reasoning_tokens=29)
    assert (operation.response_id, operation.response_model) == ("xYz", "gemini-2.5-flash")
    assert operation.tool_calls == ["weather"]
    assert operation.finish_reasons == ["tool_call"]
    assert operation.output_messages == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Let me see."},
                {"type": "text", "content": "It is sunny."},
                {"type": "tool_call", "id": None, "name": "weather", "arguments": {"city": "Oslo"}},
            ],
            "finish_reason": "tool_call",
        }
    ]


def test_a_refused_prompt_has_no_candidates() -> None:
    operation = Answer("generate_content")
    refused = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 4}}
    answers.read_response(operation, refused)
    answers.finish(operation)
    assert operation.finish_reasons == ["content_filter"]
    assert operation.usage == Usage(input_tokens=4)
    assert operation.output_messages is None


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("RECITATION", "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "error"),
        ("LANGUAGE", "language"),
        (None, None),
    ],
)
def test_finish_reasons(told: str | None, reason: str | None) -> None:
    assert contents.finish_reason(told) == reason


def test_parts_in_either_spelling() -> None:
    raw = {
        "role": "user",
        "parts": [
            {"inline_data": {"mime_type": "audio/wav", "data": "YWJj"}},
            {"fileData": {"mimeType": "video/mp4", "fileUri": "gs://b/a.mp4"}},
            {"executableCode": {"language": "PYTHON", "code": "1+1"}},
            {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "2"}},
            {"functionCall": {"willContinue": True}},
        ],
    }
    assert contents.message(raw)["parts"] == [
        {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": "YWJj"},
        {"type": "uri", "modality": "video", "mime_type": "video/mp4", "uri": "gs://b/a.mp4"},
        {
            "type": "server_tool_call",
            "name": "code_execution",
            "server_tool_call": {"type": "code_execution", "language": "PYTHON", "code": "1+1"},
        },
        {
            "type": "server_tool_call_response",
            "server_tool_call_response": {"type": "code_execution", "outcome": "OUTCOME_OK", "output": "2"},
        },
    ]


def test_tools() -> None:
    tools = [{"functionDeclarations": [{"name": "weather", "description": "Tells."}]}, {"googleSearch": {}}]
    assert contents.tool_definitions(tools) == [
        {"type": "function", "name": "weather", "description": "Tells."},
        {"type": "googleSearch", "name": "googleSearch"},
    ]


def test_a_streamed_text_goes_on_only_from_a_text() -> None:
    pieces: list[dict[str, Any]] = []
    for text in ({"odd": 1}, "a", "b", {"odd": 2}):
        contents.add_part(pieces, {"text": text})
    assert [piece.get("content", piece.get("text")) for piece in pieces] == [{"odd": 1}, "ab", {"odd": 2}]


def test_steps_of_an_interaction() -> None:
    asked = [
        {"type": "user_input", "content": [{"type": "text", "text": "Where to?"}]},
        {"type": "thought", "summary": [{"type": "text", "text": "Hm."}], "signature": "Cg=="},
        {"type": "function_call", "id": "c1", "name": "weather", "arguments": {"city": "Oslo"}},
        {"type": "function_result", "call_id": "c1", "name": "weather", "result": {"sky": "blue"}},
        {"type": "google_search_call", "id": "s1", "arguments": {"queries": ["Oslo"]}},
    ]
    assert steps.input_messages(asked) == [
        {"role": "user", "parts": [{"type": "text", "content": "Where to?"}]},
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Hm."},
                {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Oslo"}},
            ],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": {"sky": "blue"}}]},
        {
            "role": "assistant",
            "parts": [
                {
                    "type": "server_tool_call",
                    "id": "s1",
                    "name": "google_search",
                    "server_tool_call": {"type": "google_search", "arguments": {"queries": ["Oslo"]}},
                }
            ],
        },
    ]


def test_usage_of_an_interaction() -> None:
    told = {
        "total_tokens": 60,
        "total_input_tokens": 20,
        "input_tokens_by_modality": [{"modality": "text", "tokens": 15}, {"modality": "image", "tokens": 5}],
        "total_cached_tokens": 4,
        "total_output_tokens": 10,
        "total_tool_use_tokens": 3,
        "total_thought_tokens": 27,
    }
    assert interactions.usage(told) == Usage(
        input_tokens=23,
        output_tokens=37,
        cache_read_tokens=4,
        reasoning_tokens=27,
        text_input_tokens=15,
        image_input_tokens=5,
    )
    assert interactions.usage({}) is None
