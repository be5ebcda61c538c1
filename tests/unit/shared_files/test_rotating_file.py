from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from obs_run.files.rotating_file import RotatingFile

if TYPE_CHECKING:
    from pathlib import Path

WRITE = """
    import sys
    from obs_run.files.rotating_file import RotatingFile
    file = RotatingFile(sys.argv[1], max_bytes=int(sys.argv[2]), files=0)
    def write(who, count):
        for at in range(count):
            assert file.write(f"{who}.{at} {'x' * (at % 97)} end\\n".encode())
    """
LINE = re.compile(r"([^ ]+\.(\d+)) (x*) end")


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    words = [sys.executable, "-W", "ignore", "-c", dedent(WRITE) + dedent(code), *map(str, arguments)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)


def files(path: Path) -> list[Path]:
    """Return the files, the oldest first."""
    found = [one for one in path.parent.iterdir() if re.fullmatch(re.escape(path.name) + r"\.\d+", one.name)]
    return [*sorted(found, key=lambda one: -int(one.suffix[1:])), *([path] if path.exists() else ())]


def whole_lines(path: Path) -> Counter[str]:
    """Return how often each record is there; each line must be one."""
    counted: Counter[str] = Counter()
    for file in files(path):
        text = file.read_text()
        # A writer that is killed after it has put a file aside leaves the next one empty.
        assert text.endswith("\n") or not text
        for line in text.splitlines():
            record = LINE.fullmatch(line)
            assert record, line
            assert record[3] == "x" * (int(record[2]) % 97)
            counted[record[1]] += 1
    return counted


def test_it_begins_anew_at_a_size(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    file = RotatingFile(path, max_bytes=10, files=2)
    for at in range(8):
        assert file.write(b"%d234\n" % at)
    assert [one.name for one in files(path)] == ["app.log.2", "app.log.1", "app.log"]
    assert b"".join(one.read_bytes() for one in files(path)) == b"".join(b"%d234\n" % at for at in range(2, 8))
    assert file.write(b"a line that is longer than the limit\n")
    assert path.read_bytes() == b"a line that is longer than the limit\n"


def test_no_limit_keeps_everything(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    file = RotatingFile(path, max_bytes=6)
    for at in range(30):
        assert file.write(b"%04d\n" % at)
    assert b"".join(one.read_bytes() for one in files(path)) == b"".join(b"%04d\n" % at for at in range(30))


def test_a_gap_in_the_numbers_is_filled(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    (tmp_path / "app.log.1").write_text("one")
    (tmp_path / "app.log.3").write_text("three")
    path.write_text("current\n")
    assert RotatingFile(path, max_bytes=5, files=5).write(b"next\n")
    assert [one.read_text() for one in files(path)] == ["three", "one", "current\n", "next\n"]


def test_the_age_is_counted_from_the_begin_over_restarts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, now = tmp_path / "app.log", [time.time()]
    monkeypatch.setattr(time, "time", lambda: now[0])
    for step, expected in [(0, 0), (40, 0), (40, 0), (40, 1), (90, 1), (20, 2)]:
        now[0] += step
        assert RotatingFile(path, max_age=100).write(b"line\n")
        if path.exists():
            os.utime(path, (now[0], now[0]))
        assert len(files(path)) == expected + 1


def test_the_age_of_a_file_that_was_there_before(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text("old\n")
    os.utime(path, (time.time() - 200, time.time() - 200))
    assert RotatingFile(path, max_age=100).write(b"line\n")
    assert [one.read_text() for one in files(path)] == ["old\n", "line\n"]


@pytest.mark.parametrize("noted", ["", "nonsense", "1:1 abc\n", "1:2"])
def test_a_broken_note_of_the_begin(noted: str, tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text("before\n")
    (tmp_path / ".app.log.lock").write_text(noted)
    file = RotatingFile(path, max_age=100)
    assert file.write(b"line\n")
    assert path.read_text() == "before\nline\n"


def test_old_backups_are_deleted(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    for number, age in enumerate([10, 90, 110, 5, 200], 1):
        backup = tmp_path / f"app.log.{number}"
        backup.write_text("x")
        os.utime(backup, (time.time() - age, time.time() - age))
    (tmp_path / "app.log.old").write_text("another's")
    assert RotatingFile(path, keep=100).write(b"line\n")
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        ".app.log.lock", "app.log", "app.log.1", "app.log.2", "app.log.4", "app.log.old"
    ]  # fmt: skip
    assert RotatingFile(path, files=2).write(b"line\n")
    assert [one.name for one in files(path)] == ["app.log.2", "app.log.1", "app.log"]


def test_where_it_cannot_be_put_aside_the_lines_go_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "app.log"
    (tmp_path / "app.log.1").mkdir()
    (tmp_path / "app.log.1" / "something").touch()
    file = RotatingFile(path, max_bytes=6, files=1)
    assert [file.write(b"%04d\n" % at) for at in range(4)] == [True] * 4
    assert path.read_bytes() == b"0000\n0001\n0002\n0003\n"
    assert len(caplog.messages) == 1
    assert str(path) in caplog.messages[0]


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("each", [3_000, pytest.param(12_500, marks=pytest.mark.slow)])
def test_eight_processes_lose_tear_and_double_nothing(each: int, tmp_path: Path) -> None:
    path = tmp_path / "logs" / "app.log"
    size = 5 * each
    running = [start(f"write(f'p{{sys.argv[3]}}', {each})", path, size, number) for number in range(8)]
    for process in running:
        process.communicate(timeout=170)
        assert process.returncode == 0
    counted = whole_lines(path)
    assert len(counted) == sum(counted.values()) == 8 * each
    found = files(path)
    assert len(found) > 50
    assert all(file.stat().st_size <= size for file in found)


def test_forks_amid_writing(tmp_path: Path) -> None:
    code = """
        import os, threading
        threads = [threading.Thread(target=write, args=(f"t{n}", 2000)) for n in range(3)]
        for thread in threads: thread.start()
        children = []
        for child in range(30):
            pid = os.fork()
            if not pid:
                write(f"c{child}", 100)
                os._exit(0)
            children.append(pid)
        assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 30
        for thread in threads: thread.join()
        """
    process = start(code, tmp_path / "app.log", 4096)
    process.communicate(timeout=100)
    assert process.returncode == 0
    counted = whole_lines(tmp_path / "app.log")
    assert len(counted) == sum(counted.values()) == 3 * 2000 + 30 * 100


def test_writers_that_are_killed(tmp_path: Path) -> None:
    # Each says what it has written; what it has said must be there, once.
    code = """
        for at in range(10**6):
            write(f"{sys.argv[3]}-{at}", 1)
            print(at, flush=True)
        """
    path = tmp_path / "app.log"
    survivor = start("write('survivor', 5000)", path, 2048)
    said = {}
    for name in "abcdef":
        victim = start(code, path, 2048, name)
        assert victim.stdout is not None
        told, out = b"", victim.stdout.fileno()
        while told.count(b"\n") < 100:
            told += os.read(out, 4096)
        victim.send_signal(signal.SIGKILL)
        while rest := os.read(out, 4096):
            told += rest
        said[name] = told.count(b"\n")
        victim.communicate()
    assert survivor.wait(60) == 0
    survivor.communicate()
    counted = whole_lines(path)
    assert max(counted.values()) == 1
    assert sum(name.startswith("survivor.") for name in counted) == 5000
    for name, number in said.items():
        written = sum(record.startswith(f"{name}-") for record in counted)
        assert number <= written <= number + 1
