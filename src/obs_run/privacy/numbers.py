"""What is written in digits: cards, bank accounts, phones, national ids, dates of birth, coordinates."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from obs_run.privacy import libraries, national_ids, phones
from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

KINDS = frozenset({"card", "iban", "phone", "date_of_birth", "coordinates"}) | national_ids.KINDS

_DIGITS = b"0123456789"
_CLASSES = bytes(48 if one in _DIGITS else 32 for one in range(256))
_GROUP = re.compile(rb"00*")
# Groups of digits with little between; "+49 (0)30", "0171 / 392" and "(11) 91234-5678" are one.
_PHRASE = re.compile(rb"[0-9]+(?:(?:[ ./+-]|\) ?[-/]?|[ -]?\(| [-/] )[0-9]+){0,19}")
_ALNUM = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_NEAR = 48
_LONGEST_WORD = 20
_FEWEST = 7
_MOST_WINDOWS = 400
_SHAPE_PARTS = re.compile(r"[0-9]+|[^0-9]+")

_CARD_SHAPES = frozenset({"4 4 4 4", "4-4-4-4", "4 6 5", "4-6-5", "4 6 4", "4-6-4", "4 4 4 4 3", "4.4.4.4"})
_CARD = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|(?:5[1-5]|2[2-7])[0-9]{14}|3[47][0-9]{13}|3(?:0[0-5]|[689])[0-9]{11,16}|"
    r"35[0-9]{14}|6(?:011|[245][0-9]{2}|4[4-9])[0-9]{12,15}|(?:50|5[6-9])[0-9]{14,17}"
)
_IBAN = re.compile(rb"[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,4})?(?![A-Za-z0-9])")
_HETU = re.compile(rb"[0-9]{6}[-+ABCDEFYXWVU][0-9]{3}[0-9A-FHJ-NPR-Y](?![0-9A-Za-z])")
_NINO = re.compile(rb"[A-Z]{2} [0-9]{2} [0-9]{2} [0-9]{2} [A-D](?![0-9A-Za-z])")
_BIRTH = re.compile(
    r"(?<![a-z])(?:dob|d\.o\.b|date of birth|date_of_birth|birth ?date|birth ?day|born|geboren|geburtsdatum|geburtstag|née? le|"
    r"date de naissance|naissance|nacimiento|nacid[oa]|nascita|nat[oa] il|nascimento|nascid[oa]|urodzeni?[ay]|urodzon[ya]|"
    r"doğum|geboortedatum|födelsedatum|född|fødselsdato|født|syntymäaika)|生年月日|出生日期|생년월일|рожден|родил|"
    r"تاريخ الميلاد|जन्म"
)
_BIRTH_NEAR = 26
_DATE = re.compile(
    r"[0-9]{4}([-/.])[0-9]{1,2}\1[0-9]{1,2}(?![0-9])|[0-9]{1,2}([-/. ])[0-9]{1,2}\2(?:[0-9]{4}|[0-9]{2})(?![0-9])|"
    r"[0-9]{1,2}(?:st|nd|rd|th|\.|er|º)? (?:de |d')?[^\W\d_]{3,12}\.?,? (?:de )?[0-9]{4}|[0-9]{4}[年년] ?[0-9]{1,2}[月월] ?[0-9]{1,2}[日일]|"
    r"[0-9]{8}(?![0-9])"
)
_MONTH_FIRST = re.compile(r"[^\W\d_]{3,12}\.? [0-9]{1,2}(?:st|nd|rd|th)?,? [0-9]{4}")
_COORDINATE = re.compile(rb"[0-9]{1,3}\.[0-9]{4,}(?![0-9A-Za-z])")
_AXIS = re.compile(
    r"(?<![a-z])(?:lat|lon|lng|long|latitude|longitude|breitengrad|längengrad)[\"']?\s{0,2}[:=]?\s{0,2}[\"']?[-+]?$"
)


class _Phrase(NamedTuple):
    start: int
    end: int
    text: str
    """The digits and what is between them."""
    before: str
    """The text before it, in lower case."""


class Finder:
    """Finds what is written in digits, of the kinds that are on."""

    def __init__(self, kinds: frozenset[str], locales: frozenset[str]) -> None:
        self._kinds = kinds
        self._ids = national_ids.Finder(kinds)
        self._phones = phones.Finder(locales)

    def find(self, subject: Subject) -> Iterator[Match]:
        """Find cards, IBANs, phones, national ids, dates of birth and coordinates."""
        raw = subject.raw
        done = 0
        for group in _GROUP.finditer(raw.translate(_CLASSES)):
            start, end = group.span()
            if start < done:
                continue
            found = list(self._beside_letters(subject, start, end))
            if found:
                done = max(match.end for match in found)
                yield from found
                continue
            match = _PHRASE.match(raw, start)
            last = match.end() if match else end
            if self._is_word(raw, start, last):
                done = end
                continue
            found = list(self._in_phrase(subject, start, last))
            yield from found
            done = max([last, *(one.end for one in found)])

    @staticmethod
    def _is_word(raw: bytes, start: int, end: int) -> bool:
        """Whether the digits are part of an identifier."""
        before, after = raw[start - 1 : start] if start else b"", raw[end : end + 1]
        return before.isalpha() or before in (b"_", b"#") or after.isalpha() or after == b"_"

    def _beside_letters(self, subject: Subject, start: int, end: int) -> Iterator[Match]:
        """Find what has letters in it: IBANs and some national ids."""
        raw = subject.raw
        lead = raw[max(0, start - _LONGEST_WORD) : start]
        letters = len(lead) - len(lead.rstrip(_ALNUM))
        if letters > _LONGEST_WORD - 2:
            return
        first = start - letters
        if letters == 2 and end - start >= 2 and "iban" in self._kinds:  # noqa: PLR2004 (DE89)
            iban = self._iban(raw, first)
            if iban:
                yield Match(first, iban, "iban")
                return
        if lead[-1:] == b" " and "gb.nino" in self._kinds and (nino := _NINO.match(raw, start - 3)):
            if start >= 3 and not raw[start - 4 : start - 3].isalnum():  # noqa: PLR2004 (two letters and a space)
                yield Match(start - 3, nino.end(), "gb.nino")
            return
        if not letters and (hetu := _HETU.match(raw, start)) and "fi.hetu" in self._kinds:
            if libraries.is_valid("fi.hetu", hetu[0].decode()):
                yield Match(start, hetu.end(), "fi.hetu")
            return
        rest = raw[end : end + _LONGEST_WORD]
        last = end + len(rest) - len(rest.lstrip(_ALNUM))
        word = raw[first:last]
        if (letters or last > end) and raw[first - 1 : first] != b"_" and raw[last : last + 1] != b"_":
            kind = self._ids.of_word(word.decode().upper(), _before(subject, first))
            if kind:
                yield Match(first, last, kind)

    @staticmethod
    def _iban(raw: bytes, start: int) -> int | None:
        """Return where the IBAN ends that begins at ``start``; words after it may look like a part of it."""
        found = _IBAN.match(raw, start)
        text = found[0] if found else b""
        while len(text) > 14:  # noqa: PLR2004 (the shortest has 15)
            if libraries.is_valid("iban", text.decode().replace("-", "")):
                return start + len(text)
            text = text[: max(text.rfind(b" "), text.rfind(b"-"), 0)]
        return None

    def _in_phrase(self, subject: Subject, start: int, end: int) -> Iterator[Match]:
        raw = subject.raw
        phrase = _Phrase(start, end, raw[start:end].decode(), "")
        digits = sum(sign.isdigit() for sign in phrase.text)
        if digits < _FEWEST and not self._may_be_date(subject, start):
            return
        phrase = phrase._replace(before=_before(subject, start))
        special = self._date_or_axis(subject, phrase)
        if special:
            yield special
        elif digits >= _FEWEST:
            yield from self._whole_or_parts(raw, phrase)

    @staticmethod
    def _may_be_date(subject: Subject, start: int) -> bool:
        """Whether a short number may begin a date written with the name of a month, or with two digits for the year."""
        return bool(_DATE.match(subject.text, start)) or subject.raw[start - 1 : start] == b" "

    def _date_or_axis(self, subject: Subject, phrase: _Phrase) -> Match | None:
        if "coordinates" in self._kinds and (number := _COORDINATE.match(subject.raw, phrase.start)):
            if _AXIS.search(phrase.before):
                return Match(phrase.start, number.end(), "coordinates")
        if "date_of_birth" in self._kinds and (born := _BIRTH.search(phrase.before[-_BIRTH_NEAR:])):
            if date := _DATE.match(subject.text, phrase.start):
                return Match(phrase.start, date.end(), "date_of_birth")
            first = phrase.start - len(phrase.before[-_BIRTH_NEAR:]) + born.end()
            if (date := _MONTH_FIRST.search(subject.text, first)) and date.start() < phrase.start < date.end():
                return Match(date.start(), date.end(), "date_of_birth")
        return None

    def _whole_or_parts(self, raw: bytes, phrase: _Phrase) -> Iterator[Match]:
        """Judge all of the digits as one number, then runs of their groups from the longest to the shortest."""
        whole = self._judged(raw, phrase, phrase.before)
        if whole:
            yield whole
            return
        parts = [found.span() for found in re.finditer(r"[0-9]+", phrase.text)]
        at = tried = 0
        while at < len(parts):
            for to in range(min(len(parts), at + 8), at, -1):
                if (at, to) == (0, len(parts)):
                    continue
                first, last = parts[at][0], parts[to - 1][1]
                tried += 1
                if last - first < _FEWEST or tried > _MOST_WINDOWS:
                    continue
                before = phrase.before if at == 0 else phrase.before + phrase.text[:first]
                part = _Phrase(phrase.start + first, phrase.start + last, phrase.text[first:last], before)
                if match := self._judged(raw, part, before):
                    yield match
                    at = to - 1
                    break
            at += 1

    def _judged(self, raw: bytes, phrase: _Phrase, before: str) -> Match | None:
        text = phrase.text
        digits = "".join(filter(str.isdigit, text))
        shape = "".join(str(len(part)) if part[0].isdigit() else part for part in _SHAPE_PARTS.findall(text))
        if "card" in self._kinds and (shape.isdigit() or shape in _CARD_SHAPES) and _CARD.fullmatch(digits):
            if libraries.is_valid("luhn", digits):
                return Match(phrase.start, phrase.end, "card")
        kind = self._ids.of_shape(shape, text, before)
        if kind:
            return Match(phrase.start, phrase.end, kind)
        if "phone" not in self._kinds or _is_decimal_or_date(shape, digits):
            return None
        lead = raw[max(0, phrase.start - 2) : phrase.start]
        plus = lead.endswith((b"+", b"+("))
        if not plus and lead.endswith((b".", b",", b":")) and lead[:1].isdigit():
            return None
        bracket = lead.endswith(b"(") and ")" in text
        if self._phones.is_phone(f"({text}" if bracket else text, digits, before, plus=plus):
            opened = (lead[::-1].find(b"+") + 1 or 1) if plus else int(bracket)
            return Match(phrase.start - opened, phrase.end, "phone")
        return None


def _is_decimal_or_date(shape: str, digits: str) -> bool:
    """Whether this is a number with a fraction, or a date with or without a time."""
    parts = _SHAPE_PARTS.findall(shape)
    if len(parts) == 3 and parts[1] == ".":  # noqa: PLR2004 (two groups and a point)
        return True
    return (
        digits[:2] in ("19", "20")
        and shape.startswith(("4-2-2", "4/2/2", "4.2.2"))
        or shape.startswith(("2.2.4", "2/2/4", "1/1/4", "2-2-4", "2/1/4", "1/2/4"))
    )


def _before(subject: Subject, start: int) -> str:
    return subject.text[max(0, start - _NEAR) : start].lower()
