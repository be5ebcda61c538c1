"""Spans of libraries that trace themselves: each is a recording, wherever and however the library makes it current."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import context as api_context
from opentelemetry import trace
from opentelemetry._logs import LogRecord
from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanContext, StatusCode

from obs_run.core import recorder, sink, tool_windows
from obs_run.core.operations import Inference, Step, ToolCall
from obs_run.core.recording_tracers import RecordingTracer, Vocabulary, current_span, replace_tracer, silence_logger
from obs_run.core.span_attributes import operation_of
from tests.unit.core.conftest import FakeSink

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from obs_run.core.operations import Operation


class StopError(Exception):
    """What this library raises to leave a run."""


def operation(name: str, attributes: Mapping[str, Any]) -> Operation | None:
    if name == "cycle":
        return None
    return operation_of(name, attributes) or Step(step_name=name)


TRACER = RecordingTracer(Vocabulary(__name__, operation, outcomes={"StopError": "interrupted"}))
AS_A_STRANGER = {"__name__": "agent"}


def by_the_agent(code: str, **names: Any) -> None:
    """Run code that is none of the library's."""
    exec(code, {**AS_A_STRANGER, **names})


def test_spans_in_each_other(fake: FakeSink) -> None:
    with (
        TRACER.start_as_current_span("invoke_agent a", attributes={"gen_ai.agent.name": "a"}),
        TRACER.start_as_current_span("execute_tool t", attributes={"gen_ai.tool.name": "t"}),
    ):
        recording = recorder.start(Inference("chat", request_model="m"))
        assert recording is not None
        recording.end()
    assert fake.trees() == ["invoke_agent a(execute_tool t(chat m))"]
    assert fake.ended[1].record.attributes["gen_ai.agent.name"] == "a"


@pytest.mark.parametrize(
    "make_current",
    [
        trace.use_span,
        lambda span: _attached(trace.set_span_in_context(span)),
        lambda span: _attached(trace.set_span_in_context(span, Context())),
    ],
    ids=["use_span", "attached", "attached alone"],
)
def test_a_span_that_the_api_makes_current_owns_what_is_inside(
    make_current: Callable[[Any], Any], fake: FakeSink
) -> None:
    span = TRACER.start_span("chat m", attributes={"gen_ai.request.model": "m"})
    with make_current(span):
        # The model's client tells of the same call.
        recording: Any = recorder.start(Inference("chat", request_model="m", response_model="m-1"))
        recording.end()
    span.end()
    assert fake.trees() == ["chat m"]
    assert fake.ended[0].record.attributes["gen_ai.response.model"] == "m-1"


class _attached:  # noqa: N801 (it is used as a function)
    def __init__(self, context: Context) -> None:
        self._context = context

    def __enter__(self) -> None:
        self._token = api_context.attach(self._context)

    def __exit__(self, *_: object) -> None:
        api_context.detach(self._token)


def test_tools_and_agents_are_beside_the_answer_that_asks_for_them(fake: FakeSink) -> None:
    with TRACER.start_as_current_span("invoke_agent a"), TRACER.start_as_current_span("chat m") as answer:
        with TRACER.start_as_current_span("execute_tool t"), TRACER.start_as_current_span("chat n"):
            pass
        answer.recording.end()  # type: ignore[attr-defined]
        TRACER.start_span("invoke_agent b").end()
    assert fake.trees() == ["invoke_agent(chat execute_tool(chat) invoke_agent)"]


class _SomeTracer(trace.NoOpTracer):
    """A tracer that may be changed."""


def test_a_librarys_tracer_is_ours_for_all_its_modules_until_it_is_taken_back(fake: FakeSink) -> None:
    # One of the process's would begin to export.
    module = SimpleNamespace(tracer=_SomeTracer())
    taken_before = module.tracer
    take_back = replace_tracer(Vocabulary(__name__, operation))(module)
    with taken_before.start_as_current_span("chat m"):
        module.tracer.start_span("execute_tool t").end()
    assert [each.record.kind for each in fake.ended] == ["ToolCall", "Inference"]
    take_back()
    taken_before.start_span("chat m").end()
    assert len(fake.ended) == 2
    take_back()


def test_the_current_span_of_a_library(fake: FakeSink) -> None:
    assert current_span() is None
    with TRACER.start_as_current_span("execute_tool t") as span:
        assert current_span() is span
    assert len(fake.ended) == 1


def test_what_a_library_logs_of_its_spans_goes_nowhere_until_it_is_taken_back() -> None:
    said: list[object] = []
    module = SimpleNamespace(__name__="library", logger=SimpleNamespace(emit=said.append))
    take_back = silence_logger(module, "logger")
    module.logger.emit(LogRecord(body=1))
    take_back()
    module.logger.emit(2)
    assert said == [2]


def test_what_is_not_worth_a_span_belongs_to_what_is_around_it(fake: FakeSink) -> None:
    with TRACER.start_as_current_span("invoke_agent a", attributes={"gen_ai.agent.name": "a"}):
        cycle = TRACER.start_span("cycle")
        cycle.set_attribute("n", 1)
    inner = TRACER.start_span("execute_tool t", trace.set_span_in_context(cycle, Context()), attributes={})
    inner.set_attribute("gen_ai.tool.name", "t")
    inner.end()
    cycle.end()
    assert fake.trees() == ["invoke_agent a execute_tool t"] or fake.trees() == ["invoke_agent a(execute_tool t)"]
    assert fake.ended[-1].parent_id == fake.ended[0].span_id


