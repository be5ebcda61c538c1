"""LangGraph's long-term memory: what is read from a ``BaseStore`` and written to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import Memory
    from obs_run.core.outcomes import Call


def _memory(name: str, call: Call) -> Memory:
    # Here, because a process that uses no memory should not load the operations.
    from obs_run.core.operations import Memory

    namespace = call.argument(0, "namespace") or call.argument(0, "namespace_prefix") or ()
    return Memory(name, store_id="/".join(map(str, namespace)) or None)


def start_get(call: Call) -> tuple[Memory, Reader]:
    """Return the operation of a record that is asked for by its key."""
    operation = _memory("search_memory", call)
    operation.record_id = payload.as_text(call.argument(1, "key"))
    return operation, Reader(_read_found)


def start_search(call: Call) -> tuple[Memory, Reader]:
    """Return the operation of a search."""
    operation = _memory("search_memory", call)
    if content.wanted():
        operation.query_text = payload.as_text(call.kwargs.get("query"))
    return operation, Reader(_read_found)


def start_put(call: Call) -> tuple[Memory, Reader]:
    """Return the operation of a record that is written."""
    operation = _memory("upsert_memory", call)
    operation.record_id = payload.as_text(call.argument(1, "key"))
    operation.record_count = 1
    if content.wanted():
        operation.records = [_record(operation.record_id, call.argument(2, "value"))]
    return operation, Reader(_read_nothing)


def start_delete(call: Call) -> tuple[Memory, Reader]:
    """Return the operation of a record that is deleted."""
    operation = _memory("delete_memory", call)
    operation.record_id = payload.as_text(call.argument(1, "key"))
    return operation, Reader(_read_nothing)


def _read_found(operation: Memory, found: Any) -> None:
    """Read an ``Item``, a list of them, or None."""
    items = found if isinstance(found, list) else [found] if found is not None else []
    operation.record_count = len(items)
    if content.wanted():
        operation.records = [_record(payload.get_text(item, "key"), payload.get(item, "value")) for item in items]


def _read_nothing(_operation: Memory, _returned: Any) -> None:
    """Leave it at what was asked."""


def _record(key: str | None, value: Any) -> dict[str, Any]:
    from . import messages

    said = value if isinstance(value, str) else content.to_json(messages.plain(value))
    return {"content": said} if key is None else {"id": key, "content": said}


STARTS: dict[str, Callable[[Call], tuple[Memory, Reader]]] = {
    "get": start_get,
    "search": start_search,
    "put": start_put,
    "delete": start_delete,
}
