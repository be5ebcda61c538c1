"""One bad value in the store: the rest is shown, and a line says so; nothing reaches the terminal raw."""

from __future__ import annotations

import sqlite3
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import Event
from opentelemetry.trace import Link

from obs_run import cli, settings
from obs_run.store.exporters import StoreLogExporter, StoreSpanExporter
from tests.unit.store import making

if TYPE_CHECKING:
    from pathlib import Path

VALUES: tuple[Any, ...] = (
    None, "text \x1b[31m\x07", b"\xff\xfe", 1e308, float("inf"), -1, 2**63 - 1, '{"a":', "[]", "[1]", "[[1, 2, 3]]",
    '{"a": {"b": NaN}}', '{"$bytes": 1}', "[" * 100_000,
)  # fmt: skip
COLUMNS = {
    "resources": ("attributes",),
    "scopes": ("name", "version", "attributes"),
    "traces": ("trace_id", "name", "service", "services", "start_ns", "end_ns", "spans", "errors", "unfinished", "logs",
               "input_tokens", "output_tokens", "cost"),
    "spans": ("trace_id", "span_id", "parent_id", "name", "kind", "start_ns", "end_ns", "status", "status_text",
              "unfinished", "service", "operation", "agent", "conversation", "model", "tool", "input_tokens",
              "output_tokens", "cost", "trace_state", "attributes", "events", "links", "resource_id", "scope_id"),
    "logs": ("time_ns", "severity", "severity_text", "body", "event_name", "trace_id", "span_id", "service",
             "attributes", "resource_id", "scope_id"),
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for setting in settings.SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)
    path = tmp_path / "store.db"
    monkeypatch.setenv("OBS_STORE_FILE", str(path))
    events = (Event("event", {"a": 1}, making.AT),)
    links = (Link(making.context(9, 9), {"a": 1}),)
    usage = {"gen_ai.usage.input_tokens": 5, "obs.cost.total": 1.5}
    spans, logs = StoreSpanExporter(path, 1 << 30), StoreLogExporter(path, 1 << 30)
    spans.export([making.span("run", 0, 100, attributes=usage, events=events, links=links, error="bad")])
    logs.export([making.log("line")])
    spans.shutdown()
    logs.shutdown()
    return path


@pytest.mark.slow
def test_whatever_a_column_holds(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = sqlite3.connect(store, isolation_level=None)
    whole.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole.close()
    content = store.read_bytes()
    tried = 0
    for (table, columns), value in product(COLUMNS.items(), VALUES):
        for column in columns:
            for left in store.parent.glob("store.db-*"):
                left.unlink()
            store.write_bytes(content)
            connection = sqlite3.connect(store, isolation_level=None)
            try:
                connection.execute(f'UPDATE {table} SET "{column}" = ?', (value,))
            except sqlite3.IntegrityError:
                continue  # the file itself does not take it
            finally:
                connection.close()
            for command in (["list"], ["show"], ["show", "--json"]):
                assert cli.main(command) in (0, 1)
                captured = capsys.readouterr()
                said = captured.out + captured.err
                assert said.replace("\n", "").isprintable(), (table, column, value, command)
                tried += 1
    assert tried > 1000


def test_it_is_said_how_much_is_left_out(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    connection = sqlite3.connect(store, isolation_level=None)
    connection.execute("UPDATE spans SET attributes = '{', start_ns = -1")
    connection.close()
    assert cli.main(["show", "--last"]) == 0
    captured = capsys.readouterr()
    assert captured.err == f"obsctl: 2 damaged values of the local store at {store} left out\n"
    assert "run" in captured.out
