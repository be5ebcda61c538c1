"""Qdrant's scenario set: the embedded engine, and the stub for what only a remote one can do."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

from tests.instrumentors.scenarios import Driver, Library, Scenario
from tests.instrumentors.trees import Node

NAME = "cities"
OLDEST = "1.13, oldest"
MIDDLE = "1.15"
TEXTS = ("Lisbon is a capital.", "Porto has port.", "Faro has a lagoon.")
VECTORS = ([1.0, 0.0], [0.5, 0.0], [-1.0, 0.0])


class Qdrant(Driver):
    """An embedded engine with one collection of three cities, and a client of the stub."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        qdrant = import_module("qdrant_client")
        self.models = models = import_module("qdrant_client.models")
        made = qdrant.QdrantClient if kind == "sync" else qdrant.AsyncQdrantClient
        self.client = made(":memory:")
        self.remote = made(url=stub.origin, check_compatibility=False)
        self.embedding = made(url=stub.origin, check_compatibility=False, cloud_inference=True)
        self.points = [
            models.PointStruct(id=number, vector=vector, payload={"text": text})
            for number, (vector, text) in enumerate(zip(VECTORS, TEXTS, strict=True), 1)
        ]
        params = models.VectorParams(size=2, distance=models.Distance.DOT)
        self.run(self.client.create_collection(NAME, vectors_config=params))
        self.run(self.client.upsert(NAME, self.points))

    def call(self, method: str, *args: Any, **options: Any) -> Any:
        return self.run(getattr(self.client, method)(NAME, *args, **options))

    def upload(self) -> Any:
        # Plain functions in the async client too.
        self.client.upload_points(NAME, points=iter(self.points))
        texts = [each.payload for each in self.points]
        return self.client.upload_collection(NAME, vectors=list(VECTORS), payload=texts, ids=[1, 2, 3])

    def rewrite(self) -> Any:
        self.call("delete", points_selector=self.models.PointIdsList(points=[1, 2]))
        texts = [each.payload for each in self.points[:2]]
        return self.call("upsert", points=self.models.Batch(ids=[1, 2], vectors=list(VECTORS[:2]), payloads=texts))

    def ask(self, text: str) -> Any:
        asked = self.models.Document(text=text, model="some/model")
        return self.run(self.embedding.query_points("towns", query=asked, limit=2))

    def batch(self) -> Any:
        request = partial(self.models.QueryRequest, query=[1.0, 0.0], with_payload=True)
        return self.call("query_batch_points", [request(limit=1), request(limit=1)])

    def close(self) -> None:
        for client in (self.client, self.remote, self.embedding):
            self.run(client.close())
        super().close()


def search(operation: str = "query_points", collection: str = NAME, **more: Any) -> dict[str, Any]:
    told = {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.data_source.id": collection,
        "gen_ai.retrieval.top_k": 2,
        "db.system.name": "qdrant",
        "db.operation.name": operation,
        "db.collection.name": collection,
        "db.response.returned_rows": 2,
        "obs.retrieval.scores": (1.0, 0.5),
        **{name.replace("__", "."): value for name, value in more.items()},
    }
    return {name: value for name, value in told.items() if value is not None}


def database(operation: str, **more: Any) -> dict[str, Any]:
    told = {
        "db.system.name": "qdrant",
        "db.operation.name": operation,
        "db.collection.name": NAME,
        **{name.replace("__", "."): value for name, value in more.items()},
    }
    return {name: value for name, value in told.items() if value is not None}


def documents(*hits: tuple[int, float]) -> dict[str, Any]:
    made = [{"id": str(number), "score": score, "content": {"text": TEXTS[number - 1]}} for number, score in hits]
    return {"gen_ai.retrieval.documents": made}


def _failed(collection: str, error: str) -> dict[str, Any]:
    return search("query_points", collection, db__response__returned_rows=None, obs__retrieval__scores=None) | {
        "error.type": error
    }


def _scenario(name: str, operation: str, *args: Any, told: dict[str, Any], **options: Any) -> Scenario:
    """Return a scenario of one call of the store."""
    subject = "retrieval" if "gen_ai.operation.name" in told else operation
    kept = {key: options.pop(key) for key in ("content", "unless") if key in options}
    return Scenario(name, lambda its: its.call(operation, *args, **options), f"{subject} {NAME}", told, **kept)


