"""Agents without a framework that ask models, as the recorder sees them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from obs_run.core import content, messages, recorder
from obs_run.core.operations import AgentRun, Embedding, Inference, ToolCall, ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterator

WEATHER = ("1", "weather")
HOTEL = ("2", "hotel")


def start(operation: Any) -> recorder.Recording:
    recording = recorder.start(operation)
    assert isinstance(recording, recorder.Recording)
    return recording


def request(model: str = "m", results: Any = (), **more: Any) -> Inference:
    operation = Inference("chat", request_model=model)
    operation.tool_results = iter([each if isinstance(each, ToolResult) else ToolResult(each) for each in results])
    operation.offered_tools = more.get("offered_tools", ["weather", "hotel"])
    operation.must_call_tool = more.get("must_call_tool", False)
    return operation


def answer(call: recorder.Recording, *calls: tuple[str | None, str]) -> None:
    operation: Any = call.operation
    operation.tool_calls = [name for _, name in calls] or None
    operation.tool_call_ids = [call_id for call_id, _ in calls] or None
    if content.wanted() and calls:
        parts = [messages.tool_call(call_id, name, {"of": name}) for call_id, name in calls]
        operation.output_messages = [messages.message("assistant", *parts)]
    call.end()


def ask(*calls: tuple[str | None, str], **more: Any) -> None:
    """Ask a model, which asks for tools, or for none."""
    answer(start(request(**more)), *calls)


@contextmanager
def run(name: str = "a") -> Iterator[None]:
    recording = start(AgentRun(agent_name=name))
    with recording:
        yield
    recording.end()


def embed() -> None:
    start(Embedding("embeddings", request_model="e")).end()


def told(name: str, call_id: str | None = None) -> None:
    start(ToolCall(tool_name=name, call_id=call_id)).end()
