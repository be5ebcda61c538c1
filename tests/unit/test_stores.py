"""What clients of vector stores share: arguments by name, batches, hits, threads, and one span for nested calls."""

from __future__ import annotations

import contextvars
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from obs_instrumentors.wire import server_address
from opentelemetry import context as api_context

from obs_run.core import ownership, vector_stores
from obs_run.core.operations import Inference, Operation
from obs_run.core.outcomes import Call, Reader

WHERE: contextvars.ContextVar[str] = contextvars.ContextVar("where", default="nowhere")


def test_arguments_by_place_and_name() -> None:
    seen: dict[str, Any] = {}

    def begin(name: str, _: Any, given: dict[str, Any]) -> Operation:
        seen.update(given, name=name)
        return vector_stores.database_call("shelf", name, given["collection"])

    method = vector_stores.Method(("collection", "ids"), begin)
    begun = vector_stores._begun("get", method, Reader(vector_stores.nothing), Call(None, ("books", [1]), {"limit": 2}))
    assert begun is not None
    assert seen == {"name": "get", "collection": "books", "ids": [1], "limit": 2}


@pytest.mark.parametrize(
    ("value", "size", "batch"),
    [
        (None, None, None),
        ("one", 1, None),
        ({"id": 1}, 1, None),
        ([1, 2], 2, 2),
        ([1], 1, None),
        ([], 0, None),
        (iter([1, 2]), None, None),
        (range(3), 3, 3),
    ],
)
def test_sizes(value: Any, size: int | None, batch: int | None) -> None:
    assert (vector_stores.size(value), vector_stores.batch(value)) == (size, batch)


def test_hits() -> None:
    operation = vector_stores.search("shelf", "query", "books", top_k=3)
    vector_stores.found(operation, [(1, 0.5, "text"), ("b", None, None)], wanted=True)
    assert (operation.returned, operation.scores) == (2, [0.5])
    assert operation.documents == [{"id": "1", "score": 0.5, "content": "text"}, {"id": "b"}]
    vector_stores.found(operation, [], wanted=False)
    assert (operation.returned, operation.scores) == (0, None)


def test_no_more_than_a_hundred_scores() -> None:
    operation = vector_stores.search("shelf", "query", "books")
    vector_stores.found(operation, [(number, 1.0, None) for number in range(101)], wanted=False)
    assert operation.returned == 101
    assert operation.scores is not None
    assert len(operation.scores) == 100


@pytest.mark.parametrize(
    ("url", "address", "port"),
    [
        ("http://store:80/path", "store", 80),
        ("store:443", "store", 443),
        ("https://store", "store", 443),
        ("http://store", "store", 80),
        ("grpc://store", "store", 443),
        ("", None, None),
        (None, None, None),
    ],
)
def test_addresses(url: str | None, address: str | None, port: int | None) -> None:
    operation = vector_stores.database_call("shelf", "get")
    server_address.read_store_address(operation, url)
    assert (operation.server_address, operation.server_port) == (address, port)


def test_threads_work_in_the_context_of_who_asks() -> None:
    WHERE.set("here")
    with vector_stores.executor(ThreadPoolExecutor, None, (1,), {}) as threads:
        assert threads.submit(WHERE.get).result() == "here"
        assert isinstance(threads, ThreadPoolExecutor)


@pytest.mark.parametrize(
    ("outer", "inner", "taken"),
    [
        (vector_stores.database_call("shelf", "upload"), vector_stores.database_call("shelf", "upsert"), True),
        (vector_stores.search("shelf", "query", "books"), vector_stores.database_call("shelf", "get"), True),
        (vector_stores.search("shelf", "query", "books"), vector_stores.database_call("cellar", "get"), False),
        (vector_stores.search("shelf", "query", "books"), Inference("chat"), False),
        (Inference("chat"), vector_stores.search("shelf", "query", "books"), False),
        (None, vector_stores.search("shelf", "query", "books"), False),
    ],
)
def test_a_call_of_a_store_inside_of_its_own(
    outer: Operation | None,
    inner: Operation,
    taken: bool,  # noqa: FBT001 (a case of the test)
) -> None:
    owner = None if outer is None else SimpleNamespace(operation=outer, is_ended=False)
    context = api_context.set_value(ownership._OWNER, owner)
    assert ownership.is_suppressed(inner, context) is taken
