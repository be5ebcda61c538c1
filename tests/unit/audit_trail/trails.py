"""Small trails to write, to take apart and to verify."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from obs_run.audit_trail import seal, verification
from obs_run.audit_trail.entry import Origin, canonical
from obs_run.audit_trail.findings import TamperedError
from obs_run.audit_trail.place import Place
from obs_run.audit_trail.trail import Limits, Receipt, Trail

if TYPE_CHECKING:
    from pathlib import Path

KEY = b"a key for tests, thirty-two bytes"


def open_trail(
    folder: Path, key: bytes | None = None, file_bytes: int = 1 << 20, keep: float = 0.0, max_bytes: int = 0
) -> Trail:
    origin = Origin('"host"', '"service"')
    limits = Limits(file_bytes, keep, max_bytes)
    return Trail(place(folder), seal.Seal(key), seals(key), origin, limits)


def place(folder: Path) -> Place:
    return Place(folder / "audit.jsonl")


def seals(key: bytes | None = None) -> dict[str | None, seal.Seal]:
    return seal.by_key(*(() if key is None else (key,)))


def write(trail: Trail, count: int, begin: int = 1) -> list[Receipt]:
    receipts = []
    for number in range(begin, begin + count):
        receipt = trail.append(canonical({"action": "act", "details": {"number": number}}))
        assert receipt is not None
        receipts.append(receipt)
    return receipts


def verify(folder: Path, key: bytes | None = None, copies: dict[int, str] | None = None) -> verification.Report:
    return verification.verify(place(folder), seals(key), copies)


def problem(folder: Path, key: bytes | None = None) -> str | None:
    """Return what is wrong with the trail, None if nothing is."""
    try:
        verify(folder, key)
    except TamperedError as error:
        text = str(error)
        assert text
        assert "\n" not in text
        return text
    return None


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith(".lock")}


def restore(folder: Path, content: dict[str, bytes]) -> None:
    for path in folder.iterdir():
        path.unlink()
    for name, data in content.items():
        (folder / name).write_bytes(data)


def entries(folder: Path) -> list[dict[str, Any]]:
    found = place(folder)
    # A writer that is killed between a full file and the next leaves none that is being written.
    paths = [path for path in (*map(found.closed, found.numbers()), found.active) if path.exists()]
    return [json.loads(line)["entry"] for path in paths for line in path.read_text().splitlines()]
