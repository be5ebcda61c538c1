"""What tasks do besides: workers and senders without obs-run, baggage, what is current, waiting, settings."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import baggage, context, trace

from tests.instrumentors.celery import peers
from tests.instrumentors.celery.library import Celery
from tests.instrumentors.run_scenarios import instrumented
from tests.instrumentors.trees import Node, assert_trees

if TYPE_CHECKING:
    from collections.abc import Iterator

PEERS = Path(peers.__file__)
TASKS = 20
tracer = trace.get_tracer("agent")


@pytest.fixture
def its(stub: Any, telemetry: Any) -> Iterator[Any]:
    """An app, under our hooks."""
    assert telemetry is not None
    driver = Celery("sync", stub)
    with instrumented():
        driver.call(lambda _: None)
        yield driver
    driver.close()


def command(its: Any, role: str) -> list[str]:
    return [sys.executable, str(PEERS), role, its.url, its.prefix, str(TASKS)]


def test_tasks_for_a_worker_without_us(its: Any, telemetry: Any) -> None:
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command(its, "worker"), text=True, **pipes) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        results = [its.add.delay(number, 1) for number in range(TASKS)]
        assert [result.get(timeout=peers.WAIT) for result in results] == list(range(1, TASKS + 1))
        process.stdin.write("done\n")
        process.stdin.flush()
        process.communicate()
    assert_trees(telemetry.spans(), *[Node("publish agent.add")] * TASKS)


def test_tasks_of_a_process_without_us(its: Any, telemetry: Any) -> None:
    assert subprocess.check_output(command(its, "sending"), text=True) == f"{TASKS} sent\n"
    assert its.done(its.add.delay(1, 1)) == 2
    alone = [Node("process agent.add", kind="CONSUMER")] * TASKS
    assert_trees(telemetry.spans(), Node("publish agent.add", Node("process agent.add")), *alone)


def test_baggage_and_what_is_current(its: Any, telemetry: Any) -> None:
    seen = []

    @its.app.task(name="agent.note")  # type: ignore[untyped-decorator] # imported late
    def note() -> None:
        seen.append((baggage.get_baggage("tenant"), trace.get_current_span().get_span_context().span_id))

    token = context.attach(baggage.set_baggage("tenant", "acme"))
    with tracer.start_as_current_span("plan"):
        result = note.delay()
    context.detach(token)
    its.done(result)
    assert_trees(telemetry.spans(), Node("plan", Node("publish agent.note", Node("process agent.note"))))
    [worked] = [span for span in telemetry.spans() if span.name == "process agent.note"]
    assert seen == [("acme", worked.context.span_id)]
    assert 0 <= worked.attributes["obs.messaging.queue_time"] < peers.WAIT


def test_tasks_in_one_worker_are_not_within_each_other(its: Any, telemetry: Any) -> None:
    for number in range(3):
        with tracer.start_as_current_span(f"plan {number}"):
            result = its.add.delay(number, 1)
    its.done(result)
    traces = {span.context.trace_id for span in telemetry.spans()}
    assert (len(traces), len(telemetry.spans())) == (3, 9)


def test_a_trace_that_the_agent_tells_of_itself_stays(its: Any, telemetry: Any) -> None:
    foreign = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    its.done(its.add.apply_async((1, 2), headers={"traceparent": foreign}))
    [worked] = [span for span in telemetry.spans() if span.name == "process agent.add"]
    assert format(worked.parent.span_id, "016x") == "b7ad6b7169203331"


@pytest.mark.parametrize(("setting", "names"), [("json", {"traceparent", "obs_sent_at"}), ("off", set())])
def test_what_a_task_carries(its: Any, monkeypatch: pytest.MonkeyPatch, setting: str, names: set[str]) -> None:
    monkeypatch.setenv("OBS_PROPAGATE_MESSAGES", setting)
    seen = []

    @its.app.task(name="agent.note", bind=True)  # type: ignore[untyped-decorator] # imported late
    def note(task: Any) -> None:
        seen.append({name for name in ("traceparent", "obs_sent_at") if getattr(task.request, name, None)})

    its.done(note.delay())
    assert seen == [names]


def test_results_and_events_of_celery_are_no_messages_of_the_agent(its: Any, telemetry: Any) -> None:
    its.app.conf.task_send_sent_event = True
    assert its.done(its.add.delay(1, 2)) == 3
    its.app.control.inspect(timeout=0.1).ping()
    assert_trees(telemetry.spans(), Node("publish agent.add", Node("process agent.add")))


def test_a_chain(its: Any, telemetry: Any) -> None:
    chain = (its.add.s(1, 1) | its.add.s(2)).apply_async()
    assert its.done(chain) == 4
    first = Node("publish agent.add", Node("process agent.add", Node("publish agent.add", Node("process agent.add"))))
    assert_trees(telemetry.spans(), first)


def test_a_chord(its: Any, telemetry: Any) -> None:
    chord = import_module("celery").chord([its.add.s(1, 1), its.add.s(2, 2)])(its.total.s())
    assert its.done(chord) == 6
    total = Node("publish agent.total", Node("process agent.total"))
    assert_trees(
        telemetry.spans(),
        Node("publish agent.add", Node("process agent.add")),
        Node("publish agent.add", Node("process agent.add", total)),
    )


def test_a_message_that_is_rejected(its: Any, telemetry: Any) -> None:
    its.refuse.delay()
    assert its.done(its.add.delay(1, 1)) == 2
    refused = Node("process agent.refuse", status="ERROR", attributes={"error.type": "rejected"})
    assert_trees(
        telemetry.spans(), Node("publish agent.refuse", refused), Node("publish agent.add", Node("process agent.add"))
    )


def test_a_task_that_is_sent_by_its_name(its: Any, telemetry: Any) -> None:
    assert its.done(its.app.send_task("agent.add", (1, 2), queue="failing")) == 3
    worked = Node("process agent.add", attributes={"messaging.destination.name": "failing"})
    assert_trees(telemetry.spans(), Node("publish agent.add", worked))
