"""Pinecone's scenario set, against the stub."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tests.instrumentors.scenarios import Driver, Library, Scenario

SPACE = "places"
MODEL = "multilingual-e5-large"
RERANKER = "bge-reranker-v2-m3"
BEFORE_9 = ("7.0, oldest", "8")
SINCE_9 = ("9", "10, newest")
VECTORS = [("lisbon", [1.0, 0.0]), ("porto", [0.0, 1.0])]


class Pinecone(Driver):
    """A client and an index, of the classes of either side of the rewrite in 9."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.pinecone = import_module("pinecone")
        self.host = f"{stub.origin}/pinecone"
        self.rewritten = hasattr(self.pinecone, "AsyncPinecone")
        self.opened: list[Any] = []

    def client(self) -> Any:
        name = "Pinecone" if self.kind == "sync" else "AsyncPinecone" if self.rewritten else "PineconeAsyncio"
        self.opened.append(getattr(self.pinecone, name)(api_key="stub", host=self.host))
        return self.opened[-1]

    def call(self, method: str, **options: Any) -> Any:
        async def calling() -> Any:
            client = self.client()
            made = client.index(host=self.host) if self.rewritten else client.IndexAsyncio(host=self.host)
            index = await made if hasattr(made, "__await__") else made
            self.opened.append(index)
            return await getattr(index, method)(**options)

        if self.kind == "async":
            return calling()
        # Made for each call: from 9 on an index takes its methods from its class when it is made.
        self.opened.append(self.client().Index(host=self.host))
        return getattr(self.opened[-1], method)(**options)

    def do(self, method: str, **options: Any) -> Any:
        return self.run(self.call(method, **options))

    def query(self, namespace: str = SPACE) -> Any:
        return self.call("query", vector=[1.0, 0.0], top_k=2, namespace=namespace, include_metadata=True)

    def search(self) -> Any:
        asked = {"inputs": {"text": "Where to?"}, "top_k": 2}
        return self.do("search", namespace=SPACE, query=asked)

    def infer(self, method: str, **options: Any) -> Any:
        async def inferring() -> Any:
            return await getattr(self.client().inference, method)(**options)

        if self.kind == "sync":
            return getattr(self.client().inference, method)(**options)
        return self.run(inferring())

    def close(self) -> None:
        for each in reversed(self.opened):
            if hasattr(each, "close"):
                self.run(each.close())
        super().close()


def search(operation: str = "query", **more: Any) -> dict[str, Any]:
    told = {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.retrieval.top_k": 2,
        "db.system.name": "pinecone",
        "db.operation.name": operation,
        "db.namespace": SPACE,
        "db.response.returned_rows": 2,
        "obs.retrieval.scores": (1.0, 0.5),
        **{name.replace("__", "."): value for name, value in more.items()},
    }
    return {name: value for name, value in told.items() if value is not None}


def database(operation: str, **more: Any) -> dict[str, Any]:
    told = {"db.system.name": "pinecone", "db.operation.name": operation, "db.namespace": SPACE}
    told |= {name.replace("__", "."): value for name, value in more.items()}
    return {name: value for name, value in told.items() if value is not None}


def model(operation: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": "pinecone",
        "gen_ai.request.model": name,
        "gen_ai.response.model": name,
        **{key.replace("__", "."): value for key, value in more.items()},
    }


def _failed(namespace: str, error: str) -> dict[str, Any]:
    return search(db__namespace=namespace, db__response__returned_rows=None, obs__retrieval__scores=None) | {
        "error.type": error
    }


_FOUND = {
    "gen_ai.retrieval.documents": [
        {"id": "lisbon", "score": 1.0, "content": {"text": "Lisbon is a capital."}},
        {"id": "porto", "score": 0.5, "content": {"text": "Porto has port."}},
    ]
}
_OLD_ERROR = "pinecone.exceptions.exceptions.PineconeApiException"
_NEW_ERROR = "pinecone.errors.exceptions.ApiError"

