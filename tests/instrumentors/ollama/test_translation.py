"""Ollama's answers, as recorded from its API, and what is read from them without its client."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from obs_instrumentors import ollama

from obs_run.core import content
from obs_run.core.outcomes import Call

if TYPE_CHECKING:
    from obs_run.core.operations import ModelCall
    from obs_run.core.outcomes import Reader

WHOLE: dict[str, Any] = {
    "model": "qwen3:4b",
    "created_at": "2025-10-09T08:53:20.512Z",
    "message": {
        "role": "assistant",
        "content": "",
        "thinking": "The user wants the weather.",
        "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Oslo"}}}],
    },
    "done": True,
    "done_reason": "stop",
    "total_duration": 5191566416,
    "load_duration": 2154458,
    "prompt_eval_count": 26,
    "prompt_eval_duration": 383809000,
    "eval_count": 298,
    "eval_duration": 4799921000,
}
PARTS: list[dict[str, Any]] = [
    {"model": "qwen3:4b", "message": {"role": "assistant", "content": "", "thinking": "Hm."}, "done": False},
    {"model": "qwen3:4b", "message": {"role": "assistant", "content": "To "}, "done": False},
    {"model": "qwen3:4b", "message": {"role": "assistant", "content": "Oslo."}, "done": False},
    {
        "model": "qwen3:4b",
        "message": {"role": "assistant", "content": ""},
        "done": True,
        "done_reason": "length",
        "eval_count": 4,
    },
]


@pytest.fixture(autouse=True)
def wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "wanted", lambda: True)


def begun(path: str, body: dict[str, Any], **options: Any) -> tuple[Any, Reader]:
    url = SimpleNamespace(host="localhost", port=11434)
    client = SimpleNamespace(_client=SimpleNamespace(base_url=url))
    begun = ollama.start_operation(Call(client, (type, "POST", path), {"json": body, **options}))
    assert begun is not None
    return begun


def attributes(operation: ModelCall) -> dict[str, Any]:
    return {name.removeprefix("gen_ai."): value for name, value in operation.attributes().items()}


def test_whole_answer() -> None:
    operation, reader = begun("/api/chat", {"model": "qwen3:4b", "messages": [], "think": "high"})
    reader.result(operation, WHOLE)
    assert attributes(operation) == {
        "operation.name": "chat",
        "provider.name": "ollama",
        "server.address": "localhost",
        "server.port": 11434,
        "request.model": "qwen3:4b",
        "request.reasoning.level": "high",
        "response.model": "qwen3:4b",
        "response.finish_reasons": ["tool_call"],
        "obs.response.tool_calls": ["weather"],
        "usage.input_tokens": 26,
        "usage.output_tokens": 298,
    }
    assert operation.output_messages == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "The user wants the weather."},
                {"type": "tool_call", "id": None, "name": "weather", "arguments": {"city": "Oslo"}},
            ],
            "finish_reason": "tool_call",
        }
    ]


def test_parts_of_a_stream() -> None:
    operation, reader = begun("/api/chat", {"model": "qwen3:4b", "messages": [], "stream": True}, stream=True)
    assert reader.lazy
    assert reader.chunk is not None
    assert reader.end is not None
    for part in PARTS:
        reader.chunk(operation, part)
    reader.end(operation)
    assert attributes(operation)["response.finish_reasons"] == ["length"]
    assert (operation.usage.input_tokens, operation.usage.output_tokens) == (None, 4)
    assert operation.output_messages == [
        {
            "role": "assistant",
            "parts": [{"type": "reasoning", "content": "Hm."}, {"type": "text", "content": "To Oslo."}],
            "finish_reason": "length",
        }
    ]


def test_images_and_tool_answers() -> None:
    said = [
        {"role": "user", "content": "What is it?", "images": ["aGk="]},
        {"role": "tool", "tool_name": "weather", "content": '{"sun": true}'},
    ]
    operation, _ = begun("/api/chat", {"model": "llava", "messages": said})
    asked, answered = operation.input_messages
    assert asked["parts"][1] == {"type": "blob", "modality": "image", "mime_type": None, "content": "aGk="}
    assert answered["parts"] == [{"type": "tool_call_response", "id": None, "response": '{"sun": true}'}]


def test_other_requests_are_no_model_calls() -> None:
    assert ollama.start_operation(Call(None, (dict, "GET", "/api/tags"), {})) is None


def test_no_counts_are_no_usage() -> None:
    operation, reader = begun("/api/embed", {"model": "nomic", "input": ["a", "b"]})
    reader.result(operation, {"model": "nomic", "embeddings": [[0.1], [0.2]]})
    assert operation.usage is None
    assert operation.input_count == 2
