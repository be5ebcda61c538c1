"""The product, whole: an unchanged agent under obs-run, its telemetry read back from the real backends."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from obs_run.store.reader import Reader
from obs_run.telemetry.records import LogLine
from obs_run.telemetry.records import Span as StoredSpan
from tests.e2e.backends import records
from tests.e2e.backends.install import ROOT
from tests.e2e.backends.servers import Backends

SIGNALS = ("TRACES", "METRICS", "LOGS")
USAGE = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")


@dataclass(frozen=True)
class Run:
    """One run of the example agent: what it printed, and what the local store recorded beside the export."""

    done: subprocess.CompletedProcess[str]
    trace_id: str
    spans: list[records.Span]
    logs: list[LogLine]

    @property
    def instances(self) -> str:
        """The run's processes, as a label matcher of Prometheus."""
        return "|".join(sorted({str(span.resource["service.instance.id"]) for span in self.spans}))


@pytest.fixture(scope="module")
def run(backends: Backends, stub: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run the example agent once, with the Collector and the local store as its exporters."""
    programs = Path(sys.executable).parent
    store = tmp_path_factory.mktemp("store") / "store.db"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OBS_"))}
    environment |= {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "OPENAI_BASE_URL": stub,
        "OPENAI_API_KEY": "stub",
        "OTEL_EXPORTER_OTLP_ENDPOINT": backends.collector.otlp_http,
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
        "OBS_STORE_FILE": str(store),
        "OBS_STREAM_USAGE_HOSTS": urlsplit(stub).netloc,
        **{f"OTEL_{signal}_EXPORTER": "otlp,store" for signal in SIGNALS},
    }
    done = subprocess.run(
        [programs / "obs-run", "python", "examples/agent.py"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    with Reader(store) as reader:
        [trace] = reader.traces()
        spans = [_as_sent(span) for span in reader.spans(trace.trace_id)]
        return Run(done, trace.trace_id, spans, reader.logs(trace.trace_id))


def test_the_agents_own_output_is_its_own(run: Run) -> None:
    assert [line.split(":")[0] for line in run.done.stdout.splitlines()] == ["Plan", "Traffic", "Packing", "Phrases"]
    assert "obs_run" not in run.done.stderr


def test_jaeger_has_every_span_as_recorded(run: Run, backends: Backends) -> None:
    found = backends.jaeger.trace(run.trace_id, spans=len(run.spans))

    assert sorted(map(_exact, found)) == sorted(map(_exact, run.spans))


def test_the_run_is_one_tree_over_both_processes(run: Run, backends: Backends) -> None:
    found = backends.jaeger.trace(run.trace_id, spans=len(run.spans))
    ids = {span.span_id for span in found}
    roots = [span for span in found if not span.parent_span_id]

    assert [(root.name, root.attributes["obs.run.exit_code"]) for root in roots] == [("agent", 0)]
    assert all(span.parent_span_id in ids for span in found if span not in roots)
    assert {span.resource["service.name"] for span in found} == {"agent", "worker"}


def test_jaeger_has_the_errors_and_the_figures_of_the_calls(run: Run, backends: Backends) -> None:
    found = backends.jaeger.trace(run.trace_id, spans=len(run.spans))
    calls = [span for span in found if span.attributes.get("gen_ai.operation.name") == "chat"]
    failed = [span for span in calls if span.status == "ERROR"]

    assert [span.attributes["error.type"] for span in failed]
    assert all(set(USAGE) <= set(span.attributes) for span in calls if span not in failed)
    assert any(span.attributes.get("gen_ai.request.stream") for span in calls)
    assert any(span.attributes.get("obs.request.retries") for span in calls)
    assert any("obs.cost.total" in span.attributes for span in calls)
    assert any(span.attributes.get("gen_ai.operation.name") == "embeddings" for span in found)


def test_jaeger_has_what_viewers_read(run: Run, backends: Backends) -> None:
    found = backends.jaeger.trace(run.trace_id, spans=len(run.spans))
    calls = [span for span in found if span.attributes.get("gen_ai.operation.name") == "chat"]
    [failed] = [span for span in calls if span.status == "ERROR"]
    [root] = [span for span in found if not span.parent_span_id]
    [exception] = failed.events

    assert exception.name == "exception"
    assert {"exception.type", "exception.message", "exception.stacktrace"} <= set(exception.attributes)
    assert {event.attributes["message"] for event in root.events if event.name == "log"} == {
        "tool hotel failed: the booking service for Lisbon does not answer",
        "no timetable: context_length_exceeded",
    }
    assert {span.attributes["peer.service"] for span in calls} == {"openai"}
    assert all(
        span.attributes["gen_ai.usage.cost"] == span.attributes["obs.cost.total"]
        for span in calls
        if span is not failed
    )


def test_prometheus_answers_with_the_tokens_that_the_spans_have(run: Run, backends: Backends) -> None:
    for kind in ("input", "output"):
        total = sum(_number(span, f"gen_ai.usage.{kind}_tokens") for span in run.spans)
        selected = f'gen_ai_client_token_usage_sum{{gen_ai_token_type="{kind}",instance=~"{run.instances}"}}'

        assert total > 0
        assert backends.prometheus.query(f"sum({selected}) == {total:g}")


def test_prometheus_answers_with_every_calls_duration(run: Run, backends: Backends) -> None:
    calls = [span for span in run.spans if span.attributes.get("gen_ai.operation.name") == "chat"]
    selected = (
        f'gen_ai_client_operation_duration_seconds_count{{gen_ai_operation_name="chat",instance=~"{run.instances}"}}'
    )

    assert backends.prometheus.query(f"sum({selected}) == {len(calls)}")


def test_the_logs_carry_the_runs_trace(run: Run, backends: Backends) -> None:
    found = backends.collector.logs(run.trace_id, at_least=len(run.logs))
    spans = {span.span_id for span in run.spans}

    assert sorted((log.time_ns, log.span_id, log.severity, str(log.body)) for log in found) == sorted(
        (log.time_ns, log.span_id or "", log.severity or 0, str(log.body)) for log in run.logs
    )
    assert {log.span_id for log in found} <= spans
    assert any("tool hotel failed" in str(log.body) for log in found), "a logger that does not propagate"
    assert any("no timetable" in str(log.body) for log in found)


def _as_sent(span: StoredSpan) -> records.Span:
    return records.Span(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_id or "",
        name=span.name,
        kind=span.kind.upper(),
        start_ns=span.start_ns,
        end_ns=span.end_ns or 0,
        status=span.status.upper(),
        status_message=span.status_text or "",
        attributes=span.attributes,
        events=[records.Event(event.name, event.time_ns, event.attributes) for event in span.events],
        links=[records.Link(link.trace_id, link.span_id, link.attributes) for link in span.links],
        resource=span.resource,
        scope=span.scope.name if span.scope else "",
    )


def _exact(span: records.Span) -> str:
    """The span as JSON, in which 1, 1.0 and true are not the same."""
    return json.dumps(asdict(span), sort_keys=True, default=repr)


def _number(span: records.Span, name: str) -> float:
    value = span.attributes.get(name, 0)
    assert isinstance(value, int | float)
    return value
