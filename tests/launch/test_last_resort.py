"""What OpenTelemetry's packages log is on the agent's stderr only where it would be without us."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.examples import one_in
from tests.launch.running import SCRIPTS, environment, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver

PYTHON = str(SCRIPTS / "python")
OBS_RUN = str(SCRIPTS / "obs-run")
API = """\
from opentelemetry import _logs, context, metrics, trace
tracer = trace.get_tracer("agent")
meter = metrics.get_meter("agent")
logger = _logs.get_logger("agent")
"""
CARELESS = {
    "types of attributes": "tracer.start_span('a', attributes={'a': object(), '': 1, 2: 3, 'b': [1, 'c']}).end()",
    "too many attributes": "tracer.start_span('a').set_attributes({str(each): 1 for each in range(200)})",
    "events": "tracer.start_span('a').add_event('b', {'c': object()})",
    "links": "tracer.start_span('a', links=[trace.Link(trace.INVALID_SPAN_CONTEXT, {'a': object()})])",
    "ended spans": (
        "span = tracer.start_span('a'); span.end(); span.end(); span.set_attribute('b', 1); span.add_event('c')\n"
        "span.update_name('d'); span.set_status(trace.Status(trace.StatusCode.ERROR)); span.record_exception(OSError())"
    ),
    "names of scopes": "trace.get_tracer(''); metrics.get_meter(''); tracer.start_span('a').end()",
    "amounts": "meter.create_counter('a').add(-1); meter.create_histogram('b').record(-1)",
    "instruments with one name": "[meter.create_counter('a', unit=unit).add(1) for unit in ('s', 'ms', 's')]",
    "names of instruments": (
        "print([getattr(meter, name)('no name!') is None for name in dir(meter) if name.startswith('create_')])"
    ),
    "attributes of measurements": "meter.create_counter('a').add(1, {'b': object(), '': 2})",
    "many series": "c = meter.create_counter('a')\nfor each in range(3000): c.add(1, {'b': each})",
    "callbacks": "meter.create_observable_gauge('a', callbacks=[lambda _: 1 / 0, lambda _: [2]])",
    "log records": "logger.emit(_logs.LogRecord(body=object(), attributes={'a': object()}))",
    "a shutdown": (
        "tracer.start_span('a').end(); meter.create_counter('a').add(1); logger.emit(_logs.LogRecord(body='b'))\n"
        "for each in (trace.get_tracer_provider(), metrics.get_meter_provider(), _logs.get_logger_provider()) * 2:\n"
        "    getattr(each, 'shutdown', print)\n    hasattr(each, 'shutdown') and each.shutdown()\n"
        "tracer.start_span('a').end(); meter.create_counter('a').add(1); logger.emit(_logs.LogRecord(body='b'))"
    ),
}
_OF_OURS = "instrument 'no name!' measures nothing"


@pytest.mark.sampled
@pytest.mark.parametrize("name", one_in(3, CARELESS))
def test_without_logging_nothing_is_printed_that_plain_python_does_not(
    name: str, receiver: Receiver, tmp_path: Path
) -> None:
    (tmp_path / "agent.py").write_text(API + CARELESS[name])
    env = environment(receiver.endpoint, tmp_path)
    plain = run([PYTHON, "agent.py"], tmp_path, env)
    launched = run([OBS_RUN, PYTHON, "agent.py"], tmp_path, env)
    assert (launched.code, launched.out) == (plain.code, plain.out)
    lines = [line for line in launched.err.splitlines() if not line.startswith(_OF_OURS)]
    assert lines == plain.err.splitlines()


OF_THE_AGENT = {
    "lines of the API": "context.detach(None); trace.Status(trace.StatusCode.OK, 'why')",
    "an SDK of its own": (
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "span = TracerProvider().get_tracer('own').start_span('a')\nspan.end(); span.end()"
    ),
    "an SDK of its own in a module": "import other\nother.work()",
    "logging": "import logging\nlogging.basicConfig()\nfrom opentelemetry.attributes import BoundedAttributes\n"
    "BoundedAttributes(attributes={'a': object()})",
    "a handler of opentelemetry": (
        "import logging\nlogging.getLogger('opentelemetry').addHandler(logging.StreamHandler())\n"
        "from opentelemetry.attributes import BoundedAttributes\nBoundedAttributes(attributes={'a': object()})"
    ),
    "a second provider": (
        "trace.set_tracer_provider(trace.NoOpTracerProvider()); trace.set_tracer_provider(trace.NoOpTracerProvider())"
    ),
}


@pytest.mark.sampled
@pytest.mark.parametrize("name", one_in(2, OF_THE_AGENT))
def test_what_the_agent_would_see_it_sees(name: str, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(f"{API}with tracer.start_as_current_span('work'): pass\n{OF_THE_AGENT[name]}")
    (tmp_path / "other.py").write_text(
        "from opentelemetry.sdk import trace\n"
        "def work():\n    span = trace.TracerProvider().get_tracer('own').start_span('a')\n    span.end(); span.end()"
    )
    env = environment(receiver.endpoint, tmp_path)
    plain = run([PYTHON, "agent.py"], tmp_path, env)
    launched = run([OBS_RUN, PYTHON, "agent.py"], tmp_path, env)
    assert plain.err
    assert launched == plain


def test_who_configured_logging_sees_what_the_sdk_says_of_its_spans(receiver: Receiver, tmp_path: Path) -> None:
    program = "import logging\nlogging.basicConfig()\ntracer.start_span('a').set_attribute('b', object())"
    (tmp_path / "agent.py").write_text(API + program)
    launched = run([OBS_RUN, PYTHON, "agent.py"], tmp_path, environment(receiver.endpoint, tmp_path))
    assert launched.err.startswith("WARNING:opentelemetry.attributes:Invalid type ")


def test_an_instrument_that_the_sdk_refuses_leaves_the_others(receiver: Receiver, tmp_path: Path) -> None:
    program = "meter.create_counter('no name!').add(1); meter.create_counter('jobs').add(2)"
    (tmp_path / "agent.py").write_text(API + program)
    launched = run([OBS_RUN, PYTHON, "agent.py"], tmp_path, environment(receiver.endpoint, tmp_path))
    (line,) = launched.err.splitlines()
    assert line.startswith(_OF_OURS)
    assert receiver.wait_for(lambda got: any(metric.name == "jobs" for metric in got.metrics))
