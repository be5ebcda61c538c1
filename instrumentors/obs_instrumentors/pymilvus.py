"""Milvus's clients, sync and async, embedded (milvus-lite) or behind gRPC; an iterator of pages is one search.

The older interface of ``Collection`` objects is not recorded.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from obs_instrumentors.clients.stream_objects import itself
from obs_instrumentors.wire.server_address import read_store_address
from obs_run.base import payload
from obs_run.core import content, streams, vector_stores
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.operations import Retrieval
from obs_run.core.outcomes import Reader
from obs_run.core.sparse_dataclasses import sparse_dataclass
from obs_run.core.vector_stores import Method

if TYPE_CHECKING:
    from obs_run.core.operations import DatabaseCall, Operation
    from obs_run.core.outcomes import Call

_SYSTEM = "milvus"
_DEFAULT_LIMIT = 10
"""How many hits a search gives where the agent does not say."""


@sparse_dataclass
class Pages(Retrieval):
    """A search whose hits come page by page."""

    hits: list[tuple[Any, Any, Any]] = field(default_factory=list)


def start_pages(call: Call) -> tuple[Pages, Reader]:
    """Return the operation of a search by pages; it is over when a page is empty or the iterator is closed."""
    name = payload.as_text(call.argument(0, "collection_name"))
    limit = payload.as_int(call.argument(4, "limit"))
    operation = Pages(system=_SYSTEM, database_operation="search_iterator", collection=name, data_source=name)
    if limit is not None and limit > 0:
        # Without a limit it goes on to the last hit.
        operation.top_k = limit
    _read_address(operation, call.instance)
    if content.wanted():
        operation.query_text = _query_text(call.argument(1, "data"))
    return operation, _PAGES


def _read_address(operation: Operation, client: Any) -> None:
    """Note the server and the database, which releases before 3 do not keep."""
    config = payload.get(client, "_config")
    database = payload.get_text(config, "db_name")
    if database is not None:
        operation.__dict__["namespace"] = database
    read_store_address(operation, payload.get(config, "address"))


def _parse_search(name: str, client: Any, arguments: dict[str, Any]) -> Retrieval:
    data = arguments.get("data")
    operation = vector_stores.search(
        _SYSTEM,
        name,
        arguments.get("collection_name"),
        top_k=payload.as_int(arguments.get("limit", _DEFAULT_LIMIT)),
        batch_size=vector_stores.batch(data if isinstance(data, (list, tuple)) else None),
    )
    _read_address(operation, client)
    if content.wanted():
        # A hybrid search has a request for each field that is searched.
        requests = payload.as_list(arguments.get("reqs"))
        queries = [payload.coalesce(*payload.get_list(request, "data")) for request in requests]
        operation.query_text = _query_text(queries or data)
    return operation


def _parse_records(name: str, client: Any, arguments: dict[str, Any]) -> DatabaseCall:
    batch = vector_stores.batch(payload.coalesce(arguments.get("data"), arguments.get("ids")))
    operation = vector_stores.database_call(_SYSTEM, name, arguments.get("collection_name"), batch_size=batch)
    _read_address(operation, client)
    return operation


def _query_text(data: Any) -> str | None:
    """Return the queries that are texts; vectors say nothing to a reader."""
    queries = payload.as_list(data) or [data]
    texts = [query for query in queries if isinstance(query, str)]
    return "\n".join(texts) or None


def _read_hits(operation: Retrieval, result: Any) -> None:
    """Read a SearchResult: a row of hits for each query."""
    hits: list[tuple[Any, Any, Any]] = []
    for row in result:
        # Rows of newer releases make their hits only when they are asked for: ids and distances are there before.
        if content.wanted() or not hasattr(row, "distances"):
            hits += [(payload.get(hit, "id"), payload.get(hit, "distance"), _entity(hit)) for hit in row]
        else:
            hits += [(None, distance, None) for distance in row.distances]
    vector_stores.found(operation, hits, wanted=content.wanted())


def _entity(hit: Any) -> str | None:
    """Return the fields of a hit that can be read."""
    entity = hit.get("entity") if content.wanted() else None
    if not isinstance(entity, dict):
        return None
    readable = {name: value for name, value in entity.items() if isinstance(value, (str, int, float, bool))}
    return content.to_json(readable) if readable else None


def _read_returned(operation: DatabaseCall, result: Any) -> None:
    operation.returned = vector_stores.size(result)


def _read_page(operation: Pages, page: Any) -> None:
    operation.hits += [(getattr(hit, "id", None), getattr(hit, "distance", None), None) for hit in page]


def _finish_pages(operation: Pages) -> None:
    vector_stores.found(operation, operation.hits, wanted=content.wanted())


def _is_last(_: Any, page: Any) -> bool:
    return not len(page)


_PAGES = Reader(vector_stores.nothing, deferred=itself, chunk=_read_page, end=_finish_pages)
_NEXT, _CLOSE = streams.wrap_read(itself, _is_last), streams.wrap_close(itself)
_IDS = ("collection_name", "ids")
_DATA = ("collection_name", "data")
_METHODS = {
    "search": Method(("collection_name", "data", "filter", "limit"), _parse_search, _read_hits),
    "hybrid_search": Method(("collection_name", "reqs", "ranker", "limit"), _parse_search, _read_hits),
    "query": Method(("collection_name",), _parse_records, _read_returned),
    "get": Method(_IDS, _parse_records, _read_returned),
    **dict.fromkeys(("insert", "upsert"), Method(_DATA, _parse_records)),
    "delete": Method(_IDS, _parse_records),
}
_ITERATORS = (
    ("pymilvus.orm.iterator", "SearchIterator"),
    ("pymilvus.client.search_iterator", "SearchIteratorV2"),
    ("pymilvus.client.iterator.search_iterator", "SearchIterator"),
    ("pymilvus.client.iterator.search_iterator", "SearchIteratorV2"),
)
_CLIENT = "pymilvus.milvus_client.milvus_client"
_ASYNC_CLIENT = "pymilvus.milvus_client.async_milvus_client"

INSTRUMENTORS = (
    Instrumentor(
        "pymilvus",
        "pymilvus",
        ">=2.4.15,<4",
        (
            *vector_stores.targets(_CLIENT, "MilvusClient", _METHODS),
            *vector_stores.targets(_ASYNC_CLIENT, "AsyncMilvusClient", _METHODS, streams.wrap_async_call),
            Target(_CLIENT, "MilvusClient.search_iterator", streams.wrap_call(start_pages)),
            *(Target(module, f"{name}.next", _NEXT, optional=True) for module, name in _ITERATORS),
            *(Target(module, f"{name}.close", _CLOSE, optional=True) for module, name in _ITERATORS),
        ),
        ("retrieval", "database calls"),
    ),
)
