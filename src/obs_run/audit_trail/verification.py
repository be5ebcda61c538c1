"""Finds the first place of a trail that is not as it was written: changed, missing, cut, moved, inserted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from obs_run.audit_trail import reading, trail_end
from obs_run.audit_trail.findings import TamperedError
from obs_run.audit_trail.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obs_run.audit_trail.entry import Head, Seals
    from obs_run.audit_trail.place import Place


class Report(NamedTuple):
    """A trail that is as it was written: how much of it there is, and what happened to it on the way."""

    records: int
    files: int
    since: str
    until: str
    head: Head
    key_id: str | None
    notes: list[str]


def verify(place: Place, seals: Seals, copies: Mapping[int, str] | None = None) -> Report:
    """Check every entry, the chain, the files and the head; ``copies`` are hashes by sequence that are kept elsewhere.

    Raises ``TamperedError`` at the first place that is wrong, ``NeedsKeyError``, and ``OSError``.
    """
    with reading.opened(place) as snapshot:
        walk = Walk(seals, copies or {})
        for file in snapshot.files:
            walk.file(file)
        walk.finish()
        notes = trail_end.check(place, snapshot, walk, seals)
        if len(seals) > 1 and walk.first is not None and walk.key_id is None:
            raise TamperedError("no record was written with the key")
        first = walk.first
        return Report(
            walk.last.sequence - first.fields["sequence"] + 1 if first else 0,
            len(snapshot.files),
            first.fields["time"] if first else "",
            walk.until,
            walk.last,
            walk.key_id,
            [*walk.notes, *notes],
        )
