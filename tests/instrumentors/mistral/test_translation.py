"""Mistral's wire format in the conventions' shape, on recorded bodies; the library itself is not needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from obs_instrumentors.mistralai import contents, conversations
from obs_instrumentors.mistralai.conversations import Conversation

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


class Unset:
    """Stands for what the client puts where the provider said nothing."""

    def __bool__(self) -> bool:
        return False


def test_chunks() -> None:
    chunks = [
        {"type": "text", "text": "See "},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}},
        {"type": "document_url", "document_url": "https://example.org/a.pdf"},
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        {"type": "input_audio", "input_audio": "YWJj"},
        {"type": "file", "file_id": "f1"},
        {"type": "reference", "reference_ids": [1]},
    ]
    assert contents.parts(chunks) == [
        {"type": "text", "content": "See "},
        {"type": "uri", "modality": "image", "mime_type": None, "uri": "https://example.org/a.png"},
        {"type": "uri", "modality": "document", "mime_type": None, "uri": "https://example.org/a.pdf"},
        {"type": "reasoning", "content": "Hm."},
        {"type": "blob", "modality": "audio", "mime_type": None, "content": "YWJj"},
        {"type": "file", "modality": "document", "mime_type": None, "file_id": "f1"},
        {"type": "reference", "reference_ids": [1]},
    ]


def test_an_answer_in_the_shape_of_openai() -> None:
    raw: dict[str, Any] = {
        "id": "c1",
        "model": "magistral-small",
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "num_cached_tokens": 2},
        "choices": [
            {
                "index": 0,
                "finish_reason": "model_length",
                "message": {
                    "content": [
                        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
                        {"type": "text", "text": "Yes."},
                    ],
                    "tool_calls": [{"id": "t1", "function": {"name": "weather", "arguments": {"city": "Oslo"}}}],
                },
            }
        ],
    }
    plain = contents.openai_response(raw, "message")
    assert plain["usage"]["cached_tokens"] == 2
    assert plain["choices"] == [
        {
            "index": 0,
            "finish_reason": "length",
            "message": {
                "role": "assistant",
                "content": "Yes.",
                "reasoning_content": "Hm.",
                "tool_calls": [
                    {"id": "t1", "index": None, "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
                ],
            },
        }
    ]


def test_entries_of_a_conversation() -> None:
    told = {
        "conversation_id": "conv_1",
        "outputs": [
            {"type": "tool.execution", "id": "x1", "name": "web_search", "arguments": '{"query": "Oslo"}'},
            {"type": "message.output", "model": "mistral-medium", "content": [{"type": "text", "text": "Rain."}]},
        ],
        "usage": {"prompt_tokens": 188, "completion_tokens": 55, "total_tokens": 7355, "connector_tokens": 7112},
    }
    operation = Conversation()
    conversations.read_response(operation, told)
    assert operation.usage == Usage(input_tokens=7300, output_tokens=55)
    assert (operation.conversation_id, operation.response_model) == ("conv_1", "mistral-medium")
    assert operation.output_messages == [
        {
            "role": "assistant",
            "parts": [
                {
                    "type": "server_tool_call",
                    "id": "x1",
                    "name": "web_search",
                    "server_tool_call": {"type": "web_search", "arguments": '{"query": "Oslo"}'},
                },
                {"type": "text", "content": "Rain."},
            ],
        }
    ]


def test_an_answer_that_is_sent_back_is_one_message() -> None:
    call = {"type": "function.call", "tool_call_id": "c1", "name": "weather", "arguments": "{}"}
    result = {"type": "function.result", "tool_call_id": "c1", "result": "rain"}
    operation = Conversation()
    said = {"type": "message.output", "role": "assistant", "content": "Hm."}
    operation.read_request({"inputs": [said, call, result]})
    assert operation.input_messages is not None
    assert [(told["role"], len(told["parts"])) for told in operation.input_messages] == [("assistant", 2), ("tool", 1)]


def test_what_is_not_set_is_unknown() -> None:
    unset = Unset()
    operation = Conversation()
    conversations.read_response(
        operation,
        {
            "conversation_id": unset,
            "outputs": [{"type": "message.output", "model": unset, "content": unset}],
            "usage": {"prompt_tokens": unset, "completion_tokens": unset, "connector_tokens": unset},
        },
    )
    assert operation.usage is None
    assert (operation.conversation_id, operation.response_model) == (None, None)
    plain = contents.openai_response({"choices": [{"delta": {"content": unset, "tool_calls": unset}}]}, "delta")
    assert plain["choices"][0]["delta"] == {
        "role": "assistant",
        "content": None,
        "reasoning_content": None,
        "tool_calls": [],
    }
