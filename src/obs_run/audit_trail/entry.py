"""One line of the trail, and the head that says where the trail ends; docs/audit.md has the format.

Everything is canonical JSON: ASCII, keys sorted by code point, no spaces, no numbers that JSON does not have.
A line is ``{"entry":{...},"hash":"..."}``; the hash is that of the entry's bytes exactly as they stand there.
"""

from __future__ import annotations

import json
import os
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from obs_run.audit_trail.seal import Seal

    Seals = Mapping[str | None, Seal]

FORMAT = 1
RECORD, OWN = "record", "trail"
"""The kinds of entries: what was to be recorded, and what the trail says of itself."""

BEFORE_THE_FIRST = "0" * 64
"""What the first entry has as the hash of the one before."""

HEAD_BYTES = 512
LINE_BEGIN = b'{"entry":{"algorithm":"'

_SEALED = re.compile(rb'\{"entry":(\{.*\}),"hash":"([0-9a-f]{64})"\}')
_HASH = re.compile(r"[0-9a-f]{64}")

canonical: Callable[[Any], str] = json.JSONEncoder(
    ensure_ascii=True, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode
"""Return plain values as canonical JSON."""


class Head(NamedTuple):
    """Where the trail ends: the last entry, the number of the file that it is in, and the size of that file."""

    sequence: int
    hash: str
    file: int
    size: int


EMPTY = Head(0, BEFORE_THE_FIRST, 1, 0)


class Sealed(NamedTuple):
    """What stands in a line or in the head file, and whether its hash is right: None where only a key can tell."""

    fields: dict[str, Any]
    hash: str
    genuine: bool | None


class Origin(NamedTuple):
    """Who writes: host and service, as canonical JSON."""

    host: str
    service: str


def line(before: Head, seal: Seal, origin: Origin, kind: str, record: str) -> tuple[str, bytes]:
    """Return hash and line of the entry that follows ``before``; ``record`` is canonical JSON, too."""
    time = datetime.now(timezone.utc).isoformat(timespec="microseconds")[:-6]
    key = "" if seal.key_id is None else f'"key":"{seal.key_id}",'
    entry = (
        f'{{"algorithm":"{seal.algorithm}","format":{FORMAT},"host":{origin.host},{key}"kind":"{kind}","previous":"{before.hash}",'
        f'"process":{os.getpid()},"record":{record},"sequence":{before.sequence + 1},"service":{origin.service},'
        f'"time":"{time}Z"}}'
    ).encode("ascii")
    own = seal.hash(entry)
    return own, b'{"entry":' + entry + b',"hash":"' + own.encode("ascii") + b'"}\n'


def head_bytes(head: Head, seal: Seal) -> bytes:
    """Return the content of the head file, which is always as long."""
    key = "" if seal.key_id is None else f'"key":"{seal.key_id}",'
    entry = (
        f'{{"algorithm":"{seal.algorithm}","file":{head.file},"format":{FORMAT},"head":"{head.hash}",{key}'
        f'"sequence":{head.sequence},"size":{head.size}}}'
    ).encode("ascii")
    whole = b'{"entry":' + entry + b',"hash":"' + seal.hash(entry).encode("ascii") + b'"}'
    return whole.ljust(HEAD_BYTES - 1) + b"\n"


def read_line(data: bytes, seals: Seals) -> Sealed | None:
    """Read a line without its end; None where it is not an entry at all."""
    found = _read(data, seals)
    if found is None or not _is_entry(found.fields):
        return None
    return found


def read_head(data: bytes, seals: Seals) -> tuple[Head, Sealed] | None:
    """Read the content of a head file; None where it is not one."""
    found = _read(data.rstrip(), seals) if len(data) == HEAD_BYTES and data.endswith(b"\n") else None
    if found is None:
        return None
    own = found.fields.get("head")
    sequence, file, size = (found.fields.get(name) for name in ("sequence", "file", "size"))
    if not (isinstance(own, str) and _HASH.fullmatch(own) and _is_count(sequence, file, size) and file):
        return None
    return Head(sequence, own, file, size), found  # type: ignore[arg-type]


def _read(data: bytes, seals: Seals) -> Sealed | None:
    parts = _SEALED.fullmatch(data)
    if parts is None:
        return None
    try:
        fields = json.loads(parts[1])
    except (ValueError, RecursionError):
        return None
    key, own = fields.get("key"), parts[2].decode("ascii")
    seal = seals.get(key) if key is None or isinstance(key, str) else None
    if seal is None:
        return Sealed(fields, own, None)
    return Sealed(fields, own, fields.get("algorithm") == seal.algorithm and own == seal.hash(parts[1]))


def _is_entry(fields: dict[str, Any]) -> bool:
    return (
        _is_count(fields.get("sequence"))
        and isinstance(fields.get("previous"), str)
        and isinstance(fields.get("record"), dict)
        and isinstance(fields.get("time"), str)
    )


def _is_count(*values: Any) -> bool:
    return all(type(value) is int and value >= 0 for value in values)
