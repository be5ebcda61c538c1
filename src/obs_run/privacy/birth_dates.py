"""Dates of birth, by the word before them, and coordinates, by the name of their axis."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

KINDS = frozenset({"date_of_birth", "coordinates"})
_HINTS = (
    b"dob",
    b"birth",
    b"born",
    b"d.o.b",
    b"gebor",
    b"geburt",
    b"geb. ",
    b"naiss",
    b"naci",
    b"nasc",
    b"nato il",
    b"urod",
    b" ur.",
    b"naroz",
)
_OTHER_HINTS = (
    "né", "szüle", "născut", "naște", "rođen", "oğum", "föd", "fød", "yntymä",
    "生年月日", "出生", "생년", "рожд", "родил", "الميلاد", "जन्म",
)  # fmt: skip
_BIRTH = re.compile(
    r"(?<![a-z])(?:dob|d\.o\.b|date of birth|date_of_birth|birth ?date|birth ?day|born|geboren|geburtsdatum"
    r"|geburtstag|geb\."
    r"|née? le|date de naissance|naissance|nacimiento|nacid[oa]|nascita|nat[oa] il|nascimento|nascid[oa]|urodzeni?[ay]"
    r"|urodzon[ya]|ur\.|doğum|geboortedatum|födelsedatum|född|fødselsdato|født|syntymäaika|narozen[aý]?"
    r"|datum narození|született|születési|data nașterii|născut[ăa]?|rođen[a]?|roden[aý]?|rojen[a]?)"
    r"|生年月日|出生日期|생년월일|рожден|родил|تاريخ الميلاد|जन्म"
)
_NEAR = 26
_MONTH = r"[^\W\d_]{3,12}\.?"
_DATE = re.compile(
    r"(?<![0-9])(?:[0-9]{4}([-/.])[0-9]{1,2}\1[0-9]{1,2}(?![0-9])"
    r"|[0-9]{1,2}([-/. ])[0-9]{1,2}\2(?:[0-9]{4}|[0-9]{2})(?![0-9])"
    rf"|[0-9]{{1,2}}(?:st|nd|rd|th|\.|er|º)? (?:de |d')?{_MONTH},? (?:de )?[0-9]{{4}}"
    r"|[0-9]{4}[年년] ?[0-9]{1,2}[月월] ?[0-9]{1,2}[日일]"
    r"|[0-9]{8}(?![0-9]))"
    rf"|{_MONTH} [0-9]{{1,2}}(?:st|nd|rd|th)?,? [0-9]{{4}}"
)
_LONGEST_DATE = 40
_FRACTION = re.compile(rb"\.[0-9]{4,}(?![0-9A-Za-z])")
_AXES = (b"lat", b"lon", b"lng", b"breit", b"ngengrad")
_AXIS = re.compile(
    rb"(?:\b|_)(?:lat|lon|lng|long|latitude|longitude|breitengrad|l.ngengrad)\\*[\"']?\s{0,2}[:=]?\s{0,2}[\"']?[-+]?$"
)
# geo:48.20849,16.37208, maps/@48.20849,16.37208,15z, "coordinates: 48.20849, 16.37208"
_PAIR = re.compile(rb"\.(?<=[0-9]\.)[0-9]{4,}[ ]?[,;/][ ]?[-+]?[0-9]{1,3}\.[0-9]{4,}(?![0-9A-Za-z])")
_PLACED = re.compile(
    rb"(?:geo:|@|\bll=|ordinat[a-z]{0,3}|\bgps"
    rb"|location|position|standort|ubicaci.n|point|lat[a-z]{0,5}[/, ]{1,3}l(?:on|ng)[a-z]{0,6})"
    rb"[^0-9\n]{0,16}[0-9]{1,2}$"
)
_DIGITS = b"0123456789"
_MOST_DEGREES = 3


def find(subject: Subject) -> Iterator[Match]:
    """Find dates of birth and coordinates."""
    if not subject.has_digits:
        return
    low = subject.low
    text = subject.text
    if any(hint in low for hint in _HINTS) or (not subject.ascii and any(hint in text for hint in _OTHER_HINTS)):
        yield from _births(subject)
    for pair in _PAIR.finditer(low):
        if _PLACED.search(low, max(0, pair.start() - _NEAR), pair.start()):
            yield Match(*pair.span(), "coordinates")
    if any(axis in low for axis in _AXES):
        for fraction in _FRACTION.finditer(low):
            lead = low[max(0, fraction.start() - 28) : fraction.start()]
            axis = lead.rstrip(_DIGITS)
            if 0 < len(lead) - len(axis) <= _MOST_DEGREES and _AXIS.search(axis):
                yield Match(fraction.start() - len(lead) + len(axis), fraction.end(), "coordinates")


def _births(subject: Subject) -> Iterator[Match]:
    text = subject.text
    lower = text.lower()
    if len(lower) != len(text):  # some letters have two in lower case; the words looked for then stand in other places
        lower = text
    for word in _BIRTH.finditer(lower):
        date = _DATE.search(text, word.end(), word.end() + _NEAR + _LONGEST_DATE)
        if date and date.start() - word.end() <= _NEAR:
            yield Match(*date.span(), "date_of_birth")
