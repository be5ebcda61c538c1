"""Scopes that are entered and left anyhow: nothing is raised or logged, each span is ended by its own leaving.

After all were left nothing stays current where one was entered or left; what was begun inside keeps its parent.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from opentelemetry import context as api_context
from opentelemetry import trace as api
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext

from obs_run.context import current_context
from obs_run.context.current_context import ContextScope
from obs_run.context.log_context import LogFieldsScope, attached, depth, fields
from obs_run.context.runtime_context import RunContext
from obs_run.logging import DistributedLogger
from obs_run.tracing import InMemorySpanRecorder, Span, Tracer, continued, get_current_span_id
from obs_run.tracing import tracer as tracers
from tests.examples import examples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEADERS = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
REMOTE = "b7ad6b7169203331"
KINDS: list[Callable[[Tracer], Any]] = [
    lambda tracer: tracer.span("work"),
    lambda _: continued(HEADERS),
    lambda _: attached(a=1),
]


@pytest.fixture(autouse=True, params=[ContextVarsRuntimeContext, RunContext])
def keeper(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The API's own current context, and ours in its place."""
    monkeypatch.setattr(api_context, "_RUNTIME_CONTEXT", request.param())


@pytest.fixture(autouse=True)
def silent(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    assert caplog.records == []
    assert capfd.readouterr().err == ""


@pytest.fixture
def tracer() -> Tracer:
    return Tracer("scopes", InMemorySpanRecorder())


def ended(tracer: Tracer) -> list[str]:
    assert isinstance(tracer.recorder, InMemorySpanRecorder)
    return [span.context.span_id for span in tracer.recorder.get_spans()]


def in_thread(work: Callable[[], Any]) -> Any:
    """Run ``work`` in a thread that knows nothing of the caller's context."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(contextvars.Context().run, work).result()


def nothing_is_current() -> bool:
    return get_current_span_id() is None and fields() == {} and depth() == 0


def test_entered_twice_each_entry_has_its_own_span(tracer: Tracer) -> None:
    scope = tracer.span("work")
    with scope as outer:
        with scope as inner:
            assert inner.context.parent_span_id == outer.context.span_id
        assert ended(tracer) == [inner.context.span_id]
        assert get_current_span_id() == outer.context.span_id
    assert ended(tracer) == [inner.context.span_id, outer.context.span_id]
    assert nothing_is_current()


def test_an_error_belongs_to_the_span_of_the_block_that_it_left(tracer: Tracer) -> None:
    scope = tracer.span("work")
    with scope as outer, pytest.raises(ValueError, match="inner"), scope as inner:
        raise ValueError("inner")
    assert (inner.status.value, outer.status.value) == ("error", "ok")


async def test_shared_by_tasks_that_end_in_another_order(tracer: Tracer) -> None:
    scope, fields_scope, remote = tracer.span("work"), attached(user_id="u"), continued(HEADERS)

    async def work(number: int) -> tuple[str, str | None]:
        async with scope as span:
            await asyncio.sleep(0.001 * (number * 7 % 5))
            with remote, fields_scope:
                await asyncio.sleep(0.001 * (number * 3 % 5))
                assert (get_current_span_id(), dict(fields())) == (REMOTE, {"user_id": "u"})
            assert get_current_span_id() == span.context.span_id
        assert nothing_is_current()
        return span.context.span_id, span.context.parent_span_id

    spans = await asyncio.gather(*map(work, range(50)))
    assert sorted(ended(tracer)) == sorted(span_id for span_id, _ in spans)
    assert {parent for _, parent in spans} == {None}
    assert len(set(ended(tracer))) == 50


def test_shared_by_threads(tracer: Tracer) -> None:
    scope, together = tracer.span("work"), threading.Barrier(4)

    def work() -> None:
        for _ in range(100):
            together.wait(60)
            with scope as span:
                assert get_current_span_id() == span.context.span_id
            assert nothing_is_current()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(set(ended(tracer))) == 400
    assert tracer.get_active_spans() == []


@pytest.mark.parametrize(
    "make", [lambda tracer: tracer.span("work"), lambda _: continued(HEADERS), lambda _: attached(a=1)]
)
async def test_left_in_a_sibling_task(make: Callable[[Tracer], Any], tracer: Tracer) -> None:
    scope = make(tracer)
    entered, left = asyncio.Event(), asyncio.Event()

    async def start() -> None:
        scope.__enter__()
        entered.set()
        await left.wait()
        assert nothing_is_current()
        with tracer.span("next") as span:
            assert span.context.parent_span_id is None
        assert nothing_is_current()

    async def end() -> None:
        await entered.wait()
        scope.__exit__(None, None, None)
        assert nothing_is_current()
        left.set()

    await asyncio.gather(start(), end())
    assert tracer.get_active_spans() == []


@pytest.mark.parametrize(
    "make", [lambda tracer: tracer.span("work"), lambda _: continued(HEADERS), lambda _: attached(a=1)]
)
def test_left_in_another_thread(make: Callable[[Tracer], Any], tracer: Tracer) -> None:
    scope = make(tracer)
    scope.__enter__()
    in_thread(lambda: scope.__exit__(None, None, None))
    assert nothing_is_current()
    assert tracer.get_active_spans() == []


async def test_left_in_a_task_that_was_begun_inside(tracer: Tracer) -> None:
    scope = tracer.span("work")
    span = scope.__enter__()

    async def child() -> None:
        with tracer.span("child") as inner:
            assert inner.context.parent_span_id == span.context.span_id
            scope.__exit__(None, None, None)
            assert get_current_span_id() == inner.context.span_id
        assert nothing_is_current()

    await asyncio.create_task(child())
    assert nothing_is_current()
    assert len(ended(tracer)) == 2


async def test_a_task_that_outlives_the_block_it_was_begun_in_keeps_its_parent(tracer: Tracer) -> None:
    go = asyncio.Event()
    parents = []

    async def background() -> None:
        with tracer.span("early"):
            await go.wait()
        for _ in range(2):
            with tracer.span("late") as late:
                parents.append(late.context.parent_span_id)

    scope = tracer.span("work")
    span = scope.__enter__()
    tasks = [asyncio.create_task(background()) for _ in range(2)]
    await asyncio.sleep(0)
    # Once as blocks are, once as callbacks do it.
    in_thread(lambda: scope.__exit__(None, None, None))
    assert nothing_is_current()
    go.set()
    await asyncio.gather(*tasks)
    assert parents == [span.context.span_id] * 4


def test_left_in_another_order(tracer: Tracer) -> None:
    first, second, third = tracer.span("first"), attached(a=1), tracer.span("third")
    outer = first.__enter__()
    second.__enter__()
    inner = third.__enter__()
    first.__exit__(None, None, None)
    assert nothing_is_current()
    with tracer.span("next") as after:
        second.__exit__(None, None, None)
        third.__exit__(None, None, None)
        assert get_current_span_id() == after.context.span_id
    assert nothing_is_current()
    assert ended(tracer) == [outer.context.span_id, inner.context.span_id, after.context.span_id]


def test_left_before_something_foreign_that_is_inside_of_it(tracer: Tracer) -> None:
    scope = tracer.span("work")
    scope.__enter__()
    foreign = api.use_span(api.NonRecordingSpan(api.INVALID_SPAN_CONTEXT))
    foreign.__enter__()
    scope.__exit__(None, None, None)
    foreign.__exit__(None, None, None)
    assert nothing_is_current()


def test_several_left_before_something_foreign_that_is_inside_of_them(tracer: Tracer) -> None:
    """As a framework's streams within each other, in the innermost of which it makes a span of its own current."""
    outer, middle, inner = scopes = [tracer.span("work") for _ in range(3)]
    for scope in scopes:
        scope.__enter__()
    token = api_context.attach(api_context.set_value("foreign", 1))
    for scope in (inner, middle, outer):
        scope.__exit__(None, None, None)
    assert nothing_is_current()
    api_context.detach(token)
    assert nothing_is_current()


def test_something_foreign_that_is_inside_stays_current_when_the_scope_is_left_elsewhere(tracer: Tracer) -> None:
    scope = tracer.span("work")
    scope.__enter__()
    with continued(HEADERS) as remote:
        pass
    with api.use_span(api.get_current_span(remote)):
        in_thread(lambda: scope.__exit__(None, None, None))
        assert get_current_span_id() == REMOTE
    assert nothing_is_current()


def test_left_twice_and_never_entered(tracer: Tracer) -> None:
    with tracer.span("outer") as outer:
        for scope in (tracer.span("work"), continued(HEADERS), attached(a=1), DistributedLogger().context(a=1)):
            scope.__exit__(None, None, None)
            scope.__enter__()
            scope.__exit__(None, None, None)
            scope.__exit__(None, None, None)
            assert get_current_span_id() == outer.context.span_id
            assert fields() == {}
    assert len(ended(tracer)) == 2


def test_never_left_and_the_context_before_comes_back_after_those_that_are(tracer: Tracer) -> None:
    with tracer.span("outer") as outer:
        never = tracer.span("never").__enter__()
        with tracer.span("inside") as inside:
            assert inside.context.parent_span_id == never.context.span_id
        assert get_current_span_id() == never.context.span_id
    assert nothing_is_current()
    assert outer.is_finished


@pytest.mark.sampled
@pytest.mark.parametrize("how", ["shared", "each its own"])
def test_entered_again_and_again_and_never_left(how: str, tracer: Tracer, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, limit in ((current_context, "_DEEPEST"), (current_context, "_MOST_OPEN"), (tracers, "_MOST_ACTIVE")):
        monkeypatch.setattr(module, limit, 100)

    def make() -> list[Any]:
        return [tracer.span("never"), continued(HEADERS), LogFieldsScope({"a": 1})]

    def enter(times: int) -> int:
        for _ in range(times):
            for scope in scopes or make():
                scope.__enter__()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    def work() -> float:
        with tracer.span("outermost"):
            enter(200)
            tracemalloc.start()
            sizes = [enter(300), *(enter(200) for _ in range(5))]
            tracemalloc.stop()
        # What was current before all of them is not lost.
        assert nothing_is_current()
        # What grows does so each time; what another thread of the tests' process allocates is in one of them.
        return median(after - before for before, after in pairwise(sizes)) / 200

    scopes = make() if how == "shared" else []
    assert contextvars.Context().run(work) < 200  # bytes for each time; the entries of three scopes have more
    counts = tracer.get_metrics()
    assert counts["active_spans"] == 1500
    assert (len(tracer.get_active_spans()), counts["spans_finished"]) == (100, 1)


def test_what_was_current_before_a_chain_that_was_cut_comes_back(tracer: Tracer) -> None:
    with continued(HEADERS):
        scopes = [tracer.span("deep") for _ in range(current_context._DEEPEST * 2 + 10)]
        for scope in scopes:
            scope.__enter__()
        for scope in reversed(scopes):
            scope.__exit__(None, None, None)
        assert len(set(ended(tracer))) == len(scopes)
    assert nothing_is_current()


async def test_log_contexts_of_the_logger() -> None:
    logger = DistributedLogger()
    scope = logger.context(user_id="u")

    async def work() -> None:
        async with scope as outer:
            assert outer.user_id == "u"
            await asyncio.sleep(0)
            async with scope:
                assert logger.get_metrics()["context_stack_depth"] == 2
            assert fields() == {"user_id": "u"}
        assert nothing_is_current()

    await asyncio.gather(work(), work())
    scope.__enter__()
    in_thread(lambda: scope.__exit__(None, None, None))
    assert nothing_is_current()


def span_ids_around() -> set[str | None]:
    """Return the ids of the spans that the caller is inside of."""
    around = {get_current_span_id()}
    entry: Any = api_context.get_current().get(current_context._ENTRY)
    while entry is not None:
        around.add(entry.carried.context.span_id if isinstance(entry.carried, Span) else REMOTE)
        entry = entry.outer
    return around


class Interleavings(RuleBasedStateMachine):
    """Scopes of all kinds, entered and left at random in contexts that begin empty or inside of each other."""

    def __init__(self) -> None:
        super().__init__()
        self.tracer = Tracer("scopes", InMemorySpanRecorder())
        self.scopes: list[Any] = [
            *(self.tracer.span("work") for _ in range(3)),
            *(continued(HEADERS), attached(a=1), ContextScope(api_context.Context())),
        ]
        self.contexts: list[contextvars.Context] = [contextvars.Context() for _ in range(3)]
        self.inherited: dict[int, set[str | None]] = {0: set(), 1: set(), 2: set()}
        self.open: list[tuple[int, Any]] = []
        """Which scope was entered, and in which context."""
        self.spans: list[Span] = []

    def run(self, context: int, work: Callable[[], Any]) -> Any:
        return self.contexts[context].run(work)

    @rule(context=st.integers(0, 9), scope=st.integers(0, 5))
    def enter(self, context: int, scope: int) -> None:
        context %= len(self.contexts)
        entered = self.run(context, self.scopes[scope].__enter__)
        if isinstance(entered, Span):
            self.spans.append(entered)
            assert self.run(context, get_current_span_id) == entered.context.span_id
        self.open.append((context, self.scopes[scope]))

    @precondition(lambda self: self.open)
    @rule(which=st.integers(0, 99), context=st.integers(0, 9), elsewhere=st.booleans())
    def leave(self, which: int, context: int, *, elsewhere: bool) -> None:
        own, scope = self.open.pop(which % len(self.open))
        self.run(context % len(self.contexts) if elsewhere else own, lambda: scope.__exit__(None, None, None))

    @precondition(lambda self: len(self.contexts) < 8)
    @rule(context=st.integers(0, 9))
    def begin_task(self, context: int) -> None:
        context %= len(self.contexts)
        copied = self.contexts[context].copy()
        self.inherited[len(self.contexts)] = {*self.inherited[context], *copied.copy().run(span_ids_around)}
        self.contexts.append(copied)

    @invariant()
    def as_many_spans_are_open_as_were_not_left(self) -> None:
        left_open = sum(scope in self.scopes[:3] for _, scope in self.open)
        assert len([span for span in self.spans if not span.is_finished]) == left_open

    def teardown(self) -> None:
        while self.open:
            self.leave(len(self.open) - 1, 0, elsewhere=False)
        assert all(span.is_finished for span in self.spans)
        for number, context in enumerate(self.contexts):
            # A task that was begun inside of something keeps that, and has nothing else.
            assert context.run(get_current_span_id) in {None, *self.inherited[number]}
            if number < 3:
                assert context.run(nothing_is_current)


def test_random_interleavings() -> None:
    budget = settings(max_examples=examples(100), stateful_step_count=40, deadline=None)
    run_state_machine_as_test(Interleavings, settings=budget)
