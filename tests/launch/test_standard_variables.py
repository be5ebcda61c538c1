"""Variables that OpenTelemetry's own packages stop at where they are wrong: said in one line, and the rest works."""

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
WORK = """\
from opentelemetry import trace
with trace.get_tracer("case").start_as_current_span("work"):
    pass
"""
WRONG = [
    ("OTEL_PROPAGATORS", "tracecontxt,baggage", "(did you mean 'tracecontext'?); using baggage"),
    ("OTEL_PROPAGATORS", "b3multi_not_there", "using tracecontext,baggage"),
    ("OTEL_PYTHON_CONTEXT", "contextvar_context", "(did you mean 'contextvars_context'?); using none"),
    ("OTEL_METRICS_EXEMPLAR_FILTER", "trace-based", "(did you mean 'trace_based'?); using trace_based"),
    ("OTEL_TRACES_SAMPLER", "always-on", "(did you mean 'always_on'?); using parentbased_always_on"),
    ("OTEL_TRACES_EXPORTER", "otlp,consol", "(did you mean 'console'?); using otlp"),
    ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "abc", "using none"),
    ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "-1", "using none"),
    ("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "1.5", "using none"),
    ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "1e999", "using none"),
    ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "cumulativ", "using cumulative"),
]


@pytest.mark.sampled
@pytest.mark.parametrize(("name", "text", "using"), one_in(3, WRONG))
def test_a_wrong_value_is_one_line_and_loses_nothing(
    name: str, text: str, using: str, receiver: Receiver, tmp_path: Path
) -> None:
    (tmp_path / "agent.py").write_text(WORK + f"import os; print(os.environ[{name!r}])")
    outcome = run([OBS_RUN, PYTHON, "agent.py"], tmp_path, environment(receiver.endpoint, tmp_path, **{name: text}))
    assert (outcome.code, outcome.out) == (0, f"{text}\n")
    (line,) = outcome.err.splitlines()
    assert line.startswith(f"{name}: {text!r} is not allowed; allowed: ")
    assert line.endswith(using)
    assert receiver.named("work")


_PAIRS = "key=value pairs with commas between"
SAID = [
    ("OBS_VERBOES", "1", "OBS_VERBOES: not a variable of obs-run; did you mean OBS_VERBOSE?"),
    (
        "OTEL_EXPORTER_OTLP_TRACE_TIMEOUT",
        "9",
        "OTEL_EXPORTER_OTLP_TRACE_TIMEOUT: not a variable of obs-run; did you mean OTEL_EXPORTER_OTLP_TRACES_TIMEOUT?",
    ),
    (
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
        "flask,antropic,openai",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS: 'antropic' is no instrumentor; did you mean 'anthropic'?",
    ),
    (
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
        "obs-run:opnai,*",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS: 'obs-run:opnai' is no instrumentor; did you mean 'obs-run:openai'?",
    ),
    ("OBS_PREFER", "oficial", "OBS_PREFER: 'oficial' is no instrumentor; did you mean 'official'?"),
    ("OBS_PREFER", "mistral-ai=official", "OBS_PREFER: 'mistral-ai' is no instrumentor; did you mean 'mistralai'?"),
    (
        "OTEL_RESOURCE_ATTRIBUTES",
        "team=agents,oops",
        f"OTEL_RESOURCE_ATTRIBUTES: 'oops' is not allowed; allowed: {_PAIRS}; using the other pairs",
    ),
    ("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", "not_there", ""),
    ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "flask,google_genai,urllib3", ""),
    ("OBS_ACCESS_KEY", "of another product", ""),
]


@pytest.mark.sampled
@pytest.mark.parametrize(("name", "text", "line"), one_in(3, SAID))
def test_what_is_misspelt_is_one_line(name: str, text: str, line: str, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(WORK)
    outcome = run([OBS_RUN, PYTHON, "agent.py"], tmp_path, environment(receiver.endpoint, tmp_path, **{name: text}))
    assert (outcome.code, outcome.out, outcome.err) == (0, "", f"{line}\n" if line else "")
    assert receiver.named("work")


def test_a_wrong_pair_of_the_resource_leaves_the_others(receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(WORK)
    env = environment(receiver.endpoint, tmp_path, OTEL_RESOURCE_ATTRIBUTES="team=a%20b,oops,tier=gold")
    run([OBS_RUN, PYTHON, "agent.py"], tmp_path, env)
    (span,) = receiver.named("work")
    assert (span.resource["team"], span.resource["tier"]) == ("a b", "gold")


@pytest.mark.parametrize("text", one_in(2, ["tracecontxt", "b3multi_not_there,tracecontext", "tracecontext,,baggage,"]))
def test_the_module_for_spans_is_imported_whatever_the_propagators_are(text: str, tmp_path: Path) -> None:
    code = "from obs_run import tracing; print(sorted(tracing.inject({}) or {}))"
    env = environment("", tmp_path, OTEL_PROPAGATORS=text)
    for words in ([PYTHON, "-c", code], [OBS_RUN, PYTHON, "-c", code]):
        outcome = run(words, tmp_path, env)
        assert outcome.code == 0
        assert len(outcome.err.splitlines()) == (0 if ",," in text else 1)


def test_good_values_are_read_by_the_sdk_and_not_mentioned(receiver: Receiver, tmp_path: Path) -> None:
    program = """\
from opentelemetry import trace
with trace.get_tracer("case").start_as_current_span("work") as span:
    span.set_attributes({"a": 1, "b": 2, "c": "long text"})
"""
    (tmp_path / "agent.py").write_text(program)
    limits = {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "2", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "4"}
    env = environment(receiver.endpoint, tmp_path, **limits)
    assert "not allowed" not in run([OBS_RUN, PYTHON, "agent.py"], tmp_path, env).err
    (span,) = receiver.named("work")
    assert span.attributes == {"b": 2, "c": "long"}


# Two threads that begin to trace at the same moment: each waits for what the other one imports or reads.
_AT_ONCE = """\
import sys, threading, time
from opentelemetry import trace
begun = threading.Event()


class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "opentelemetry.sdk.trace":
            begun.set()
            time.sleep(1)


sys.meta_path.insert(0, Slow())
other = threading.Thread(target=__import__, args=("opentelemetry.sdk.trace",))
other.start()
begun.wait()
with trace.get_tracer("case").start_as_current_span("work"):
    pass
other.join()
"""


@pytest.mark.slow
def test_threads_that_need_corrected_variables_at_once_do_not_wait_for_each_other(
    receiver: Receiver, tmp_path: Path
) -> None:
    (tmp_path / "agent.py").write_text(f"{_AT_ONCE}import os; print(os.environ['OTEL_PROPAGATORS'])")
    variables = environment(receiver.endpoint, tmp_path, OTEL_PROPAGATORS="tracecontxt,baggage")
    outcome = run([OBS_RUN, PYTHON, "agent.py"], tmp_path, variables)
    assert (outcome.code, outcome.out) == (0, "tracecontxt,baggage\n")
    assert len(outcome.err.splitlines()) == 1
    assert receiver.named("work")