def test_without_anything_around_there_is_no_span(fake: FakeSink) -> None:
    with TRACER.start_as_current_span("cycle") as span:
        assert not span.get_span_context().is_valid
    assert fake.ended == []


def test_what_becomes_known_later_is_in_the_name(fake: FakeSink) -> None:
    with TRACER.start_as_current_span("execute_tool") as span:
        span.set_attributes({"gen_ai.tool.name": "t", "gen_ai.usage.input_tokens": 3})
    assert fake.trees() == ["execute_tool t"]
    assert "gen_ai.usage.input_tokens" not in fake.ended[0].record.attributes


def test_what_others_set_is_on_the_exported_span(fake: FakeSink) -> None:
    noted: list[Any] = []
    with TRACER.start_as_current_span("execute_tool t") as span:
        exported = span.recording.span  # type: ignore[attr-defined]
        exported.set_attribute = lambda *each: noted.append(each)
        exported.record_exception = lambda error, *_: noted.append(error)
        error = ValueError()
        by_the_agent("span.set_attribute('mine', 1); span.record_exception(error)", span=span, error=error)
    assert noted == [("mine", 1), error]
    assert fake.ended[0].record.error is None


@pytest.mark.parametrize("ends", ["block", "api", "by hand"])
def test_failures_and_what_is_none(ends: str, fake: FakeSink) -> None:
    for error in (ValueError("no"), StopError(), asyncio.CancelledError()):
        with pytest.raises(type(error)):
            _fail(error, ends)
    told = [
        (each.record.error and each.record.error.error_type, each.record.attributes.get("obs.outcome"))
        for each in fake.ended
    ]
    assert told == [("ValueError", None), (None, "interrupted"), (None, "cancelled")]
    assert len(fake.logs) == 1


def test_a_run_that_is_left_because_of_what_is_known_says_that(fake: FakeSink) -> None:
    for known in ("handoff", None):
        with pytest.raises(GeneratorExit):
            _leave(known)
    assert [each.record.attributes["obs.outcome"] for each in fake.ended] == ["handoff", "abandoned"]


def test_a_run_that_is_cancelled_is_that_whatever_it_waited_for(fake: FakeSink) -> None:
    with pytest.raises(asyncio.CancelledError):
        _leave("interrupted", asyncio.CancelledError)
    assert [each.record.attributes["obs.outcome"] for each in fake.ended] == ["cancelled"]


def _leave(known: str | None, raised: type[BaseException] = GeneratorExit) -> None:
    span: Any = TRACER.start_span("invoke_agent a")
    span.recording.operation.outcome = known
    try:
        raise raised
    finally:
        span.end()


def _fail(error: BaseException, ends: str) -> None:
    if ends == "block":
        with TRACER.start_as_current_span("execute_tool t"):
            raise error
    span = TRACER.start_span("execute_tool t")
    if ends == "api":
        with trace.use_span(span, end_on_exit=True):
            raise error
    try:
        _raise(error)
    except Exception as raised:
        span.record_exception(raised)
        span.set_status(StatusCode.ERROR, str(raised))
        raise
    finally:
        span.end()


def _raise(error: BaseException) -> None:
    raise error


def test_a_failure_that_is_told_and_not_raised(fake: FakeSink) -> None:
    span = TRACER.start_span("execute_tool t")
    span.set_status(StatusCode.ERROR, "it broke")
    span.end()
    span.end()
    (ended,) = fake.ended
    assert ended.record.error is not None
    assert (ended.record.error.error_type, ended.record.error.message) == ("_OTHER", "it broke")


def test_an_error_that_the_library_handles_while_a_span_begins_is_not_the_spans(fake: FakeSink) -> None:
    try:
        asyncio.run(asyncio.wait_for(asyncio.sleep(1), 0))
    except asyncio.TimeoutError:
        TRACER.start_span("execute_tool t").end()
    assert fake.ended[0].record.error is None


def test_ended_in_another_thread(fake: FakeSink) -> None:
    span = TRACER.start_span("execute_tool t", links=[Link(SpanContext(1, 2, is_remote=False))])
    thread = threading.Thread(target=span.end)
    thread.start()
    thread.join()
    span.set_attribute("gen_ai.tool.name", "too late")
    assert fake.trees() == ["execute_tool"]


_NAMES = st.sampled_from(["chat m", "invoke_agent a", "execute_tool t", "embeddings", "cycle", "other", ""])
_KEYS = st.sampled_from(
    [
        *ToolCall.ATTRIBUTES.values(),
        *Inference.ATTRIBUTES.values(),
        *Inference.CONTENT.values(),
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.cache_read.input_tokens",
        "else",
    ]
)
_VALUES = st.one_of(st.none(), st.text(), st.integers(), st.floats(), st.lists(st.text()), st.just('[{"parts": 3}]'))


@given(name=_NAMES, first=st.dictionaries(_KEYS, _VALUES), later=st.dictionaries(_KEYS, _VALUES))
def test_whatever_is_set_each_span_ends_once(name: str, first: dict[str, Any], later: dict[str, Any]) -> None:
    fake = FakeSink()
    before, sink._chosen.sink = sink._chosen.sink, fake
    try:
        _set_and_end(name, first, later)
    finally:
        sink._chosen.sink = before
        tool_windows.windows.forget()
    assert len(fake.ended) == (operation(name, first) is not None)
    assert not trace.get_current_span().get_span_context().is_valid


def _set_and_end(name: str, first: dict[str, Any], later: dict[str, Any]) -> None:
    with TRACER.start_as_current_span(name, attributes=first) as span:
        span.set_attributes(later)
