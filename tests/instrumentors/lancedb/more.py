"""LanceDB's searches by a text, whose scores are the engine's own: one span each, whatever runs inside."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.instrumentors.conftest import *  # noqa: F403 (pytest finds the fixtures)
from tests.instrumentors.lancedb.library import LanceDB
from tests.instrumentors.run_scenarios import instrumented


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(("query", "returned"), [("text", 1), ("hybrid", 2)])
def test_one_span(kind: str, query: str, returned: int, stub: Any, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    its = LanceDB(kind, stub)
    with instrumented():
        rows = its.read(query)
        attributes = telemetry.attributes()
    its.close()
    assert len(rows) == returned
    assert attributes["db.response.returned_rows"] == returned
    assert attributes["gen_ai.retrieval.query.text"] == "port"
    assert attributes["gen_ai.retrieval.top_k"] == 2
    score = "_score" if query == "text" else "_relevance_score"
    assert attributes["obs.retrieval.scores"] == tuple(row[score] for row in rows)
    told = json.loads(attributes["gen_ai.retrieval.documents"])
    assert [each["content"]["text"] for each in told] == [row["text"] for row in rows]


def test_index(stub: Any, telemetry: Any) -> None:
    from importlib import import_module

    its = LanceDB("sync", stub)
    with instrumented():
        its.table.create_index("id", config=import_module("lancedb.index").BTree())
        assert telemetry.span().name == "create_index cities"
    its.close()


def test_pandas_free_terminals_share_the_reading(stub: Any, telemetry: Any) -> None:
    its = LanceDB("sync", stub)
    with instrumented():
        assert its.query("vector").to_arrow().num_rows == 2
        assert telemetry.span().name == "retrieval cities"
    its.close()
