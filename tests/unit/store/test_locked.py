"""A store that another process holds for itself is waited for and then refused: read past its locks it looks broken."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from obs_run import cli
from obs_run.store import schema, transactions
from obs_run.store.reader import Reader
from tests.unit.readers import recorded

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, sqlite3.Connection]:
    monkeypatch.setattr(transactions, "BUSY_SECONDS", 0.2)
    path = tmp_path / "store.db"
    recorded.fill(path)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    return path, holder


def test_it_is_not_read_past_its_locks(
    held: tuple[Path, sqlite3.Connection], capsys: pytest.CaptureFixture[str]
) -> None:
    path, holder = held
    with pytest.raises(schema.StoreError, match="locked"):
        Reader(path)
    assert cli.main(["list", "--from", str(path)]) == 1
    assert capsys.readouterr().err == f"obsctl: the local store at {path} cannot be read: database is locked\n"
    holder.close()
    with Reader(path) as reader:
        assert len(reader.traces()) == 3
