"""What Strands' memory tells, which the oldest supported release does not have."""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.run_scenarios import instrumented
from tests.instrumentors.strands.library import LIBRARY

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def its(stub: Any, telemetry: Any) -> Iterator[Any]:
    assert telemetry is not None
    driver: Any = LIBRARY.driver("async", stub)
    with instrumented():
        yield driver
    driver.close()


class Store:
    """A store of two notes."""

    name = "notes"
    description = "Notes."
    max_search_results = None
    writable = True
    extraction = None

    def __init__(self) -> None:
        self.notes = ["likes rain", "lives in Lisbon"]

    async def search(self, query: str, options: Any = None) -> list[Any]:
        assert query
        assert options is None or isinstance(options, dict)
        kind = import_module("strands.memory.types").MemoryEntry
        return [kind(content=note) for note in self.notes]

    async def add(self, content: str, metadata: Any = None) -> None:
        assert metadata is None
        self.notes.append(content)


def test_what_is_searched_and_written(its: Any, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    memory = import_module("strands.memory.memory_manager").MemoryManager([Store()])

    async def remember() -> None:
        await memory.add("has a dog")
        await memory.search("dog")

    its.run(remember())
    written, searched = telemetry.spans()
    assert [written.name, searched.name] == ["upsert_memory", "search_memory"]
    assert json.loads(written.attributes["gen_ai.memory.records"]) == [{"content": "has a dog"}]
    assert searched.attributes["gen_ai.memory.record.count"] == 3
    assert searched.attributes["gen_ai.memory.query.text"] == "dog"
    records = json.loads(searched.attributes["gen_ai.memory.records"])
    assert [each["content"] for each in records] == ["likes rain", "lives in Lisbon", "has a dog"]
