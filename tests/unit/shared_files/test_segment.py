"""Segments: whatever happened to the file, it opens, and what is whole in it is read."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from obs_run.files.segment import Segment, is_locked
from tests.examples import examples

if TYPE_CHECKING:
    from pathlib import Path

bodies = st.lists(st.binary(max_size=200), min_size=1, max_size=8)
same_folder = [HealthCheck.function_scoped_fixture]


def _written(path: Path, texts: list[bytes]) -> bytes:
    """Write a segment, and return what is in the file."""
    path.unlink(missing_ok=True)
    segment = Segment.create(path)
    for number, text in enumerate(texts):
        segment.append(text, number + 1, number, 1000.0 + number)
    segment.close()
    return path.read_bytes()


def _read(path: Path) -> list[bytes | None]:
    """Return the bodies of what is not done; None for what is damaged."""
    segment = Segment.claim(path)
    assert segment is not None
    found = [None if head is None else segment.read(head) for head in segment.heads()]
    segment.close()
    return found


def test_what_was_written_is_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a.segment"
    segment = Segment.create(path)
    first = segment.append(b"one", 7, 1, 1000.5)
    second = segment.append(b"", 8, 0, 1001.5, is_tried=True)
    assert [*segment.heads()] == [first, second]
    assert (first.items, first.flags, first.time, first.is_tried, second.is_tried) == (7, 1, 1000.5, False, True)
    assert [segment.read(first), segment.read(second)] == [b"one", b""]
    segment.note_tried(first)
    assert [head and head.is_tried for head in segment.heads()] == [True, True]
    segment.note_waiting(first)
    segment.note_done(second)
    assert [*segment.heads()] == [first]
    segment.delete()
    assert not path.exists()
    assert not segment.is_open()


def test_it_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Segment.create(tmp_path / "a.segment").close()
        os.umask(0o777)
        Segment.create(tmp_path / "b.segment").close()
    finally:
        os.umask(before)
    for name in ("a.segment", "b.segment"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_nobody_else_claims_it_while_it_is_open(tmp_path: Path) -> None:
    path = tmp_path / "a.segment"
    segment = Segment.create(path)
    assert Segment.claim(path) is None
    assert is_locked(path)
    segment.close()
    assert not is_locked(path)
    claimed = Segment.claim(path)
    assert claimed is not None
    assert Segment.claim(path) is None
    claimed.delete()
    assert Segment.claim(path) is None


def test_links_folders_and_pipes_are_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"of somebody")
    link, pipe, folder = tmp_path / "link.segment", tmp_path / "pipe.segment", tmp_path / "folder.segment"
    link.symlink_to(target)
    os.mkfifo(pipe)
    folder.mkdir()
    with pytest.raises(OSError, match="symbolic"):
        Segment.claim(link)
    (tmp_path / ".link.segment").symlink_to(target)
    with pytest.raises(FileExistsError):
        Segment.create(link)
    assert Segment.claim(pipe) is None
    with pytest.raises(IsADirectoryError):
        Segment.claim(folder)
    assert target.read_bytes() == b"of somebody"


@given(bodies, st.data())
@hypothesis_settings(max_examples=examples(200), suppress_health_check=same_folder)
def test_a_torn_tail_costs_the_last_record_at_most(tmp_path: Path, texts: list[bytes], data: st.DataObject) -> None:
    path = tmp_path / "a.segment"
    whole = _written(path, texts)
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    found = _read(path)
    kept = [body for body in found if body is not None]
    assert kept == texts[: len(kept)]
    assert len(found) - len(kept) <= (1 if cut >= 16 else 2)
    # As after a power failure: the size is there, and the end of what was written is not.
    path.write_bytes(whole[:cut].ljust(len(whole), b"\0"))
    kept = [body for body in _read(path) if body is not None]
    assert kept == texts[: len(kept)]


@given(bodies, st.lists(st.tuples(st.integers(0, 10_000), st.binary(min_size=1, max_size=40)), max_size=4))
@hypothesis_settings(max_examples=examples(200), suppress_health_check=same_folder)
def test_changed_bytes_cost_what_they_are_in(
    tmp_path: Path, texts: list[bytes], changes: list[tuple[int, bytes]]
) -> None:
    path = tmp_path / "a.segment"
    content = bytearray(_written(path, texts))
    for place, other in changes:
        at = place % len(content)
        content[at : at + len(other)] = other[: len(content) - at]
    path.write_bytes(content)
    left = list(texts)
    for body in _read(path):
        if body is not None:
            assert body in left
            del left[: left.index(body) + 1]


@given(st.binary(max_size=500) | st.lists(st.sampled_from([b"oRec", b"oTry", b"\xff" * 9])).map(b"".join))
@hypothesis_settings(max_examples=examples(200), suppress_health_check=same_folder)
def test_any_file_opens(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.segment"
    path.write_bytes(content)
    assert [body for body in _read(path) if body is not None] == []


def test_a_writer_that_is_killed_loses_nothing_that_it_had_written(tmp_path: Path) -> None:
    script = dedent(
        """
        import sys
        from pathlib import Path
        from obs_run.files.segment import Segment
        segment = Segment.create(Path(sys.argv[1]))
        number = 0
        while True:
            segment.append(b"%d " % number * 2000, 1, 0, 1.0)
            print(number, flush=True)
            number += 1
        """
    )
    path = tmp_path / "a.segment"
    writer = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    for _ in range(50):
        written = int(writer.stdout.readline())
    writer.send_signal(signal.SIGKILL)
    rest, _ = writer.communicate()
    written = int([str(written), *rest.split()][-1])
    found = _read(path)
    whole = [b"%d " % number * 2000 for number in range(len(found))]
    assert len(found) > written
    assert found[: written + 1] == whole[: written + 1]
    assert all(body is None or body == text for body, text in zip(found, whole, strict=True))
