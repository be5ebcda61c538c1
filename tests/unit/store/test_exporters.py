from __future__ import annotations

import fcntl
import os
import sqlite3
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk._logs.export import LogRecordExportResult
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult
from opentelemetry.sdk.trace import Event
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import Link, SpanKind

from obs_run.store import schema
from obs_run.store.exporters import StoreLogExporter, StoreMetricExporter, StoreSpanExporter
from obs_run.store.reader import Reader
from obs_run.telemetry.records import Event as StoredEvent
from obs_run.telemetry.records import Link as StoredLink
from obs_run.telemetry.records import Scope
from tests.unit.store import making

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MANY = 1 << 30
SUCCESS, FAILURE = SpanExportResult.SUCCESS, SpanExportResult.FAILURE
WORKER = "tests.unit.store.worker"


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_a_span_comes_back_whole(store: Path) -> None:
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "asked",
        "gen_ai.response.model": "served",
        "gen_ai.conversation.id": "c1",
        "gen_ai.usage.input_tokens": 812,
        "gen_ai.usage.output_tokens": 40,
        "obs.cost.total": 0.0021,
    }
    event = Event("exception", {"exception.type": "ValueError"}, making.AT + 5)
    link = Link(making.context(9, 8), {"why": "retry"})
    span = making.span(
        "chat served", 1, 2, id=2, parent=1, attributes=attributes, error="bad", events=(event,), links=(link,),
        kind=SpanKind.CLIENT,
    )  # fmt: skip
    assert StoreSpanExporter(store, MANY).export([span]) is SUCCESS
    with Reader(store) as reader:
        (found,) = reader.spans(f"{1:032x}")
    assert (found.trace_id, found.span_id, found.parent_id) == (f"{1:032x}", f"{2:016x}", f"{1:016x}")
    assert (found.name, found.kind, found.status, found.status_text) == ("chat served", "client", "error", "bad")
    assert (found.start_ns, found.end_ns, found.seconds) == (making.AT + making.MS, making.AT + 3 * making.MS, 0.002)
    assert (found.operation, found.model, found.conversation, found.service) == ("chat", "served", "c1", "agent")
    assert (found.input_tokens, found.output_tokens, found.cost) == (812, 40, 0.0021)
    assert found.attributes == attributes
    assert found.events == (StoredEvent("exception", making.AT + 5, {"exception.type": "ValueError"}),)
    assert found.links == (StoredLink(f"{9:032x}", f"{8:016x}", {"why": "retry"}),)
    assert found.resource == {"service.name": "agent", "process.pid": 100}
    assert found.scope == Scope("obs_run", "0.1.0")
    assert not found.unfinished


def test_the_summary_counts_model_calls_once(store: Path) -> None:
    def used(operation: str, tokens: int, cost: float) -> dict[str, object]:
        return {
            "gen_ai.operation.name": operation, "gen_ai.usage.input_tokens": tokens,
            "gen_ai.usage.output_tokens": 1, "obs.cost.total": cost,
        }  # fmt: skip

    exporter = StoreSpanExporter(store, MANY)
    # Children are exported first, as the SDK does, and the parts of a trace in several batches.
    exporter.export([making.span("chat a", 2, id=3, parent=2, attributes=used("chat", 10, 0.25))])
    exporter.export([
        making.span("chat b", 3, id=4, parent=2, attributes=used("chat", 20, 0.5), error="x"),
        making.span("invoke_agent", 1, 50, id=2, parent=1, attributes=used("invoke_agent", 30, 0.75)),
    ])  # fmt: skip
    exporter.export([making.span("run", 0, 100, id=1)])
    with Reader(store) as reader:
        (trace,) = reader.traces()
    assert (trace.name, trace.service, trace.spans, trace.errors) == ("run", "agent", 4, 1)
    assert (trace.input_tokens, trace.output_tokens, trace.cost) == (30, 2, 0.75)
    assert (trace.start_ns, trace.seconds) == (making.AT, 0.1)


