"""What several frameworks' instrumentors read with: results, records, calls of tools, names of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from obs_instrumentors.wire.class_names import by_class
from obs_instrumentors.wire.continuation import note_tool_calls
from obs_instrumentors.wire.memories import read_found
from obs_instrumentors.wire.plain import text_or_json
from obs_instrumentors.wire.token_counts import counted

from obs_run.core import content
from obs_run.core.operations import Inference, Memory, Usage
from obs_run.core.tool_calls import function_call, read_result

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=["NO_CONTENT", "SPAN_ONLY"])
def is_wanted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[bool]:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", request.param)
    content.forget()
    yield request.param == "SPAN_ONLY"
    content.forget()


def test_arguments_and_result_of_a_function_are_content(is_wanted: bool) -> None:  # noqa: FBT001 (a fixture)
    call = function_call("weather", "Tells it.", {"city": "Lisbon"}, "c-1")
    read_result(call, "rain")
    told = (call.tool_name, call.tool_type, call.tool_description, call.call_id)
    assert told == ("weather", "function", "Tells it.", "c-1")
    assert (call.arguments, call.result) == (({"city": "Lisbon"}, "rain") if is_wanted else (None, None))
    # Identical calls are known by it, whether or not these are recorded.
    assert call.identity == function_call("weather", None, {"city": "Lisbon"}).identity
    assert call.identity != function_call("weather", None, {"city": "Porto"}).identity


def test_records_are_counted_and_their_texts_are_content(is_wanted: bool) -> None:  # noqa: FBT001 (a fixture)
    operation = Memory("search_memory")
    read_found(operation, ["a", "b"], lambda text: {"content": text})
    assert operation.record_count == 2
    assert operation.records == ([{"content": "a"}, {"content": "b"}] if is_wanted else None)


def test_zeros_are_what_nobody_counted() -> None:
    assert counted(None) is counted(Usage()) is counted(Usage(0, 0)) is None
    assert counted(Usage(0, 1)) == Usage(0, 1)


def test_an_answer_without_calls_asks_for_none() -> None:
    operation = Inference("chat")
    note_tool_calls(operation, [("c-1", "weather"), (None, "hotels")])
    assert (operation.tool_calls, operation.tool_call_ids) == (["weather", "hotels"], ["c-1", None])
    note_tool_calls(operation, [])
    assert (operation.tool_calls, operation.tool_call_ids) == (None, None)


def test_the_nearest_class_tells() -> None:
    class Base:
        pass

    class Known(Base):
        pass

    class Mine(Known):
        pass

    table = {"Base": "base", "Known": "known"}
    assert [by_class(value, table) for value in (Mine(), Base(), 1)] == ["known", "base", None]
    assert by_class(1, table, "other") == "other"


def test_what_is_no_text_is_told_as_json() -> None:
    assert [text_or_json(value)["content"] for value in ("a", {"b": 1}, None)] == ["a", '{"b":1}', "null"]
