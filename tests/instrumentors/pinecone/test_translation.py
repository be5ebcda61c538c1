"""Pinecone's arguments and results, without Pinecone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from obs_instrumentors import pinecone

INDEX = SimpleNamespace(_host="https://my-places-a1b2c3d.svc.aped-4627-b74a.pinecone.io")


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("https://my-places-a1b2c3d.svc.aped-4627-b74a.pinecone.io", "my-places"),
        ("places-a1b2c3d.svc.us-east1-gcp.pinecone.io", "places"),
        ("http://127.0.0.1:5081", None),
    ],
)
def test_name_of_an_index(host: str, name: str | None) -> None:
    operation = pinecone._parse_records(
        "delete", SimpleNamespace(_config=SimpleNamespace(host=host)), {"namespace": "n"}
    )
    assert (operation.collection, operation.namespace) == (name, "n")


def test_matches_and_hits() -> None:
    operation = pinecone._parse_query("query", INDEX, {"top_k": 3})
    pinecone._read_hits(operation, {"matches": [{"id": "a", "score": 0.5, "metadata": {}}]})
    assert (operation.returned, operation.scores, operation.top_k) == (1, [0.5], 3)
    pinecone._read_hits(operation, {"result": {"hits": [{"_id": "a", "_score": 0.25}, {"_id": "b", "_score": 0.125}]}})
    assert (operation.returned, operation.scores) == (2, [0.25, 0.125])


def test_a_result_to_come_tells_nothing() -> None:
    operation = pinecone._parse_query("query", INDEX, {"top_k": 3})
    pinecone._read_hits(operation, object())
    assert operation.returned is None


@pytest.mark.parametrize(
    ("given", "batch"),
    [({"vectors": [1, 2]}, 2), ({"ids": ["a"]}, None), ({"documents": [{}, {}, {}]}, 3), ({"delete_all": True}, None)],
)
def test_batches(given: dict[str, Any], batch: int | None) -> None:
    assert pinecone._parse_records("upsert", INDEX, given).batch_size == batch


def test_model_by_its_enumeration() -> None:
    operation = pinecone._parse_embed("embed", INDEX, {"model": SimpleNamespace(value="e5"), "inputs": "one"})
    assert (operation.request_model, operation.input_count) == ("e5", 1)
