"""Chroma's results and arguments, without Chroma."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from obs_instrumentors import chromadb

from obs_run.core.outcomes import Call

COLLECTION = SimpleNamespace(name="cities")
FOUND: dict[str, Any] = {
    "ids": [["lisbon", "porto"], ["faro"]],
    "distances": [[0.25, 0.5], [0.75]],
    "documents": None,
}


def test_hits_of_two_queries() -> None:
    operation = chromadb._parse_query("query", COLLECTION, {"query_embeddings": [[1.0], [2.0]], "n_results": 2})
    chromadb._read_hits(operation, FOUND)
    assert (operation.batch_size, operation.returned, operation.scores) == (2, 3, [0.25, 0.5, 0.75])


def test_hits_without_distances() -> None:
    operation = chromadb._parse_query("query", COLLECTION, {"query_embeddings": [1.0]})
    chromadb._read_hits(operation, {"ids": [["lisbon"]], "documents": None, "distances": None})
    assert (operation.batch_size, operation.returned, operation.scores, operation.top_k) == (None, 1, None, 10)


@pytest.mark.parametrize(
    ("vectors", "count"), [([1.0, 2.0], 1), ([[1.0, 2.0]], 1), ([[1.0], [2.0]], 2), ([], 0), (None, 0)]
)
def test_one_or_many_vectors(vectors: Any, count: int) -> None:
    assert chromadb._vector_count(vectors) == count


def test_hybrid_search() -> None:
    asked = SimpleNamespace(_limit=SimpleNamespace(limit=3), _rank=SimpleNamespace(query="Where?"))
    operation = chromadb._parse_search("search", COLLECTION, {"searches": asked})
    chromadb._read_hits(operation, {"ids": [["lisbon"]], "scores": [[0.5]], "documents": [None]})
    assert (operation.top_k, operation.returned, operation.scores) == (3, 1, [0.5])
    assert operation.query_text is None


@pytest.mark.parametrize(("granularity", "said"), [("operation", 1), ("none", 0), (None, 0)])
def test_own_tracing_is_warned_of(granularity: str | None, said: int, caplog: pytest.LogCaptureFixture) -> None:
    from obs_run.base import guard

    guard._said.clear()
    system = SimpleNamespace(settings=SimpleNamespace(chroma_otel_granularity=granularity))
    with caplog.at_level(logging.WARNING, "obs_run"):
        for _ in range(2):
            chromadb._own_telemetry(Call(None, (system,), {}))
    assert len([one for one in caplog.records if "CHROMA_OTEL_GRANULARITY" in one.getMessage()]) == said
