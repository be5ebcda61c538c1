"""What the blocks of the library's memory keep and find; the messages of the conversation itself are no memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content
from obs_run.core.operations import Memory
from obs_run.core.outcomes import Reader
from obs_run.core.readers import read_nothing

from .messages import text_of

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call


def start_search(call: Call) -> tuple[Memory, Reader[Any]]:
    """Read the call of ``BaseMemoryBlock.aget``."""
    operation = _memory("search_memory", call)
    said = payload.as_list(call.argument(0, "messages"))
    if said and content.wanted():
        operation.query_text = text_of(said[-1])
    return operation, Reader(_read_found)


def _read_found(operation: Memory, found: Any) -> None:
    if found and content.wanted():
        told = found if isinstance(found, list) else [found]
        operation.records = [{"content": each if isinstance(each, str) else text_of(each)} for each in told]


def start_write(call: Call) -> tuple[Memory, Reader[Any]] | None:
    """Read the call of ``BaseMemoryBlock.aput``; some blocks refuse what leaves the short memory."""
    if call.argument(1, "from_short_term_memory") and not payload.get(call.instance, "accept_short_term_memory"):
        return None
    operation = _memory("upsert_memory", call)
    said = payload.as_list(call.argument(0, "messages"))
    operation.record_count = len(said)
    if content.wanted():
        operation.records = [{"content": text_of(each)} for each in said]
    return operation, Reader(read_nothing)


def _memory(name: str, call: Call) -> Memory:
    operation = Memory(name, store_id=payload.get_text(call.instance, "name"))
    operation.conversation_id = payload.as_text(call.kwargs.get("session_id"))
    return operation
