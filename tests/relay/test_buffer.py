"""Records in memory: none is lost, torn or doubled, whatever happens to the process that writes them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from obs_run.buffer import segment
from obs_run.buffer.reader import DamagedError, SegmentReader
from obs_run.buffer.writer import Writer
from tests.examples import examples

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

OPENING = b"opening"


def writer(folder: Path, most_bytes: int = 64 << 20) -> Writer:
    return Writer(str(folder), most_bytes, lambda: OPENING, lambda lost: b"lost %d" % lost)


def buffers(folder: Path) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for path in folder.iterdir():
        parsed = segment.parse_name(path.name)
        if parsed is not None:
            found.setdefault(parsed[0], []).append(parsed[1])
    return found


def read_any(folder: Path) -> Iterator[bytes]:
    """Yield the records of segments some of which are gone."""
    for buffer, numbers in buffers(folder).items():
        for number in sorted(numbers):
            reader = SegmentReader(str(folder / segment.name_of(buffer, number)))
            yield from (payload for _, payload in reader.records(1 << 40))
            reader.close()


def read(folder: Path) -> Iterator[bytes]:
    """Yield all records but the openings."""
    for buffer, numbers in buffers(folder).items():
        assert sorted(numbers) == list(range(len(numbers)))
        for number in sorted(numbers):
            reader = SegmentReader(str(folder / segment.name_of(buffer, number)))
            payloads = [payload for _, payload in reader.records(1 << 40)]
            reader.close()
            if number == 0:
                assert payloads.pop(0) == OPENING
            yield from payloads


def test_records_come_back_in_order_over_many_segments(memory: Path) -> None:
    written = [os.urandom(random.choice((1, 40, 5000))) for _ in range(2000)]
    to = writer(memory)
    for payload in written:
        to.put(payload)
    assert list(read(memory)) == written
    assert to.lost == 0


def test_a_record_larger_than_a_segment_has_one_of_its_own(memory: Path) -> None:
    to = writer(memory)
    written = [b"a", os.urandom(3 << 20), b"b"]
    for payload in written:
        to.put(payload)
    assert list(read(memory)) == written


def test_what_finds_no_room_is_counted_and_the_rest_is_whole(memory: Path) -> None:
    to = writer(memory, most_bytes=4 * segment.SIZE)
    for _ in range(2000):
        to.put(b"x" * 1000)
    kept = len(list(read(memory)))
    assert to.lost == 2000 - kept
    assert kept > 900


def test_room_is_found_again_when_the_relay_has_read(memory: Path) -> None:
    to = writer(memory, most_bytes=2 * segment.SIZE)
    while not to.lost:
        to.put(b"x" * 1000)
    for buffer, numbers in buffers(memory).items():
        for number in sorted(numbers)[:-1]:
            (memory / segment.name_of(buffer, number)).unlink()
    lost = to.lost
    to.put(b"y" * 1000)
    assert to.lost == 0
    assert b"lost %d" % lost in list(read_any(memory))


def test_what_is_not_vital_leaves_room_for_what_is(memory: Path) -> None:
    to = writer(memory, most_bytes=16 * segment.SIZE)
    while not to.lost:
        to.put(b"x" * 1000, is_vital=False)
    assert not to.has_room()
    for _ in range(200):
        to.put(b"y" * 1000)
    assert to.lost == 0
    assert sum(payload.startswith(b"y") for payload in read(memory)) == 200


def test_nothing_is_lost_by_threads_and_signal_handlers(memory: Path) -> None:
    to = writer(memory)
    numbers = iter(range(1 << 62))
    by_handler = 0

    def handle(*_: object) -> None:
        nonlocal by_handler
        by_handler += 1
        to.put(b"%d" % next(numbers) + b"h" * 400)

    def write() -> None:
        for _ in range(5000):
            to.put(b"%d" % next(numbers) + b"t" * 400)

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        write()
        for thread in threads:
            thread.join()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    counted = Counter(read(memory))
    assert set(counted.values()) == {1}
    assert by_handler > 0
    assert len(counted) == 5 * 5000 + by_handler


@pytest.mark.slow
def test_a_record_finds_room_though_others_fill_the_next_segment_at_once(memory: Path) -> None:
    to = writer(memory, most_bytes=1 << 30)
    others: list[threading.Thread] = []
    record = b"r" * (segment.SIZE * 2 // 5)

    def write_three() -> None:
        for _ in range(3):
            to.put(record)

    def at_each_line(frame: FrameType, event: str, _: object) -> object:
        code = frame.f_code
        if not code.co_filename.endswith("writer.py") or code.co_name.startswith("<"):
            return None
        if event == "line":
            others.append(threading.Thread(target=write_three))
            others[-1].start()
            others[-1].join(0.01)
        return at_each_line

    sys.settrace(at_each_line)  # type: ignore[arg-type]
    try:
        write_three()
    finally:
        sys.settrace(None)
    for other in others:
        other.join()
    assert len(others) > 20
    assert list(read(memory)) == [record] * 3 * (1 + len(others))


def test_a_forked_child_writes_into_a_buffer_of_its_own(memory: Path) -> None:
    to = writer(memory)
    to.put(b"parent")
    child = os.fork()
    if not child:
        to.put(b"child")
        os._exit(0)
    os.waitpid(child, 0)
    to.put(b"parent again")
    assert len(buffers(memory)) == 2
    assert sorted(read(memory)) == [b"child", b"parent", b"parent again"]


KILLED = """
import os, sys, threading
from obs_run.buffer.writer import Writer
to = Writer(sys.argv[1], 256 << 20, lambda: b"opening", lambda lost: b"lost %d" % lost)
def write(name):
    number = 0
    while True:
        to.put(b"%d %d " % (name, number) + b"x" * 300)
        # Said only when it is written.
        os.write(1, b"%d %d\\n" % (name, number))
        number += 1
