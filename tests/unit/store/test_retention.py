from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from obs_run import cli
from obs_run.process.unpatched import time
from obs_run.store import retention
from obs_run.store.exporters import StoreLogExporter, StoreMetricExporter, StoreSpanExporter
from obs_run.store.reader import Reader
from tests.ports import nobody
from tests.unit.agents import run
from tests.unit.store import making

if TYPE_CHECKING:
    from pathlib import Path

MANY = 1 << 30
DAY = 86400
KEEP = 30 * DAY
NOW = time.time_ns()
WAITING = "1 older trace will leave when agents next write"
SIZE = "512.0 MiB in all (OBS_STORE_MAX_BYTES)"


def at(days_ago: float, now: int = NOW) -> float:
    """Return the moment as ``making`` counts it."""
    return (now - making.AT) / making.MS - days_ago * DAY * 1000


def names(store: Path) -> list[str]:
    with Reader(store) as reader:
        return sorted(str(trace.name) for trace in reader.traces(5000))


def rows(store: Path, table: str) -> int:
    connection = sqlite3.connect(store)
    try:
        count: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        return count
    finally:
        connection.close()


def changed(store: Path, statement: str, *values: Any) -> None:
    connection = sqlite3.connect(store)
    with connection:
        connection.execute(statement, values)
    connection.close()


def plant(store: Path, *ages: float, first: int = 1) -> None:
    exporter = StoreSpanExporter(store, MANY)
    for trace, days in enumerate(ages, first):
        exporter.export([making.span(f"{days} days", at(days), trace=trace)])
    exporter.shutdown()


def write(store: Path, keep: float = KEEP, trace: int = 999, name: str = "new") -> StoreSpanExporter:
    exporter = StoreSpanExporter(store, MANY, keep)
    exporter.export([making.span(name, at(0), trace=trace)])
    return exporter


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        (KEEP, ["2 days", "29 days", "new"]),
        (DAY, ["new"]),
        (400 * DAY, ["2 days", "29 days", "300 days", "31 days", "new"]),
        (0, ["2 days", "29 days", "300 days", "31 days", "new"]),
    ],
)
def test_a_trace_leaves_at_its_age(store: Path, keep: float, left: list[str]) -> None:
    plant(store, 300, 31, 29, 2)
    write(store, keep)
    assert names(store) == left
    assert rows(store, "spans") == len(left)


def test_the_newest_record_is_a_traces_age(store: Path) -> None:
    plant(store, 300, 300)
    logs = StoreLogExporter(store, MANY)
    logs.export([making.log("late", at(1), trace=1)])
    write(store)
    assert names(store) == ["300 days", "new"]
    assert rows(store, "logs") == 1


def test_logs_and_points_of_no_trace_leave_too(store: Path) -> None:
    logs = StoreLogExporter(store, MANY)
    logs.export([making.log("alone", at(days), trace=0, span=0) for days in (40, 31, 29, 1)])
    reader = InMemoryMetricReader()
    MeterProvider([reader]).get_meter("agent").create_counter("jobs").add(1)
    data = reader.get_metrics_data()
    assert data is not None
    StoreMetricExporter(store, MANY).export(data)
    StoreMetricExporter(store, MANY).export(data)
    changed(store, "UPDATE points SET time_ns = ? WHERE id = 1", NOW - 40 * DAY * 10**9)
    write(store)
    assert (rows(store, "logs"), rows(store, "points")) == (2, 1)


def test_resources_go_with_what_they_made(store: Path) -> None:
    plant(store, 300)
    changed(store, "UPDATE resources SET id = 7, seen_ns = ?", NOW - 300 * DAY * 10**9)
    changed(store, "UPDATE traces SET written_ns = ?", NOW - 300 * DAY * 10**9)
    write(store)
    assert rows(store, "resources") == 1


