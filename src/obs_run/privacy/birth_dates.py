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
# Any of these is in each date.
_GROUPS = (b"0000", b"0.0", b"0/0", b"0-0", b"0 0")
_MONTH = r"[^\W\d_]{3,12}\.?"
_DATE = re.compile(
    r"(?<![0-9])(?:[0-9]{4}([-/.]|\. )[0-9]{1,2}\1[0-9]{1,2}(?![0-9])"
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
# "my home is at 52.517832, 13.388104": two numbers of a map and no third.
_MAPPED = re.compile(
    rb"(?:i'?m at|am at|are at|standing|waiting|\bhome|house|\blive|\bliving|\bmeet|\bhere|office|pick-?up|drop-?off"
    rb"|\bmap|place|parked|address|residence|wohn\w*|zuhause|\bhier"
    rb"|adresse|treffpunkt|casa|aqu.|vivo|direcci|ici|maison|domicile|rendez|qui|indirizzo|aqui|morada|thuis|hjem"
    rb"|\bdom)\b[^\n\[({0-9]{0,16}[-+]?[0-9]{1,2}$"
)
_MORE_NUMBERS = re.compile(rb"[ ]?[,;][ ]?[-+]?[0-9]")
_PRECISE = re.compile(rb"\.[0-9]{5,}[ ]?[,;/][ ]?[-+]?[0-9]{1,3}\.[0-9]{5,}$")
# 52°31'12.0"N 13°24'18.0"E, 48.8584 N, 2.2945 E: the sign of a degree is a question mark.
_DEGREES = re.compile(
    rb"[0-9]{1,2}(?:\?|deg"
    rb"| deg)[ ]?[0-9]{1,2}['?\x27][ ]?(?:[0-9]{1,2}(?:\.[0-9]{1,4})?[\"?][\"?']?)?[ ]?[ns][,; ]{1,3}"
    rb"[0-9]{1,3}(?:\?|deg| deg)[ ]?[0-9]{1,2}['?\x27][ ]?(?:[0-9]{1,2}(?:\.[0-9]{1,4})?[\"?][\"?']?)?[ ]?[ewo]\b"
    rb"|[0-9]{1,2}\.[0-9]{3,}[ ]?\??[ ]?[ns][,;/ ]{1,3}[0-9]{1,3}\.[0-9]{3,}[ ]?\??[ ]?[ewo]\b"
)
_DIGITS = b"0123456789"
_MOST_DEGREES = 3


def find(subject: Subject) -> Iterator[Match]:
    """Find dates of birth and coordinates."""
    if not subject.has_digits:
        return
    low = subject.low
    has_date = any(group in subject.shape for group in _GROUPS)
    if has_date and _mentions_birth(subject):
        yield from _births(subject)
    if b".0000" in subject.shape:
        yield from _coordinates(low)
    if b"0 A, 0" in subject.shape or (not subject.ascii and b"0?" in subject.shape):
        yield from (Match(*place.span(), "coordinates") for place in _DEGREES.finditer(low))


def _mentions_birth(subject: Subject) -> bool:
    """Whether a word of births is in the text."""
    if any(hint in subject.low for hint in _HINTS):
        return True
    return not subject.ascii and any(hint in subject.text for hint in _OTHER_HINTS)


def _coordinates(low: bytes) -> Iterator[Match]:
    for pair in _PAIR.finditer(low):
        start = max(0, pair.start() - _NEAR)
        is_mapped = _MAPPED.search(low, start, pair.start()) and not _MORE_NUMBERS.match(low, pair.end())
        if _PLACED.search(low, start, pair.start()) or (is_mapped and _PRECISE.match(low, pair.start(), pair.end())):
            lead = low[start : pair.start()]
            degrees = len(lead) - len(lead.rstrip(_DIGITS))
            yield Match(pair.start() - degrees, pair.end(), "coordinates")
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
