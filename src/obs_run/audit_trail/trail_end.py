"""Checks both ends of a trail: that it begins with the first entry or after an allowed deletion, and the head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.audit_trail.entry import Head, head_bytes, read_head
from obs_run.audit_trail.findings import NeedsKeyError, TamperedError

if TYPE_CHECKING:
    from obs_run.audit_trail.entry import Seals
    from obs_run.audit_trail.place import Place
    from obs_run.audit_trail.reading import OpenFile, TrailSnapshot
    from obs_run.audit_trail.walk import Walk


def check(place: Place, snapshot: TrailSnapshot, walk: Walk, seals: Seals) -> list[str]:
    """Return what happened and is allowed; raise ``TamperedError`` for what is not."""
    begin, notes = _begin(snapshot, walk)
    if walk.cut:
        raise TamperedError(walk.cut)
    head = _head(place, snapshot, walk, seals)
    notes += _check_end(place, snapshot, walk, head)
    _check_numbers(place, snapshot, begin, head)
    return notes


def _begin(snapshot: TrailSnapshot, walk: Walk) -> tuple[int, list[str]]:
    """Return the number that the first file must have."""
    if walk.first is None or walk.first.fields["sequence"] == 1:
        return 1, []
    fields = walk.first.fields
    last = fields["sequence"] - 1
    deletion = walk.deletions.get(last)
    if deletion is None or deletion.get("last_hash") != fields["previous"]:
        raise TamperedError(
            f"records 1 to {last} are missing before {snapshot.files[0].name}, and no record allows that"
        )
    text = f"records 1 to {last} were deleted by {deletion.get('reason')}, as record {deletion['record']} says"
    return _number(deletion) + 1, [text]


def _number(deletion: dict[str, object]) -> int:
    files = deletion.get("files")
    number = str(files[-1]).rpartition(".")[2] if isinstance(files, list) and files else ""
    return int(number) if number.isdecimal() else 0


def _head(place: Place, snapshot: TrailSnapshot, walk: Walk, seals: Seals) -> Head:
    name = place.head.name
    if snapshot.head is None:
        raise TamperedError(f"{name} is missing, so records after {walk.last.sequence} may be, too")
    read = read_head(snapshot.head, seals)
    if read is None:
        raise TamperedError(f"{name} was changed: it is not a head")
    head, sealed = read
    key = sealed.fields.get("key")
    seal = seals.get(key)
    if sealed.genuine is None and len(seals) == 1:
        raise NeedsKeyError(str(key))
    if seal is None:
        raise TamperedError(f"{name}: was written with another key (its id is {key})")
    if not sealed.genuine or snapshot.head != head_bytes(head, seal):
        raise TamperedError(f"{name} was changed: its hash is not that of its content")
    if key is None and walk.key_id is not None:
        raise TamperedError(f"{name}: was written without a key, the records with one")
    return head


def _check_end(place: Place, snapshot: TrailSnapshot, walk: Walk, head: Head) -> list[str]:
    last, name = walk.last.sequence, place.head.name
    if head.sequence > last:
        where = f"after {snapshot.files[-1].name}" if snapshot.files else f"with {place.active.name}"
        missing = (
            f"record {head.sequence} is" if head.sequence == last + 1 else f"records {last + 1} to {head.sequence} are"
        )
        raise TamperedError(f"{missing} missing {where}: the end was cut, {name} tells of them")
    if head.sequence == last - 1 and head.hash == walk.previous:
        return [f"{name} does not tell of the last record {last}: its writer was killed"]
    if head.sequence < last:
        raise TamperedError(f"{name} ends with record {head.sequence} and the trail with {last}: it is an older one")
    if head.hash != walk.last.hash:
        raise TamperedError(f"{name} tells of another record {last} than there is: one of them was replaced")
    active, closing = _active(snapshot), _closing(snapshot, head)
    size = closing.size if closing else active.size if active else 0
    if head.size != size - len(walk.half):
        raise TamperedError(f"{name} tells of {head.size} bytes of {place.active.name}, which has {size}")
    return []


def _check_numbers(place: Place, snapshot: TrailSnapshot, begin: int, head: Head) -> None:
    numbers = [file.number for file in snapshot.files if file.number is not None]
    end = head.file if _closing(snapshot, head) else head.file - 1
    expected = list(range(begin, end + 1))
    for number in sorted(set(numbers) ^ set(expected)):
        name = place.closed(number).name
        raise TamperedError(f"{name} {'is missing' if number in expected else 'does not belong to the trail'}")


def _active(snapshot: TrailSnapshot) -> OpenFile | None:
    return next((file for file in snapshot.files if file.number is None), None)


def _closing(snapshot: TrailSnapshot, head: Head) -> OpenFile | None:
    """Return the file that was full when its writer was killed, before it began the next."""
    active = _active(snapshot)
    if active is not None and active.size:
        return None
    return next((file for file in snapshot.files if file.number == head.file), None)
