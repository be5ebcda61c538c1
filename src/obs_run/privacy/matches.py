"""What is looked at, what was found in it, and how overlapping finds become one list of places to replace."""

from __future__ import annotations

import bisect
import operator
import re
from typing import TYPE_CHECKING, NamedTuple

from obs_run.base import held_values
from obs_run.privacy import name_pieces, telling_words
from obs_run.privacy.actions import placeholders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Match(NamedTuple):
    """Characters ``start`` to ``end`` of a text are of the kind ``kind``."""

    start: int
    end: int
    kind: str


# One character for one, so that what is found in the bytes has the same place in the text.
_PUNCTUATION = {
    "\u00a0": " ",
    "\u3000": " ",
    "\uff1a": ":",
    "\uff1d": "=",
    "\u201c": '"',
    "\u201d": '"',
    "\u201e": '"',
    "\u00ab": '"',
    "\u00bb": '"',
    "\u300c": '"',
    "\u300d": '"',
    "\u2018": "'",
    "\u2019": "'",
    "\u3002": " ",
    "\uff0c": " ",
    "\u3001": " ",
    "\u2013": "-",
    "\u2014": "-",
}


_FIRST_OF = operator.itemgetter(0)


def _sign_of(sign: bytes) -> bytes:
    """Return what stands in a shape for all signs like this one."""
    if sign.isdigit():
        return b"0"
    if sign.isupper():
        return b"A"
    if sign.islower():
        return b"a"
    return b" " if sign.isspace() else sign


_SHAPES = b"".join(_sign_of(bytes([sign])) for sign in range(256))
_FIGURES = bytes(sign if chr(sign).isalpha() else _SHAPES[sign] for sign in range(256))
_NO_WORDS = frozenset[bytes]()


def _form_of(sign: bytes) -> bytes:
    """Return what stands in the form of a word for all signs like this one."""
    if sign.isdigit() or sign == b"_":
        return sign if sign == b"_" else b"0"
    return b"a" if sign.isalpha() else b" "


_FORMS = b"".join(_form_of(bytes([sign])) for sign in range(256))
# The digits of Arabic, Persian, Hindi, Bengali and Thai, and wide ones.
_OTHER_DIGITS = {
    ord(first) + value: str(value) for first in "\u0660\u06f0\u0966\u09e6\u0e50\uff10" for value in range(10)
}
_HAS_OTHER_DIGIT = re.compile("[\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u09e6-\u09ef\u0e50-\u0e59\uff10-\uff19]")

# But for punctuation, arrows, boxes and pictures.
_OF_OTHER_SCRIPT = re.compile("[\u0370-\u1fff\u2e80-\ufdff\uff00-\uffef]")

# Of these signs keys are made.
_CHARACTERS_OF_RUNS = bytes(97 if bytes([one]).isalnum() or one in b"_-" else 32 for one in range(256))
_RUN = re.compile(b"a" * 20 + b"a*")


