"""Tells what was drawn at random from what people write: words, identifiers, and texts in base64."""

from __future__ import annotations

import base64
import re

# The pairs of letters that nine of ten in English texts and Python's names are of; of random letters, one in three is.
_FOLLOWERS = (
    "abcdgiklmnprstuy baeilosu caehiklorstu dadeilorsu eacdefglmnprstvwx faefiloru geinrs haeio iabcdefglmnoprstvz kes "
    "ladeilostuy mabeimopsu nacdefgiknostuv obcdfgklmnoprstuvw paeiloprstuy qu racdegimnorstuy sacehilopstuy "
    "tacdehilmoprstuy ubceilmnprst vaei waeir xpt yps ze"
)
_COMMON = frozenset(group[0] + follower for group in _FOLLOWERS.split(" ") for follower in group[1:])
_PIECES = re.compile(r"[A-Za-z0-9]+")
_RUNS = re.compile(r"[a-z]+|[A-Z]+|[0-9]+")
_LETTERS = re.compile(r"[a-z]{2,}")
_LONGEST = 160
_SHORTEST = 12
_MOST_COMMON, _MOST_COMMON_OF_FEW = 0.66, 0.52
_ALL_CHANGES, _MANY_CHANGES, _FEWEST_CHANGES = 0.5, 0.42, 0.3
"""The share of neighbours of different class (small letters, capitals, digits): 0.62 where all are random."""
_FEWEST_CHANGES_OF_TWO = 0.2
_FEWEST_CHANGES_OF_ONE, _LONG = 0.25, 24
"""No identifier has digits in so many places of one piece."""
_FEWEST_CHANGES_OF_LETTERS, _MOST_COMMON_OF_LETTERS, _SHORTEST_OF_FEW = 0.06, 0.4, 20
_FEWEST_DIGITS, _MOST_DIGITS = 0.1, 0.7
_PRINTABLE = frozenset(range(32, 127)) | {9, 10, 13}


def is_random(word: str) -> bool:
    """Whether ``word``, of ASCII letters and digits with other signs between, looks drawn and not written."""
    word = word[:_LONGEST]
    pieces = [_RUNS.findall(piece) for piece in _PIECES.findall(word)]
    length = sum(len(run) for runs in pieces for run in runs)
    if length < _SHORTEST:
        return False
    changes = sum(len(runs) - 1 for runs in pieces) / length
    digits = sum(len(run) for runs in pieces for run in runs if run.isdigit()) / length
    if word not in (word.lower(), word.upper()):
        most_common = _of_both_cases(changes, digits, length)
    else:
        most_common = _of_one_case(changes, digits, length, is_one=len(pieces) == 1)
    return most_common is not None and common_pairs(word) <= most_common and not is_encoded_text(word)


def _of_both_cases(changes: float, digits: float, length: int) -> float | None:
    """Return the share of common pairs that a word of capitals and small letters may have, None if it is none."""
    if changes < _FEWEST_CHANGES or digits > _MOST_DIGITS:
        return _of_few_changes(length) if changes >= _FEWEST_CHANGES_OF_TWO else None
    # Nobody writes as many changes of class as chance does.
    if changes >= _ALL_CHANGES:
        return 1.0
    return _MOST_COMMON if changes >= _MANY_CHANGES else _MOST_COMMON_OF_FEW


def _of_one_case(changes: float, digits: float, length: int, *, is_one: bool) -> float | None:
    """Return the same for a word of capitals or small letters alone; ``is_one`` if no sign parts it."""
    if changes < _FEWEST_CHANGES_OF_TWO or not _FEWEST_DIGITS <= digits <= _MOST_DIGITS:
        is_few = changes >= _FEWEST_CHANGES_OF_LETTERS and digits <= _MOST_DIGITS
        return _of_few_changes(length) if is_few else None
    return 1.0 if is_one and length >= _LONG and changes >= _FEWEST_CHANGES_OF_ONE else _MOST_COMMON


def _of_few_changes(length: int) -> float | None:
    """Return the same for a word that changes its class less than chance does: nobody writes such pairs of letters."""
    return _MOST_COMMON_OF_LETTERS if length >= _SHORTEST_OF_FEW else None


def common_pairs(word: str) -> float:
    """Return the share of neighbouring letters in ``word`` that are often neighbours in what people write."""
    pairs = common = 0
    for letters in _LETTERS.findall(word.lower()):
        pairs += len(letters) - 1
        common += sum(letters[at : at + 2] in _COMMON for at in range(len(letters) - 1))
    return common / pairs if pairs else 0.0


def is_encoded_text(word: str) -> bool:
    """Whether ``word`` is base64 of a plain text."""
    usable = word[: len(word) // 4 * 4].replace("-", "+").replace("_", "/")
    try:
        content = base64.b64decode(usable, validate=True)
    except ValueError:
        return False
    return len(content) >= _SHORTEST and _PRINTABLE.issuperset(content)
