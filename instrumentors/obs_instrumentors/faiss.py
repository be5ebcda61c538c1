"""FAISS, an index inside of the process: searches by default, writes where the user asks for them.

A call takes as little as ten microseconds, and an index is often filled vector by vector: recording each write could
cost more than the writing. Searches are what a reader of a trace asks for, and few for each turn of an agent.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from obs_run.core import content, streams, vector_stores
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.operations import DatabaseCall, Retrieval
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.core.outcomes import Call

_SYSTEM = "faiss"
_MAX_SCORES = 100


def start_search(name: str, call: Call) -> tuple[Retrieval, Reader]:
    """Return the operation of a search for nearest vectors, or for all within a radius."""
    batch_size = vector_stores.batch(call.argument(0, "x"))
    operation = Retrieval(system=_SYSTEM, database_operation=name, batch_size=batch_size)
    if name != "search":
        return operation, _RANGE
    count = call.argument(1, "k")
    if count is not None:
        # It may be a number of numpy's.
        operation.top_k = int(count)
    return operation, _NEAREST


def start_write(name: str, call: Call) -> tuple[DatabaseCall, Reader]:
    """Return the operation of a change of the index."""
    batch_size = vector_stores.batch(call.argument(0, "x"))
    return DatabaseCall(name, system=_SYSTEM, batch_size=batch_size), _WRITE


def _read_nearest(operation: Retrieval, result: Any) -> None:
    distances, ids = result
    # Rows with fewer hits than asked for are filled with -1.
    is_hit = ids >= 0
    operation.returned = int(is_hit.sum())
    _read_hits(operation, distances[is_hit], ids[is_hit])


def _read_range(operation: Retrieval, result: Any) -> None:
    _, distances, ids = result
    operation.returned = len(ids)
    _read_hits(operation, distances, ids)


def _read_hits(operation: Retrieval, distances: Any, ids: Any) -> None:
    operation.scores = distances[:_MAX_SCORES].tolist() or None
    if content.wanted():
        pairs = zip(ids.tolist(), distances.tolist(), strict=True)
        operation.documents = [{"id": str(number), "score": float(score)} for number, score in pairs]


_NEAREST = Reader(_read_nearest)
_RANGE = Reader(_read_range)
_WRITE = Reader(vector_stores.nothing)
_SEARCHES = ("search", "range_search")
_WRITES = ("add", "add_with_ids", "train", "remove_ids")


def _targets() -> Iterator[Target]:
    for name in _SEARCHES:
        wrapper = streams.wrap_call(partial(start_search, name))
        yield Target("faiss", f"Index*.{name}", wrapper, setting=("OBS_FAISS", ("search", "all")))
    for name in _WRITES:
        wrapper = streams.wrap_call(partial(start_write, name))
        yield Target("faiss", f"Index*.{name}", wrapper, setting=("OBS_FAISS", ("all",)))


INSTRUMENTORS = (
    Instrumentor(
        "faiss",
        "faiss-cpu",
        ">=1.8,<2",
        tuple(_targets()),
        ("retrieval", "database calls"),
    ),
)
