"""Reading a real Jaeger, a real Collector's file, and sending what was recorded to both."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry._logs import SeverityNumber

from obs_run import cli
from obs_run.readers.places import open_place
from obs_run.store.exporters import StoreLogExporter, StoreSpanExporter
from obs_run.telemetry.records import Span
from tests.e2e.backends import waiting
from tests.unit.readers.recorded import chat
from tests.unit.store import making

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.backends.servers import Backends

pytestmark = pytest.mark.backends


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a store with two new traces and a log line."""
    import time

    monkeypatch.setattr(making, "AT", time.time_ns() - 60 * 10**9)
    path = tmp_path / "store.db"
    numbers = [secrets.randbits(127) for _ in range(2)]
    one, two = numbers
    StoreSpanExporter(path, 1 << 30).export([
        making.span("run", 0, 100, trace=one, id=1, attributes={"gen_ai.agent.name": "planner"}),
        making.span("chat gpt-x", 10, 50, trace=one, id=2, parent=1, error="no",
                    attributes=chat("gpt-x", 12, 0.5, **{"user.id": "u 7", "said": 'Say "hi"'})),
        making.span("run", 500, 100, trace=two, id=1, attributes={"stops": ["end", "max"], "flag": True, "n": 0.5}),
    ])  # fmt: skip
    StoreLogExporter(path, 1 << 30).export([making.log("seen", 20, trace=one, span=2, severity=SeverityNumber.WARN)])
    return path


def plain(span: Span) -> dict[str, Any]:
    """Return what Jaeger can give back of a span: the Collector's attributes of the resource are not ours."""
    fields = {name: getattr(span, name) for name in Span.__slots__ if name not in ("resource", "trace_state")}
    return fields | {"attributes": dict(sorted(span.attributes.items()))}


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_a_jaeger_answers_as_the_store_does(
    store: Path, backends: Backends, protocol: str, capsys: pytest.CaptureFixture[str]
) -> None:
    to = [backends.collector.otlp_http] if protocol == "http" else [backends.collector.otlp_grpc, "--protocol", "grpc"]
    assert cli.main(["replay", "--from", str(store), "--to", *to]) == 0
    assert capsys.readouterr() == ("sent 3 spans, 1 log line, 0 metric points\n", "")
    with open_place(str(store)) as of_store, open_place(backends.jaeger.url) as jaeger:
        traces = of_store.traces()
        for trace in traces:
            backends.jaeger.trace(trace.trace_id, trace.spans)
            ours, theirs = of_store.spans(trace.trace_id), jaeger.spans(trace.trace_id)
            assert [plain(span) for span in theirs] == [plain(span) for span in ours]
            (found,) = jaeger.find(trace.trace_id)
            assert (found.name, found.cost, found.spans, found.start_ns) == (
                trace.name, trace.cost, trace.spans, trace.start_ns,
            )  # fmt: skip
            assert jaeger.logs(trace.trace_id) == []
        since: Any = {"since_ns": traces[-1].start_ns, "until_ns": traces[0].start_ns + 1}
        for search in (
            {"service": "agent"}, {"errors": True}, {"status": "ok"}, {"agent": "planner"}, {"model": "gpt-x"},
            {"attributes": {"user.id": "u 7"}}, {"attributes": {"stops": "max", "flag": "true"}}, {"text": 'say "HI"'},
            {"text": "nowhere to be found"}, {"service": "no such service"},
        ):  # fmt: skip
            asked: Any = {**since, **search}
            wanted = [trace.trace_id for trace in of_store.traces(**asked)]
            ours_of_jaeger = [trace.trace_id for trace in jaeger.traces(50, **asked)]
            assert [one for one in ours_of_jaeger if one in {trace.trace_id for trace in traces}] == wanted, search
        assert of_store.usage(**since)
        assert jaeger.damaged == 0
    prefix = traces[1].trace_id[:20]
    assert cli.main(["show", prefix, "--from", backends.jaeger.url]) == 0
    of_jaeger = capsys.readouterr().out
    assert cli.main(["show", prefix, "--from", str(store)]) == 0
    shown = capsys.readouterr().out
    assert [line for line in shown.splitlines() if "seen" not in line][1:] == of_jaeger.splitlines()[1:]


def test_the_file_of_a_collector_is_read_and_imported(
    store: Path, backends: Backends, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["replay", "--from", str(store), "--to", backends.collector.otlp_http]) == 0
    with open_place(str(store)) as of_store:
        (line,) = of_store.log_lines()
    assert line.trace_id is not None
    backends.collector.logs(line.trace_id)
    capsys.readouterr()
    with open_place(str(backends.collector.log_file)) as file:
        (found,) = file.logs(line.trace_id)
    assert (found.body, found.severity, found.time_ns, found.attributes) == (
        line.body, line.severity, line.time_ns, line.attributes,
    )  # fmt: skip
    other = tmp_path / "other.db"
    assert cli.main(["import", str(backends.collector.log_file), "--store", str(other)]) == 0
    with open_place(str(other)) as reader:
        assert [one.body for one in reader.logs(line.trace_id)] == ["seen"]


def test_a_jaeger_comes_into_the_store(
    store: Path, backends: Backends, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["replay", "--from", str(store), "--to", backends.collector.otlp_http]) == 0
    with open_place(str(store)) as of_store:
        traces = of_store.traces()
    for trace in traces:
        backends.jaeger.trace(trace.trace_id, trace.spans)
    other = tmp_path / "other.db"
    assert cli.main(["import", backends.jaeger.url, "--store", str(other)]) == 0
    with open_place(str(other)) as reader:
        assert {trace.trace_id for trace in traces} <= {trace.trace_id for trace in reader.traces(2000)}
    capsys.readouterr()
    assert cli.main(["export", traces[0].trace_id, "--from", backends.jaeger.url]) == 0
    assert json.loads(capsys.readouterr().out).keys() == {"resourceSpans"}


def test_a_page_that_is_no_jaeger(backends: Backends, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["list", "--from", backends.prometheus.url])
    assert left.value.code == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(f"obsctl: the Jaeger at {backends.prometheus.url} ")


def test_the_url_of_a_page_of_jaegers_interface(store: Path, backends: Backends) -> None:
    assert cli.main(["replay", "--from", str(store), "--to", backends.collector.otlp_http]) == 0
    for page in ("/search?service=agent", "/trace/abc", "/"):
        with open_place(f"{backends.jaeger.url}{page}") as reader:
            assert waiting.until(lambda reader=reader: reader.traces(1), "a trace")  # type: ignore[misc]
