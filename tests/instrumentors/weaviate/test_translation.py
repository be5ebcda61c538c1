"""Weaviate's REST requests, without Weaviate."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from obs_instrumentors import weaviate

PARAMS = SimpleNamespace(http=SimpleNamespace(host="store", port=8080), grpc=SimpleNamespace(host="store", port=50051))
CONNECTION = SimpleNamespace(_connection_params=PARAMS)


@pytest.mark.parametrize(
    ("method", "url", "body", "told"),
    [
        ("POST", "http://store/v1/objects", {"class": "Cities", "tenant": "t"}, ("insert", "Cities", "t")),
        ("PUT", "http://store/v1/objects/Cities/1", None, ("replace", "Cities", None)),
        ("PATCH", "http://store/v1/objects/Cities/1?tenant=t", None, ("update", "Cities", None)),
        ("HEAD", "http://store/v1/objects/Cities/1", None, ("exists", "Cities", None)),
        ("POST", "http://store/v1/schema", {"class": "Cities"}, ("create_collection", "Cities", None)),
        ("DELETE", "http://store/v1/schema/Cities", None, ("delete_collection", "Cities", None)),
    ],
)
def test_rest(method: str, url: str, body: Any, told: tuple[str, str, str | None]) -> None:
    operation = weaviate._parse_rest_request(
        "_send", CONNECTION, {"method": method, "url": url, "weaviate_object": body}
    )
    assert operation is not None
    assert (operation.name, operation.collection, operation.namespace) == told
    assert (operation.server_address, operation.server_port) == ("store", 8080)


@pytest.mark.parametrize(
    ("method", "url"),
    [("GET", "http://store/v1/meta"), ("GET", "http://store/v1/schema"), ("POST", "http://store/v1/graphql")],
)
def test_what_is_no_call_of_the_agent(method: str, url: str) -> None:
    assert weaviate._parse_rest_request("_send", CONNECTION, {"method": method, "url": url}) is None


def test_batch_of_one_collection() -> None:
    objects = [SimpleNamespace(collection="Cities", tenant="") for _ in range(2)]
    operation = weaviate._parse_batch("", CONNECTION, {"request": SimpleNamespace(objects=objects)})
    assert operation is not None
    assert (operation.collection, operation.namespace, operation.batch_size) == ("Cities", None, 2)
    objects[0].collection = "Towns"
    mixed = weaviate._parse_batch("", CONNECTION, {"request": SimpleNamespace(objects=objects)})
    assert mixed is not None
    assert mixed.collection is None
