"""``obsctl audit``, as people call it."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest

from obs_run.audit_trail.entry import canonical
from obs_run.cli import main
from tests.unit.audit_trail import trails

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Obsctl = Callable[..., tuple[int, str, str]]


@pytest.fixture
def obsctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Obsctl:
    for name in list(os.environ):
        if name.startswith("OBS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OBS_AUDIT_FILE", str(tmp_path / "audit.jsonl"))

    def run(*words: object) -> tuple[int, str, str]:
        code = main(["audit", *map(str, words)])
        return (code, *capsys.readouterr())

    return run


def test_a_trail_that_verifies(obsctl: Obsctl, tmp_path: Path) -> None:
    receipt = trails.write(trails.open_trail(tmp_path, file_bytes=2200), 8)[-1]
    code, out, err = obsctl("verify")
    assert (code, err) == (0, "")
    assert re.fullmatch(
        rf"audit trail {tmp_path}/audit\.jsonl verifies: 8 records, in \d files, from \S+Z to \S+Z, "
        rf"head 8:{receipt.hash}\n",
        out,
    )
    assert obsctl("verify", tmp_path / "audit.jsonl")[0] == 0


def test_a_trail_that_does_not(obsctl: Obsctl, tmp_path: Path) -> None:
    trails.write(trails.open_trail(tmp_path), 8)
    path = tmp_path / "audit.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"number":5', b'"number":6'))
    code, out, err = obsctl("verify")
    assert (code, err) == (1, "")
    assert out == (
        f"audit trail {path} does not verify: audit.jsonl line 5, record 5: was changed, its hash is not that of its "
        "content\n"
    )


def test_what_happened_is_said(obsctl: Obsctl, tmp_path: Path) -> None:
    trails.write(trails.open_trail(tmp_path), 2)
    with (tmp_path / "audit.jsonl").open("ab") as file:
        file.write(b'{"entry":{"algorithm":"sha256","format":1,"ho')
    trails.write(trails.open_trail(tmp_path), 1)
    code, out, _ = obsctl("verify")
    assert code == 0
    assert out.splitlines()[1] == (
        "  audit.jsonl line 3 is half a record of 45 bytes: a writer was killed, as record 3 says"
    )


def test_keys(obsctl: Obsctl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = tmp_path / "old.key", tmp_path / "new.key"
    old.write_bytes(trails.KEY + b"\n")
    new.write_bytes(b"the key after it\n")
    trails.write(trails.open_trail(tmp_path, trails.KEY), 2)
    code, out, err = obsctl("verify")
    assert (code, out) == (2, "")
    assert "set OBS_AUDIT_KEY_FILE or --key-file" in err
    assert obsctl("verify", "--key-file", old)[0] == 0
    assert obsctl("verify", "--key-file", new)[0] == 1
    monkeypatch.setenv("OBS_AUDIT_KEY_FILE", str(old))
    code, out, _ = obsctl("verify")
    assert code == 0
    assert re.search(r", key [0-9a-f]{16}\n$", out)

    trails.write(trails.open_trail(tmp_path, b"the key after it"), 2)
    assert obsctl("verify")[0] == 1
    assert obsctl("verify", "--key-file", old, "--key-file", new)[0] == 0
    for content in (None, b"\n"):
        if content is None:
            old.unlink()
        else:
            old.write_bytes(content)
        code, _, err = obsctl("verify")
        assert code == 2
        assert str(old) in err


def test_a_copy_of_a_hash(obsctl: Obsctl, tmp_path: Path) -> None:
    receipts = trails.write(trails.open_trail(tmp_path), 3)
    good = f"3:{receipts[2].hash}"
    assert obsctl("verify", "--expect", good, "--expect", f"1:{receipts[0].hash}")[0] == 0
    code, out, _ = obsctl("verify", "--expect", f"3:{receipts[1].hash}")
    assert code == 1
    assert "is not the one whose hash was copied" in out
    assert obsctl("verify", "--expect", f"4:{receipts[1].hash}")[0] == 1
    code, _, err = obsctl("verify", "--expect", "3:abc")
    assert code == 2
    assert "--expect" in err


@pytest.mark.parametrize("words", [["verify"], ["show"], ["verify", "{}/none/audit.jsonl"], ["verify", "{}"]])
def test_where_there_is_none(words: list[str], obsctl: Obsctl, tmp_path: Path) -> None:
    code, out, err = obsctl(*(word.format(tmp_path) for word in words))
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert str(tmp_path) in err


@pytest.mark.parametrize("words", [[], ["nonsense"], ["show", "-n", "-1"], ["show", "--since", "soon"]])
def test_mistakes(words: list[str], obsctl: Obsctl, tmp_path: Path) -> None:
    trails.write(trails.open_trail(tmp_path), 1)
    code, out, err = obsctl(*words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1


def fill(folder: Path) -> None:
    trail = trails.open_trail(folder, file_bytes=2200)
    records: list[dict[str, Any]] = [
        {"action": "login", "actor": "alice", "outcome": "ok", "details": {"ip": "10.0.0.1", "why": "a b"}},
        {"action": "login", "actor": "bob", "outcome": "denied"},
        {"action": "delete", "actor": "bob", "outcome": "ok", "details": {"files": ["a", "b"]}},
        {"message": "password changed\nnow", "category": "security", "context": {"user_id": "u"}},
    ]
    for record in records * 2:
        assert trail.append(canonical(record))


def test_show(obsctl: Obsctl, tmp_path: Path) -> None:
    fill(tmp_path)
    code, out, err = obsctl("show")
    assert (code, err) == (0, "")
    lines = [re.sub(r"\S+ \S+Z", "TIME", line) for line in out.splitlines()]
    assert lines[:4] == [
        '     1  TIME  service  login  actor=alice  outcome=ok  ip=10.0.0.1  why="a b"',
        "     2  TIME  service  login  actor=bob  outcome=denied",
        '     3  TIME  service  delete  actor=bob  outcome=ok  files="[\\"a\\", \\"b\\"]"',
        "     4  TIME  service  password changed\\nnow  category=security  user_id=u",
    ]
    assert len(lines) == 8


def test_show_what_fits(obsctl: Obsctl, tmp_path: Path) -> None:
    fill(tmp_path)

    def shown(*words: str) -> list[int]:
        _, out, _ = obsctl("show", "--json", *words)
        return [json.loads(line)["sequence"] for line in out.splitlines()]

    assert shown() == list(range(1, 9))
    assert shown("-n", "3") == [6, 7, 8]
    assert shown("--actor", "bob", "--action", "login") == [2, 6]
    assert shown("--outcome", "denied") == [2, 6]
    assert shown("--action", "password changed\nnow") == [4, 8]
    assert shown("--service", "other") == []
    assert shown("--since", "1h") == list(range(1, 9))
    assert shown("--until", "1h") == []
    assert shown("--since", "2001-01-01", "--until", "2002-01-01") == []
    assert obsctl("show", "--actor", "nobody")[0] == 1


def test_show_says_what_is_no_record(obsctl: Obsctl, tmp_path: Path) -> None:
    fill(tmp_path)
    with (tmp_path / "audit.jsonl").open("ab") as file:
        file.write(b"nonsense\n")
    code, out, err = obsctl("show")
    assert code == 0
    assert len(out.splitlines()) == 8
    assert err == "obsctl: the audit trail has 1 line that is no record; see obsctl audit verify\n"


def test_a_copy_elsewhere_verifies_and_nothing_is_made_there(obsctl: Obsctl, tmp_path: Path) -> None:
    fill(tmp_path)
    copy = tmp_path / "copy"
    copy.mkdir()
    trails.restore(copy, {path.name: path.read_bytes() for path in tmp_path.glob("audit.jsonl*")})
    before = sorted(path.name for path in copy.iterdir())
    assert obsctl("verify", copy / "audit.jsonl")[0] == 0
    assert sorted(path.name for path in copy.iterdir()) == before
