"""The way along the chain of a trail, from entry to entry, with what is wrong on it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.audit_trail.entry import BEFORE_THE_FIRST, LINE_BEGIN, OWN, Head, read_line
from obs_run.audit_trail.findings import NeedsKeyError, TamperedError
from obs_run.audit_trail.trail import CONTINUED, DELETED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obs_run.audit_trail.entry import Sealed, Seals
    from obs_run.audit_trail.reading import Line, OpenFile


class _Foreign(NamedTuple):
    where: str
    data: bytes
    ended: bool


class Walk:
    """The way along the chain, and what holds behind every entry."""

    def __init__(self, seals: Seals, copies: Mapping[int, str]) -> None:
        self._seals, self._copies = seals, dict(copies)
        self.first: Sealed | None = None
        self.last = Head(0, BEFORE_THE_FIRST, 1, 0)
        """The last entry; ``size`` is where its line begins."""
        self.previous = BEFORE_THE_FIRST
        self.until = ""
        self.key_id: str | None = None
        self.deletions: dict[int, dict[str, Any]] = {}
        self.notes: list[str] = []
        self.cut = ""
        """What a writer found cut, where that is not seen as a gap."""
        self.half: bytes = b""
        """What stands after the last line of the file that is written, without an end."""
        self._foreign: _Foreign | None = None

    def file(self, file: OpenFile) -> None:
        """Check the lines of the next file."""
        for line in file.lines():
            where = f"{file.name} line {line.number}"
            entry = read_line(line.data, self._seals) if line.ended else None
            if entry is None:
                self._take_foreign(where, line)
                continue
            where = f"{where}, record {entry.fields['sequence']}"
            self._check_foreign(entry)
            self._check_seal(where, entry)
            self._check_place(where, entry)
            self._check_own_record(where, entry)
            self.previous = self.last.hash
            self.last = Head(entry.fields["sequence"], entry.hash, file.number or 0, line.at)
            self.until = entry.fields["time"]
        if file.number is not None and self._foreign is not None:
            raise TamperedError(f"{self._foreign.where} is not a record of the trail")

    def finish(self) -> None:
        """Check what stands after the last entry."""
        foreign, self._foreign = self._foreign, None
        if foreign is not None:
            halves = foreign.data.split(b"\n")
            if foreign.ended or not all(half.startswith(LINE_BEGIN) or LINE_BEGIN.startswith(half) for half in halves):
                raise TamperedError(f"{foreign.where} is not a record of the trail")
            self.half = foreign.data
            self.notes.append(f"{foreign.where} is half a record: a writer was killed; the next one goes on after it")
        for sequence, own in self._copies.items():
            if sequence > self.last.sequence:
                raise TamperedError(
                    f"records {self.last.sequence + 1} to {sequence} are missing at the end: there is a copy of "
                    f"record {sequence}'s hash"
                )
            self.notes.append(f"record {sequence} was deleted before, its copy of the hash {own} says nothing")

    def _take_foreign(self, where: str, line: Line) -> None:
        """Keep what is no entry: half a line that a killed writer left is told of by the entry after it."""
        if self._foreign is not None:
            where, data = self._foreign.where, self._foreign.data + b"\n" + line.data
        else:
            data = line.data
        self._foreign = _Foreign(where, data, line.ended)

    def _check_foreign(self, entry: Sealed) -> None:
        foreign, self._foreign = self._foreign, None
        if foreign is None:
            return
        details = entry.fields["record"].get("details") if _own(entry, CONTINUED) else None
        torn = details.get("torn") if isinstance(details, dict) else None
        if torn != {"bytes": len(foreign.data), "sha256": hashlib.sha256(foreign.data).hexdigest()}:
            raise TamperedError(f"{foreign.where} is not a record of the trail")
        self.notes.append(
            f"{foreign.where} is half a record of {len(foreign.data)} bytes: a writer was killed, as record "
            f"{entry.fields['sequence']} says"
        )

    def _check_seal(self, where: str, entry: Sealed) -> None:
        key = entry.fields.get("key")
        if entry.genuine is None:
            if len(self._seals) == 1:
                raise NeedsKeyError(str(key))
            raise TamperedError(f"{where}: was written with another key (its id is {key})")
        if not entry.genuine:
            raise TamperedError(f"{where}: was changed, its hash is not that of its content")
        if key is None and self.key_id is not None:
            raise TamperedError(f"{where}: was written without a key, entries before it with one")
        if key is not None and self.key_id is None and self.first is not None:
            self.notes.append(f"{where}: from here on the trail is kept with a key")
        self.key_id = key
        copied = self._copies.pop(entry.fields["sequence"], None)
        if copied is not None and copied != entry.hash:
            raise TamperedError(f"{where}: is not the one whose hash was copied")

    def _check_place(self, where: str, entry: Sealed) -> None:
        sequence, previous = entry.fields["sequence"], entry.fields["previous"]
        if self.first is None:
            self.first = entry
            if sequence == 0 or (sequence == 1 and previous != BEFORE_THE_FIRST):
                raise TamperedError(f"{where}: is not the beginning of a trail")
            return
        expected = self.last.sequence + 1
        if sequence > expected:
            missing = (
                f"record {expected} is" if sequence == expected + 1 else f"records {expected} to {sequence - 1} are"
            )
            raise TamperedError(f"{where}: {missing} missing before it")
        if sequence < expected:
            raise TamperedError(f"{where}: stands after record {expected - 1}: moved, repeated or inserted")
        if previous != self.last.hash:
            raise TamperedError(f"{where}: does not follow the record {expected - 1} that stands before it")

    def _check_own_record(self, where: str, entry: Sealed) -> None:
        details = entry.fields["record"].get("details")
        if not isinstance(details, dict):
            return
        if _own(entry, DELETED) and isinstance(details.get("last_sequence"), int):
            self.deletions[details["last_sequence"]] = {**details, "record": entry.fields["sequence"]}
        if not _own(entry, CONTINUED):
            return
        if "head" in details:
            raise TamperedError(
                f"{where}: the head file was {details['head']} when it was written; records before it may be missing"
            )
        if "cut" in details and not self.cut:
            self.cut = f"{where}: what stood before it had been cut when it was written"


def _own(entry: Sealed, action: str) -> bool:
    """Whether an entry is the trail's own record of ``action``, which no agent can make."""
    return entry.fields.get("kind") == OWN and entry.fields["record"].get("action") == action
