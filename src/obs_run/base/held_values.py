"""The secrets that this process holds itself, as salted hashes: exact strings to take out wherever they turn up.

Of each value a few characters from its inside are kept to look for, and a hash to be sure.
"""

from __future__ import annotations

import itertools
import os

TYPE_CHECKING = False  # the module typing costs more than all that is here
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Final

    _Entry = tuple[int, int, bytes, bytes]
    """Where the piece stands in a value, how long that is, its hash, and the salt of that."""

SHORTEST: Final = 8
_LONGEST: Final = 4096
_LONG: Final = 20
_PIECE: Final = 4
_MOST: Final = 128

_salt = os.urandom(16)
_by_piece: dict[bytes, set[_Entry]] = {}
noted: dict[int, list[tuple[bytes, _Entry]]] = {}
"""Python's own hashes of the values seen last, which tell at once that one was seen, and how each is found."""
_changes = [0]


def hold(value: object) -> None:
    """Take out ``value`` from now on wherever it stands, if it is long and odd enough to be nothing else."""
    if type(value) is not str or hash(value) in noted:
        return
    pieces = [_add(form.encode("ascii")) for form in {value, _quoted(value)}] if is_telling(value) else []
    if len(noted) >= _MOST:
        for piece, entry in noted.pop(next(iter(noted))):
            _remove(piece, entry)
    # Last: from here on nobody looks at it again.
    noted[hash(value)] = pieces
    _changes[0] += bool(pieces)


def changes() -> int:
    """Return a number that grows with each value held; whoever remembers what is clean forgets it then."""
    return _changes[0]


def described() -> list[tuple[bytes, _Entry]]:
    """Return how each held value is found, for a process that exports what this one writes."""
    return [(piece, entry) for piece, values in list(_by_piece.items()) for entry in list(values)]


def hold_described(entries: Iterable[tuple[bytes, _Entry]]) -> None:
    """Take out what another process holds, as ``described`` gave it there."""
    for piece, entry in entries:
        values = _by_piece.setdefault(piece, set())
        if entry not in values:
            values.add(entry)
            _changes[0] += 1


def find(raw: bytes) -> Iterator[tuple[int, int]]:
    """Yield where held values stand in ``raw``."""
    for piece, values in list(_by_piece.items()):
        at = raw.find(piece)
        while at >= 0:
            for offset, length, digest, salt in list(values):
                start = at - offset
                if start >= 0 and _hash(raw[start : start + length], salt) == digest:
                    yield start, start + length
            at = raw.find(piece, at + 1)


def masked(text: str, mask: str) -> str:
    """Return ``text`` with ``mask`` for each held value."""
    if not _by_piece:
        return text
    # One character for one, so that the places are the same.
    for start, end in sorted(find(text.encode("ascii", "replace")), reverse=True):
        text = f"{text[:start]}{mask}{text[end:]}"
    return text


def forget() -> None:
    """Hold nothing; for tests."""
    _by_piece.clear()
    noted.clear()


def is_telling(value: str) -> bool:
    """Whether this can be nothing but the secret: no word, number, path or address that stands elsewhere too."""
    if not SHORTEST <= len(value) <= _LONGEST or not value.isascii() or any(sign.isspace() for sign in value):
        return False
    if "://" in value or value[0] in "/~." or value.replace(".", "").replace("-", "").isdigit():
        return False
    if len(value) >= _LONG:
        return True
    if all(sign.isalpha() or sign in "-_" for sign in value):
        tail = value[1:]
        return tail.lower() != tail and tail.upper() != tail
    return any(sign.isalpha() for sign in value)


def _quoted(value: str) -> str:
    """Return the value as URLs have it."""
    from urllib.parse import quote

    return quote(value, safe="")


def _add(value: bytes) -> tuple[bytes, _Entry]:
    """Note a value, and return how it is found."""
    offset = _oddest(value)
    piece, entry = value[offset : offset + _PIECE], (offset, len(value), _hash(value, _salt), _salt)
    _by_piece.setdefault(piece, set()).add(entry)
    return piece, entry


def _remove(piece: bytes, entry: _Entry) -> None:
    values = _by_piece.get(piece, set())
    values.discard(entry)
    if not values:
        _by_piece.pop(piece, None)


def _oddest(value: bytes) -> int:
    """Return where the piece begins that is least likely to stand elsewhere: of most classes, and late."""

    def oddness(at: int) -> tuple[int, int]:
        piece = value[at : at + _PIECE]
        classes = [bytes((sign,)).isdigit() + 2 * bytes((sign,)).isupper() for sign in piece]
        return sum(a != b for a, b in itertools.pairwise(classes)), at

    return max(range(len(value) - _PIECE + 1), key=oddness)


def _hash(value: bytes, salt: bytes) -> bytes:
    from hashlib import blake2b  # nothing is held in most processes that only start

    return blake2b(value, digest_size=16, key=salt).digest()
