"""Which statements are searches for near vectors, and what is read from them."""

from __future__ import annotations

import pytest

from obs_run.pipeline import vector_sql

SEARCHES = {
    "SELECT id FROM items ORDER BY embedding <-> %s LIMIT 5": ("items", 5),
    "SELECT id FROM items ORDER BY embedding <=> $1 LIMIT $2": ("items", None),
    'select 1 - (v <=> %(v)s) from "my"."items" order by v <#> %(v)s limit 3;': ("my.items", 3),
    "WITH near AS (SELECT id FROM docs ORDER BY v <+> '[1,2]' LIMIT 7) SELECT * FROM near": ("docs", None),
    "SELECT id FROM bits ORDER BY b <~> B'101' LIMIT 2": ("bits", 2),
    "SELECT id FROM bits ORDER BY b <%%> %s LIMIT 2": ("bits", 2),
}
OTHERS = (
    "SELECT id FROM items WHERE id < 5",
    "SELECT to_tsquery('big <-> cat') FROM items",
    "SELECT 1 -- a <-> b\n",
    "INSERT INTO near SELECT id FROM items ORDER BY v <-> '[1]'",
)


@pytest.mark.parametrize("name", ["db.statement", "db.query.text"])
@pytest.mark.parametrize(("statement", "told"), SEARCHES.items())
def test_search(statement: str, told: tuple[str, int | None], name: str) -> None:
    system = "db.system" if name == "db.statement" else "db.system.name"
    found = vector_sql.search({system: "postgresql", name: statement})
    assert found is not None
    assert (found.data_source, found.top_k) == told


@pytest.mark.parametrize("statement", OTHERS)
def test_other_statements(statement: str) -> None:
    assert vector_sql.search({"db.system": "postgresql", "db.statement": statement}) is None


def test_other_databases() -> None:
    assert vector_sql.search({"db.system": "mysql", "db.statement": "SELECT a FROM t WHERE a <=> NULL"}) is None
    assert vector_sql.search({}) is None
