"""Weaviate's two servers, each named by its own port."""

from __future__ import annotations

from typing import Any

import pytest

from tests.instrumentors.conftest import *  # noqa: F403 (pytest finds the fixtures)
from tests.instrumentors.run_scenarios import instrumented
from tests.instrumentors.weaviate import server
from tests.instrumentors.weaviate.library import Weaviate


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_address_of_a_server(protocol: str, stub: Any, telemetry: Any) -> None:
    its = Weaviate("sync", stub)
    with instrumented():
        if protocol == "grpc":
            its.run(its.near())
        else:
            its.collection().data.delete_by_id(server.CITIES[0][0])
        attributes = telemetry.attributes()
    its.close()
    assert attributes["server.address"] == "127.0.0.1"
    assert attributes["server.port"] == getattr(server.ports(), protocol)


def test_tenant(stub: Any, telemetry: Any) -> None:
    its = Weaviate("sync", stub)
    with instrumented():
        its.collection().with_tenant("first").query.fetch_objects(limit=1)
        assert telemetry.attributes()["db.namespace"] == "first"
    its.close()
