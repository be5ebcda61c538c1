from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import metadata
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource

from obs_run import cli, settings
from obs_run.cli import coverage, words
from obs_run.cli.settings import markdown
from obs_run.core.hooks import Instrumentor
from obs_run.launch import hook
from obs_run.store.exporters import StoreSpanExporter
from obs_run.store.location import default_path
from tests.unit.store import making

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANY = 1 << 30


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr("obs_instrumentors.TABLE", {})
    for setting in settings.SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "store.db"
    monkeypatch.setenv("OBS_STORE_FILE", str(path))
    usage = {"gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 2, "obs.cost.total": 1.5}
    other = Resource({"service.name": "other"})
    StoreSpanExporter(path, MANY).export([
        making.span("first run", 0, 100, trace=1, attributes=usage),
        making.span("second run", 60_000, 100, trace=2, error="bad", resource=other),
        making.span("third run", 120_000, 100, trace=3),
        making.span("inside", 120_050, 10, trace=3, id=2, parent=1, resource=other),
    ])  # fmt: skip
    return path


def listed(capsys: pytest.CaptureFixture[str], *given: str) -> list[str]:
    assert cli.main(["list", "--json", *given]) == 0
    return [json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()]


def test_list_prints_the_newest_first(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list", "--store", str(recorded)]) == 0
    one, two, three = (f"{n:032x}" for n in (1, 2, 3))
    assert (
        capsys.readouterr().out
        == f"""\
TRACE                             STARTED                    TOOK   SPANS  ERRORS  IN  OUT  COST   SERVICE  NAME
{three}  2026-09-21 14:15:20+00:00  100ms  2      0       -   -    -      agent    third run
{two}  2026-09-21 14:14:20+00:00  100ms  1      1       -   -    -      other    second run
{one}  2026-09-21 14:13:20+00:00  100ms  1      0       5   2    $1.50  agent    first run
"""
    )


def test_list_can_be_narrowed(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert listed(capsys, "-n", "1") == ["third run"]
    assert listed(capsys, "--service", "other") == ["third run", "second run"]
    assert listed(capsys, "--service", "other", "--errors") == ["second run"]
    assert listed(capsys, "--since", "2026-09-21T14:14:00+00:00") == ["third run", "second run"]
    assert cli.main(["list", "--service", "othe"]) == 1
    assert capsys.readouterr() == ("", f"obsctl: no trace of the local store at {recorded} fits\n")


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (["-n", "0"], "-n takes a number from 1"),
        (["-n", "x"], "argument -n: invalid int value: 'x' (see obsctl list --help)"),
        (["--since", "soon"], "--since 'soon' is neither like 90s, 30m, 1h, 2d nor a date and time"),
        (["--since", "99999999999999w"], "--since '99999999999999w' is too long ago"),
    ],
)
def test_a_mistake_in_list_is_one_line(capsys: pytest.CaptureFixture[str], given: list[str], line: str) -> None:
    assert cli.main(["list", *given]) == 2
    assert capsys.readouterr() == ("", f"obsctl: {line}\n")


def test_no_command_prints_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in cli.COMMANDS)