LIBRARY = Library(
    name="pinecone",
    instrumentor="obs_instrumentors.pinecone",
    environments={
        "7.0, oldest": ("pinecone[asyncio]==7.0.0",),
        "8": ("pinecone[asyncio]>=8,<9",),
        "9": ("pinecone>=9,<10",),
        "10, newest": ("pinecone>=10.2,<11",),
    },
    driver=Pinecone,
    more=("more.py",),
    scenarios=(
        Scenario("retrieval", lambda its: its.run(its.query()), "retrieval", search(), _FOUND),
        Scenario(
            "retrieval by a text",
            lambda its: its.search(),
            "retrieval",
            search("search"),
            {**_FOUND, "gen_ai.retrieval.query.text": "Where to?"},
        ),
        Scenario(
            "retrieval in namespaces",
            lambda its: (
                its.do("query_namespaces", vector=[1.0, 0.0], namespaces=["a", "b"], metric="cosine", top_k=2)
                .matches[0]
                .score
            ),
            "retrieval",
            search("query_namespaces", db__namespace=None, obs__retrieval__scores=(1.0, 1.0)),
        ),
        Scenario(
            "write",
            lambda its: its.do("upsert", vectors=VECTORS, namespace=SPACE),
            "upsert",
            database("upsert", db__operation__batch__size=2),
            {},
        ),
        Scenario(
            "get",
            lambda its: its.do("fetch", ids=["lisbon", "nowhere"], namespace=SPACE),
            "fetch",
            database("fetch", db__operation__batch__size=2, db__response__returned_rows=1),
        ),
        Scenario(
            "update",
            lambda its: its.do("update", id="lisbon", set_metadata={"rank": 1}, namespace=SPACE),
            "update",
            database("update"),
        ),
        Scenario(
            "delete",
            lambda its: its.do("delete", ids=["x", "y"], namespace=SPACE),
            "delete",
            database("delete", db__operation__batch__size=2),
        ),
        Scenario(
            "count",
            lambda its: its.do("describe_index_stats").total_vector_count,
            "describe_index_stats",
            database("describe_index_stats", db__namespace=None),
        ),
        Scenario(
            "embeddings",
            lambda its: (
                its.infer(
                    "embed", model=MODEL, inputs=["Where to?"], parameters={"input_type": "query"}
                ).usage.total_tokens
            ),
            f"embeddings {MODEL}",
            model(
                "embeddings",
                MODEL,
                gen_ai__usage__input_tokens=3,
                gen_ai__embeddings__dimension__count=3,
                obs__request__input_count=1,
            ),
        ),
        Scenario(
            "rerank",
            lambda its: (
                its.infer("rerank", model=RERANKER, query="Where to?", documents=["Lisbon", "Porto"]).data[0].score
            ),
            f"rerank {RERANKER}",
            model("rerank", RERANKER, obs__request__input_count=2, obs__retrieval__scores=(1.0, 0.5)),
            {
                "gen_ai.retrieval.query.text": "Where to?",
                "gen_ai.retrieval.documents": [
                    {"id": "1", "score": 1.0, "content": "Porto"},
                    {"id": "0", "score": 0.5, "content": "Lisbon"},
                ],
            },
        ),
        *(
            Scenario(
                "error",
                lambda its: its.run(its.query("[stub:400]")),
                "retrieval",
                _failed("[stub:400]", error),
                error=error,
                unless=unless,
            )
            for error, unless in ((_OLD_ERROR, SINCE_9), (_NEW_ERROR, BEFORE_9))
        ),
        Scenario(
            "rate limit",
            lambda its: its.run(its.query("[stub:503-once]")),
            "retrieval",
            search(db__namespace="[stub:503-once]"),
        ),
        Scenario(
            "cancelled",
            lambda its: its.cancel(its.query("[stub:wait=2]"), after=0.8),
            "retrieval",
            _failed("[stub:wait=2]", "asyncio.exceptions.CancelledError"),
            error="CancelledError",
            kinds=("async",),
        ),
    ),
)
