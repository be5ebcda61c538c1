"""Milvus's scenario set, against the embedded engine (milvus-lite)."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

from tests.instrumentors.scenarios import Driver, Library, Scenario

NAME = "cities"
OLDEST, MIDDLE, NEWEST = "2.4, oldest", "2.5", "3.0, newest"
CITIES = [
    {"id": 0, "vector": [1.0, 0.0], "text": "Lisbon"},
    {"id": 1, "vector": [1.0, 1.0], "text": "Porto"},
    {"id": 2, "vector": [0.0, 1.0], "text": "Faro"},
]
ASKED = [[2.0, 0.0]]


_NUMBERS = count()


@cache
def _engine() -> Any:
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = str(Path(folder, "cities.db"))
    client = import_module("pymilvus").MilvusClient(file)
    for name in (NAME, "towns"):
        client.create_collection(name, dimension=2)
    client.insert(NAME, CITIES)
    return client, file


class Milvus(Driver):
    """A client of a store with three cities; every scenario leaves the store as it was, but for the towns."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.client, file = _engine()
        if kind == "async":
            self.client = self.run(self._connected(file))

    async def _connected(self, file: str) -> Any:
        # It belongs to the loop that runs; where it is cancelled depends on whether it is connected.
        pymilvus = import_module("pymilvus")
        # From 2.5 on a client without a name of its own shares the connection, and so the loop, of the one before.
        shared = not pymilvus.__version__.startswith("2.4.")
        client = pymilvus.AsyncMilvusClient(file, **({"alias": f"cities-{next(_NUMBERS)}"} if shared else {}))
        await client.query(NAME, "id > 0")
        return client

    def hybrid(self) -> Any:
        milvus = import_module("pymilvus")
        one = milvus.AnnSearchRequest(ASKED, "vector", {"metric_type": "COSINE"}, limit=2)
        return self.run(self.client.hybrid_search(NAME, [one], milvus.RRFRanker(), limit=2))

    def pages(self, *, most: int = 9) -> list[Any]:
        iterator = self.client.search_iterator(NAME, ASKED, batch_size=2, limit=3)
        sizes: list[Any] = [type(iterator)]
        for _ in range(most):
            page = iterator.next()
            sizes.append(len(page))
            if not page:
                break
        iterator.close()
        return sizes

    def close(self) -> None:
        if self.kind == "async":
            self.run(self.client.close())
        super().close()


def search(operation: str = "search", **more: Any) -> Any:
    def told(its: Milvus) -> dict[str, Any]:
        assert its.client is not None
        attributes = {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.data_source.id": NAME,
            "gen_ai.retrieval.top_k": 2,
            "db.system.name": "milvus",
            "db.operation.name": operation,
            "db.collection.name": NAME,
            "db.response.returned_rows": 2,
            **{name.replace("__", "."): value for name, value in more.items()},
        }
        return {name: value for name, value in attributes.items() if value is not None}

    return told


def database(operation: str, **more: Any) -> dict[str, Any]:
    return {
        "db.system.name": "milvus",
        "db.operation.name": operation,
        "db.collection.name": NAME,
        **{name.replace("__", "."): value for name, value in more.items()},
    }


def documents(*contents: str | None, scores: tuple[float, ...]) -> dict[str, Any]:
    made = []
    for number, (content, score) in enumerate(zip(contents, scores, strict=True)):
        made.append({"id": str(number), "score": score} | ({} if content is None else {"content": content}))
    return {"gen_ai.retrieval.documents": made}


_SCORES = (1.0, 0.7071067690849304)
_NEAR = (0.016393441706895828, 0.016129031777381897)
_SEARCH = f"retrieval {NAME}"

LIBRARY = Library(
    name="pymilvus",
    instrumentor="obs_instrumentors.pymilvus",
    environments={
        OLDEST: ("pymilvus==2.4.15", "milvus-lite==2.4.12", "setuptools<80"),
        MIDDLE: ("pymilvus==2.5.18", "milvus-lite==2.5.1", "setuptools<80"),
        NEWEST: ("pymilvus>=3.0.2,<4", "milvus-lite>=3.2,<4"),
    },
    driver=Milvus,
    scenarios=(
        Scenario(
            "retrieval",
            lambda its: its.run(its.client.search(NAME, ASKED, limit=2, output_fields=["text"])),
            _SEARCH,
            search(obs__retrieval__scores=_SCORES),
            documents('{"text":"Lisbon"}', '{"text":"Porto"}', scores=_SCORES),
        ),
        Scenario(
            "retrieval by two vectors",
            lambda its: its.run(its.client.search(NAME, data=ASKED * 2, limit=1)),
            _SEARCH,
            search(
                gen_ai__retrieval__top_k=1,
                db__operation__batch__size=2,
                obs__retrieval__scores=(1.0, 1.0),
            ),
        ),
        Scenario(
            "retrieval by two searches",
            lambda its: its.hybrid(),
            _SEARCH,
            search("hybrid_search", obs__retrieval__scores=_NEAR),
        ),
        Scenario(
            "retrieval by pages",
            lambda its: its.pages(),
            _SEARCH,
            search(
                "search_iterator",
                gen_ai__retrieval__top_k=3,
                db__response__returned_rows=3,
                obs__retrieval__scores=(*_SCORES, 0.0),
            ),
            kinds=("sync",),
        ),
        Scenario(
            "retrieval by pages, closed before the last",
            lambda its: its.pages(most=1),
            _SEARCH,
            search("search_iterator", gen_ai__retrieval__top_k=3, obs__retrieval__scores=_SCORES),
            kinds=("sync",),
        ),
        Scenario(
            "query",
            lambda its: its.run(its.client.query(NAME, "id > 0")),
            f"query {NAME}",
            database("query", db__response__returned_rows=2),
        ),
        Scenario(
            "get",
            lambda its: its.run(its.client.get(NAME, [0, 2])),
            f"get {NAME}",
            database("get", db__operation__batch__size=2, db__response__returned_rows=2),
        ),
        Scenario(
            "write",
            lambda its: its.run(its.client.upsert(NAME, CITIES)),
            f"upsert {NAME}",
            database("upsert", db__operation__batch__size=3),
            {},
        ),
        Scenario(
            "insert one",
            lambda its: its.run(its.client.insert("towns", {"id": 3, "vector": [1.0, 0.5], "text": "Braga"})),
            "insert towns",
            database("insert", db__collection__name="towns"),
        ),
        Scenario(
            "delete",
            lambda its: its.run(its.client.delete("towns", ids=[8, 9])),
            "delete towns",
            database("delete", db__collection__name="towns", db__operation__batch__size=2),
        ),
        Scenario(
            "error",
            lambda its: its.run(its.client.query("nowhere", "id > 0")),
            "query nowhere",
            {
                "db.system.name": "milvus",
                "db.operation.name": "query",
                "db.collection.name": "nowhere",
                "error.type": "pymilvus.exceptions.MilvusException",
            },
            error="MilvusException",
        ),
        Scenario(
            "cancelled",
            lambda its: its.cancel(its.client.search(NAME, ASKED, limit=2), after=0),
            _SEARCH,
            search(db__response__returned_rows=None, error__type="asyncio.exceptions.CancelledError"),
            error="CancelledError",
            kinds=("async",),
        ),
    ),
)
