"""Nothing of the trail is deleted unless the user set a limit, and never silently."""

from __future__ import annotations

import json
import time
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

import pytest

from tests.unit.audit_trail import trails

if TYPE_CHECKING:
    from pathlib import Path

FILE = 1600


def make_old(folder: Path, seconds: float) -> None:
    """Write a trail of several files whose entries are ``seconds`` old."""
    real = datetime

    class Then(real):  # type: ignore[misc,valid-type]
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return real.fromtimestamp(time.time() - seconds, tz)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("obs_run.audit_trail.entry.datetime", Then)
        trail = trails.open_trail(folder, file_bytes=FILE)
        trails.write(trail, 10)
        trail.close()


def closed(folder: Path) -> list[int]:
    return trails.place(folder).numbers()


def test_without_limits_everything_stays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_old(tmp_path, 10 * 365 * 86400)
    trails.write(trails.open_trail(tmp_path, file_bytes=FILE), 5, 11)
    assert trails.verify(tmp_path).records == 15
    assert closed(tmp_path)[0] == 1
    assert not caplog.messages


def test_what_is_too_old_goes_and_the_trail_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_old(tmp_path, 1000)
    before = closed(tmp_path)
    assert len(before) >= 3
    trail = trails.open_trail(tmp_path, file_bytes=FILE, keep=500)
    trails.write(trail, 2, 11)
    report = trails.verify(tmp_path)
    # The file that was written is old, too: it was closed, so that it could go.
    assert closed(tmp_path) == []
    assert report.head.sequence == 13
    assert report.records == 3
    assert report.notes == ["records 1 to 10 were deleted by OBS_AUDIT_KEEP, as record 11 says"]
    own = trails.entries(tmp_path)[0]
    assert (own["kind"], own["record"]["action"]) == ("trail", "obs.audit.deleted")
    assert own["record"]["details"]["files"] == [f"audit.jsonl.{number:06d}" for number in (*before, before[-1] + 1)]
    assert len(caplog.messages) == 1
    assert "OBS_AUDIT_KEEP deleted audit.jsonl.000001, " in caplog.messages[0]
    assert "records 1 to 10, as record 11 says" in caplog.messages[0]


def test_the_size_of_all_files_is_bounded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    trail = trails.open_trail(tmp_path, file_bytes=2000, max_bytes=8000)
    for number in range(1, 101):
        trails.write(trail, 1, number)
        assert sum(path.stat().st_size for path in tmp_path.glob("audit.jsonl*") if path.suffix != ".head") <= 8000
    report = trails.verify(tmp_path)
    written = [entry["record"]["details"].get("number") for entry in trails.entries(tmp_path)]
    assert written[-1] == 100
    assert report.head.sequence > 100
    assert "were deleted by OBS_AUDIT_MAX_BYTES" in report.notes[0]
    assert len(caplog.messages) > 5


def test_a_bound_smaller_than_a_file(tmp_path: Path) -> None:
    trails.write(trails.open_trail(tmp_path, file_bytes=1 << 20, max_bytes=6000), 50)
    assert trails.verify(tmp_path).head.sequence > 50
    assert closed(tmp_path)[0] > 1


def test_more_than_was_said_may_not_be_missing(tmp_path: Path) -> None:
    trail = trails.open_trail(tmp_path, file_bytes=2000, max_bytes=8000)
    trails.write(trail, 30)
    assert trails.problem(tmp_path) is None
    first = closed(tmp_path)[0]
    trails.place(tmp_path).closed(first).unlink()
    assert "no record allows that" in (trails.problem(tmp_path) or "")


def test_an_allowed_deletion_that_was_not_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Killed between saying and doing it.
    make_old(tmp_path, 1000)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    trail = trails.open_trail(tmp_path, file_bytes=FILE, keep=500)
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            trails.write(trail, 1, 11)
    trail.close()
    assert trails.problem(tmp_path) is None
    trails.write(trails.open_trail(tmp_path, file_bytes=FILE, keep=500), 1, 11)
    assert trails.problem(tmp_path) is None
    assert 1 not in closed(tmp_path)


def test_what_cannot_be_told_of_is_not_deleted(tmp_path: Path) -> None:
    make_old(tmp_path, 1000)
    path = trails.place(tmp_path).closed(1)
    content = path.read_bytes()
    path.write_bytes(content[:-20])
    trails.write(trails.open_trail(tmp_path, file_bytes=FILE, keep=500), 2, 11)
    assert path.exists()
    assert trails.problem(tmp_path)


def test_a_young_trail_is_kept_while_it_grows_in_one_file(tmp_path: Path) -> None:
    trails.write(trails.open_trail(tmp_path, keep=3600), 20)
    assert closed(tmp_path) == []
    assert json.loads((tmp_path / "audit.jsonl").read_bytes().splitlines()[0])["entry"]["sequence"] == 1