for name in range(3):
    threading.Thread(target=write, args=(name,), daemon=True).start()
write(3)
"""


@pytest.mark.parametrize("_", range(examples(10)))
def test_what_was_written_is_there_after_kill_9(memory: Path, tmp_path: Path, _: int) -> None:
    said = tmp_path / "said"
    with said.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(memory)], stdout=file)
        while not said.stat().st_size:
            time.sleep(0.01)
        time.sleep(random.uniform(0, 0.2))
        process.kill()
        process.wait()
    written = {tuple(payload.split()[:2]) for payload in read(memory)}
    lines = said.read_bytes().split(b"\n")[:-1]
    assert {tuple(line.split()) for line in lines} <= written


@pytest.mark.parametrize("_", range(examples(30)))
def test_hostile_bytes_are_refused_or_read_to_an_end(memory: Path, _: int) -> None:
    to = writer(memory)
    for _number in range(20):
        to.put(os.urandom(100))
    (path,) = [each for each in memory.iterdir() if segment.parse_name(each.name)]
    data = bytearray(path.read_bytes())
    for _number in range(random.randrange(1, 50)):
        data[random.randrange(3000)] = random.randrange(256)
    path.write_bytes(data[: random.choice((10, 100, 3000, len(data)))])
    try:
        reader = SegmentReader(str(path))
    except DamagedError:
        return
    assert len(list(reader.records(1 << 40))) <= 21
    reader.close()


def test_a_file_of_another_kind_is_no_segment(memory: Path) -> None:
    (memory / "1-a.0").symlink_to("/etc/passwd")
    (memory / "1-b.0").mkdir()
    (memory / "1-c.0").write_bytes(b"short")
    for name in ("1-a.0", "1-b.0", "1-c.0", "1-d.0"):
        with pytest.raises(OSError, match=r"\[Errno|not a segment"):
            SegmentReader(str(memory / name))


def test_who_closes_all_descriptors_is_not_harmed(memory: Path) -> None:
    program = """
import os, sys, tempfile
from obs_run.buffer.writer import Writer
to = Writer(sys.argv[1], 64 << 20, lambda: b"opening", lambda lost: b"lost %d" % lost)
to.put(b"before")
os.closerange(3, 1000)
own = [os.open(os.path.join(sys.argv[2], str(n)), os.O_RDWR | os.O_CREAT) for n in range(300)]
for _ in range(3000):
    to.put(b"x" * 400)
for n, descriptor in enumerate(own):
    os.write(descriptor, b"%d" % n)
"""
    folder = memory / "own"
    folder.mkdir()
    subprocess.run([sys.executable, "-c", program, str(memory), str(folder)], check=True)
    assert all((folder / str(number)).read_bytes() == b"%d" % number for number in range(300))
    assert len(list(read(memory))) == 3001
