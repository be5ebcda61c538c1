"""Messages of several providers and frameworks are read into the same shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from obs_run.pipeline import translation
from obs_run.pipeline.translated_span import _VOCABULARIES
from obs_run.pipeline.vocabularies.chat_messages import chat_messages, documents, tool_definitions

SCHEMA = Path(__file__).parent.parent.parent / "semconv" / "v1.41.0" / "gen-ai-input-messages.json"
CALL = {"type": "tool_call", "id": "c", "name": "weather", "arguments": {"town": "Oslo"}}
RESULT = {"type": "tool_call_response", "id": "c", "response": "sunny"}
HI = {"type": "text", "content": "hi"}
GIVEN: dict[str, tuple[Any, str, list[dict[str, Any]]]] = {
    "a text": ("hi", "user", [HI]),
    "OpenAI's": (
        {"role": "assistant", "content": "hi", "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "weather", "arguments": '{"town": "Oslo"}'}}
        ]},
        "assistant", [HI, CALL],
    ),
    "OpenAI's old function call": (
        {"role": "assistant", "content": None, "function_call": {"name": "weather", "arguments": "{}"}},
        "assistant", [{**CALL, "id": None, "arguments": {}}],
    ),
    "OpenAI's tool": ({"role": "tool", "tool_call_id": "c", "content": "sunny"}, "tool", [RESULT]),
    "a picture": (
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]},
        "user", [{"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AA=="}],
    ),
    "Anthropic's": (
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "hi"},
            {"type": "tool_use", "id": "c", "name": "weather", "input": {"town": "Oslo"}},
        ]},
        "assistant", [{"type": "reasoning", "content": "hm"}, HI, CALL],
    ),
    "Anthropic's result": (
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "sunny"}]},
        "user", [RESULT],
    ),
    "LangChain's": (
        {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "AIMessage"], "kwargs": {
            "content": "hi", "type": "ai", "tool_calls": [{"name": "weather", "args": {"town": "Oslo"}, "id": "c"}]
        }},
        "assistant", [HI, CALL],
    ),
    "LangChain's own JSON": ({"type": "human", "data": {"content": "hi"}}, "user", [HI]),
    "LangChain's of Anthropic, who names a call himself": (
        {"type": "ai", "content": [{"type": "tool_use", "id": "c", "name": "weather", "input": {"town": "Oslo"}}],
         "tool_calls": [{"name": "weather", "args": {"town": "Oslo"}, "id": "c"}]},
        "assistant", [CALL],
    ),
    "the AI SDK's": (
        {"role": "assistant", "content": [
            {"type": "reasoning", "text": "hm"},
            {"type": "tool-call", "toolCallId": "c", "toolName": "weather", "input": {"town": "Oslo"}},
        ]},
        "assistant", [{"type": "reasoning", "content": "hm"}, CALL],
    ),
    "the conventions' own": ({"role": "user", "parts": [HI]}, "user", [HI]),
    "a part that nobody knows": (
        {"role": "user", "content": [{"type": "smell", "of": "rain"}]}, "user", [{"type": "smell", "of": "rain"}],
    ),
}  # fmt: skip


@pytest.mark.parametrize("given", GIVEN)
def test_one_shape(given: str) -> None:
    said, role, parts = GIVEN[given]
    read = chat_messages(said)
    assert read is not None
    assert [(message["role"], message["parts"]) for message in read] == [(role, parts)]
    Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(read)


def test_conversations_in_a_list_are_one() -> None:
    assert chat_messages([["hi", {"role": "user", "content": "hi"}]]) == [{"role": "user", "parts": [HI]}] * 2


@pytest.mark.parametrize("said", [None, [], "", 5, [5], {"q": "x"}, [{"role": "user", "content": "a"}, 5], [[]]])
def test_what_is_no_message(said: Any) -> None:
    assert chat_messages(said) is None


@pytest.mark.parametrize("said", [None, [], [5], [{}], [{"function": {}}], "tools"])
def test_what_is_no_tool(said: Any) -> None:
    assert tool_definitions(said) is None


@pytest.mark.parametrize("said", [None, [], [5], "documents", {"a": 1}])
def test_what_are_no_documents(said: Any) -> None:
    assert documents(said) is None


def test_documents_of_langchain() -> None:
    kwargs = {"page_content": "Oslo", "metadata": {"score": 1}}
    assert documents([{"lc": 1, "kwargs": kwargs}]) == [
        {"id": "0", "score": 1, "content": "Oslo", "metadata": {"score": 1}}
    ]


def test_each_vocabulary_is_looked_for_by_its_word() -> None:
    assert set(_VOCABULARIES) == translation._WORDS