def clock(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    moved = int(days * DAY * 10**9)
    monkeypatch.setattr(time, "time_ns", lambda: NOW + moved)


def test_a_trace_from_the_future_leaves_at_its_age_since_it_was_met(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock(monkeypatch, 5000)
    plant(store, -5000)
    clock(monkeypatch, 0)
    for trace, day in enumerate((0, 20, 29), 100):
        clock(monkeypatch, day)
        write(store, trace=trace).shutdown()
        assert "-5000 days" in names(store)
    clock(monkeypatch, 31)
    write(store, trace=200)
    assert "-5000 days" not in names(store)


def test_times_of_the_future_that_the_agent_gave_count_from_their_writing(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock(monkeypatch, 0)
    plant(store, -5000)
    clock(monkeypatch, 29)
    write(store, trace=100).shutdown()
    assert "-5000 days" in names(store)
    clock(monkeypatch, 31)
    write(store, trace=101)
    assert "-5000 days" not in names(store)


def test_logs_from_the_future_leave_with_those_written_after_them(store: Path) -> None:
    logs = StoreLogExporter(store, MANY)
    for days in (40, -5000, 35, -6000, 1):
        logs.export([making.log(str(days), at(days), trace=0, span=0)])
    write(store)
    connection = sqlite3.connect(store)
    assert [body for (body,) in connection.execute("SELECT body FROM logs")] == ['"-6000"', '"1"']
    connection.close()


def test_a_clock_that_leaps_deletes_nothing(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(store, 20, 1)
    monkeypatch.setattr(retention, "_SECONDS_BETWEEN_LOOKS", 0)
    exporter = write(store)
    clock(monkeypatch, 4000)
    exporter.export([making.span("leapt", at(-4000), trace=2000)])
    assert names(store) == ["1 days", "20 days", "leapt", "new"]


def test_much_leaves_in_steps_and_its_space_is_given_back(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_SECONDS_BETWEEN_STEPS", 0)
    exporter = StoreSpanExporter(store, MANY)
    text = {"gen_ai.input.messages": "planted words " * 800}
    begun = time.monotonic()
    for first in range(0, 1200, 100):
        exporter.export([making.span("old", at(40), trace=first + n + 1, attributes=text) for n in range(100)])
    exporter.shutdown()
    filled = time.monotonic() - begun
    large = store.stat().st_size
    assert large > 12_000_000
    exporter = write(store, trace=5000)
    left = [rows(store, "traces")]
    longest = 0.0
    for n in range(12):
        begun = time.monotonic()
        exporter.export([making.span("new", at(0), trace=5001 + n)])
        longest = max(longest, time.monotonic() - begun)
        left.append(rows(store, "traces"))
    exporter.shutdown()
    assert left[0] > 600, "one step takes a part only"
    assert rows(store, "traces") == 13
    assert store.stat().st_size < large / 50
    assert b"planted words" not in store.read_bytes()
    assert longest < max(filled, 1), "a step is short beside the writing of what leaves"


def test_a_look_is_taken_now_and_then(store: Path) -> None:
    exporter = write(store)
    plant(store, 40)
    exporter.export([making.span("next", at(0), trace=1000)])
    assert "40 days" in names(store)
    exporter._writer._retention._look_at = 0
    exporter.export([making.span("last", at(0), trace=1001)])
    assert "40 days" not in names(store)


def test_broken_stores_put_aside_leave_too(store: Path) -> None:
    plant(store, 1)
    for name, days in (("store.db.broken-1", 40), ("store.db.broken-2", 1), ("other.db.broken-1", 40)):
        (store.parent / name).touch()
        os.utime(store.parent / name, (NOW / 10**9 - days * DAY,) * 2)
    write(store)
    assert sorted(path.name for path in store.parent.glob("*broken*")) == ["other.db.broken-1", "store.db.broken-2"]


def test_several_processes_do_it_at_once(store: Path) -> None:
    plant(store, *[200.0] * 300)
    command = [sys.executable, "-m", "tests.unit.store.worker", str(store), "1000"]
    working = [
        subprocess.Popen([*command, str(1000 + 100 * n), str(MANY), str(100 * DAY)], stderr=subprocess.PIPE, text=True)
        for n in range(4)
    ]
    for worker in working:
        _, said = worker.communicate(timeout=60)
        assert (worker.returncode, said) == (0, "")
    assert set(names(store)) == {"work"}
    assert (rows(store, "traces"), rows(store, "spans")) == (80, 4000)


def test_an_agents_store_keeps_what_the_setting_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "store.db"
    monkeypatch.setenv("OBS_STORE_FILE", str(store))
    plant(store, 40, 20, 2)
    source = "from opentelemetry import trace\nwith trace.get_tracer('a').start_as_current_span('by the agent'): pass"
    exporters: dict[str, Any] = {f"OTEL_{signal}_EXPORTER": "store" for signal in ("TRACES", "METRICS", "LOGS")}
    for keep, left in (("", ["2 days", "20 days", "agent"]), ("10d", ["2 days", "agent", "agent"])):
        ran = run(tmp_path, source, OBS_STORE_FILE=str(store), OBS_STORE_KEEP=keep, **exporters)
        assert (ran.code, ran.err) == (0, "")
        assert [str(name).partition(".")[0] for name in names(store)] == left


def test_doctor_says_how_long_telemetry_stays(
    store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(store, 40, 2)
    store.chmod(0o644)

    def told() -> list[str]:
        cli.main(["doctor"])
        lines = capsys.readouterr().out.splitlines()
        begin = lines.index("# How long it stays on this machine")
        end = next(place for place, line in enumerate(lines[begin + 1 :], begin + 1) if line.startswith("# "))
        return lines[begin + 1 : end]

    assert told() == [
        f"ok   local store: traces, logs and metrics up to 30d (OBS_STORE_KEEP), {SIZE}; {WAITING}",
        f"!    local store: the local store {store} is open to every user of this machine (mode 0644); chmod 600 it",
        "ok   log files: in logs, put aside at 50.0 MiB or 1d; kept of those: 10 files, up to 30d",
        "ok   audit trail: nothing of it is ever deleted",
    ]
    for name, value in (("OBS_STORE_KEEP", "0"), ("OBS_LOG_FOLDER", "none"), ("OBS_AUDIT_KEEP", "400d")):
        monkeypatch.setenv(name, value)
    store.chmod(0o600)
    assert told() == [
        f"ok   local store: traces, logs and metrics up to any age (OBS_STORE_KEEP=0), {SIZE}",
        "-    log files: none (OBS_LOG_FOLDER=none)",
        "ok   audit trail: whole files older than 400d (OBS_AUDIT_KEEP) are deleted, which the trail records",
    ]
    monkeypatch.setenv("OBS_AUDIT", "false")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://{nobody()}")
    monkeypatch.setenv("OBS_SPOOL_FOLDER", str(store.parent / "spool"))
    rest = ["-    log files: none (OBS_LOG_FOLDER=none)", "-    audit trail: off (OBS_AUDIT=false)"]
    taken = "what OTLP endpoints did not take, up to 7d (OBS_SPOOL_KEEP)"
    folder = f"of 256.0 MiB (OBS_SPOOL_BYTES), in {store.parent}/spool"
    assert told() == [f"ok   spool: {taken}, 0 B {folder}", *rest]
    (store.parent / "spool" / "traces-1").mkdir(parents=True)
    (store.parent / "spool" / "traces-1" / "1.segment").write_bytes(b"1234")
    assert told() == [f"!    spool: {taken}, 4 B {folder}; see obsctl spool status", *rest]
    monkeypatch.setenv("OBS_SPOOL", "false")
    off = "-    spool: off (OBS_SPOOL=false): what an endpoint does not take waits in memory alone"
    assert told() == [off, *rest]