_BOTH = documents((1, 1.0), (2, 0.5))
_OLD = {"unless": ("1.20, newest",)}
_QUERY: dict[str, Any] = {"query": [1.0, 0.0], "limit": 2}
_REST = "qdrant_client.http.exceptions.UnexpectedResponse"

LIBRARY = Library(
    name="qdrant_client",
    instrumentor="obs_instrumentors.qdrant_client",
    environments={
        OLDEST: ("qdrant-client==1.13.0",),
        MIDDLE: ("qdrant-client==1.15.1",),
        "1.20, newest": ("qdrant-client>=1.20,<2",),
    },
    driver=Qdrant,
    more=("more.py",),
    scenarios=(
        _scenario("retrieval", "query_points", told=search(), content=_BOTH, **_QUERY),
        _scenario(
            "retrieval in groups",
            "query_points_groups",
            "text",
            told=search("query_points_groups"),
            content=_BOTH,
            **_QUERY,
        ),
        Scenario(
            "retrieval by two queries",
            lambda its: its.batch(),
            f"retrieval {NAME}",
            search(
                "query_batch_points",
                gen_ai__retrieval__top_k=1,
                db__operation__batch__size=2,
                obs__retrieval__scores=(1.0, 1.0),
            ),
            documents((1, 1.0), (1, 1.0)),
        ),
        _scenario("search", "search", [1.0, 0.0], limit=2, told=search("search"), content=_BOTH, **_OLD),
        _scenario(
            "recommend",
            "recommend",
            positive=[1],
            limit=2,
            told=search("recommend", obs__retrieval__scores=(0.5, -1.0)),
            **_OLD,
        ),
        Scenario(
            "retrieval from a server",
            lambda its: its.run(its.remote.query_points("towns", query=[1.0, 0.0], limit=2)),
            "retrieval towns",
            search(collection="towns"),
            _BOTH,
        ),
        Scenario(
            "retrieval by a text",
            lambda its: its.ask("Where to?"),
            "retrieval towns",
            search(collection="towns", gen_ai__request__model="some/model"),
            {**_BOTH, "gen_ai.retrieval.query.text": "Where to?"},
        ),
        Scenario(
            "write",
            lambda its: its.call("upsert", its.points),
            f"upsert {NAME}",
            database("upsert", db__operation__batch__size=3),
            {},
        ),
        Scenario(
            "write of a collection",
            lambda its: its.upload(),
            f"upload_collection {NAME}",
            database("upload_collection", db__operation__batch__size=3),
            tree=(Node(f"upload_points {NAME}", kind="CLIENT"), Node(f"upload_collection {NAME}", kind="CLIENT")),
        ),
        Scenario(
            "delete",
            lambda its: its.rewrite(),
            f"delete {NAME}",
            database("delete", db__operation__batch__size=2),
            tree=(Node(f"delete {NAME}"), Node(f"upsert {NAME}", attributes={"db.operation.batch.size": 2})),
        ),
        _scenario(
            "get",
            "retrieve",
            [1, 7],
            told=database("retrieve", db__operation__batch__size=2, db__response__returned_rows=1),
        ),
        _scenario("scroll", "scroll", limit=2, told=database("scroll", db__response__returned_rows=2)),
        _scenario("count", "count", told=database("count")),
        Scenario(
            "list of collections",
            lambda its: its.run(its.client.get_collections()),
            "get_collections",
            database("get_collections", db__collection__name=None, db__response__returned_rows=1),
        ),
        Scenario(
            "error",
            lambda its: its.run(its.client.query_points("nowhere", **_QUERY)),
            "retrieval nowhere",
            _failed("nowhere", "ValueError"),
            error="ValueError",
        ),
        Scenario(
            "error of a server",
            lambda its: its.run(its.remote.query_points("stub-404", **_QUERY)),
            "retrieval stub-404",
            _failed("stub-404", _REST),
            error=_REST,
        ),
        Scenario(
            "cancelled",
            lambda its: its.cancel(its.remote.query_points("stub-wait=2", **_QUERY)),
            "retrieval stub-wait=2",
            _failed("stub-wait=2", "asyncio.exceptions.CancelledError"),
            error="CancelledError",
            kinds=("async",),
        ),
    ),
)
