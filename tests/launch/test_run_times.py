"""A run's time, and that of what it does, is the agent's own, without what obs-run loads meanwhile."""

from __future__ import annotations

import json
import time
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tests.examples import one_in
from tests.launch.running import SCRIPTS, environment, run

if TYPE_CHECKING:
    from pathlib import Path

OBS_RUN, OBSCTL = str(SCRIPTS / "obs-run"), str(SCRIPTS / "obsctl")

# Functions of the module threading run the other way round as they were registered: this one after we have loaded.
AGENT = """
    import threading, time
    begun = time.time_ns()
    threading._register_atexit(lambda: print(begun, ended, time.time_ns()))
    {body}
    ended = time.time_ns()
    """
BODIES = {
    "span": """
    from opentelemetry import trace
    with trace.get_tracer("case").start_as_current_span("work"):
        pass
    """,
    "log record": """
    import logging
    logging.getLogger("agent").warning("hello")
    """,
    "open span": """
    from opentelemetry import trace
    kept = trace.get_tracer("case").start_span("work")
    """,
}

_TRIES = 5
"""A busy machine may stop a program right before its end is noted; where we load before that, it is so each time."""


def recorded_times(words: list[str], folder: Path) -> tuple[list[int], dict[str, tuple[int, int]]]:
    """Run a program; return the moments it printed and when it was gone, and begin and end of each span by its name."""
    env = environment("", folder)
    outcome = run([OBS_RUN, str(SCRIPTS / "python"), *words], folder, env)
    gone = time.time_ns()
    shown = json.loads(run([OBSCTL, "show", "--json"], folder, env).out)
    spans = [span for of in shown["resourceSpans"] for scope in of["scopeSpans"] for span in scope["spans"]]
    times = {span["name"]: (int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])) for span in spans}
    return [*(int(word) for word in outcome.out.split()), gone], times


@pytest.mark.sampled
@pytest.mark.parametrize("name", BODIES)
def test_the_run_ends_before_we_load_what_an_export_needs(name: str, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(dedent(AGENT.format(body=dedent(BODIES[name]).replace("\n", "\n    "))))
    for _ in range(_TRIES):
        (begun, ended, loaded, _), times = recorded_times(["agent.py"], tmp_path)
        assert times["agent"][0] <= begun
        # At the latest in the midst of the loading, which takes some hundred times as long as what is beside it.
        latest = (ended + loaded) / 2
        if all(begin <= end < latest for begin, end in times.values()):
            break
    else:
        pytest.fail(f"{times} end after {latest}")


def test_the_run_of_a_crash_ends_with_the_crash(tmp_path: Path) -> None:
    (printed, gone), times = recorded_times(["-c", "import time; print(time.time_ns(), flush=True); 1/0"], tmp_path)
    assert printed <= times["python"][1] < (printed + gone) / 2


def test_what_atexit_does_and_threads_that_are_waited_for_belong_to_the_run(tmp_path: Path) -> None:
    program = """
        import atexit, threading, time
        from opentelemetry import trace
        tracer = trace.get_tracer("case")
        def work(name):
            with tracer.start_as_current_span(name):
                time.sleep(0.2)
        atexit.register(work, "at exit")
        threading.Thread(target=work, args=("thread",)).start()
        work("main")
        """
    (tmp_path / "agent.py").write_text(dedent(program))
    _, times = recorded_times(["agent.py"], tmp_path)
    assert set(times) == {"agent", "main", "thread", "at exit"}
    assert times["agent"][1] >= max(end for _, end in times.values())


FIRST = {
    "span": "with tracing.get_tracer('x').span('first'):\n    body()",
    "function": "tracing.trace_function('first')(body)()",
    "API": "with trace.get_tracer('x').start_as_current_span('first'):\n    body()",
    "measured function": "metrics.measure_time('first')(body)()",
    "measured function with a span in it": ("metrics.measure_time('first')(tracing.trace_function('first')(body))()"),
    "timed block": "with metrics.time_operation('first'), tracing.get_tracer('x').span('first'):\n    body()",
}


@pytest.mark.parametrize("name", one_in(3, FIRST))
def test_the_first_measured_block_is_as_long_as_its_body(name: str, tmp_path: Path) -> None:
    program = f"""\
import time
whole = time.perf_counter()
from obs_run import metrics, tracing
from opentelemetry import trace
took = []
def body():
    begun = time.perf_counter()
    time.sleep(0.01)
    took.append(time.perf_counter() - begun)
begun = time.perf_counter()
{FIRST[name]}
all_of_it = time.perf_counter() - begun
statistics = metrics.timer("first").get_statistics()
print(*(round(seconds * 1e9) for seconds in (took[0], all_of_it, statistics.get("max", took[0]))))
"""
    (tmp_path / "agent.py").write_text(program)
    (took, everything, measured, _), times = recorded_times(["agent.py"], tmp_path)
    begin, end = times.get("first", (0, took))
    # What is loaded at the first use takes some ten times as long as the body.
    assert took <= measured < took + (everything - took) / 2
    assert end - begin < took + (everything - took) / 2


def test_what_starts_slowly_lasts_longer_than_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text("""\
import time
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor
class Slow(SpanProcessor):
    def on_start(self, span, parent_context=None):
        if span.name == "outer":
            time.sleep(0.1)
            print(time.time_ns())
tracer = trace.get_tracer("case")
tracer.start_span("first").end()
trace.get_tracer_provider().add_span_processor(Slow())
with tracer.start_as_current_span("outer"):
    with tracer.start_as_current_span("inner"):
        pass
""")
    (started, _), times = recorded_times(["agent.py"], tmp_path)
    (begin, end), (inner_begin, inner_end) = times["outer"], times["inner"]
    assert begin <= inner_begin <= inner_end <= end
    # What others do at the start of a span is none of the agent's time.
    assert begin >= started - 50_000_000
