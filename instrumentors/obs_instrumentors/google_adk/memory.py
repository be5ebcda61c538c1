"""The library's memory: what agents and their programs search there, and what they add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.google import contents
from obs_instrumentors.wire.plain import plain
from obs_run.base import payload
from obs_run.core import content, ownership
from obs_run.core.operations import Memory
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.outcomes import Call

    Started = tuple[Memory, Reader] | None

_SEARCH, _ADD = NAMES = ("search_memory", "upsert_memory")


def start_search(call: Call) -> Started:
    """Return the operation of a search."""
    operation = _memory(_SEARCH)
    if operation is None:
        return None
    if content.wanted():
        operation.query_text = payload.as_text(call.argument(0, "query") or call.kwargs.get("query"))
    return operation, Reader(_read_found)


def start_add(call: Call) -> Started:
    """Return the operation of events, memories or a whole session that are added."""
    operation = _memory(_ADD)
    if operation is None:
        return None
    operation.conversation_id = payload.get_text(call.argument(0, "session"), "id")
    added = call.kwargs.get("memories") or call.kwargs.get("events")
    operation.record_count = None if added is None else len(payload.as_list(added))
    return operation, Reader(_read_nothing)


def _memory(name: str) -> Memory | None:
    """Return a new operation; None inside of one, where a service is asked by what an agent asked."""
    around = payload.get(ownership.current_recording(), "operation")
    return None if isinstance(around, Memory) else Memory(name)


def _read_found(operation: Memory, response: Any) -> None:
    found = payload.get_list(response, "memories")
    operation.record_count = len(found)
    if content.wanted():
        operation.records = [_record(each) for each in found]


def _record(entry: Any) -> dict[str, Any]:
    said = [part.get("content") for part in contents.parts(plain(payload.get(entry, "content")))]
    record = {"content": "\n".join(each for each in said if isinstance(each, str))}
    record_id = payload.get_text(entry, "id")
    return record if record_id is None else {"id": record_id, **record}


def _read_nothing(_operation: Memory, _returned: Any) -> None:
    """Leave it at what was asked."""


STARTS: dict[str, Callable[[Call], Started]] = {
    "search_memory": start_search,
    "add_session_to_memory": start_add,
    "add_events_to_memory": start_add,
    "add_memory": start_add,
}
