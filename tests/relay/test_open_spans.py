"""Work that lasts is seen while it goes on, with a relay and without: a root by OTLP, all that is open in the store."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from obs_run.store.reader import Reader
from obs_run.store.schema import StoreError
from tests.launch.running import environment
from tests.relay.agents import OBS_RUN, PYTHON, SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.otlp_receiver import Receiver

AGENT = """\
import os, sys, time
from obs_run.tracing import get_tracer
tracer = get_tracer("agent")
with tracer.span("done at once"):
    pass
with tracer.span("lasts"):
    while not os.path.exists(sys.argv[1]):
        time.sleep(0.05)
with tracer.span("last"):
    pass
sys.exit(3)
"""


class Running:
    """An agent that goes on until it is let go."""

    def __init__(self, home: Path, memory: Path, endpoint: str, relay: str, **more: str) -> None:
        self._until = home / "until"
        script = home / "agent.py"
        script.write_text(AGENT)
        settings = {"OBS_RELAY": relay, "OBS_RELAY_FOLDER": str(memory), "OTEL_BSP_SCHEDULE_DELAY": "50"}
        self.process = subprocess.Popen(
            [OBS_RUN, PYTHON, str(script), str(self._until)],
            env=environment(endpoint, home, OBS_OPEN_SPANS_SECONDS="1", **settings, **more),
            cwd=home,
        )

    def let_go(self) -> int:
        self._until.touch()
        return self.process.wait(SECONDS)


@pytest.fixture(params=["on", "off"])
def relay(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def running(tmp_path: Path, memory: Path, receiver: Receiver, relay: str) -> Iterator[Running]:
    agent = Running(tmp_path, memory, receiver.endpoint, relay)
    yield agent
    agent.process.kill()
    agent.process.wait()


def test_a_run_that_goes_on_is_a_root_and_its_end_is_below(running: Running, receiver: Receiver) -> None:
    assert receiver.wait_for(lambda got: any(span.attributes.get("obs.span.open") for span in got.spans))
    (root,) = [span for span in receiver.spans if span.attributes.get("obs.span.open")]
    assert not root.parent_id
    assert running.process.poll() is None
    assert receiver.wait_for(lambda got: {"done at once"} <= {span.name for span in got.spans})

    assert running.let_go() == 3
    assert receiver.wait_for(lambda got: any("obs.run.exit_code" in span.attributes for span in got.spans))
    spans = receiver.spans
    (end,) = [span for span in spans if "obs.run.exit_code" in span.attributes]
    assert (end.name, end.parent_id) == (root.name, root.span_id)
    assert end.attributes["obs.run.exit_code"] == 3
    assert sorted(span.name for span in spans) == sorted(["agent", "agent", "done at once", "lasts", "last"])
    assert len({span.span_id for span in spans}) == len(spans)
    assert {span.parent_id for span in spans if span is not root} == {root.span_id}


def test_the_store_has_all_that_is_open_and_in_the_end_what_a_short_run_has(
    tmp_path: Path, memory: Path, relay: str
) -> None:
    path = tmp_path / "store.db"
    agent = Running(tmp_path, memory, "", relay, OBS_STORE_FILE=str(path))
    try:
        wait_until(lambda: len(open_of(path)) == 2)
        assert open_of(path) == ["agent", "lasts"]
        assert agent.let_go() == 3
        wait_until(lambda: not open_of(path))
    finally:
        agent.process.kill()
        agent.process.wait()
    with Reader(path) as reader:
        (trace,) = reader.traces()
        run, *inside = reader.spans(trace.trace_id)
    assert (trace.spans, trace.unfinished, trace.errors) == (4, 0, 1)
    assert run.attributes["obs.run.exit_code"] == 3
    assert [span.name for span in inside] == ["done at once", "lasts", "last"]
    assert {span.parent_id for span in inside} == {run.span_id}


def open_of(path: Path) -> list[str]:
    """Return the names of the spans that go on."""
    if not path.exists():
        return []
    try:
        with Reader(path) as reader:
            now_ns = time.time_ns()
            return [
                span.name
                for trace in reader.traces()
                for span in reader.spans(trace.trace_id)
                if span.is_running(now_ns)
            ]
    except StoreError:
        return []


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
