"""One chain for everyone who writes, whatever happens to the writers."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import stat
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from obs_run.audit_trail.entry import canonical
from tests.full_disk import mounted
from tests.launch.environments import ROOT
from tests.unit.audit_trail import trails

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WRITER = """
    import os, sys
    from pathlib import Path
    from obs_run.audit_trail.entry import canonical
    from tests.unit.audit_trail import trails
    trail = trails.open_trail(Path(sys.argv[1]), file_bytes=int(sys.argv[2]))
    def write(who, count):
        for number in range(count):
            receipt = trail.append(canonical({"action": f"{who}.{number}", "filling": "x" * (number % 90)}))
            assert receipt is not None and receipt.sequence is not None
            yield receipt
    """


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    words = [sys.executable, "-W", "ignore", "-c", dedent(WRITER) + dedent(code), *map(str, arguments)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)


def actions(folder: Path) -> list[str]:
    return [entry["record"]["action"] for entry in trails.entries(folder)]


def test_the_format(tmp_path: Path) -> None:
    # Without any code of ours, as docs/audit.md says it can be done.
    receipts = trails.write(trails.open_trail(tmp_path), 3)
    previous = "0" * 64
    for number, line in enumerate((tmp_path / "audit.jsonl").read_bytes().splitlines(), 1):
        parts = re.fullmatch(rb'\{"entry":(\{.*\}),"hash":"([0-9a-f]{64})"\}', line)
        assert parts is not None
        entry = json.loads(parts[1])
        assert hashlib.sha256(parts[1]).hexdigest() == parts[2].decode() == receipts[number - 1].hash
        assert parts[1] == json.dumps(entry, sort_keys=True, separators=(",", ":")).encode()
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", entry.pop("time"))
        assert entry == {
            "algorithm": "sha256",
            "format": 1,
            "host": "host",
            "kind": "record",
            "previous": previous,
            "process": os.getpid(),
            "record": {"action": "act", "details": {"number": number}},
            "sequence": number,
            "service": "service",
        }
        previous = parts[2].decode()
    head = json.loads((tmp_path / "audit.jsonl.head").read_bytes())["entry"]
    size = (tmp_path / "audit.jsonl").stat().st_size
    assert head == {
        "algorithm": "sha256", "file": 1, "format": 1, "head": previous, "sequence": 3, "size": size
    }  # fmt: skip


def test_the_program_in_the_documentation_verifies(tmp_path: Path) -> None:
    receipt = trails.write(trails.open_trail(tmp_path), 4)[-1]
    document = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    program = next(block for block in re.findall(r"```python\n(.*?)```", document, re.DOTALL) if "sys.stdin" in block)

    def run(content: bytes) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([sys.executable, "-c", program], input=content, capture_output=True, check=False)

    content = (tmp_path / "audit.jsonl").read_bytes()
    assert run(content).stdout.decode() == f"4 {receipt.hash}\n"
    assert run(content.replace(b'"number":2', b'"number":3')).returncode == 1


def test_files_are_their_owner_s_only(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "here"
    trails.write(trails.open_trail(folder), 1)
    assert sorted(path.name for path in folder.iterdir()) == [".audit.jsonl.lock", "audit.jsonl", "audit.jsonl.head"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_it_goes_on_over_restarts_and_files(tmp_path: Path) -> None:
    for run in range(5):
        trail = trails.open_trail(tmp_path, file_bytes=2200)
        receipts = trails.write(trail, 4, run * 4 + 1)
        assert [receipt.sequence for receipt in receipts] == list(range(run * 4 + 1, run * 4 + 5))
        trail.close()
    report = trails.verify(tmp_path)
    assert (report.records, report.head.sequence, report.notes) == (20, 20, [])
    assert report.files > 3
    assert all(path.stat().st_size <= 2200 for path in tmp_path.iterdir())
    assert [entry["record"]["details"]["number"] for entry in trails.entries(tmp_path)] == list(range(1, 21))


def test_eight_processes_make_one_chain(tmp_path: Path) -> None:
    running = [start("for _ in write(sys.argv[3], 500): pass", tmp_path, 100_000, number) for number in range(8)]
    for process in running:
        process.communicate(timeout=100)
        assert process.returncode == 0
    report = trails.verify(tmp_path)
    assert (report.records, report.notes) == (4000, [])
    assert report.files > 5
    assert sorted(actions(tmp_path)) == sorted(f"{who}.{number}" for who in range(8) for number in range(500))


def test_threads_and_forks(tmp_path: Path) -> None:
    code = """
        import threading
        def all_of(who, count): list(write(who, count))
        threads = [threading.Thread(target=all_of, args=(f"t{n}", 300)) for n in range(3)]
        for thread in threads: thread.start()
        children = []
        for child in range(20):
            pid = os.fork()
            if not pid:
                all_of(f"c{child}", 20)
                os._exit(0)
            children.append(pid)
        assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 20
        for thread in threads: thread.join()
        """
    process = start(code, tmp_path, 20_000)
    process.communicate(timeout=100)
    assert process.returncode == 0
    report = trails.verify(tmp_path)
    assert (report.records, report.notes) == (3 * 300 + 20 * 20, [])
    assert len(set(actions(tmp_path))) == report.records


def test_writers_that_are_killed(tmp_path: Path) -> None:
    code = """
        for receipt in write(sys.argv[3], 10**6):
            print(receipt.sequence, receipt.hash, flush=True)
        """
    survivor = start("for _ in write('survivor', 1500): pass", tmp_path, 5000)
    copies: dict[int, str] = {}
    for name in "abcdef":
        victim = start(code, tmp_path, 5000, name)
        assert victim.stdout is not None
        told, out = b"", victim.stdout.fileno()
        while told.count(b"\n") < 60:
            told += os.read(out, 4096)
        victim.send_signal(signal.SIGKILL)
        while rest := os.read(out, 4096):
            told += rest
        victim.communicate()
        copies.update((int(line.split()[0]), line.split()[1].decode()) for line in told.splitlines()[:-1])
    survivor.communicate()
    assert survivor.returncode == 0
    report = trails.verify(tmp_path, copies=copies)
    assert len(copies) >= 6 * 59
    assert len(copies) + 1500 <= report.records <= len(copies) + 1500 + 6 * 2
    assert len(set(actions(tmp_path))) == report.records


@pytest.mark.parametrize("key", [None, trails.KEY])
def test_a_writer_killed_at_every_byte_of_a_record(key: bytes | None, tmp_path: Path) -> None:
    trail = trails.open_trail(tmp_path, key)
    trails.write(trail, 2)
    before = trails.files(tmp_path)
    trails.write(trail, 1, 3)
    after = trails.files(tmp_path)
    trail.close()
    length = len(before["audit.jsonl"])
    for cut in range(length, len(after["audit.jsonl"]) + 1):
        trails.restore(tmp_path, {**before, "audit.jsonl": after["audit.jsonl"][:cut]})
        at_once = trails.verify(tmp_path, key)
        trails.write(trails.open_trail(tmp_path, key), 1, 4)
        later = trails.verify(tmp_path, key)
        if cut == length:
            assert (at_once.records, at_once.notes, later.records, later.notes) == (2, [], 3, [])
        elif cut == len(after["audit.jsonl"]):
            assert (at_once.records, later.records, later.notes) == (3, 4, [])
            assert "killed" in at_once.notes[0]
        elif cut == len(after["audit.jsonl"]) - 1:
            # All but the line's end.
            assert (at_once.records, later.records, later.notes) == (2, 4, [])
        else:
            assert (at_once.records, later.records) == (2, 4)
            assert "is half a record" in at_once.notes[0]
            assert later.notes == [
                f"audit.jsonl line 3 is half a record of {cut - length} bytes: a writer was killed, as record 3 says"
            ]


def test_killed_while_it_wrote_that_another_was_killed(tmp_path: Path) -> None:
    trails.write(trails.open_trail(tmp_path), 2)
    path = tmp_path / "audit.jsonl"
    before = path.read_bytes()
    half = before.splitlines(keepends=True)[0][:70]
    for second in (b"", b"\n", b"\n" + half[:20], b"\n" + half):
        path.write_bytes(before + half + second)
        head = (tmp_path / "audit.jsonl.head").read_bytes()
        trails.write(trails.open_trail(tmp_path), 2, 3)
        if second == b"\n":
            assert trails.problem(tmp_path) == "audit.jsonl line 3 is not a record of the trail"
        else:
            assert trails.verify(tmp_path).records == 5
        (tmp_path / "audit.jsonl.head").write_bytes(head)


@pytest.mark.parametrize("moment", ["renamed", "told", "begun"])
def test_killed_between_two_files(moment: str, tmp_path: Path) -> None:
    trails.write(trails.open_trail(tmp_path, file_bytes=900), 1)
    head = (tmp_path / "audit.jsonl.head").read_bytes()
    trails.write(trails.open_trail(tmp_path, file_bytes=900), 1, 2)
    assert (tmp_path / "audit.jsonl.000001").exists()
    # As it was before the second record, at each step on the way to it.
    (tmp_path / "audit.jsonl").unlink()
    if moment == "begun":
        (tmp_path / "audit.jsonl").touch()
    (tmp_path / "audit.jsonl.head").write_bytes(head)
    assert trails.verify(tmp_path).records == 1
    trails.write(trails.open_trail(tmp_path, file_bytes=900), 2, 3)
    report = trails.verify(tmp_path)
    assert (report.records, report.files, report.notes) == (3, 3, [])


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "disk", room=16384) as folder:
        yield folder


def test_a_full_disk(full_disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    trail = trails.open_trail(full_disk)
    record = canonical({"action": "act", "filling": "x" * 600})
    written = [trail.append(record) is not None for _ in range(50)]
    assert written[:5] == [True] * 5
    assert not written[-1]
    assert len(caplog.messages) == 1
    assert str(full_disk / "audit.jsonl") in caplog.messages[0]
    assert trails.verify(full_disk).records == sum(written)
    (full_disk / "filler").unlink()
    assert trail.append(record)
    report = trails.verify(full_disk)
    assert (report.records, report.notes) == (sum(written) + 1, [])
    trail.close()


def test_a_disk_that_was_full_from_the_beginning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with mounted(tmp_path / "disk") as folder:
        trail = trails.open_trail(folder)
        assert [trail.append('{"action":"act"}') for _ in range(3)] == [None] * 3
        assert len(caplog.messages) == 1
        (folder / "filler").unlink()
        trails.write(trail, 2)
        assert trails.verify(folder).records == 2
        trail.close()


def test_a_record_in_a_signal_handler_amid_another(tmp_path: Path) -> None:
    trail = trails.open_trail(tmp_path, file_bytes=50_000)
    handled = []
    before = signal.signal(signal.SIGALRM, lambda *_: handled.append(trail.append('{"action":"handled"}')))
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        trails.write(trail, 3000)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert handled
    assert all(receipt is not None and receipt.sequence for receipt in handled)
    report = trails.verify(tmp_path)
    assert (report.records, report.notes) == (3000 + len(handled), [])


@pytest.mark.slow
def test_verifying_while_others_write(tmp_path: Path) -> None:
    writer = start("for _ in write('writer', 100_000): pass", tmp_path, 20_000)
    try:
        while not (tmp_path / "audit.jsonl.000003").exists():
            assert writer.poll() is None
        counts = [trails.verify(tmp_path).records for _ in range(15)]
    finally:
        writer.kill()
        writer.communicate()
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]
