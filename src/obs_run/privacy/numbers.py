"""What is written in digits: cards, bank accounts, phones and national ids."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from obs_run.privacy import cards, libraries, national_ids, phones, telling_words
from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

KINDS = frozenset({"card", "iban", "phone"}) | national_ids.KINDS

_DIGITS = b"0123456789"
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BETWEEN = b" ./+()-"


def _class_of(sign: int) -> int:
    """Return the sign that stands for all of its class: ``0``, ``a``, ``_``, ``-`` inside of a number, or a space."""
    if sign in _DIGITS:
        return ord("0")
    if sign in _LETTERS:
        return ord("a")
    if sign == ord("_"):
        return sign
    return ord("-") if sign in _BETWEEN else ord(" ")


# What begins with a literal is searched for ten times as fast as what begins with a choice.
_CLASSES = bytes(map(_class_of, range(256)))
_LONG = re.compile(rb"0[0-]{5,}0")
_OF_WORDS = (b"0", b"a", b"_")
_MOST_REMEMBERED = 8192
_other_shapes: set[bytes] = set()
"""Shapes of words that no number has."""
_DETAIL = telling_words.register(cards.is_word_of_details)
_NINO = b"-00-00-00-a"
# Groups of digits with little between: "+49 (0)30", "0171 / 392" and "(11) 91234-5678" are one number.
_PHRASE = re.compile(rb"[0-9]+(?:(?:[ ./-]|\) ?[-/]?|[ -]?\(| [-/] )[0-9]+){0,19}")
_FIRST_GROUP = re.compile(rb"[0-9]+[^0-9]*")
_UUID = re.compile(rb"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){1,3}$")
_ISO_DATE = re.compile(rb"(?:19|20)[0-9]{2}[-/.][01][0-9][-/.][0-3][0-9](?:[ .][0-9]{1,2})?$")
_PARTS = re.compile(r"[0-9]+|[^0-9]+")
_NEAR = 48
_LONGEST_WORD = 34
_FEWEST, _FEWEST_OF_ALL = 7, 6
_LONGEST_WINDOW = 8

_CARD_SHAPES = frozenset({"4 4 4 4", "4-4-4-4", "4 6 5", "4-6-5", "4 6 4", "4-6-4", "4 4 4 4 3", "4.4.4.4"})
_CARD = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|(?:5[1-5]|2[2-7])[0-9]{14}|3[47][0-9]{13}|3(?:0[0-5]|[689])[0-9]{11,16}|"
    r"35[0-9]{14}|6(?:011|[245][0-9]{2}|4[4-9])[0-9]{12,15}|(?:50|5[6-9])[0-9]{14,17}"
)
_IBAN = re.compile(rb"[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,4})?(?![A-Za-z0-9])")
_SHORTEST_IBAN = 15
_HETU = re.compile(rb"[0-9]{6}[-+][0-9]{3}[0-9A-FHJ-NPR-Y](?![0-9A-Za-z])")


class _Phrase(NamedTuple):
    start: int
    text: str
    """The digits and what is between them."""
    before: str
    """The text before it, in lower case."""
    groups: list[tuple[int, int]]
    shape: list[str]
    """The lengths of the groups, with what is between."""
    called: bool
    """Whether a word before it makes it likely to be a phone number."""


class Finder:
    """Finds what is written in digits, of the kinds that are on."""

    def __init__(self, kinds: frozenset[str], locales: frozenset[str]) -> None:
        self._kinds = kinds
        self._ids = national_ids.Finder(kinds)
        self._phones = phones.Finder(locales)
        self._shapes = _CARD_SHAPES | self._ids.shapes

    def find(self, subject: Subject) -> Iterator[Match]:
        """Find cards, IBANs, phones and national ids."""
        if not subject.has_digits:
            return
        classes = subject.raw.translate(_CLASSES)
        for long in _LONG.finditer(classes):
            start, end = long.span()
            # Most of what is long in logs are times; dates of birth are not found here.
            if long[0] != b"0000-00-00" or subject.raw[start : start + 2] not in (b"20", b"19"):
                yield from self._in_long(subject, start, end)
        # A word of both letters and digits; what has the shape of none is remembered.
        shapes = subject.mixed_words - _other_shapes
        if shapes:
            yield from self._in_words(subject, classes, shapes)
        if "card" in self._kinds and subject.words(_DETAIL):
            yield from cards.details(subject)
        if _NINO in classes and "gb.nino" in self._kinds:
            yield from _spaced_nino(subject)

    def _in_words(self, subject: Subject, classes: bytes, shapes: frozenset[bytes]) -> Iterator[Match]:
        """Judge the words of these shapes."""
        for shape in shapes:
            if not _may_be_number(shape):
                if len(_other_shapes) >= _MOST_REMEMBERED:
                    _other_shapes.clear()
                _other_shapes.add(shape)
                continue
            at = classes.find(shape)
            while at >= 0:
                end = at + len(shape)
                if classes[at - 1 : at] not in _OF_WORDS and classes[end : end + 1] not in _OF_WORDS:
                    yield from self._in_word(subject, classes, at, end)
                at = classes.find(shape, end)

    def _in_long(self, subject: Subject, start: int, end: int) -> Iterator[Match]:
        """Judge the numbers in a stretch of digits and signs, without those that are parts of identifiers."""
        raw = subject.raw
        if _is_in_identifier(raw, start):
            first = _FIRST_GROUP.match(raw, start, end)
            start = first.end() if first else end
            if raw[start - 1 : start] == b"-" and _UUID.search(raw[max(0, start - 24) : start]):
                return
        after = raw[end : end + 1]
        if after.isalpha() or after == b"_":
            if after.isalpha() and "fi.hetu" in self._kinds:
                yield from _hetu(raw, end)
            end = start + len(raw[start:end].rstrip(_DIGITS))
        while start < end:
            phrase = _PHRASE.match(raw, start, end)
            if phrase is None:
                start += 1
                continue
            if _digits(phrase[0]) >= _FEWEST_OF_ALL and not _ISO_DATE.match(phrase[0]):
                yield from self._in_phrase(raw, start, phrase[0].decode(), _before(subject, start))
            start = phrase.end()

    def _in_word(self, subject: Subject, classes: bytes, first: int, last: int) -> Iterator[Match]:
        """Judge a word of letters and digits, which may be the beginning of an IBAN in groups."""
        raw = subject.raw
        word = classes[first:last]
        if (first and classes[first - 1] == 95) or classes[last : last + 1] == b"_":  # noqa: PLR2004 (an identifier)
            return
        if word.startswith(b"aa00") and "iban" in self._kinds and (last - first == 4 or len(word) >= _SHORTEST_IBAN):  # noqa: PLR2004
            stop = _iban(raw, first)
            if stop:
                yield Match(first, stop, "iban")
                return
        kind = None
        if word in national_ids.WORD_SHAPES:
            kind = self._ids.of_word(raw[first:last].decode().upper(), _before(subject, first))
        if kind in self._kinds:
            yield Match(first, last, kind)

    def _in_phrase(self, raw: bytes, start: int, text: str, before: str) -> Iterator[Match]:
        """Judge all of the digits as one number, then runs of their groups from the longest to the shortest."""
        parts = list(_PARTS.finditer(text))
        shape = [str(len(part[0])) if index % 2 == 0 else part[0] for index, part in enumerate(parts)]
        phrase = _Phrase(start, text, before, [part.span() for part in parts[::2]], shape, phones.is_called(before))
        count = len(phrase.groups)
        if whole := self._judged(raw, phrase, 0, count):
            yield whole
            return
        at = 0
        while at < count and count > 1:
            for to in range(min(count, at + _LONGEST_WINDOW), at, -1):
                if match := self._judged(raw, phrase, at, to):
                    yield match
                    at = to - 1
                    break
            at += 1

    def _judged(self, raw: bytes, phrase: _Phrase, at: int, to: int) -> Match | None:
        """Judge the groups ``at`` to ``to`` of the phrase as one number."""
        first, last = phrase.groups[at][0], phrase.groups[to - 1][1]
        if last - first < _FEWEST:
            return None
        shape = "".join(phrase.shape[2 * at : 2 * to - 1])
        start, end = phrase.start + first, phrase.start + last
        bare = to - at == 1
        if bare or shape in self._shapes:
            text = phrase.text[first:last]
            digits = text if bare else "".join(filter(str.isdigit, text))
            before = phrase.before + phrase.text[:first] if at else phrase.before
            if self._is_card(shape, digits) and cards.may_be_card(digits, bare, before, raw[end : end + 4]):
                return Match(start, end, "card")
            kind = self._ids.of_shape(shape, text, before)
            if kind:
                return Match(start, end, kind)
        if _is_series(phrase) or _is_dump(raw, phrase):
            return None
        return self._phone(raw, phrase, at, to, shape) if _may_call(raw, phrase, start, shape) else None

    def _phone(self, raw: bytes, phrase: _Phrase, at: int, to: int, shape: str) -> Match | None:
        if "phone" not in self._kinds:
            return None
        first, last = phrase.groups[at][0], phrase.groups[to - 1][1]
        start = phrase.start + first
        lead = raw[max(0, start - 2) : start]
        plus = lead.endswith((b"+", b"+("))
        # "s41586-021-03819-2", "448-219-7301-B"
        end = phrase.start + last
        if (lead[-1:] == b"-" and lead[:1].isalnum()) or (
            raw[end : end + 1] == b"-" and raw[end + 1 : end + 2].isalpha()
        ):
            return None
        if not plus and (_is_decimal_or_date(shape, phrase.text[first:last]) or _is_fraction(lead)):
            return None
        text = phrase.text[first:last]
        bracket = lead.endswith(b"(") and ")" in text
        if self._phones.is_phone(f"({text}" if bracket else text, phrase.before, plus=plus):
            opened = (lead[::-1].find(b"+") + 1 or 1) if plus else int(bracket)
            return Match(start - opened, end, "phone")
        return None

    def _is_card(self, shape: str, digits: str) -> bool:
        if "card" not in self._kinds or not (shape.isdigit() or shape in _CARD_SHAPES):
            return False
        return _CARD.fullmatch(digits) is not None and _luhn(digits) and libraries.is_valid("luhn", digits)


_FEWEST_OF_SERIES = 6


def _is_series(phrase: _Phrase) -> bool:
    """Whether the groups are numbers that grow, as in the series of Fibonacci."""
    if len(phrase.groups) < _FEWEST_OF_SERIES:
        return False
    groups = [phrase.text[start:end] for start, end in phrase.groups]
    if any(group[0] == "0" and group != "0" for group in groups):
        return False
    values = list(map(int, groups))
    return values == sorted(values)


# Groups of two and one that is not of digits alone: bytes in hexadecimal.
_BYTE = re.compile(rb"[ :-]?(?:[0-9a-f][a-f]|[a-f][0-9a-f])(?![0-9A-Za-z])", re.IGNORECASE)
_MOST_PAIRS = 7


def _is_dump(raw: bytes, phrase: _Phrase) -> bool:
    """Whether the groups are bytes of a dump: more pairs than phone numbers have, or letters among them."""
    if any(size != "2" for size in phrase.shape[::2]):
        return False
    end = phrase.start + len(phrase.text)
    around = _BYTE.match(raw, end) or _BYTE.match(raw, max(0, phrase.start - 3))
    return len(phrase.groups) > _MOST_PAIRS or (
        around is not None and raw[phrase.start - 1 : phrase.start] not in _LEADS
    )


_LEADS = (b"+", b"(")


def _may_call(raw: bytes, phrase: _Phrase, start: int, shape: str) -> bool:
    """Whether anything says of the groups from ``start`` that they may be the number of a phone."""
    return phrase.called or raw[start : start + 1] == b"0" or shape in phones.SHAPES or raw[start - 1 : start] in _LEADS


_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def _may_be_number(shape: bytes) -> bool:
    """Whether an IBAN, in groups or not, or a national id has this shape."""
    return shape in national_ids.WORD_SHAPES or (
        shape.startswith(b"aa00")
        and (len(shape) == _FIRST_OF_IBAN or len(shape) >= _SHORTEST_IBAN)
        and b"_" not in shape
    )


_FIRST_OF_IBAN = 4


def _luhn(digits: str) -> bool:
    """Whether the check digit is right; said quickly, before the library is asked."""
    return (sum(map(int, digits[-1::-2])) + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])) % 10 == 0


def _mod97(iban: str) -> bool:
    """Whether the check digits of an IBAN are right; said quickly, before the library is asked."""
    return int("".join(str(int(sign, 36)) for sign in iban[4:] + iban[:4])) % 97 == 1


def _is_fraction(lead: bytes) -> bool:
    return lead.endswith((b".", b",", b":")) and lead[:1].isdigit()


def _digits(raw: bytes) -> int:
    return len(raw) - len(raw.translate(None, _DIGITS))


def _is_in_identifier(raw: bytes, start: int) -> bool:
    """Whether the digits at ``start`` go on with what a letter or a sign of an identifier begins."""
    if start == 0 or _is_escape(raw, start):
        return False
    return raw[start - 1 : start].isalpha() or raw[start - 1] in b"_#"


def _is_escape(raw: bytes, start: int) -> bool:
    r"""Whether the letter before ``start`` belongs to an escape such as ``\n`` that nothing has made a space of."""
    return raw[max(0, start - 2) : start - 1] == b"\\"


def _iban(raw: bytes, start: int) -> int | None:
    """Return where the IBAN ends that begins at ``start``; words after it may look like a part of it."""
    match = _IBAN.match(raw, start)
    text = match[0] if match else b""
    while len(text) >= _SHORTEST_IBAN:
        number = text.decode().replace("-", "").replace(" ", "")
        if _mod97(number) and libraries.is_iban(number):
            return start + len(text)
        text = text[: max(text.rfind(b" "), text.rfind(b"-"), 0)]
    return None


def _hetu(raw: bytes, end: int) -> Iterator[Match]:
    """Find the Finnish id of which all but the letter at ``end`` was found."""
    match = _HETU.match(raw, max(0, end - 10))
    if match is None:
        return
    is_separate = not raw[max(0, match.start() - 1) : match.start()].isalnum()
    if is_separate and libraries.is_valid("fi.hetu", match[0].decode()):
        yield Match(*match.span(), "fi.hetu")


def _spaced_nino(subject: Subject) -> Iterator[Match]:
    for match in national_ids.SPACED_NINO.finditer(subject.raw):
        yield Match(*match.span(), "gb.nino")


def _is_decimal_or_date(shape: str, text: str) -> bool:
    """Whether this is a number with a fraction, or a date with or without a time."""
    parts = _PARTS.findall(shape)
    if len(parts) == 3 and parts[1] == ".":  # noqa: PLR2004 (two groups and a point)
        return True
    if text[:2] in ("19", "20") and shape.startswith(("4-2-2", "4/2/2", "4.2.2")):
        return True
    return shape.startswith(("2.2.4", "2/2/4", "1/1/4", "2-2-4", "2/1/4", "1/2/4"))


def _before(subject: Subject, start: int) -> str:
    return subject.text[max(0, start - _NEAR) : start].lower()
