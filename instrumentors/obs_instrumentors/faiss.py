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
    from obs_run.core.outcomes import Call

_SYSTEM = "faiss"
_MOST_SCORES = 100


def begin_search(name: str, call: Call) -> tuple[Retrieval, Reader]:
    """Return the operation of a search for nearest vectors, or for all within a radius."""
    wanted = call.argument(1, "k") if name == "search" else None
    operation = Retrieval(
        system=_SYSTEM, database_operation=name, batch_size=vector_stores.batch(call.argument(0, "x"))
    )
    operation.top_k = None if wanted is None else int(wanted)
    return operation, _NEAREST if name == "search" else _WITHIN


def begin_write(name: str, call: Call) -> tuple[DatabaseCall, Reader]:
    """Return the operation of a change of the index."""
    return DatabaseCall(name, system=_SYSTEM, batch_size=vector_stores.batch(call.argument(0, "x"))), _WRITTEN


def _nearest(operation: Retrieval, result: Any) -> None:
    distances, ids = result
    # Places without a hit are filled with -1.
    hits = ids >= 0
    operation.returned = int(hits.sum())
    _tell(operation, distances[hits], ids[hits])


def _within(operation: Retrieval, result: Any) -> None:
    _, distances, ids = result
    operation.returned = len(ids)
    _tell(operation, distances, ids)


def _tell(operation: Retrieval, distances: Any, ids: Any) -> None:
    operation.scores = distances[:_MOST_SCORES].tolist() or None
    if content.wanted():
        pairs = zip(ids.tolist(), distances.tolist(), strict=True)
        operation.documents = [{"id": str(number), "score": float(score)} for number, score in pairs]


_NEAREST, _WITHIN, _WRITTEN = Reader(_nearest), Reader(_within), Reader(vector_stores.nothing)
_SEARCHES = ("search", "range_search")
_WRITES = ("add", "add_with_ids", "train", "remove_ids")

INSTRUMENTORS = (
    Instrumentor(
        "faiss",
        "faiss-cpu",
        ">=1.8,<2",
        (
            *(
                Target(
                    "faiss",
                    f"Index*.{name}",
                    streams.wrap_call(partial(begin_search, name)),
                    setting=("OBS_FAISS", ("search", "all")),
                )
                for name in _SEARCHES
            ),
            *(
                Target(
                    "faiss",
                    f"Index*.{name}",
                    streams.wrap_call(partial(begin_write, name)),
                    setting=("OBS_FAISS", ("all",)),
                )
                for name in _WRITES
            ),
        ),
        ("retrieval", "database calls"),
    ),
)
