"""Tools, and what agents look up: knowledge and memories of users."""

from __future__ import annotations

from dataclasses import field
from functools import partial
from types import AsyncGeneratorType, GeneratorType
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.memories import read_found
from obs_run.base import payload
from obs_run.core import content
from obs_run.core.operations import Memory, Retrieval, ToolCall
from obs_run.core.outcomes import Reader
from obs_run.core.readers import read_nothing
from obs_run.core.sparse_dataclasses import sparse_dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.outcomes import Call

_OUTCOMES = {"RetryAgentRun": "retried", "StopAgentRun": "stopped", "RunCancelledException": "cancelled"}
"""What a tool raises to tell the model to try again, or the agent to stop."""


@sparse_dataclass
class _Tool(ToolCall):
    """A tool whose exception the library catches, and tells the model of."""

    caught: BaseException | None = field(default=None, init=False)


def start_tool(call: Call) -> tuple[ToolCall, Reader[Any]]:
    """Read the call of ``execute`` or ``aexecute`` of a ``FunctionCall``."""
    function = call.instance
    operation = _Tool(
        tool_name=payload.get_text(function, "function", "name"),
        tool_type="function",
        tool_description=payload.get_text(function, "function", "description"),
        call_id=payload.get_text(function, "call_id"),
    )
    content.note_arguments(operation, payload.get(function, "arguments"))
    held = partial(_follow_generator, function)
    return operation, Reader(_read_result, chunk=_read_piece, held=held, caught=_caught, outcomes=_OUTCOMES)


def note_exception(operation: Any, call: Call) -> None:
    """Note the exception that the library logs, which may be the tool's."""
    error = call.argument(0, "msg")
    if isinstance(operation, _Tool) and isinstance(error, BaseException):
        operation.caught = error


def _follow_generator(function: Any, result: Any, follow: Callable[[Any], Any]) -> bool:
    """Follow the generator that a tool is, such as that in which a team's member runs: the library reads it later."""
    inner = payload.get(result, "result")
    if not isinstance(inner, (GeneratorType, AsyncGeneratorType)):
        return False
    result.result = function.result = follow(inner)
    return True


def _read_result(operation: _Tool, result: Any) -> None:
    """Read a ``FunctionExecutionResult``; there is none where older releases swallow what cancels the tool."""
    if result is None:
        operation.outcome, operation.caught = "cancelled", None
    elif payload.get(result, "status") != "failure":
        operation.caught = None
        if content.wanted():
            operation.result = payload.get(result, "result")
    elif operation.caught is None:
        operation.error_type = "tool_error"


def _caught(operation: _Tool) -> BaseException | None:
    return operation.caught


def _read_piece(operation: _Tool, piece: Any) -> None:
    """Read a piece of what a tool gives; the events of runs inside of it are told there."""
    if isinstance(piece, str) and content.wanted():
        operation.result = (operation.result or "") + piece


def start_retrieval(call: Call) -> tuple[Retrieval, Reader[Any]]:
    """Read the call of ``Knowledge.search``."""
    operation = Retrieval(
        data_source=payload.get_text(call.instance, "name"),
        top_k=payload.as_int(
            payload.coalesce(call.argument(1, "max_results"), payload.get(call.instance, "max_results"))
        ),
    )
    if content.wanted():
        operation.query_text = payload.as_text(call.argument(0, "query"))
    return operation, Reader(_read_documents)


def _read_documents(operation: Retrieval, documents: Any) -> None:
    found = payload.as_list(documents)
    operation.returned = len(found)
    if content.wanted():
        operation.documents = [_document(each) for each in found]


def _document(document: Any) -> dict[str, Any]:
    score = payload.get_float(document, "reranking_score")
    told = {"id": payload.get_text(document, "id") or "", "content": payload.get(document, "content")}
    return told if score is None else {**told, "score": score}


def start_memory(call: Call) -> tuple[Memory, Reader[Any]]:  # noqa: ARG001 (the user's id is nobody's business)
    """Read the call of ``MemoryManager.create_user_memories``, in which a model decides what is kept."""
    return Memory("upsert_memory"), Reader(read_nothing)


def start_memory_search(call: Call) -> tuple[Memory, Reader[Any]]:
    """Read the call of ``MemoryManager.search_user_memories``."""
    operation = Memory("search_memory")
    if content.wanted():
        operation.query_text = payload.as_text(call.argument(0, "query"))
    return operation, Reader(_read_memories)


def _read_memories(operation: Memory, found: Any) -> None:
    read_found(operation, payload.as_list(found), _record)


def _record(memory: Any) -> dict[str, Any]:
    return {"id": payload.get_text(memory, "memory_id") or "", "content": payload.get(memory, "memory")}