def test_starting_obsctl_imports_little() -> None:
    script = (
        "import sys; from obs_run import cli; cli.main([]);"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'rich', 'opentelemetry', 'sqlite3', 'json'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_settings_prints_every_variable(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "https://me:word@host:4318")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer abc")
    monkeypatch.setenv("OBS_QUEUE_BYTES", "much")
    monkeypatch.setenv("OBS_STORE_FIEL", "x")
    assert cli.main(["settings"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("=")[0] for line in lines if line[0] not in "#!"] == [one.name for one in settings.SETTINGS]
    assert "OTEL_EXPORTER_OTLP_ENDPOINT=https://me:********@host:4318  (environment)" in lines
    assert "OTEL_EXPORTER_OTLP_HEADERS=********  (environment)" in lines
    assert "OBS_FLUSH_SECONDS=2  (default)" in lines
    assert lines[-2].startswith("! OBS_QUEUE_BYTES: 'much' is not allowed; allowed: a size")
    assert lines[-1] == "! OBS_STORE_FIEL: not a variable of obs-run; did you mean OBS_STORE_FILE?"
    assert "abc" not in "".join(lines)
    assert "word" not in "".join(lines)


def test_the_table_for_the_documentation_has_every_variable(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["settings", "--markdown"]) == 0
    shown = capsys.readouterr().out
    assert shown == markdown()
    assert all(f"| `{setting.name}` |" in shown for setting in settings.SETTINGS)
    rows = [line for line in shown.splitlines() if line.startswith("|")]
    assert all(line.count("|") == 5 for line in rows)


def test_doctor_says_where_telemetry_goes(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (traces,) = [line for line in lines if " traces: " in line]
    assert traces.startswith(f"ok   traces: local store {recorded}: 3 traces, 4 spans, ")
    assert any(line.startswith("ok   opentelemetry-sdk: 1.") for line in lines)


def test_doctor_fails_when_the_store_cannot_be_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("OBS_STORE_FILE", str(tmp_path / "file" / "store.db"))
    assert cli.main(["doctor"]) == 1
    told = f"FAIL traces: local store {tmp_path}/file/store.db: {tmp_path}/file is not a folder"
    assert told in capsys.readouterr().out.splitlines()


class _Collector(BaseHTTPRequestHandler):
    taken: list[tuple[str, bytes]] = []  # noqa: RUF012 (emptied by its fixture)
    status = 200

    def do_POST(self) -> None:
        self.taken.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[str]:
    _Collector.taken, _Collector.status = [], 200
    server = HTTPServer(("127.0.0.1", 0), _Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_doctor_sends_a_test_span_when_asked(
    collector: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
    assert cli.main(["doctor"]) == 0
    assert _Collector.taken == []
    assert cli.main(["doctor", "--send"]) == 0
    ((path, body),) = _Collector.taken
    assert path == "/v1/traces"
    sent = ExportTraceServiceRequest.FromString(body)
    assert sent.resource_spans[0].scope_spans[0].spans[0].name == "obsctl doctor"
    assert f"ok   test span: taken by {collector}/v1/traces" in capsys.readouterr().out


def test_doctor_tries_the_endpoints_by_itself(
    collector: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://127.0.0.1:1/v1/logs")
    assert cli.main(["doctor"]) == 0
    tried = "nothing answers there at this moment"
    kept = "what it does not take waits in the spool"
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if tried in line] == [f"!    logs: {tried} (127.0.0.1: Connection refused); {kept}"]
    assert _Collector.taken == []


def test_doctor_says_why_a_test_span_was_not_taken(
    collector: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
    _Collector.status = 503
    for url, reason in (
        (collector, "test span: answered 503 Service Unavailable"),
        ("http://127.0.0.1:1", "test span: 127.0.0.1: Connection refused"),
        ("nonsense", "OTEL_EXPORTER_OTLP_ENDPOINT: 'nonsense' is not allowed"),
    ):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        assert cli.main(["doctor", "--send"]) == 1
        assert f"FAIL {reason}" in capsys.readouterr().out


def test_doctor_says_what_is_instrumented_and_why_the_rest_is_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = ModuleType("fake_there")
    there.INSTRUMENTORS = (  # type: ignore[attr-defined]
        Instrumentor("rich", "rich", ">=13,<99", ()),
        Instrumentor("hypothesis", "hypothesis", ">=1,<2", ()),
        Instrumentor("pytest", "pytest", ">=1", ()),
        Instrumentor("absent", "not-a-distribution", ">=1", ()),
    )
    monkeypatch.setattr("obs_instrumentors.TABLE", {"a.b": "fake_there", "a.c": "fake_there", "d": "fake_broken"})
    monkeypatch.setitem(sys.modules, "fake_there", there)
    monkeypatch.setattr(coverage, "WELL_KNOWN", ("packaging", "rich", "not-a-distribution"))
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "pytest")
    assert cli.main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    found = lines[lines.index("# Libraries") + 1 : lines.index("# Where telemetry goes")]
    read = metadata.version
    assert found == [
        "FAIL fake_broken: cannot be loaded: ModuleNotFoundError: No module named 'fake_broken'",
        f"ok   rich {read('rich')}: instrumented (supported: >=13,<99)",
        f"!    hypothesis {read('hypothesis')}: not instrumented: supported is >=1,<2",
        f"-    pytest {read('pytest')}: not instrumented: switched off by OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
        f"-    packaging {read('packaging')}: not covered by obs-run",
    ]


def test_the_hook_is_installed_and_removed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(hook, "_folder", lambda: str(tmp_path))
    assert cli.main(["install-hook"]) == 0
    files = sorted(str(file) for file in tmp_path.iterdir())
    assert sorted(capsys.readouterr().out.splitlines()) == [f"installed {file}" for file in files]
    assert cli.main(["uninstall-hook"]) == 0
    assert sorted(capsys.readouterr().out.splitlines()) == [f"removed {file}" for file in files]
    assert cli.main(["uninstall-hook"]) == 0
    assert capsys.readouterr().out == "the hook is not installed\n"
    monkeypatch.setattr(hook, "_folder", lambda: str(tmp_path / "absent"))
    assert cli.main(["install-hook"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"obsctl: {tmp_path}/absent/")
    assert err.endswith(": No such file or directory\n")


def test_where_the_store_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert default_path() == tmp_path / ".local" / "share" / "obs-run" / "store.db"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert default_path() == tmp_path / ".local" / "share" / "obs-run" / "store.db"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert default_path() == tmp_path / "xdg" / "obs-run" / "store.db"
    monkeypatch.setenv("OBS_STORE_FILE", "~/mine.db")
    assert default_path() == tmp_path / "mine.db"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "?"), (0, "0.0ms"), (0.0042, "4.2ms"), (0.123, "123ms"), (1.234, "1.23s"), (123, "2m03s"), (3725, "1h02m")],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("dollars", "text"),
    [
        (0, "$0.00"),
        (12.346, "$12.35"),
        (0.5, "$0.5000"),
        (0.00123, "$0.0012"),
        (0.000012, "$0.000012"),
        (1e-15, "$0.0000000000"),
    ],
)
def test_money(dollars: float, text: str) -> None:
    assert words.money(dollars) == text
