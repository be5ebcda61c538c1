"""Chroma's scenario set: the embedded engine for the sync client, Chroma's own server for the async one."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tests.instrumentors.chromadb import server
from tests.instrumentors.scenarios import Driver, Library, Scenario
from tests.instrumentors.trees import Node

NAME = "cities"
TENANT, DATABASE = "default_tenant", "default_database"
OLDEST = "0.5, oldest"
CITIES: dict[str, Any] = {
    "ids": ["lisbon", "porto", "faro"],
    "embeddings": [[1.0, 0.0], [2.0, 0.0], [-1.0, 0.0]],
    "documents": ["Lisbon is a capital.", "Porto has port.", "Faro has a lagoon."],
}


def embedding_function() -> Any:
    """Return an embedding function as an agent has its own: a vector of the text's length."""
    chromadb = import_module("chromadb")

    class Lengths(chromadb.EmbeddingFunction):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            pass

        def __call__(self, input: list[str]) -> list[list[float]]:  # noqa: A002 (Chroma calls it by name)
            return [[float(len(text)), 0.0] for text in input]

        @staticmethod
        def name() -> str:
            return "lengths"

        def get_config(self) -> dict[str, Any]:
            return {}

        @staticmethod
        def build_from_config(config: dict[str, Any]) -> Any:
            assert config is not None
            return Lengths()

    return Lengths()


class Chroma(Driver):
    """A client with one collection of three cities."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        chromadb = import_module("chromadb")
        settings = import_module("chromadb.config").Settings(anonymized_telemetry=False)
        if kind == "sync":
            self.client = chromadb.EphemeralClient(settings)
        else:
            made = chromadb.AsyncHttpClient(host="127.0.0.1", port=server.port(), settings=settings)
            self.client = self.run(made)
        known = [getattr(each, "name", each) for each in self.run(self.client.list_collections())]
        for name in known:
            self.run(self.client.delete_collection(name))
        self.cities = self.run(self.client.create_collection(NAME, embedding_function=embedding_function()))
        self.run(self.cities.add(**CITIES))

    def towns(self) -> Any:
        made = self.run(self.client.create_collection("towns"))
        self.run(self.client.delete_collection("towns"))
        return made.name


def search(**more: Any) -> dict[str, Any]:
    told = {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.data_source.id": NAME,
        "gen_ai.retrieval.top_k": 2,
        "db.system.name": "chromadb",
        "db.operation.name": "query",
        "db.collection.name": NAME,
        "db.namespace": f"{TENANT}|{DATABASE}",
        "db.response.returned_rows": 2,
        **{name.replace("__", "."): value for name, value in more.items()},
    }
    return {name: value for name, value in told.items() if value is not None}


def database(operation: str, **more: Any) -> dict[str, Any]:
    told = {
        "db.system.name": "chromadb",
        "db.operation.name": operation,
        "db.collection.name": NAME,
        "db.namespace": f"{TENANT}|{DATABASE}",
        **{name.replace("__", "."): value for name, value in more.items()},
    }
    return {name: value for name, value in told.items() if value is not None}


def _document(number: int, score: float) -> dict[str, Any]:
    return {"id": CITIES["ids"][number], "score": score, "content": CITIES["documents"][number]}


def _failed(error: str) -> dict[str, Any]:
    return search(db__response__returned_rows=None, error__type=error)


def _wrong(its: Any) -> Any:
    return its.run(its.cities.query(query_embeddings=[[1.0, 2.0, 3.0]], n_results=2))


_SEARCH = f"retrieval {NAME}"
_OPENAI = "openai>=3,<4"
_LABELS = (OLDEST, "1.0", "1.5, newest")

LIBRARY = Library(
    name="chromadb",
    instrumentor="obs_instrumentors.chromadb",
    environments={
        OLDEST: ("chromadb==0.5.23", "fastapi==0.115.9", _OPENAI),
        "1.0": ("chromadb==1.0.20", _OPENAI),
        "1.5, newest": ("chromadb>=1.5.9,<2", _OPENAI),
    },
    driver=Chroma,
    more=("more.py",),
    scenarios=(
        Scenario(
            "retrieval",
            lambda its: its.run(its.cities.query(query_embeddings=[[1.0, 0.0]], n_results=2)),
            _SEARCH,
            search(obs__retrieval__scores=(0.0, 1.0)),
            {"gen_ai.retrieval.documents": [_document(0, 0.0), _document(1, 1.0)]},
        ),
        Scenario(
            "retrieval by two texts",
            lambda its: its.run(its.cities.query(query_texts=["?", "??"], n_results=1, include=["distances"])),
            _SEARCH,
            search(
                gen_ai__retrieval__top_k=1,
                db__operation__batch__size=2,
                obs__retrieval__scores=(0.0, 0.0),
            ),
            {
                "gen_ai.retrieval.query.text": "?\n??",
                "gen_ai.retrieval.documents": [{"id": "lisbon", "score": 0.0}, {"id": "porto", "score": 0.0}],
            },
        ),
        Scenario(
            "write",
            lambda its: its.run(its.cities.upsert(**CITIES)),
            f"upsert {NAME}",
            database("upsert", db__operation__batch__size=3),
            {},
        ),
        Scenario(
            "add one by a text",
            lambda its: its.run(its.cities.add(ids="braga", documents="Braga")),
            f"add {NAME}",
            database("add"),
        ),
        Scenario(
            "get",
            lambda its: its.run(its.cities.get(["porto", "nowhere"])),
            f"get {NAME}",
            database("get", db__operation__batch__size=2, db__response__returned_rows=1),
        ),
        Scenario(
            "peek",
            lambda its: its.run(its.cities.peek(2)),
            f"peek {NAME}",
            database("peek", db__response__returned_rows=2),
        ),
        Scenario("count", lambda its: its.run(its.cities.count()), f"count {NAME}", database("count")),
        Scenario(
            "delete",
            lambda its: its.run(its.cities.delete(["nowhere", "elsewhere"])),
            f"delete {NAME}",
            database("delete", db__operation__batch__size=2),
        ),
        Scenario(
            "collections",
            lambda its: its.towns(),
            "create_collection towns",
            database("create_collection", db__collection__name="towns"),
            tree=(
                Node("create_collection towns", attributes={"gen_ai.operation.name": None}),
                Node("delete_collection towns"),
            ),
        ),
        Scenario(
            "list of collections",
            lambda its: its.run(its.client.list_collections()),
            "list_collections",
            database("list_collections", db__collection__name=None, db__response__returned_rows=1),
        ),
        Scenario(
            "error",
            _wrong,
            _SEARCH,
            _failed("chromadb.errors.InvalidArgumentError"),
            error="chromadb.errors.InvalidArgumentError",
            unless=(OLDEST,),
        ),
        Scenario(
            "error",
            _wrong,
            _SEARCH,
            _failed("chromadb.errors.InvalidDimensionException"),
            error="chromadb.errors.InvalidDimensionException",
            unless=_LABELS[1:],
        ),
        Scenario(
            "cancelled",
            lambda its: its.cancel(its.cities.query(query_embeddings=[[1.0, 0.0]], n_results=2), after=0),
            _SEARCH,
            _failed("asyncio.exceptions.CancelledError"),
            error="CancelledError",
            kinds=("async",),
        ),
    ),
)