def test_usage_of_an_agent_counts_when_no_model_call_tells(store: Path) -> None:
    attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 30}
    StoreSpanExporter(store, MANY).export([making.span("invoke_agent remote", attributes=attributes)])
    with Reader(store) as reader:
        assert reader.traces()[0].input_tokens == 30


def test_a_batch_that_comes_again_is_stored_once(store: Path) -> None:
    spans = [making.span("one", id=1, attributes={"gen_ai.usage.input_tokens": 5}), making.span("two", id=2, parent=1)]
    exporter = StoreSpanExporter(store, MANY)
    assert exporter.export(spans) is SUCCESS
    assert exporter.export([*spans, making.span("three", id=3, parent=1)]) is SUCCESS
    with Reader(store) as reader:
        (trace,) = reader.traces()
        assert [span.name for span in reader.spans(trace.trace_id)] == ["one", "two", "three"]
    assert (trace.spans, trace.input_tokens) == (3, 5)


def test_log_records_come_back_beside_their_span(store: Path) -> None:
    exporter = StoreLogExporter(store, MANY)
    records = [making.log("late", 5), making.log({"a": [1, b"x"]}, 1, span=7), making.log("alone", 0, trace=0, span=0)]
    assert exporter.export(records) is LogRecordExportResult.SUCCESS
    with Reader(store) as reader:
        early, late = reader.logs(f"{1:032x}")
        (trace,) = reader.traces(without_spans=True)
        assert reader.traces() == []
        assert reader.newest() == trace
    assert (early.body, early.span_id, early.severity_text) == ({"a": [1, b"x"]}, f"{7:016x}", "INFO")
    assert (late.body, late.scope, late.service) == ("late", Scope("agent.tools"), "agent")
    assert (trace.logs, trace.spans, trace.name) == (2, 0, None)


def test_metric_points_are_stored(store: Path) -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    meter = provider.get_meter("m")
    meter.create_counter("calls", "1").add(3, {"model": "x"})
    meter.create_histogram("took", "s").record(0.5)
    data = reader.get_metrics_data()
    assert data is not None
    assert StoreMetricExporter(store, MANY).export(data) is MetricExportResult.SUCCESS
    provider.shutdown()
    connection = sqlite3.connect(store)
    rows = connection.execute("SELECT name, kind, unit, value, count, attributes FROM points ORDER BY name").fetchall()
    connection.close()
    assert rows == [("calls", "Sum", "1", 3.0, None, '{"model":"x"}'), ("took", "Histogram", "s", 0.5, 1, "{}")]


@pytest.mark.slow
def test_processes_that_write_at_once_lose_nothing(store: Path) -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", WORKER, store, "2000", str(1000 * n), str(MANY)], stderr=subprocess.PIPE
        )
        for n in range(1, 9)
    ]
    for worker in workers:
        _, errors = worker.communicate(timeout=100)
        assert (worker.returncode, errors) == (0, b"")
    connection = sqlite3.connect(store)
    assert connection.execute("SELECT count(*) FROM spans").fetchone() == (16000,)
    assert connection.execute("SELECT count(*), sum(spans) FROM traces").fetchone() == (320, 16000)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_parent_and_children_go_on_writing_after_fork(store: Path) -> None:
    exporter = StoreSpanExporter(store, MANY)
    assert exporter.export([making.span("before", trace=1)]) is SUCCESS
    children = []
    for n in range(2, 6):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = 0 if exporter.export([making.span("child", trace=n)]) is SUCCESS else 1
                exporter.shutdown()
            finally:
                os._exit(code)
        children.append(child)
        assert exporter.export([making.span("parent", trace=1, id=n)]) is SUCCESS
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0, 0]
    assert exporter.export([making.span("after", trace=6)]) is SUCCESS
    with Reader(store) as reader:
        assert reader.size()[:2] == (6, 10)


