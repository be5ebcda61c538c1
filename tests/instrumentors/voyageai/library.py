"""Voyage AI's scenario set."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

from tests.instrumentors.scenarios import Driver, Library, Scenario

MODEL = "voyage-3.5"
_OLD = ("0.2.4, oldest",)


class Voyage(Driver):
    """Voyage AI's client against the stub."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.package = import_module("voyageai")
        self.base = f"{stub.origin}/voyage/v1"
        vars(self.package)["api_base"] = self.base
        for name in ("client", "client_async"):
            # A second of waiting would be one for every fault that the tests inject.
            module = import_module(f"voyageai.{name}")
            vars(module)["wait_exponential_jitter"] = lambda **_: import_module("tenacity").wait_none()

    @property
    def client(self) -> Any:
        make = self.package.Client if self.kind == "sync" else self.package.AsyncClient
        # Since 0.3.6 a client has an address of its own.
        own = {"base_url": self.base} if "base_url" in inspect.signature(make).parameters else {}
        return make(api_key="none", max_retries=2, **own)

    def embed(self, *texts: str, **more: Any) -> Any:
        result = self.run(self.client.embed(list(texts), **{"model": MODEL, **more}))
        return result.embeddings, result.total_tokens

    def rerank(self, **more: Any) -> Any:
        documents = ["Lisbon", "Oslo", "Kyoto"]
        result = self.run(self.client.rerank("Where to?", documents, model=MODEL, **more))
        return result.results, result.total_tokens

    def embed_parts(self) -> Any:
        inputs = [{"content": [{"type": "text", "text": "Where to?"}, _IMAGE]}]
        return self.run(self.client.multimodal_embed(inputs, MODEL)).embeddings

    def embed_chunks(self) -> Any:
        inputs = [["Lisbon", "Porto"], ["Kyoto"]]
        result = self.run(self.client.contextualized_embed(inputs, MODEL, "document"))
        return [each.embeddings for each in result.results]


_IMAGE = {"type": "image_url", "image_url": "https://example.org/map.png"}


def attributes(operation: str = "embeddings", **more: Any) -> dict[str, Any]:
    told = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": "voyageai",
        "gen_ai.request.model": MODEL,
        "gen_ai.usage.input_tokens": 3,
    }
    told |= {name.replace("__", "."): value for name, value in more.items()}
    return {name: value for name, value in told.items() if value is not None}


def failed(model: str, error: str) -> dict[str, Any]:
    return attributes(
        gen_ai__request__model=model, gen_ai__usage__input_tokens=None, obs__request__input_count=1, error__type=error
    )


LIBRARY = Library(
    name="voyageai",
    instrumentor="obs_instrumentors.voyageai",
    environments={
        "0.2.4, oldest": ("voyageai==0.2.4",),
        "0.3, newest": ("voyageai>=0.3,<0.4",),
        "0.5, newest": ("voyageai>=0.5,<1",),
    },
    driver=Voyage,
    scenarios=(
        Scenario(
            "embeddings",
            lambda its: its.embed("Where to?"),
            f"embeddings {MODEL}",
            attributes(obs__request__input_count=1),
        ),
        Scenario(
            "smaller embeddings",
            lambda its: its.embed("Where", "to?", output_dimension=256, output_dtype="float"),
            f"embeddings {MODEL}",
            attributes(
                obs__request__input_count=2,
                gen_ai__usage__input_tokens=2,
                gen_ai__embeddings__dimension__count=256,
                gen_ai__request__encoding_formats=("float",),
            ),
            unless=_OLD,
        ),
        Scenario(
            "images",
            lambda its: its.embed_parts(),
            f"embeddings {MODEL}",
            attributes(
                obs__request__input_count=1, gen_ai__usage__input_tokens=13, gen_ai__usage__text__input_tokens=3
            ),
            unless=_OLD,
        ),
        Scenario(
            "chunks in context",
            lambda its: its.embed_chunks(),
            f"embeddings {MODEL}",
            attributes(obs__request__input_count=2, gen_ai__usage__input_tokens=4),
            unless=_OLD,
        ),
        Scenario(
            "rerank",
            lambda its: its.rerank(top_k=2),
            f"rerank {MODEL}",
            attributes(
                "rerank",
                obs__request__input_count=3,
                gen_ai__usage__input_tokens=6,
                gen_ai__retrieval__top_k=2,
                obs__retrieval__scores=(0.9, 0.45),
            ),
            {
                "gen_ai.retrieval.query.text": "Where to?",
                "gen_ai.retrieval.documents": [
                    {"id": "2", "score": 0.9, "content": "Kyoto"},
                    {"id": "1", "score": 0.45, "content": "Oslo"},
                ],
            },
        ),
        Scenario(
            "rate limit",
            lambda its: its.embed("Where to?", model=f"{MODEL}+429-once"),
            f"embeddings {MODEL}+429-once",
            attributes(
                gen_ai__request__model=f"{MODEL}+429-once", obs__request__input_count=1, obs__request__retries=1
            ),
        ),
        Scenario(
            "error",
            lambda its: its.embed("Where to?", model="stub-400"),
            "embeddings stub-400",
            failed("stub-400", "voyageai.error.InvalidRequestError"),
            error="InvalidRequestError",
        ),
        Scenario(
            "cancelled",
            lambda its: its.cancel(its.client.embed(["Where to?"], model="stub-wait=2")),
            "embeddings stub-wait=2",
            failed("stub-wait=2", "asyncio.exceptions.CancelledError"),
            error="CancelledError",
            kinds=("async",),
        ),
    ),
)
