"""Qdrant's server is named where there is one."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tests.instrumentors.conftest import *  # noqa: F403 (pytest finds the fixtures)
from tests.instrumentors.run_scenarios import instrumented


def test_address_of_a_server(stub: Any, telemetry: Any) -> None:
    client = import_module("qdrant_client").QdrantClient(url=stub.origin, check_compatibility=False)
    with instrumented():
        client.query_points("towns", query=[1.0], limit=1)
        attributes = telemetry.attributes()
    assert (attributes["server.address"], attributes["server.port"]) == (stub.host, stub.port)


def test_no_address_of_an_embedded_engine(telemetry: Any) -> None:
    client = import_module("qdrant_client").QdrantClient(":memory:")
    with instrumented():
        client.get_collections()
        assert "server.address" not in telemetry.attributes()
