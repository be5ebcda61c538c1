"""The memory of agents: blocks that are always before the model, passages and messages that are searched."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.endpoint import Endpoint
from obs_instrumentors.wire.memories import read_found
from obs_run.base import payload
from obs_run.core import content
from obs_run.core.operations import Memory, Retrieval
from obs_run.core.readers import read_nothing

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_SCORES = 100
_STORES = ("agents", "archives")
_RECORDS = ("blocks", "passages", "archival-memory")
_WORDS = ("search", "batch")
"""What may follow in a path in place of a record's id."""


@dataclass(eq=False, repr=False)
class MemoryCall(Memory):
    """A call for an agent's memory."""

    def read_path(self, following: Mapping[str, str], params: Mapping[str, Any]) -> None:
        """Read whose memory it is, and what is asked of it."""
        self.agent_id = following.get("agents")
        self.store_id = next((following[name] for name in _STORES if name in following), self.store_id)
        records = [following[name] for name in _RECORDS if name in following]
        self.record_id = next((each for each in records if each not in _WORDS), None)
        if content.wanted():
            self.query_text = payload.as_text(params.get("query")) or self.query_text


@dataclass(eq=False, repr=False)
class PassageSearch(Retrieval):
    """A search for passages of all agents and archives."""

    def read_path(self, _following: Mapping[str, str], _params: Mapping[str, Any]) -> None:
        """Leave it at the body."""


def _parse_asked(body: dict[str, Any]) -> MemoryCall:
    operation = MemoryCall("search_memory", store_id=payload.as_text(body.get("agent_id")))
    if content.wanted():
        operation.query_text = payload.as_text(body.get("query"))
    return operation


def _parse_written(name: str, body: dict[str, Any]) -> MemoryCall:
    """Read a block, a passage, or many of these."""
    operation = MemoryCall(name)
    written = payload.as_list(body.get("passages")) or [body]
    operation.record_count = len(written)
    if content.wanted():
        operation.records = [_record(each) for each in written if _text(each) is not None] or None
    return operation


def _parse_deleted(_body: dict[str, Any]) -> MemoryCall:
    return MemoryCall("delete_memory", record_count=1)


def _read_found(operation: MemoryCall, found: Any) -> None:
    """Read a block or passage, a page or a list of these, or what a search returns."""
    read_found(operation, _records(found), _record)


def _read_written(operation: MemoryCall, written: Any) -> None:
    """Read the id of the one record that there is now."""
    records = _records(written)
    if operation.record_id is None and len(records) == 1:
        operation.record_id = payload.get_text(records[0], "id")


def _records(answer: Any) -> list[Any]:
    if isinstance(answer, list):
        return answer
    for name in ("results", "items"):
        if isinstance(payload.get(answer, name), list):
            return payload.get_list(answer, name)
    return [answer]


def _record(raw: Any) -> dict[str, Any]:
    record_id = payload.get_text(raw, "id") or payload.get_text(raw, "message_id") or payload.get_text(raw, "label")
    record = {"content": _text(raw) or ""}
    return record if record_id is None else {"id": record_id, **record}


def _text(raw: Any) -> str | None:
    """Return what a block, a passage or a message says."""
    texts = (payload.get_text(raw, name) for name in ("value", "text", "content", "reasoning"))
    return next((text for text in texts if text is not None), None)


def _parse_search(body: dict[str, Any]) -> PassageSearch:
    operation = PassageSearch(
        data_source=payload.as_text(body.get("archive_id")) or payload.as_text(body.get("agent_id")),
        top_k=payload.as_int(body.get("limit")),
    )
    if content.wanted():
        operation.query_text = payload.as_text(body.get("query"))
    return operation


def _read_search(operation: PassageSearch, found: Any) -> None:
    """Read a list of PassageSearchResponseItem."""
    hits = [(payload.get(hit, "passage"), payload.get_float(hit, "score")) for hit in payload.as_list(found)]
    operation.returned = len(hits)
    operation.scores = [score for _, score in hits[:_MOST_SCORES] if score is not None] or None
    if content.wanted():
        operation.documents = [{**_record(passage), "score": score} for passage, score in hits]


_FIND = Endpoint(_parse_asked, _read_found)
_CREATE = Endpoint(partial(_parse_written, "create_memory"), _read_written)
_UPDATE = Endpoint(partial(_parse_written, "update_memory"), read_nothing)
_DELETE = Endpoint(_parse_deleted, read_nothing)
ENDPOINTS = {
    "blocks": {"get": _FIND, "post": _CREATE},
    "blocks/*": {"get": _FIND, "patch": _UPDATE, "delete": _DELETE},
    "agents/*/core-memory/blocks": {"get": _FIND},
    "agents/*/core-memory/blocks/*": {"get": _FIND, "patch": _UPDATE},
    "agents/*/archival-memory": {"get": _FIND, "post": _CREATE},
    "agents/*/archival-memory/search": {"get": _FIND},
    "agents/*/archival-memory/*": {"delete": _DELETE},
    "archives/*/passages": {"post": _CREATE},
    "archives/*/passages/batch": {"post": _CREATE},
    "archives/*/passages/*": {"delete": _DELETE},
    "messages/search": {"post": _FIND},
    "passages/search": {"post": Endpoint(_parse_search, _read_search)},
}
