"""Chroma beside other libraries: an embedding of the search's text is a span inside of the search's."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tests.instrumentors.chromadb import server
from tests.instrumentors.chromadb.library import CITIES
from tests.instrumentors.conftest import *  # noqa: F403 (pytest finds the fixtures)
from tests.instrumentors.run_scenarios import instrumented
from tests.instrumentors.trees import Node, assert_trees


def asking_openai(stub: Any) -> Any:
    """Return an embedding function that asks the stub by OpenAI's client."""
    chromadb = import_module("chromadb")
    client = import_module("openai").OpenAI(base_url=stub.url, api_key="stub")

    class Asking(chromadb.EmbeddingFunction):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            pass

        def __call__(self, input: list[str]) -> list[list[float]]:  # noqa: A002 (Chroma calls it by name)
            answer = client.embeddings.create(model="text-embedding-3-small", input=input)
            return [each.embedding for each in answer.data]

    return Asking()


def client_of_openai(name: str) -> None:
    """Put OpenAI's client under our hooks as well."""
    from obs_run.core import hooks

    hooks.instrument("obs_instrumentors.openai", import_module(name))


def test_embedding_inside_of_a_search(stub: Any, telemetry: Any) -> None:
    chromadb = import_module("chromadb")
    settings = import_module("chromadb.config").Settings(anonymized_telemetry=False)
    client = chromadb.EphemeralClient(settings)
    texts = client.get_or_create_collection("texts", embedding_function=asking_openai(stub))
    with instrumented():
        client_of_openai("openai._base_client")
        texts.upsert(ids=CITIES["ids"], documents=CITIES["documents"])
        texts.query(query_texts=["Lisbon?"], n_results=1)
    client.delete_collection("texts")
    embedding = Node("embeddings text-embedding-3-small", attributes={"gen_ai.provider.name": "openai"})
    assert_trees(telemetry.spans(), Node("upsert texts", embedding), Node("retrieval texts", embedding))


def test_address_of_a_server(telemetry: Any) -> None:
    chromadb = import_module("chromadb")
    settings = import_module("chromadb.config").Settings(anonymized_telemetry=False)
    client = chromadb.HttpClient(host="127.0.0.1", port=server.port(), settings=settings)
    with instrumented():
        client.count_collections()
        attributes = telemetry.attributes()
    assert attributes["server.address"] == "127.0.0.1"
    assert attributes["server.port"] == server.port()


def test_its_own_tracing_is_watched_for() -> None:
    from obs_run.core import hooks

    with instrumented():
        patched = [name for status in hooks.statuses() for name in status.patched]
    assert "chromadb.telemetry.opentelemetry:OpenTelemetryClient.__init__" in patched
