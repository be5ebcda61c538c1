"""LanceDB's queries and tables, without LanceDB."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from obs_instrumentors import lancedb


class LanceVectorQueryBuilder(SimpleNamespace):
    """A query by its class's name."""


class LanceTakeQueryBuilder(SimpleNamespace):
    """A reading of rows by their numbers, by its class's name."""


TABLE = SimpleNamespace(name="cities")


def test_search_and_take() -> None:
    search = lancedb._parse_query("to_arrow", LanceVectorQueryBuilder(_table=TABLE, _limit=3), {})
    assert (search.name, search.attributes()["gen_ai.retrieval.top_k"]) == ("retrieval", 3)
    assert lancedb._parse_query("to_arrow", LanceTakeQueryBuilder(_table=TABLE), {}).name == "take"


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (SimpleNamespace(_text="hybrid"), "hybrid"),
        (SimpleNamespace(_str_query="vector", _query=[1.0]), "vector"),
        (SimpleNamespace(_query="words"), "words"),
        (SimpleNamespace(_query=SimpleNamespace(query="match")), "match"),
        (SimpleNamespace(_query=[1.0, 2.0]), None),
        (SimpleNamespace(_inner=SimpleNamespace(get_query=lambda: "native")), "native"),
    ],
)
def test_texts(query: Any, text: str | None) -> None:
    assert lancedb._text(query) == text


def test_a_reader_of_batches_tells_nothing() -> None:
    operation = lancedb._parse_query("to_batches", LanceVectorQueryBuilder(_table=TABLE, _limit=None), {})
    lancedb._read_rows(operation, object())  # type: ignore[arg-type]
    assert "db.response.returned_rows" not in operation.attributes()


def test_merge_is_named_as_the_agent_calls_it() -> None:
    operation = lancedb._parse_write("_do_merge", TABLE, {"data": [{}, {}]})
    assert (operation.name, operation.batch_size) == ("merge_insert", 2)