def test_the_folder_and_files_are_the_users_own(store: Path) -> None:
    old = os.umask(0)
    try:
        StoreSpanExporter(store, MANY).export([making.span("x")])
    finally:
        os.umask(old)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (store.parent, *store.parent.iterdir())}
    assert modes == {"data": 0o700, "store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


def test_the_oldest_traces_go_when_the_bound_is_reached(store: Path) -> None:
    most = 4 * 1024**2
    exporter = StoreSpanExporter(store, most)
    logs = StoreLogExporter(store, most)
    largest = 0
    for n in range(1, 201):
        content = {"gen_ai.input.messages": "x" * 2000}
        spans = [making.span("s", n, trace=n, id=i + 1, attributes=content) for i in range(30)]
        assert exporter.export(spans) is SUCCESS
        assert logs.export([making.log("y" * 500, n, trace=n, span=1)]) is LogRecordExportResult.SUCCESS
        largest = max(largest, sum(path.stat().st_size for path in store.parent.iterdir()))
    assert largest <= most
    with Reader(store) as reader:
        kept = reader.traces(1000)
        assert [trace.trace_id for trace in kept] == [f"{n:032x}" for n in range(200, 200 - len(kept), -1)]
        assert 20 <= len(kept) < 100
        assert all(len(reader.spans(trace.trace_id)) == 30 and len(reader.logs(trace.trace_id)) == 1 for trace in kept)
    connection = sqlite3.connect(store)
    assert connection.execute("SELECT count(*) FROM logs").fetchone() == (len(kept),)
    connection.close()


def test_a_file_of_log_lines_without_a_trace_stays_bounded(store: Path) -> None:
    most = 4 * 1024**2
    exporter = StoreLogExporter(store, most)
    for n in range(150):
        batch = [making.log("z" * 1000, n, trace=0, span=0) for _ in range(50)]
        assert exporter.export(batch) is LogRecordExportResult.SUCCESS
        assert store.stat().st_size <= most
    exporter.shutdown()
    assert sum(path.stat().st_size for path in store.parent.iterdir()) <= most
    connection = sqlite3.connect(store)
    oldest, newest = connection.execute("SELECT min(time_ns), max(time_ns) FROM logs").fetchone()
    connection.close()
    assert making.AT < oldest < newest == making.AT + 149 * making.MS


def test_a_lower_bound_shrinks_the_file(store: Path) -> None:
    wide = StoreSpanExporter(store, MANY)
    content = {"gen_ai.input.messages": "x" * 2000}
    for n in range(1, 41):
        wide.export([making.span("s", n, trace=n, id=i + 1, attributes=content) for i in range(50)])
    wide.shutdown()
    assert store.stat().st_size > 4_000_000
    narrow = StoreSpanExporter(store, 2 * 1024**2)
    narrow.export([making.span("last", 100, trace=100)])
    narrow.shutdown()
    assert store.stat().st_size <= 2 * 1024**2
    with Reader(store) as reader:
        assert reader.traces(1)[0].name == "last"


def test_a_removed_file_is_made_again(store: Path) -> None:
    exporter = StoreSpanExporter(store, MANY)
    exporter.export([making.span("lost")])
    for path in store.parent.iterdir():
        path.unlink()
    assert exporter.export([making.span("kept")]) is SUCCESS
    with Reader(store) as reader:
        (span,) = reader.spans(f"{1:032x}")
    assert (span.name, span.scope) == ("kept", Scope("obs_run", "0.1.0"))


def test_text_that_is_not_unicode_is_stored(store: Path) -> None:
    odd = making.span("caf\udce9", attributes={"a\udce9": "b\udce9", "deep": {"n": float("nan")}})
    assert StoreSpanExporter(store, MANY).export([odd]) is SUCCESS
    with Reader(store) as reader:
        (span,) = reader.spans(f"{1:032x}")
    assert (span.name, span.attributes["a\udce9"]) == ("caf\\udce9", "b\udce9")


def test_a_span_that_cannot_be_a_row_does_not_cost_the_others(store: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken = making.span("broken", id=2)
    broken._status = None  # type: ignore[assignment]
    assert StoreSpanExporter(store, MANY).export([making.span("whole"), broken]) is SUCCESS
    with Reader(store) as reader:
        assert [span.name for span in reader.spans(f"{1:032x}")] == ["whole"]
    assert len(warnings(caplog)) == 1


def test_an_unwritable_folder_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    path = tmp_path / "file" / "obs-run" / "store.db"
    for exporter in (StoreSpanExporter(path, MANY), StoreSpanExporter(path, MANY)):
        assert exporter.export([making.span("x")]) is FAILURE
    assert warnings(caplog) == [f"telemetry is not stored: {path}: Not a directory"]


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Return a function that mounts a small disk with the options given."""
    folder = tmp_path / "disk"
    mounted = []

    def disk(options: str) -> Path:
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if sys.platform != "linux" or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("a disk of its own can only be mounted by root on Linux")
        mounted.append(folder)
        return folder

    yield disk
    if mounted:
        subprocess.run(["umount", folder], check=True)


def test_a_read_only_disk_is_said_once(mount: Callable[[str], Path], caplog: pytest.LogCaptureFixture) -> None:
    path = mount("ro") / "obs-run" / "store.db"
    exporter = StoreSpanExporter(path, MANY)
    assert [exporter.export([making.span("x")]) for _ in range(3)] == [FAILURE] * 3
    assert warnings(caplog) == [f"telemetry is not stored: {path}: Read-only file system"]


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder that may not be written; root, who may write everywhere, is somebody else meanwhile."""
    folder = tmp_path / "sealed"
    folder.mkdir(mode=0o555)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    yield folder
    if is_root:
        os.seteuid(0)


def test_a_folder_of_someone_else_is_said_once(sealed: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = sealed / "store.db"
    exporter = StoreSpanExporter(path, MANY)
    assert [exporter.export([making.span("x")]) for _ in range(3)] == [FAILURE] * 3
    assert warnings(caplog) == [f"telemetry is not stored: {path}: Permission denied"]


def test_a_full_disk_is_said_once_and_what_was_stored_stays(
    mount: Callable[[str], Path], caplog: pytest.LogCaptureFixture
) -> None:
    path = mount("size=256k") / "store.db"
    exporter = StoreSpanExporter(path, MANY)
    answers = []
    for n in range(1, 30):
        content = {"gen_ai.input.messages": "x" * 2000}
        answers.append(exporter.export([making.span("s", trace=n, id=i + 1, attributes=content) for i in range(10)]))
    assert answers[0] is SUCCESS
    assert answers[-1] is FAILURE
    assert warnings(caplog) == [f"telemetry is not stored: {path}: database or disk is full"]
    exporter.shutdown()
    with Reader(path) as reader:
        assert len(reader.traces(100)) == answers.count(SUCCESS)


def test_a_full_database_is_a_failure_and_nothing_is_half_stored(store: Path, caplog: pytest.LogCaptureFixture) -> None:
    exporter = StoreSpanExporter(store, MANY)
    assert exporter.export([making.span("first")]) is SUCCESS
    connection = exporter._writer._connection
    assert connection is not None
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 5}")
    content = {"gen_ai.input.messages": "x" * 5000}
    batch = [making.span("s", trace=2, id=i + 1, attributes=content) for i in range(50)]
    assert exporter.export(batch) is FAILURE
    assert warnings(caplog) == [f"telemetry is not stored: {store}: database or disk is full"]
    with Reader(store) as reader:
        assert reader.size()[:2] == (1, 1)
    assert exporter.export(batch) is SUCCESS


def test_a_file_of_a_newer_version_is_left_alone(store: Path, caplog: pytest.LogCaptureFixture) -> None:
    StoreSpanExporter(store, MANY).export([making.span("x")])
    connection = sqlite3.connect(store)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    newer = (
        f"the local store at {store} was written by a newer obs-run (schema 99, this one reads up to "
        f"{len(schema.STEPS)}); upgrade obs-run or set OBS_STORE_FILE"
    )
    assert StoreSpanExporter(store, MANY + 1).export([making.span("y")]) is FAILURE
    assert warnings(caplog) == [newer]
    with pytest.raises(schema.StoreError, match="schema 99"):
        Reader(store)


def test_another_programs_database_is_left_alone(store: Path, caplog: pytest.LogCaptureFixture) -> None:
    store.parent.mkdir()
    connection = sqlite3.connect(store)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = store.read_bytes()
    assert StoreSpanExporter(store, MANY).export([making.span("x")]) is FAILURE
    assert warnings(caplog) == [f"{store} is another program's database; set OBS_STORE_FILE to a file of its own"]
    assert store.read_bytes() == before


def test_a_file_of_the_user_that_is_no_database_stays(store: Path, caplog: pytest.LogCaptureFixture) -> None:
    store.parent.mkdir()
    store.write_text("notes of the user\n" * 1000)
    assert StoreSpanExporter(store, MANY).export([making.span("x")]) is FAILURE
    assert store.read_text() == "notes of the user\n" * 1000
    assert [path.name for path in store.parent.iterdir()] == ["store.db"]
    assert warnings(caplog) == [f"telemetry is not stored: {store}: file is not a database"]


@pytest.mark.parametrize("damage", ["all", "middle"])
def test_a_broken_file_is_put_aside_and_a_new_one_begun(
    store: Path, caplog: pytest.LogCaptureFixture, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if damage == "all":
        # Where nothing is left that tells whose it was, its place does.
        monkeypatch.setattr("obs_run.store.location.own_path", lambda: store)
    first = StoreSpanExporter(store, MANY)
    first.export([making.span("s", trace=n // 20 + 1, id=n + 1) for n in range(500)])
    first.shutdown()
    broken = bytearray(store.read_bytes())
    begin = 0 if damage == "all" else 4096
    broken[begin:] = b"\x5a" * (len(broken) - begin)
    store.write_bytes(broken)
    assert StoreSpanExporter(store, MANY).export([making.span("new", trace=77)]) is SUCCESS
    (aside,) = store.parent.glob("store.db.broken-*")
    assert aside.read_bytes()[4096:] == broken[4096:]
    assert warnings(caplog) == [f"the local store {store} was broken; it is now {aside.name} and a new one is begun"]
    with Reader(store) as reader:
        assert [trace.name for trace in reader.traces()] == ["new"]


def test_a_folder_that_another_process_holds_is_not_waited_for_without_end(
    store: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("obs_run.store.transactions.BUSY_SECONDS", 0.2)
    first = StoreSpanExporter(store, MANY)
    first.export([making.span("s", id=n + 1) for n in range(500)])
    first.shutdown()
    broken = store.read_bytes()[:4096] + b"\x5a" * 8192
    store.write_bytes(broken)
    held = os.open(store.parent, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert StoreSpanExporter(store, MANY).export([making.span("new")]) is FAILURE
    finally:
        os.close(held)
    (said,) = warnings(caplog)
    assert said.startswith(f"telemetry is not stored: {store}: ")
    assert store.read_bytes() == broken


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("buy milk\n" * 200)
    assert StoreSpanExporter(notes, MANY).export([making.span("x")]) is FAILURE
    assert warnings(caplog) == [f"telemetry is not stored: {notes}: file is not a database"]
    assert notes.read_text() == "buy milk\n" * 200


def test_a_read_only_folder_can_be_read(store: Path) -> None:
    exporter = StoreSpanExporter(store, MANY)
    exporter.export([making.span("x")])
    exporter.shutdown()
    store.parent.chmod(0o500)
    store.chmod(0o400)
    try:
        with Reader(store) as reader:
            assert reader.traces()[0].name == "x"
    finally:
        store.parent.chmod(0o700)