class Subject:
    r"""A text with forms of it that are faster to search; every index is the same in all of them.

    ``raw`` is ASCII with ``?`` for what is not, and with line breaks and tabs where the text spells them as ``\n`` and
    ``\t``; ``low`` is that in lower case. Placeholders are stars in both, which nothing looks for.
    """

    __slots__ = (
        *(
            "_digits",
            "_figures",
            "_mixed",
            "_other_script",
            "_places",
            "_runs",
            "_shape",
            "_topics",
            "_words",
            "ascii",
            "is_personal",
            "low",
            "placeholders",
        ),
        *("raw", "text"),
    )

    def __init__(self, text: str, kinds: frozenset[str] = frozenset(), *, is_personal: bool = False) -> None:
        self.text = text
        self.is_personal = is_personal
        """Whether the words of the text are looked at anyway."""
        self.ascii = text.isascii()
        raw = (text if self.ascii else _plain(text)).encode("ascii", "replace")
        if b"\\" in raw:
            raw = raw.replace(b"\\n", b" \n").replace(b"\\r", b" \n").replace(b"\\t", b" \t")
        self.placeholders = placeholders(text, kinds)
        for first, last in self.placeholders:
            raw = b"%b%b%b" % (raw[:first], b"*" * (last - first), raw[last:])
        self.raw = raw
        self.low = raw.lower()
        self._digits: bool | None = None
        self._figures: bytes | None = None
        self._mixed: frozenset[bytes] | None = None
        self._other_script: bool | None = None
        self._places: list[tuple[int, int]] | None = None
        self._runs: list[tuple[int, int]] | None = None
        self._shape: bytes | None = None
        self._topics = 0
        self._words: dict[bytes, int] | None = None

    @property
    def runs(self) -> list[tuple[int, int]]:
        """Return where twenty and more letters, digits and signs of keys stand together."""
        if self._runs is None:
            self._runs = [run.span() for run in _RUN.finditer(self.raw.translate(_CHARACTERS_OF_RUNS))]
        return self._runs

    def tells(self, topic: int) -> bool:
        """Whether any word tells of a topic; where the words are not looked at one may."""
        return not self.is_personal or bool(self.words(topic))

    def words(self, topic: int) -> list[bytes]:
        """Return the words of the text that tell of a topic, in lower case and each once."""
        if self._words is None:
            self._words = telling_words.telling(self.low)
            for topics in self._words.values():
                self._topics |= topics
        return [word for word, topics in self._words.items() if topics & topic] if self._topics & topic else []

    @property
    def has_other_script(self) -> bool:
        """Whether there are letters of another script than Latin, or those that only Vietnamese has."""
        if self._other_script is None:
            self._other_script = not self.ascii and _OF_OTHER_SCRIPT.search(self.text) is not None
        return self._other_script

    @property
    def places(self) -> list[tuple[int, int]]:
        """Return where pieces of the names of secrets stand."""
        if self._places is None:
            self._places = name_pieces.places(self.low, is_ascii=self.ascii, has_core=self.tells(name_pieces.CORE))
        return self._places

    @property
    def shape(self) -> bytes:
        """Return the text with ``A``, ``a`` and ``0`` for all letters and digits, and spaces for line breaks."""
        if self._shape is None:
            self._shape = self.raw.translate(_SHAPES)
        return self._shape

    @property
    def mixed_words(self) -> frozenset[bytes]:
        """Return the forms of the words, ``0`` a digit and ``a`` a letter, if any has both."""
        if self._mixed is None:
            forms = self.raw.translate(_FORMS)
            self._mixed = frozenset(forms.split()) if b"a0" in forms or b"0a" in forms else _NO_WORDS
        return self._mixed

    def is_placeholder(self, start: int, end: int) -> bool:
        """Whether these characters are a placeholder or a part of one."""
        at = bisect.bisect_right(self.placeholders, start, key=_FIRST_OF) - 1
        return at >= 0 and end <= self.placeholders[at][1]

    @property
    def figures(self) -> bytes:
        """Return the text with ``0`` for all digits, and spaces for line breaks."""
        if self._figures is None:
            self._figures = self.raw.translate(_FIGURES)
        return self._figures

    @property
    def has_digits(self) -> bool:
        """Whether there is any digit."""
        if self._digits is None:
            self._digits = b"0" in self.figures
        return self._digits


def _plain(text: str) -> str:
    for sign, plain in _PUNCTUATION.items():
        if sign in text:
            text = text.replace(sign, plain)
    return text.translate(_OTHER_DIGITS) if _HAS_OTHER_DIGIT.search(text) else text


if TYPE_CHECKING:
    Detector = Callable[[Subject], Iterable[Match]]
    """Finds all of what it knows; never changes the subject."""


def repeated(text: str, matches: list[Match]) -> list[Match]:
    """Return the other places in ``text`` where stands what was found, if it can be nothing but the secret."""
    found: list[Match] = []
    for value, kind in {text[match.start : match.end]: match.kind for match in matches}.items():
        if not held_values.is_telling(value) or value.isalpha():
            continue
        at = text.find(value)
        while at >= 0:
            found.append(Match(at, at + len(value), kind))
            at = text.find(value, at + len(value))
    return found


def resolved(matches: list[Match], rank: Callable[[str], int]) -> list[Match]:
    """Return ``matches`` in order and without overlaps; what overlaps becomes one, of the kind of lowest rank."""
    matches.sort(key=lambda match: (match.start, -match.end))
    merged: list[Match] = []
    for match in matches:
        last = merged[-1] if merged else None
        if last is None or match.start >= last.end:
            merged.append(match)
            continue
        kind = match.kind if rank(match.kind) < rank(last.kind) else last.kind
        merged[-1] = Match(last.start, max(last.end, match.end), kind)
    return merged
