"""An agent ends as it does without us while one function after the other raises that its own thread does not see.

Those of the export path, of what reads other people's telemetry, and of what puts the process together.
"""

from __future__ import annotations

import inspect
import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from tests.examples import one_in
from tests.otlp_receiver import Receiver
from tests.unit import agents

if TYPE_CHECKING:
    from collections.abc import Iterator

LAYERS = ("pipeline", "coexistence", "capture", "sdk", "runtime")
AGENT = """
import logging, sys, threading
from opentelemetry import metrics, trace
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
logging.getLogger("obs_run").setLevel(100)
log = logging.getLogger("agent")
tracer = trace.get_tracer("agent")

def work(number):
    with tracer.start_as_current_span("work", attributes={"number": number}) as span:
        span.add_event("begun", {"texts": ["a", "b"]})
        log.info("working on %s", number, extra={"told": {"a": [1]}})
        try:
            return [1, 2][number]
        except IndexError as error:
            span.record_exception(error)
            log.exception("failed")

metrics.get_meter("agent").create_counter("counted").add(1, {"kind": "a"})
metrics.get_meter("agent").create_histogram("sized").record(2.5)
threads = [threading.Thread(target=lambda: print(work(2))) for _ in range(2)]
for thread in threads:
    thread.start()
    thread.join()
print(work(0))
sys.exit(3)
"""
BREAK = """
import importlib, sys
def broken(*args, **kwargs):
    import os
    os.write(2, b"FIRED")
    raise RuntimeError("a fault of ours")
def put(module, path):
    owner = importlib.import_module(module)
    for part in path[:-1]:
        owner = getattr(owner, part)
    original = vars(owner)[path[-1]]
    setattr(owner, path[-1], broken)
    for name, module in list(sys.modules.items()):
        for one, value in list(vars(module).items()) if name.startswith("obs_run.") else ():
            if value is original:
                setattr(module, one, broken)
put({module!r}, {path!r})
"""


def functions() -> Iterator[tuple[str, tuple[str, ...]]]:
    for layer in LAYERS:
        for each in pkgutil.iter_modules(import_module(f"obs_run.{layer}").__path__):
            module = import_module(f"obs_run.{layer}.{each.name}")
            for name, value in vars(module).items():
                if inspect.isclass(value) and value.__module__ == module.__name__:
                    yield from (
                        (module.__name__, (name, one)) for one, each in vars(value).items() if is_of(each, module)
                    )
                elif is_of(value, module):
                    yield module.__name__, (name,)


def is_of(function: object, module: object) -> bool:
    """Whether it is a function that is written in the module."""
    return inspect.isfunction(function) and function.__code__.co_filename == getattr(module, "__file__", None)


FUNCTIONS = sorted(functions())
# What the SDK, the API or the agent calls itself, in the place of what these have: nobody of ours is around it.
OUTERMOST = {
    ("own_primitives", "SystemIdGenerator"): ("generate_span_id", "generate_trace_id"),
    ("sdk_providers", "LoggerProvider"): ("get_logger",),
    ("sdk_providers", "Meter"): ("create_counter", "create_histogram"),
    ("sdk_providers", "MeterProvider"): ("get_meter",),
    ("sdk_providers", "Span"): ("add_event", "end", "set_attribute", "record_exception"),
    ("sdk_providers", "Tracer"): ("start_span",),
    ("sdk_providers", "TracerProvider"): ("get_tracer",),
    ("late_tracer", "LateTracerProvider"): ("get_tracer",),
    ("span_processor", "QueueSpanProcessor"): ("on_start", "on_end"),
    ("warning_filters",): ("_do_nothing",),
}
INNER = [
    (module, path)
    for module, path in FUNCTIONS
    if path[-1] not in OUTERMOST.get((module.rpartition(".")[2], *path[:-1]), ())
]


def ended(source: str) -> tuple[int, list[str], str]:
    """Return how the agent ends: its code, what it prints but places in its file, and what it says."""
    with TemporaryDirectory() as folder, Receiver() as receiver:
        ran = agents.run(Path(folder), source, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint, OBS_FLUSH_SECONDS="1")
    return ran.code, [line for line in ran.out.splitlines() if not line.startswith('  File "')], ran.err


@cache
def ended_plainly() -> tuple[int, list[str], str]:
    return ended(AGENT)


@pytest.mark.sampled
@pytest.mark.parametrize(("module", "path"), one_in(40, INNER))
def test_the_agent_ends_as_it_does_without_a_fault(module: str, path: tuple[str, ...]) -> None:
    code, out, said = ended(BREAK.format(module=module, path=path) + AGENT)
    assert (code, out) == ended_plainly()[:2]
    assert ended_plainly()[0] == 3
    # Before the agent's own line that silences our logger, the guard says what has failed.
    assert "Traceback" not in said


@pytest.mark.slow
def test_these_faults_fire() -> None:
    fired = ["FIRED" in ended(BREAK.format(module=module, path=path) + AGENT)[2] for module, path in INNER[::17]]
    # Many are for gRPC, prices, other people's instrumentors: this agent has none of that. It is a sample, whose share
    # changes with each function that is added.
    assert sum(fired) >= 0.2 * len(fired), fired
