"""Pinecone's names for a server, and what ends before there is an answer."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import pytest

from tests.instrumentors.conftest import *  # noqa: F403 (pytest finds the fixtures)
from tests.instrumentors.pinecone.library import SINCE_9, SPACE, VECTORS, Pinecone
from tests.instrumentors.run_scenarios import ENVIRONMENT, instrumented
from tests.ports import nobody


def test_address_of_a_server(stub: Any, telemetry: Any) -> None:
    its = Pinecone("sync", stub)
    with instrumented():
        its.do("upsert", vectors=VECTORS)
        attributes = telemetry.attributes()
    its.close()
    assert (attributes["server.address"], attributes["server.port"]) == (stub.host, stub.port)


def test_batches_of_one_write_are_one_span(stub: Any, telemetry: Any) -> None:
    its = Pinecone("sync", stub)
    with instrumented():
        its.do("upsert", vectors=VECTORS, batch_size=1, show_progress=False)
        assert telemetry.attributes()["db.operation.batch.size"] == 2
    its.close()


def grpc_without_a_server(telemetry: Any) -> None:
    address = nobody()
    index = import_module("pinecone.grpc").GrpcIndex(host=address, api_key="stub", secure=False, timeout=1.0)
    with instrumented():
        with pytest.raises(import_module("pinecone.errors").PineconeError) as caught:
            index.query(vector=[1.0, 0.0], top_k=2)
        attributes = telemetry.attributes()
    assert attributes["error.type"] == f"{caught.type.__module__}.{caught.type.__qualname__}"
    assert attributes["server.port"] == int(address.rpartition(":")[2])


def documents(stub: Any, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    its = Pinecone("sync", stub)
    with instrumented():
        store = its.client().Index(host=its.host).documents
        asked = {"type": "text", "field": "text", "query": "Where to?"}
        assert len(store.search(namespace=SPACE, score_by=[asked], top_k=2).matches) == 2
        attributes = telemetry.attributes()
    its.close()
    assert attributes["db.namespace"] == SPACE
    assert attributes["obs.retrieval.scores"] == (1.0, 0.5)
    assert attributes["gen_ai.retrieval.query.text"] == "Where to?"
    first = json.loads(attributes["gen_ai.retrieval.documents"])[0]
    assert first == {"id": "lisbon", "score": 1.0, "content": {"text": "Lisbon is a capital."}}


if ENVIRONMENT == "10, newest":  # a preview before
    test_documents = documents

if ENVIRONMENT in SINCE_9:  # gRPC is an extra before, and its Python code is another.
    test_grpc_without_a_server = grpc_without_a_server
