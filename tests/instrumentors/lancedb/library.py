"""LanceDB's scenario set, on a database in a folder of its own."""

from __future__ import annotations

import shutil
import tempfile
from importlib import import_module
from typing import Any

from tests.instrumentors.scenarios import Driver, Library, Scenario

NAME = "cities"
TEXTS = ("Lisbon is a capital.", "Porto has port.", "Faro has a lagoon.")
ROWS = [
    {"id": number, "vector": [place, 0.0], "text": text}
    for number, (place, text) in enumerate(zip((1.0, 2.0, -1.0), TEXTS, strict=True), 1)
]


class LanceDB(Driver):
    """A database with one table of three cities and an index of their texts."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        lancedb = import_module("lancedb")
        self.folder = tempfile.mkdtemp()
        index = import_module("lancedb.index").FTS()
        made = lancedb.connect(self.folder).create_table(NAME, ROWS)
        made.create_index("text", config=index)
        if kind == "sync":
            self.table = made
        else:
            connection = self.run(lancedb.connect_async(self.folder))
            self.table = self.run(connection.open_table(NAME))

    def query(self, kind: str, limit: int = 2) -> Any:
        """Return a lazy query of a kind, by either API."""
        if self.kind == "sync":
            made = {
                "vector": lambda: self.table.search([1.0, 0.0]),
                "text": lambda: self.table.search("port", query_type="fts"),
                "hybrid": lambda: self.table.search(query_type="hybrid").vector([1.0, 0.0]).text("port"),
                "none": self.table.search,
            }
        else:
            query = self.table.query
            made = {
                "vector": lambda: query().nearest_to([1.0, 0.0]),
                "text": lambda: query().nearest_to_text("port"),
                "hybrid": lambda: query().nearest_to([1.0, 0.0]).nearest_to_text("port"),
                "none": query,
            }
        return made[kind]().limit(limit)

    def read(self, kind: str, limit: int = 2) -> Any:
        return self.run(self.query(kind, limit).to_list())

    def batches(self) -> Any:
        reader = self.run(self.query("vector").to_batches())
        return [each.num_rows for each in (reader if self.kind == "sync" else self.run(reader.read_all()))]

    def merge(self) -> Any:
        merge = self.table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
        return type(self.run(merge.execute(ROWS)))

    def update(self) -> Any:
        options = {"values" if self.kind == "sync" else "updates": {"text": TEXTS[0]}}
        return type(self.run(self.table.update(where="id = 1", **options)))

    def close(self) -> None:
        super().close()
        shutil.rmtree(self.folder, ignore_errors=True)


def search(**more: Any) -> dict[str, Any]:
    told = {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.data_source.id": NAME,
        "gen_ai.retrieval.top_k": 2,
        "db.system.name": "lancedb",
        "db.operation.name": "search",
        "db.collection.name": NAME,
        "db.response.returned_rows": 2,
        **{name.replace("__", "."): value for name, value in more.items()},
    }
    return {name: value for name, value in told.items() if value is not None}


def database(operation: str, **more: Any) -> dict[str, Any]:
    told = {"db.system.name": "lancedb", "db.operation.name": operation, "db.collection.name": NAME}
    return told | {name.replace("__", "."): value for name, value in more.items()}


def documents(*hits: tuple[int, float]) -> dict[str, Any]:
    return {
        "gen_ai.retrieval.documents": [
            {"id": str(number), "score": score, "content": {"id": number, "text": TEXTS[number - 1]}}
            for number, score in hits
        ]
    }


_SEARCH = f"retrieval {NAME}"

LIBRARY = Library(
    name="lancedb",
    instrumentor="obs_instrumentors.lancedb",
    environments={"0.34, oldest": ("lancedb==0.34.0",), "0.40, newest": ("lancedb>=0.40,<1",)},
    driver=LanceDB,
    more=("more.py",),
    scenarios=(
        Scenario(
            "retrieval",
            lambda its: its.read("vector"),
            _SEARCH,
            search(obs__retrieval__scores=(0.0, 1.0)),
            documents((1, 0.0), (2, 1.0)),
        ),
        Scenario(
            "retrieval in batches",
            lambda its: its.batches(),
            _SEARCH,
            search(db__response__returned_rows=None),
            {},
        ),
        Scenario(
            "scan",
            lambda its: sorted(row["id"] for row in its.read("none", 3)),
            f"query {NAME}",
            database("query", db__response__returned_rows=3),
            {},
        ),
        Scenario(
            "write",
            lambda its: type(its.run(its.table.add(ROWS, mode="overwrite"))),
            f"add {NAME}",
            database("add", db__operation__batch__size=3),
            {},
        ),
        Scenario(
            "merge",
            lambda its: its.merge(),
            f"merge_insert {NAME}",
            database("merge_insert", db__operation__batch__size=3),
        ),
        Scenario("update", lambda its: its.update(), f"update {NAME}", database("update")),
        Scenario(
            "delete",
            lambda its: type(its.run(its.table.delete("id = 7"))),
            f"delete {NAME}",
            database("delete"),
        ),
        Scenario("count", lambda its: its.run(its.table.count_rows()), f"count_rows {NAME}", database("count_rows")),
        *(
            Scenario(
                "error",
                lambda its: its.run(its.table.delete("nothing = 1")),
                f"delete {NAME}",
                database("delete", error__type=error),
                error=error,
                unless=unless,
            )
            for error, unless in (("RuntimeError", ("0.40, newest",)), ("ValueError", ("0.34, oldest",)))
        ),
        Scenario(
            "cancelled",
            lambda its: its.cancel(its.query("vector").to_list(), after=0),
            _SEARCH,
            search(db__response__returned_rows=None, error__type="asyncio.exceptions.CancelledError"),
            error="CancelledError",
            kinds=("async",),
        ),
    ),
)
