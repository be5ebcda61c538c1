"""Weaviate's scenario set, against a gRPC server of its own protocol files."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tests.instrumentors.scenarios import Driver, Library, Scenario
from tests.instrumentors.weaviate import server

NAME = "Cities"


class Weaviate(Driver):
    """A client that is connected to the server."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        weaviate = import_module("weaviate")
        http, grpc = server.ports()
        connect = weaviate.connect_to_custom if kind == "sync" else weaviate.use_async_with_custom
        self.client = connect(
            http_host="127.0.0.1",
            http_port=http,
            http_secure=False,
            grpc_host="127.0.0.1",
            grpc_port=grpc,
            grpc_secure=False,
            skip_init_checks=True,
        )
        if kind == "async":
            self.run(self.client.connect())
        self.query = import_module("weaviate.classes.query")

    def collection(self, name: str = NAME) -> Any:
        return self.client.collections.get(name)

    def search(self, kind: str, *args: Any, **options: Any) -> Any:
        distance = self.query.MetadataQuery(distance=True)
        method = getattr(self.collection().query, kind)
        found = self.run(method(*args, **options, limit=2, return_metadata=distance))
        return [(str(each.uuid), each.metadata.distance, each.properties) for each in found.objects]

    def near(self, name: str = NAME) -> Any:
        return self.collection(name).query.near_vector([1.0, 0.0], limit=2)

    def remove(self) -> Any:
        condition = self.query.Filter.by_property("text").like("L*")
        return self.run(self.collection().data.delete_many(where=condition)).successful

    def insert(self) -> Any:
        return len(self.run(self.collection().data.insert_many([{"text": "Lisbon"}, {"text": "Porto"}])).errors)

    def close(self) -> None:
        self.run(self.client.close())
        super().close()


def search(operation: str, **more: Any) -> dict[str, Any]:
    told = {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.data_source.id": NAME,
        "gen_ai.retrieval.top_k": 2,
        "db.system.name": "weaviate",
        "db.operation.name": operation,
        "db.collection.name": NAME,
        "db.response.returned_rows": 2,
        "obs.retrieval.scores": (0.5, 0.25),
        **{name.replace("__", "."): value for name, value in more.items()},
    }
    return {name: value for name, value in told.items() if value is not None}


def database(operation: str, **more: Any) -> dict[str, Any]:
    told = {"db.system.name": "weaviate", "db.operation.name": operation, "db.collection.name": NAME}
    return told | {name.replace("__", "."): value for name, value in more.items()}


def _failed(collection: str, error: str) -> dict[str, Any]:
    return search("near_vector", db__response__returned_rows=None, obs__retrieval__scores=None) | {
        "gen_ai.data_source.id": collection,
        "db.collection.name": collection,
        "error.type": error,
    }


_SEARCH = f"retrieval {NAME}"
_FOUND: dict[str, Any] = {
    "gen_ai.retrieval.documents": [
        {"id": identity, "score": score, "content": {"text": text}} for identity, score, text in server.CITIES
    ]
}
_ASKED = {"gen_ai.retrieval.query.text": "Where to?"}
_ERROR = "weaviate.exceptions.WeaviateQueryError"

LIBRARY = Library(
    name="weaviate",
    instrumentor="obs_instrumentors.weaviate",
    environments={
        "4.16, oldest": ("weaviate-client==4.16.0",),
        # Newer ones want a certifi that not every index has yet.
        "4.23, newest": ("weaviate-client>=4.23,<4.24",),
    },
    driver=Weaviate,
    more=("more.py",),
    scenarios=(
        Scenario(
            "retrieval", lambda its: its.search("near_vector", [1.0, 0.0]), _SEARCH, search("near_vector"), _FOUND
        ),
        Scenario(
            "retrieval by a text",
            lambda its: its.search("near_text", "Where to?"),
            _SEARCH,
            search("near_text"),
            {**_FOUND, **_ASKED},
        ),
        Scenario(
            "retrieval by words",
            lambda its: its.search("bm25", "Where to?"),
            _SEARCH,
            search("bm25"),
            {**_FOUND, **_ASKED},
        ),
        Scenario(
            "hybrid retrieval",
            lambda its: its.search("hybrid", "Where to?"),
            _SEARCH,
            search("hybrid"),
            {**_FOUND, **_ASKED},
        ),
        Scenario(
            "get",
            lambda its: its.search("fetch_objects"),
            f"fetch_objects {NAME}",
            database("fetch_objects", db__response__returned_rows=2),
            {},
        ),
        Scenario(
            "write",
            lambda its: its.insert(),
            f"insert_many {NAME}",
            database("insert_many", db__operation__batch__size=2),
            {},
        ),
        Scenario(
            "write of one",
            lambda its: its.run(its.collection().data.insert({"text": "Faro"}, uuid=server.CITIES[0][0])),
            f"insert {NAME}",
            database("insert"),
        ),
        Scenario(
            "delete",
            lambda its: its.remove(),
            f"delete_many {NAME}",
            database("delete_many"),
        ),
        Scenario(
            "delete of one",
            lambda its: its.run(its.collection().data.delete_by_id(server.CITIES[0][0])),
            f"delete_by_id {NAME}",
            database("delete_by_id"),
        ),
        Scenario(
            "error",
            lambda its: its.run(its.near("Broken")),
            "retrieval Broken",
            _failed("Broken", _ERROR),
            error=_ERROR,
        ),
        Scenario(
            "cancelled",
            lambda its: its.cancel(its.near("Slow")),
            "retrieval Slow",
            _failed("Slow", "asyncio.exceptions.CancelledError"),
            error="CancelledError",
            kinds=("async",),
        ),
    ),
)
