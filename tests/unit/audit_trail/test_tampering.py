"""Whatever is done to a trail, verifying finds it; what it may not find stands here, too."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obs_run.audit_trail.entry import canonical
from obs_run.audit_trail.findings import NeedsKeyError
from tests.examples import examples
from tests.unit.audit_trail import trails

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = 14
EXAMPLES = settings(max_examples=examples(250), deadline=None)


class Untouched:
    """A trail in several files, and the folder that it is put into anew for each try."""

    def __init__(self, folder: Path, key: bytes | None) -> None:
        self.folder, self.key = folder, key
        trails.write(trails.open_trail(folder, key, file_bytes=1600), RECORDS)
        self.files = trails.files(folder)
        self.logs = sorted(name for name in self.files if not name.endswith(".head"))
        assert len(self.logs) >= 4
        assert trails.verify(folder, key).records == RECORDS

    def problem(self, changed: dict[str, bytes]) -> str | None:
        assert changed != self.files
        trails.restore(self.folder, changed)
        return trails.problem(self.folder, self.key)


@pytest.fixture(scope="module", params=[None, trails.KEY], ids=["plain", "keyed"])
def untouched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Untouched:
    return Untouched(tmp_path_factory.mktemp("trail"), request.param)


@EXAMPLES
@given(data=st.data())
def test_any_byte_that_is_changed(untouched: Untouched, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(untouched.files)))
    content = bytearray(untouched.files[name])
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    assert untouched.problem({**untouched.files, name: bytes(content)})


@pytest.mark.slow
def test_every_bit_of_a_line_and_of_the_head(untouched: Untouched) -> None:
    head, first = "audit.jsonl.head", untouched.logs[0]
    for name, length in ((first, untouched.files[first].index(b"\n") + 1), (head, len(untouched.files[head]))):
        for at in range(length):
            content = bytearray(untouched.files[name])
            content[at] ^= 1 << (at % 8)
            assert untouched.problem({**untouched.files, name: bytes(content)}), (name, at)


@EXAMPLES
@given(data=st.data())
def test_any_file_that_is_cut(untouched: Untouched, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(untouched.files)))
    content = untouched.files[name]
    cut = content[: data.draw(st.integers(0, len(content) - 1))]
    assert untouched.problem({**untouched.files, name: cut})


@pytest.mark.slow
def test_the_last_file_cut_at_every_byte(untouched: Untouched) -> None:
    content = untouched.files["audit.jsonl"]
    for length in range(len(content)):
        found = untouched.problem({**untouched.files, "audit.jsonl": content[:length]})
        assert found is not None
        assert "missing" in found


@EXAMPLES
@given(data=st.data())
def test_lines_that_are_removed_swapped_repeated_or_inserted(untouched: Untouched, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(untouched.logs))
    lines = untouched.files[name].splitlines(keepends=True)
    every = [line for log in untouched.logs for line in untouched.files[log].splitlines(keepends=True)]
    at = data.draw(st.integers(0, len(lines) - 1))
    how = data.draw(st.sampled_from(["remove", "swap", "repeat", "insert", "garbage"]))
    if how == "remove":
        count = data.draw(st.integers(1, len(lines) - at))
        del lines[at : at + count]
    elif how == "swap":
        other = data.draw(st.integers(0, len(lines) - 1).filter(lambda index: index != at or len(lines) == 1))
        lines[at], lines[other] = lines[other], lines[at]
        if len(lines) == 1:
            lines[0] = every[0 if lines[0] != every[0] else 1]
    elif how == "repeat":
        lines.insert(data.draw(st.integers(0, len(lines))), lines[at])
    elif how == "insert":
        lines.insert(at, data.draw(st.sampled_from(every)))
    else:
        lines.insert(data.draw(st.integers(0, len(lines))), data.draw(st.binary(max_size=40)) + b"\n")
    assert untouched.problem({**untouched.files, name: b"".join(lines)})


@EXAMPLES
@given(data=st.data())
def test_files_that_are_deleted_renamed_swapped_or_copied(untouched: Untouched, data: st.DataObject) -> None:
    changed = dict(untouched.files)
    names = sorted(changed)
    name, other = data.draw(st.sampled_from(names)), data.draw(st.sampled_from(names))
    how = data.draw(st.sampled_from(["delete", "rename", "swap", "copy"]))
    if how == "swap" and name != other:
        changed[name], changed[other] = changed[other], changed[name]
    elif how == "copy":
        number = data.draw(st.integers(0, 20).filter(lambda number: f"audit.jsonl.{number:06d}" not in changed))
        changed[f"audit.jsonl.{number:06d}"] = changed[name]
    else:
        content = changed.pop(name)
        if how == "rename":
            new = data.draw(st.sampled_from(["audit.jsonl.000017", "audit.jsonl.000000", "audit.jsonl.old", other]))
            if new != name:
                changed[new] = content
    assert untouched.problem(changed)


def test_all_files_but_the_head_are_deleted(untouched: Untouched) -> None:
    found = untouched.problem({"audit.jsonl.head": untouched.files["audit.jsonl.head"]})
    assert (
        found == f"records 1 to {RECORDS} are missing with audit.jsonl: the end was cut, audit.jsonl.head tells of them"
    )


def test_heads_of_other_moments(tmp_path: Path) -> None:
    trail = trails.open_trail(tmp_path)
    heads = []
    for number in range(1, 6):
        trails.write(trail, 1, number)
        heads.append((tmp_path / "audit.jsonl.head").read_bytes())
    for head in heads[:3]:
        (tmp_path / "audit.jsonl.head").write_bytes(head)
        assert "older" in (trails.problem(tmp_path) or "")
    # One record behind is what a writer leaves that is killed; no record is missing then.
    (tmp_path / "audit.jsonl.head").write_bytes(heads[3])
    report = trails.verify(tmp_path)
    assert report.records == 5
    assert report.notes == ["audit.jsonl.head does not tell of the last record 5: its writer was killed"]


def test_whoever_has_no_key_cannot_make_a_trail(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "forged").mkdir()
    (tmp_path / "real").mkdir()
    trails.write(trails.open_trail(tmp_path / "forged"), 5)
    assert trails.problem(tmp_path / "forged", trails.KEY) == "no record was written with the key"
    trails.write(trails.open_trail(tmp_path / "forged", b"another key"), 5)
    assert "another key" in (trails.problem(tmp_path / "forged", trails.KEY) or "")

    trails.write(trails.open_trail(tmp_path / "real", trails.KEY), 5)
    trails.write(trails.open_trail(tmp_path / "real"), 1)
    found = trails.problem(tmp_path / "real", trails.KEY)
    assert found == "audit.jsonl line 6, record 6: was written without a key, entries before it with one"
    assert len(caplog.messages) == 1
    assert "this process writes without a key" in caplog.messages[0]


def test_a_wrong_key_and_none(tmp_path: Path) -> None:
    trails.write(trails.open_trail(tmp_path, trails.KEY), 3)
    assert trails.verify(tmp_path, trails.KEY).records == 3
    assert (trails.problem(tmp_path, b"wrong") or "").startswith(
        "audit.jsonl line 1, record 1: was written with another"
    )
    with pytest.raises(NeedsKeyError):
        trails.verify(tmp_path)


def test_a_key_from_some_record_on(tmp_path: Path) -> None:
    trails.write(trails.open_trail(tmp_path), 2)
    trails.write(trails.open_trail(tmp_path, trails.KEY), 2)
    report = trails.verify(tmp_path, trails.KEY)
    assert report.notes == ["audit.jsonl line 3, record 3: from here on the trail is kept with a key"]
    # What was written before is sealed by what was written with the key.
    lines = (tmp_path / "audit.jsonl").read_bytes().splitlines(keepends=True)
    entry = json.loads(lines[1])["entry"]
    entry["record"]["action"] = "forged"
    raw = canonical(entry).encode()
    lines[1] = b'{"entry":' + raw + b',"hash":"' + hashlib.sha256(raw).hexdigest().encode() + b'"}\n'
    (tmp_path / "audit.jsonl").write_bytes(b"".join(lines))
    assert "does not follow" in (trails.problem(tmp_path, trails.KEY) or "")


def test_a_rollback_is_found_by_a_copy_kept_elsewhere(tmp_path: Path) -> None:
    trail = trails.open_trail(tmp_path)
    trails.write(trail, 3)
    before = trails.files(tmp_path)
    copy = trails.write(trail, 2, 4)[-1]
    assert copy.sequence == 5
    assert copy.hash is not None
    assert trails.verify(tmp_path, copies={5: copy.hash}).records == 5
    trails.restore(tmp_path, before)
    assert trails.problem(tmp_path) is None
    with pytest.raises(Exception, match="records 4 to 5 are missing at the end"):
        trails.verify(tmp_path, copies={5: copy.hash})
    trails.write(trails.open_trail(tmp_path), 2, 100)
    with pytest.raises(Exception, match="record 5: is not the one whose hash was copied"):
        trails.verify(tmp_path, copies={5: copy.hash})


@pytest.mark.parametrize("damage", ["cut", "line", "delete", "empty"])
def test_going_on_after_a_cut_does_not_hide_it(damage: str, tmp_path: Path) -> None:
    trails.write(trails.open_trail(tmp_path), 6)
    path = tmp_path / "audit.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    if damage == "delete":
        path.unlink()
    else:
        path.write_bytes({"cut": b"".join(lines)[:-100], "line": b"".join(lines[:-2]), "empty": b""}[damage])
    trails.write(trails.open_trail(tmp_path), 10, 7)
    assert "missing" in (trails.problem(tmp_path) or "")


def test_going_on_after_the_last_line_s_end_was_cut(tmp_path: Path) -> None:
    trails.write(trails.open_trail(tmp_path), 3)
    path = tmp_path / "audit.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    assert "missing" in (trails.problem(tmp_path) or "")
    trails.write(trails.open_trail(tmp_path), 3, 4)
    assert "had been cut" in (trails.problem(tmp_path) or "")


@pytest.mark.parametrize("head", [None, b"", b"nonsense" * 64])
def test_going_on_without_a_head_does_not_hide_it(head: bytes | None, tmp_path: Path) -> None:
    trails.write(trails.open_trail(tmp_path, file_bytes=2200), 8)
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    (tmp_path / "audit.jsonl.head").unlink()
    if head is not None:
        (tmp_path / "audit.jsonl.head").write_bytes(head)
    trails.write(trails.open_trail(tmp_path, file_bytes=2200), 10, 9)
    assert "the head file was" in (trails.problem(tmp_path) or "")


def test_an_agent_cannot_make_the_trail_s_own_records(tmp_path: Path) -> None:
    trail = trails.open_trail(tmp_path, file_bytes=2200)
    trails.write(trail, 8)
    first = json.loads((tmp_path / "audit.jsonl.000001").read_bytes().splitlines()[-1])
    details = {
        "files": ["audit.jsonl.000001"], "last_sequence": first["entry"]["sequence"], "last_hash": first["hash"]
    }  # fmt: skip
    assert trail.append(canonical({"action": "obs.audit.deleted", "details": details}))
    (tmp_path / "audit.jsonl.000001").unlink()
    assert "no record allows that" in (trails.problem(tmp_path) or "")
