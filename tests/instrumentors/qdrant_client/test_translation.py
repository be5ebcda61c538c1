"""Qdrant's arguments and results, without Qdrant."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from obs_instrumentors import qdrant_client

HITS = [SimpleNamespace(id=number, score=1 / number, payload={"text": "x"}) for number in (1, 2)]
REMOTE = SimpleNamespace(_client=SimpleNamespace(_host="store", _port=6333, _grpc_port=6334, _prefer_grpc=True))


@pytest.mark.parametrize(
    ("result", "returned"),
    [
        (SimpleNamespace(points=HITS), 2),
        (SimpleNamespace(points=[]), 0),
        (SimpleNamespace(groups=[SimpleNamespace(id="a", hits=HITS)]), 2),
        ([SimpleNamespace(points=HITS), SimpleNamespace(points=HITS)], 4),
        (HITS, 2),
        ([HITS, HITS], 4),
    ],
)
def test_hits_in_every_shape(result: Any, returned: int) -> None:
    operation = qdrant_client._parse_search("query_points", None, {"collection_name": "cities"})
    qdrant_client._read_hits(operation, result)
    assert operation.returned == returned
    assert operation.scores == ([1.0, 0.5] * (returned // 2) or None)
    assert operation.top_k == 10


@pytest.mark.parametrize(
    ("given", "batch"),
    [
        ({"points": [1, 2]}, 2),
        ({"points": [1]}, None),
        ({"points": iter([1, 2])}, None),
        ({"points": SimpleNamespace(batch=SimpleNamespace(ids=[1, 2, 3]))}, 3),
        ({"points_selector": SimpleNamespace(points=[1, 2])}, 2),
        ({"points_selector": SimpleNamespace(filter=object())}, None),
        ({"vectors": [[1.0], [2.0]], "ids": None}, 2),
        ({}, None),
    ],
)
def test_batches(given: dict[str, Any], batch: int | None) -> None:
    assert qdrant_client._parse_records("upsert", None, {"collection_name": "cities", **given}).batch_size == batch


def test_port_of_grpc() -> None:
    operation = qdrant_client._parse_records("count", REMOTE, {"collection_name": "cities"})
    assert (operation.server_address, operation.server_port) == ("store", 6334)


def test_model_that_embeds_the_query() -> None:
    asked = SimpleNamespace(nearest=SimpleNamespace(text="Where to?", model="some/model"))
    operation = qdrant_client._parse_search("query_points", None, {"query": asked})
    assert (operation.request_model, operation.query_text) == ("some/model", None)
