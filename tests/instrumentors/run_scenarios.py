"""One library's scenario set under our hooks; ``test_versions`` runs this file in the library's environments.

``OBS_TEST_LIBRARY`` names the folder of the library beside this file, ``OBS_TEST_ENVIRONMENT`` the environment's label.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import context as api_context

from tests import faults
from tests.instrumentors.scenarios import Driver, Library, Scenario, seen
from tests.instrumentors.trees import Node, assert_shapes, assert_trees, start_of
from tests.semconv import exceptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

USAGE = ("gen_ai.usage.", "obs.usage.")
LIBRARY: Library = importlib.import_module(f"tests.instrumentors.{os.environ['OBS_TEST_LIBRARY']}.library").LIBRARY
ENVIRONMENT = os.environ.get("OBS_TEST_ENVIRONMENT", "")
SCENARIOS = [
    (kind, scenario)
    for kind in LIBRARY.kinds
    for scenario in LIBRARY.scenarios
    if kind in scenario.kinds and ENVIRONMENT not in scenario.unless
]
CASES = [pytest.param(kind, scenario, id=f"{kind}, {scenario.name}") for kind, scenario in SCENARIOS]
WITH_CONTENT = [
    pytest.param(kind, scenario, id=f"{kind}, {scenario.name}")
    for kind, scenario in SCENARIOS
    if scenario.content is not None
]
CONTENT = ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions")
_MORE_CONTENT = ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result")
_RETRIEVED = ("gen_ai.retrieval.query.text", "gen_ai.retrieval.documents")
UNSTABLE = (
    "anthropic.request.id",
    "server.address",
    "server.port",
    "gen_ai.response.id",
    "gen_ai.response.time_to_first_chunk",
    "obs.a2a.task.id",
    "obs.messaging.queue_time",
    "obs.cost.input",
    "obs.cost.output",
    "obs.cost.subtree",
    "obs.cost.total",
    "obs.cost.price_table",
)
OF_RUNS = "obs.run."
TRIES = 3
"""How often a fault may fail to fire: what agents at the same time pass hangs on which thread is faster."""
MOST_TRIES = 12
"""How often, where another run does pass the function: an answer comes at once, or in pieces."""
MODEL_CALLS = ("chat", "text_completion", "generate_content", "embeddings", "rerank")
INFERENCES = ("chat", "text_completion", "generate_content")
TOKENS = {
    f"gen_ai.usage.{direction}_tokens": f"gen_ai.client.inference.usage.{direction}_tokens"
    for direction in ("input", "output")
}


@pytest.fixture(params=LIBRARY.kinds)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def driver_of(stub: Any) -> Iterator[Callable[[str], Driver]]:
    made: list[Driver] = []

    def make(kind: str) -> Driver:
        made.append(LIBRARY.driver(kind, stub))
        return made[-1]

    yield make
    for driver in made:
        driver.close()


@contextlib.contextmanager
def instrumented() -> Iterator[None]:
    """Put the library under our hooks, as the launcher does when it is imported."""
    from obs_instrumentors import TABLE

    from obs_run.core import hooks

    for module, instrumentor in TABLE.items():
        if instrumentor in (LIBRARY.instrumentor, *LIBRARY.beside):
            # Not every supported release has every module.
            with contextlib.suppress(ImportError):
                importlib.import_module(module)
            if module in sys.modules:
                hooks.instrument(instrumentor, sys.modules[module])
    skipped = {status.instrumentor.library: status.skipped for status in hooks.statuses()}
    assert skipped.get(LIBRARY.name, "not imported") is None, skipped
    try:
        yield
    finally:
        hooks.undo()


def drive(scenario: Scenario, driver: Driver) -> None:
    """Do what the agent does; an error that the scenario foresees is no news."""
    driver.stub.reset()
    if scenario.error is None:
        kept = scenario.call(driver)
        del kept
    else:
        with pytest.raises(BaseException) as caught:  # noqa: PT011 (the name is compared below)
            scenario.call(driver)
        kind = type(caught.value)
        assert f"{kind.__module__}.{kind.__qualname__}".endswith(scenario.error), caught.value
        del caught
    gc.collect()


def span_of(scenario: Scenario, telemetry: Any) -> Any:
    spans = telemetry.spans()
    if scenario.shape:
        assert_shapes(spans, *scenario.shape)
    else:
        assert_trees(spans, *(scenario.tree or (Node(scenario.span),)))
    return next(span for span in sorted(spans, key=start_of) if span.name == scenario.span)


def assert_counts_of_runs(spans: list[Any]) -> None:
    """Compare what runs say of the calls inside of them with the spans of these calls."""
    parents = {span.context.span_id: span.parent.span_id for span in spans if span.parent is not None}
    told: dict[int, dict[str, int]] = {}
    for span in spans:
        name = span.attributes.get("gen_ai.operation.name")
        call = "model_calls" if name in MODEL_CALLS else "tool_calls" if name == "execute_tool" else None
        around = parents.get(span.context.span_id)
        while call is not None and around is not None:
            counts = told.setdefault(around, {})
            counts[call] = counts.get(call, 0) + 1
            around = parents.get(around)
    for span in spans:
        if span.name.startswith(("invoke_agent", "invoke_workflow")) and span.kind.name == "INTERNAL":
            counted = {name: span.attributes.get(f"{OF_RUNS}{name}", 0) for name in ("model_calls", "tool_calls")}
            assert counted == {"model_calls": 0, "tool_calls": 0, **told.get(span.context.span_id, {})}, span.name


@pytest.mark.parametrize(("kind", "scenario"), CASES)
def test_one_span(kind: str, scenario: Scenario, driver_of: Any, telemetry: Any) -> None:
    driver = driver_of(kind)
    before = {name: telemetry.total(metric) for name, metric in TOKENS.items()}
    by_others = telemetry.measured_by_others()
    with instrumented():
        drive(scenario, driver)
        span = span_of(scenario, telemetry)
    assert telemetry.measured_by_others() == by_others
    attributes = dict(span.attributes)
    wanted = scenario.attributes(driver) if callable(scenario.attributes) else scenario.attributes
    ignored = {*UNSTABLE, *exceptions.VIEWERS} - {*wanted}
    attributes = {
        name: value for name, value in attributes.items() if name not in ignored and not name.startswith(OF_RUNS)
    }
    if LIBRARY.reads_ahead and wanted.get("obs.response.stream_end") == "abandoned":
        attributes = {name: value for name, value in attributes.items() if not name.startswith(USAGE)}
    assert attributes == dict(wanted)
    assert span.status.status_code.name == ("UNSET" if wanted.get("error.type") is None else "ERROR")
    assert_counts_of_runs(telemetry.spans())
    failed = telemetry.events("gen_ai.client.operation.exception")
    failures = int(scenario.error is not None) if scenario.failures is None else scenario.failures
    assert len(failed) == failures
    inferences = [one for one in telemetry.spans() if one.attributes.get("gen_ai.operation.name") in INFERENCES]
    if inferences:
        counted = {name: telemetry.total(metric) - before[name] for name, metric in TOKENS.items()}
        assert counted == {name: sum(one.attributes.get(name, 0) for one in inferences) for name in TOKENS}


@pytest.mark.parametrize(("kind", "scenario"), WITH_CONTENT)
def test_content(kind: str, scenario: Scenario, driver_of: Any, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    driver = driver_of(kind)
    with instrumented():
        drive(scenario, driver)
        span = span_of(scenario, telemetry)
    names = (*CONTENT, *_MORE_CONTENT, *_RETRIEVED)
    content = {name: _parsed(span.attributes[name]) for name in names if name in span.attributes}
    wanted = scenario.content(driver) if callable(scenario.content) else scenario.content
    assert content == wanted


@pytest.mark.parametrize(("kind", "scenario"), CASES)
def test_agent_sees_the_same(kind: str, scenario: Scenario, driver_of: Any, telemetry: Any) -> None:
    without = seen(scenario.call, driver_of(kind))
    assert telemetry.spans() == [] or ENVIRONMENT in LIBRARY.traces_itself
    telemetry.clear()
    # A client may keep the tracer that it has once got.
    driver = driver_of(kind)
    with instrumented():
        assert seen(scenario.call, driver) == without
        span_of(scenario, telemetry)


def test_faults_of_ours(
    kind: str, driver_of: Any, telemetry: Any, with_content: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever of ours raises, one function after the other: the agent's results and errors stay the same."""
    assert with_content is None
    telemetry.may_fail = True
    # What we ask a provider for we have to hide from the agent, which is the one thing that a fault can prevent, once.
    monkeypatch.setenv("OBS_STREAM_USAGE", "false")
    mine = {scenario.name: scenario.call for one, scenario in SCENARIOS if one == kind}
    driver = driver_of(kind)
    without = {name: seen(call, driver) for name, call in mine.items()}
    driver = driver_of(kind)
    # What tests before this one left current is taken out once, by whoever asks next.
    api_context.get_current()
    with instrumented():
        passed = faults.passed({name: partial(seen, call, driver) for name, call in mine.items()})
    assert [function for function in passed if function.translates()]

    wrong = []
    for function, names in passed.items():
        changed: list[str] = []
        is_settled = False
        for attempt in range(MOST_TRIES):
            driver = driver_of(kind)
            with instrumented(), faults.raising(function) as fault:
                with_us = {name: seen(mine[name], driver) for name in names}
            changed += [name for name in names if with_us[name] != without[name]]
            is_settled = fault.fired > 0 or (
                attempt >= TRIES and _was_passed_by_chance(function, [mine[name] for name in names], driver_of(kind))
            )
            if is_settled:
                break
        if changed or not is_settled:
            wrong.append(f"{function}: {'fired' if is_settled else 'never fired'}, changed {changed}")
        if not function.translates():
            telemetry.clear()
    assert not wrong, "\n".join(wrong)


def _was_passed_by_chance(function: faults.Function, calls: list[Any], driver: Any) -> bool:
    """Whether another run does not pass it, as where an answer comes all at once or in pieces."""
    with instrumented():
        again = faults.passed({str(number): partial(seen, call, driver) for number, call in enumerate(calls)})
    return function not in again


def _parsed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value[:1] in ("[", "{") else value
