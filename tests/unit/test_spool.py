"""The spool: bounded, in order, shared by processes, and no place for secrets."""

from __future__ import annotations

import os
import stat
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from obs_run.base import guard
from obs_run.pipeline import spool as spool_module
from obs_run.pipeline.losses import (
    BUFFER_FULL,
    NOT_DELIVERED,
    SPOOL_DAMAGED,
    SPOOL_DROPPED,
    SPOOL_FULL,
    SPOOL_OLD,
    Losses,
    Reason,
)
from obs_run.pipeline.request_buffer import Delivered, Left, Replayed, Request, RequestBuffer, RetryLater
from obs_run.pipeline.spool import Spool, compressed
from obs_run.pipeline.spool_folder import OtlpEndpoint, endpoints, files
from tests import full_disk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from obs_run.pipeline.request_buffer import Outcome

ENDPOINT = OtlpEndpoint(
    "traces", "http/protobuf", "http://collector/v1/traces", "http://collector/v1/traces?key=hidden"
)
OTHER = ENDPOINT._replace(key="http://other/v1/traces")
AWAY = RetryLater("away")
UNANSWERED = RetryLater("no answer", may_have_arrived=True)


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_said", set())
    monkeypatch.setattr(guard, "_failures", set())


class Clock:
    """The time that everybody sees."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def time_ns(self) -> int:
        self.now += 1e-6
        return int(self.now * 1e9)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("obs_run.pipeline.request_buffer.time", made)
    monkeypatch.setattr(spool_module, "time", made)
    monkeypatch.setattr("obs_run.pipeline.spool_folder.time", made)
    return made


class Process:
    """What one process has of a spool, for one destination that answers as it is told."""

    def __init__(
        self,
        folder: Path,
        endpoint: OtlpEndpoint = ENDPOINT,
        *,
        most_bytes: int = 1 << 20,
        spool_bytes: int = 1 << 24,
        keep: float = 0,
    ) -> None:
        self.losses = Losses()
        self.counted: Counter[Reason] = Counter()
        self.repeated = 0
        self.spool = Spool(folder, spool_bytes, keep, self.losses)
        self.buffer = RequestBuffer(
            most_bytes,
            10.0,
            lambda number, reason: self.counted.update({reason: number}),
            spool=self.spool.of(endpoint),
            count_repeated=self.count_repeated,
        )
        self.answer: Callable[[], Outcome] = Delivered
        self.arrived: list[str] = []

    def count_repeated(self, number: int) -> None:
        self.repeated += number

    def send(self, request: Request, until: float) -> Outcome:
        del until
        outcome = self.answer()
        if isinstance(outcome, Delivered):
            self.arrived.append(request.body.decode() if request.body[:1] != b"\x1f" else _unpacked(request.body))
        return outcome

    def put(self, *texts: str, size: int = 0) -> None:
        for text in texts:
            self.buffer.add(Request(compressed(text.encode()).ljust(size, b"\0"), 10))
        self.deliver()

    def deliver(self, deadline: float | None = None) -> None:
        self.buffer.deliver(self.send, deadline)

    def lost(self) -> dict[str, int]:
        counts: Counter[str] = Counter()
        counts.update(self.counted)
        for loss, number in self.losses.take_counts().items():
            counts[loss.reason] += number
        return dict(counts)


def _unpacked(body: bytes) -> str:
    import zlib

    return zlib.decompressobj(31).decompress(body).decode()


def test_a_later_process_sends_it_in_order_and_once(tmp_path: Path, clock: Clock) -> None:
    process = Process(tmp_path / "spool")
    process.answer = lambda: AWAY
    process.put("a", "b", "c")
    assert process.buffer.close(NOT_DELIVERED) == Left(0, 30)
    assert process.lost() == {}

    later = Process(tmp_path / "spool")
    later.put("fresh")
    assert later.arrived == ["fresh", "a", "b", "c"]
    assert (later.repeated, later.lost()) == (0, {})
    assert files(tmp_path / "spool") == []
    clock.now += 60
    another = Process(tmp_path / "spool")
    another.put("x")
    assert another.arrived == ["x"]


def test_the_same_process_sends_it_in_order(tmp_path: Path, clock: Clock) -> None:
    process = Process(tmp_path / "spool")
    process.answer = lambda: AWAY
    for number in range(20):
        process.put(str(number))
        clock.now += 1
    assert process.buffer.bytes < 20 * len(compressed(b"10")), "most of it is on the disk"
    process.answer = Delivered
    process.put("last")
    clock.now += 60
    process.deliver()
    assert process.arrived == [*map(str, range(20)), "last"]
    assert files(tmp_path / "spool") == []


def test_each_endpoint_has_its_own(tmp_path: Path) -> None:
    process = Process(tmp_path / "spool")
    process.answer = lambda: AWAY
    process.put("a")
    process.buffer.close(NOT_DELIVERED)
    other = Process(tmp_path / "spool", OTHER)
    other.put("fresh")
    assert other.arrived == ["fresh"]


def test_only_what_may_have_arrived_is_counted_as_repeated(tmp_path: Path, clock: Clock) -> None:
    process = Process(tmp_path / "spool")
    answers: Iterator[Outcome] = iter([UNANSWERED, Delivered(), AWAY, Delivered()])
    process.answer = lambda: next(answers)
    process.put("a")
    clock.now += 60
    process.deliver()
    process.put("b")
    clock.now += 60
    process.deliver()
    assert (process.arrived, process.repeated) == (["a", "b"], 10)


@pytest.mark.slow
def test_what_a_process_was_sending_as_it_ended_may_be_double(tmp_path: Path) -> None:
    process = Process(tmp_path / "spool")

    def be_killed() -> Outcome:
        process.buffer.close(NOT_DELIVERED)
        return Delivered()

    process.answer = be_killed
    process.put("a")
    later = Process(tmp_path / "spool")
    later.put("fresh")
    assert (later.arrived, later.repeated) == (["fresh", "a"], 10)


def test_a_process_that_is_killed_as_it_sends_from_the_disk_leaves_that_marked(tmp_path: Path, clock: Clock) -> None:
    process = Process(tmp_path / "spool")
    process.answer = lambda: AWAY
    process.put("a", "b")
    process.buffer.close(NOT_DELIVERED)

    class KilledError(BaseException):
        pass

    def be_killed() -> Outcome:
        raise KilledError

    killed = Process(tmp_path / "spool")
    killed.put("fresh")
    clock.now += 60
    process = Process(tmp_path / "spool")
    process.answer = lambda: AWAY
    process.put("c", "d")
    process.buffer.close(NOT_DELIVERED)
    killed = Process(tmp_path / "spool")
    killed.answer = be_killed
    with pytest.raises(KilledError):
        killed.buffer.replay(killed.send)
    for segment in killed.spool.open.values():
        segment.file.close()
    last = Process(tmp_path / "spool")
    assert last.buffer.replay(last.send) == Replayed(2, 20, None)
    assert (last.arrived, last.repeated) == (["c", "d"], 10)


def test_what_others_left_holds_up_nothing_of_this_process(tmp_path: Path, clock: Clock) -> None:
    process = Process(tmp_path / "spool")
    process.answer = lambda: AWAY
    process.put("poison")
    process.buffer.close(NOT_DELIVERED)
    later = Process(tmp_path / "spool")
    answers: Iterator[Outcome] = iter(
        [Delivered(), UNANSWERED, Delivered(), Delivered(), AWAY, Delivered(), Delivered()]
    )
    later.answer = lambda: next(answers)
    later.put("a")
    assert later.buffer.seconds_until_due() == pytest.approx(30)
    later.put("b")
    assert later.arrived == ["a", "b"], "and what others left is not tried again at once"
    clock.now += 30
    later.put("c")
    clock.now += 30
    later.put("d")
    assert (later.arrived, later.repeated) == (["a", "b", "c", "d", "poison"], 10)


def test_two_processes_at_once_send_nothing_twice(tmp_path: Path, clock: Clock) -> None:
    for number in range(6):
        process = Process(tmp_path / "spool")
        process.answer = lambda: AWAY
        process.put(f"{number} a", f"{number} b")
        process.buffer.close(NOT_DELIVERED)
    living = Process(tmp_path / "spool")
    living.answer = lambda: AWAY
    living.put("of the living")
    clock.now += 3
    living.deliver()
    both = [Process(tmp_path / "spool"), Process(tmp_path / "spool")]
    for number in range(6):
        for process in both:
            process.put(f"fresh {number}")
            clock.now += 60
    found = sorted(text for process in both for text in process.arrived if not text.startswith("fresh"))
    assert found == sorted(f"{number} {letter}" for number in range(6) for letter in "ab")


def test_a_share_at_a_time_and_fresh_data_first(tmp_path: Path, clock: Clock) -> None:
    process = Process(tmp_path / "spool")
    process.answer = lambda: AWAY
    process.put(*map(str, range(5)), size=400_000)
    process.buffer.close(NOT_DELIVERED)
    later = Process(tmp_path / "spool")
    later.put("fresh")
    assert len(later.arrived) == 4
    assert later.buffer.seconds_until_due() == pytest.approx(1)
    later.put("fresh")
    assert len(later.arrived) == 5
    clock.now += 1
    later.deliver()
    assert len(later.arrived) == 7
    assert later.buffer.seconds_until_due() is None


def test_nobody_who_leaves_sends_for_others(tmp_path: Path) -> None:
    process = Process(tmp_path / "spool")
    process.answer = lambda: AWAY
    process.put("a")
    process.buffer.close(NOT_DELIVERED)
    later = Process(tmp_path / "spool")
    later.buffer.add(Request(compressed(b"fresh"), 1))
    later.deliver(1e12)
    assert later.arrived == ["fresh"]


def test_the_oldest_go_when_it_is_full(tmp_path: Path, clock: Clock) -> None:
    process = Process(tmp_path / "spool", spool_bytes=1 << 16)
    process.answer = lambda: AWAY
    for number in range(100):
        process.put(f"{number:03d}", size=2000)
        clock.now += 1
    clock.now += 60
    process.deliver()
    assert sum(size for _, size in files(tmp_path / "spool")) <= 1 << 16
    process.answer = Delivered
    clock.now += 60
    process.deliver()
    assert process.arrived == [f"{number:03d}" for number in range(100 - len(process.arrived), 100)]
    assert len(process.arrived) > 20
    assert process.lost() == {SPOOL_FULL: 10 * (100 - len(process.arrived))}


def test_what_others_left_goes_first_when_it_is_full(tmp_path: Path, clock: Clock) -> None:
    for endpoint in (ENDPOINT, OTHER):
        process = Process(tmp_path / "spool", endpoint)
        process.answer = lambda: AWAY
        process.put("old", size=20_000)
        process.buffer.close(NOT_DELIVERED)
        clock.now += 1
    process = Process(tmp_path / "spool", spool_bytes=1 << 16)
    process.answer = lambda: AWAY
    process.put("a", "b", size=20_000)
    process.buffer.close(NOT_DELIVERED)
    assert process.lost() == {SPOOL_FULL: 10}
    assert len(files(tmp_path / "spool")) == 3


def test_what_is_too_old_is_not_sent(tmp_path: Path, clock: Clock) -> None:
    process = Process(tmp_path / "spool", keep=3600)
    process.answer = lambda: AWAY
    process.put("old")
    process.buffer.close(NOT_DELIVERED)
    clock.now += 3000
    process = Process(tmp_path / "spool", keep=3600)
    process.answer = lambda: AWAY
    process.put("young")
    process.buffer.close(NOT_DELIVERED)
    clock.now += 1000
    later = Process(tmp_path / "spool", keep=3600)
    later.put("fresh")
    later.deliver()
    clock.now += 60
    later.deliver()
    assert later.arrived == ["fresh", "young"]
    assert later.lost() == {SPOOL_OLD: 10}


def test_damage_is_counted(tmp_path: Path) -> None:
    process = Process(tmp_path / "spool")
    process.answer = lambda: AWAY
    process.put("a", "b", "c")
    process.buffer.close(NOT_DELIVERED)
    [(path, size)] = files(tmp_path / "spool")
    content = bytearray(path.read_bytes())
    content[size - 3] ^= 255
    path.write_bytes(content)
    later = Process(tmp_path / "spool")
    later.put("fresh")
    assert later.arrived == ["fresh", "a", "b"]
    assert later.lost() == {SPOOL_DAMAGED: 10}


def test_what_somebody_deletes_is_counted(tmp_path: Path, clock: Clock) -> None:
    process = Process(tmp_path / "spool")
    process.answer = lambda: AWAY
    process.put("a")
    clock.now += 3
    process.deliver()
    [(path, _)] = files(tmp_path / "spool")
    path.unlink()
    process.put("b")
    clock.now += 3
    process.deliver()
    process.answer = Delivered
    clock.now += 60
    process.deliver()
    assert (process.arrived, process.lost()) == (["b"], {SPOOL_DROPPED: 10})


def test_what_the_program_closed_is_found_again(tmp_path: Path, clock: Clock) -> None:
    """Who becomes a daemon closes all descriptors, and with ours the lock is gone."""
    process = Process(tmp_path / "spool")
    process.answer = lambda: AWAY
    process.put("a")
    clock.now += 3
    process.deliver()
    [segment] = process.spool.open.values()
    os.close(segment.file._descriptor)
    process.answer = Delivered
    clock.now += 60
    process.put("b")
    assert (process.arrived, process.lost(), files(tmp_path / "spool")) == (["b", "a"], {}, [])


def test_without_a_disk_it_is_memory_as_before_and_said_once(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_bytes(b"")
    process = Process(tmp_path / "file" / "spool", most_bytes=200)
    process.answer = lambda: AWAY
    for number in range(10):
        process.put(str(number), size=50)
        clock.now += 40
    assert len(process.buffer) == 4
    assert process.lost() == {BUFFER_FULL: 60}
    assert [line for line in caplog.messages if "spool" in line] == [
        f"obs-run: the spool {tmp_path / 'file' / 'spool'} cannot be written (File exists); see OBS_SPOOL"
    ]
    assert process.buffer.close(NOT_DELIVERED) == Left(40, 0)


def test_a_full_disk_is_said_once_and_what_is_written_stays_whole(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with full_disk.mounted(tmp_path / "disk", room=20_000) as disk:
        process = Process(disk / "spool", most_bytes=10_000)
        process.answer = lambda: AWAY
        for number in range(20):
            process.put(f"{number:02d}", size=2000)
            clock.now += 40
        process.answer = Delivered
        clock.now += 60
        process.deliver()
        lost = process.lost()[BUFFER_FULL] // 10
        assert len(process.arrived) + lost == 20
        assert len(process.arrived) >= 8
        assert process.arrived == sorted(process.arrived)
    assert sum("No space left" in line for line in caplog.messages) == 1


@pytest.mark.parametrize("is_link", [False, True])
def test_what_others_may_write_to_is_not_used(
    tmp_path: Path, *, is_link: bool, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "spool"
    if is_link:
        (tmp_path / "elsewhere").mkdir()
        folder.symlink_to(tmp_path / "elsewhere")
    else:
        folder.mkdir()
        folder.chmod(0o777)
    process = Process(folder)
    process.answer = lambda: AWAY
    process.put("a")
    left = process.buffer.close(NOT_DELIVERED)
    if is_link:
        assert left == Left(10, 0)
        assert "not a folder" in caplog.text
        assert list((tmp_path / "elsewhere").iterdir()) == []
    else:
        assert left == Left(0, 10)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_folders_and_files_are_the_users_and_name_no_secret(tmp_path: Path) -> None:
    process = Process(tmp_path / "a" / "spool")
    process.answer = lambda: AWAY
    process.put("a")
    process.buffer.close(NOT_DELIVERED)
    everything = list((tmp_path / "a").rglob("*"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in everything if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in everything if path.is_file()} == {0o600}
    content = b"".join(path.read_bytes() + bytes(path) for path in everything if path.is_file())
    assert b"hidden" not in content
    [(endpoint, _)] = endpoints(tmp_path / "a" / "spool")
    assert endpoint == ENDPOINT._replace(key="")


@pytest.mark.slow
@pytest.mark.parametrize("is_gzip", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_an_outage_of_an_hour_loses_nothing(tmp_path: Path, clock: Clock, *, is_gzip: bool) -> None:
    """20 spans a second with prompts of 2 kB, as they wait for HTTP (compressed) and for gRPC."""
    process = Process(tmp_path / "spool", most_bytes=(32 << 20) // 3, spool_bytes=256 << 20)
    process.buffer._is_gzip = is_gzip
    process.answer = lambda: AWAY
    for second in range(3600):
        # Random texts: nothing that makes a request smaller than in life.
        text = f"{second:04d}".encode() + os.urandom(20 * 1000).hex().encode()
        process.buffer.add(Request(compressed(text) if is_gzip else text, 20))
        process.deliver()
        clock.now += 1
        assert process.buffer.bytes < 4 << 20
    process.answer = Delivered
    clock.now += 60
    process.deliver()
    assert [int(text[:4]) for text in process.arrived] == list(range(3600))
    assert (process.lost(), process.repeated, files(tmp_path / "spool")) == ({}, 0, [])
