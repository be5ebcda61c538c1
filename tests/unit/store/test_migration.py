"""A store of every released schema is read as it is, and brought up to date by whoever writes to it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from obs_run import cli
from obs_run.store import schema
from obs_run.store.exporters import StoreSpanExporter
from obs_run.store.reader import Reader
from tests.unit.readers import recorded
from tests.unit.store import making

MANY = 1 << 30
RELEASED = Path(__file__).parent / "released"
NUMBERS = range(1, len(schema.STEPS))


def made(path: Path, number: int) -> Path:
    """Make a store as a released obs-run left it, with what :mod:`tests.unit.readers.recorded` has."""
    connection = sqlite3.connect(path)
    connection.executescript((RELEASED / f"schema_{number}.sql").read_text())
    connection.close()
    return path


def answers(path: Path) -> list[object]:
    with Reader(path) as reader:
        traces = reader.traces(without_spans=True)
        spans = [reader.spans(trace.trace_id) for trace in traces]
        found = [reader.traces(model="gpt-x"), reader.traces(text="lisbon"), reader.traces(attributes={"n": "12"})]
        lines = [(line.body, line.time_ns) for line in reader.log_lines()]
        points = [(point.name, point.kind, point.value, point.count) for point in reader.points()]
        return [traces, spans, found, lines, points, reader.usage(), reader.usage("service"), reader.damaged]


def tables(path: Path) -> set[tuple[str, str]]:
    connection = sqlite3.connect(path)
    found = {(name, " ".join(sql.split())) for name, sql in connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")}  # fmt: skip
    connection.close()
    return found


def test_every_released_schema_is_kept_as_a_fixture() -> None:
    assert [int(path.stem.removeprefix("schema_")) for path in sorted(RELEASED.glob("*.sql"))] == list(NUMBERS)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_released_store_is_read_and_brought_up_to_date(number: int, tmp_path: Path) -> None:
    old, new = made(tmp_path / "old.db", number), tmp_path / "new.db"
    recorded.fill(new)
    assert answers(old) == answers(new)
    assert StoreSpanExporter(old, MANY).export([making.span("later", 200_000, trace=9)])
    with Reader(old) as reader:
        assert [trace.name for trace in reader.traces(2)] == ["later", "serve"]
    connection = sqlite3.connect(old)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(schema.STEPS),)
    connection.execute("DELETE FROM spans WHERE name = 'later'")
    connection.execute("DELETE FROM traces WHERE name = 'later'")
    connection.commit()
    connection.close()
    assert answers(old) == answers(new)
    assert tables(old) == tables(new)


@pytest.mark.parametrize("number", NUMBERS)
def test_commands_read_a_released_store(number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = made(tmp_path / "old.db", number), tmp_path / "new.db"
    recorded.fill(new)
    for command in (["list"], ["show", "--last"], ["export", f"{1:032x}"]):
        said = []
        for path in (old, new):
            assert cli.main([*command, "--store", str(path)]) == 0
            said.append(capsys.readouterr())
        assert said[0] == said[1]


def test_a_newer_store_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "newer.db"
    recorded.fill(path)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {len(schema.STEPS) + 1}")
    connection.close()
    before = path.read_bytes()
    for command in (["list", "--from", str(path)], ["import", str(path), "--store", str(tmp_path / "other.db")]):
        assert cli.main(command) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert "was written by a newer obs-run" in line
    assert cli.main(["import", str(tmp_path / "nothing.json"), "--store", str(path)]) == 1
    assert "was written by a newer obs-run" in capsys.readouterr().err
    assert path.read_bytes() == before
