"""Dates of birth, by the word before them, and coordinates, by the name of their axis."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy import telling_words
from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

KINDS = frozenset({"date_of_birth", "coordinates"})
_WORDS = telling_words.folded(
    "dob birth birthdate birthday birthdays born geboren geborene geb geburtsdatum geburtstag né née naissance "
    "nacimiento nacido nacida nací nascita nato nata nascimento nascido nascida nasceu urodzenia urodzony urodzona ur "
    "doğum geboortedatum födelsedatum född fødselsdato født syntymäaika syntynyt narozen narozena narození született "
    "születési nașterii născut născută rođen rođena rođenja roden narodený narodená rojen rojena lahir sinh sünnipäev "
    "gimimo dzimšanas birthdt dateofbirth geburts syntymä fodt fodselsdato fodselsdag kelahiran kaarawan"
)
_OTHERS = (
    "生年月日", "出生", "生日", "誕生日", "생년", "생일", "рожд", "родил", "родж", "народ",
    "الميلاد", "مواليد", "تولد", "जन्म", "לידה", "נולד",
    "γέννησ", "γεννήθηκ", "วันเกิด", "เกิดวันที่", "роден",
)  # fmt: skip
_ABBREVIATION = b"d.o.b"
_DEGREE = b"deg"
_BIRTH = telling_words.register(_WORDS.__contains__)
_ANGLE = telling_words.register(_DEGREE.__eq__)
_NEAR = 26
# Any of these is in each date.
_GROUPS = (b"0000", b"0.0", b"0/0", b"0-0", b"0 0")
_MONTH = r"[^\W\d_]{3,12}\.?"
_DATE = re.compile(
    r"(?:昭和|平成|令和|大正|明治|民國|民国)[0-9元]{1,2}年 ?[0-9]{1,2}月 ?[0-9]{1,2}日|(?<![0-9])(?:[0-9]{4}([-/.]|\. "
    r")[0-9]{1,2}\1[0-9]{1,2}(?![0-9])"
    r"|[0-9]{4}\. ?[0-9]{1,2}\. ?[0-9]{1,2}\.?(?![0-9])"
    r"|[0-9]{1,2}([-/. ]|\. )[0-9]{1,2}\2(?:[0-9]{4}|[0-9]{2})(?![0-9])"
    rf"|[0-9]{{1,2}}(?:st|nd|rd|th|\.|er|º)?[ -](?:de |d'|of )?{_MONTH},?[ -](?:de |del )?(?:[0-9]{{4}}"
    rf"|[0-9]{{2}}(?![\w:]))"
    r"|[0-9]{4}[年년] ?[0-9]{1,2}[月월] ?[0-9]{1,2}[日일]"
    r"|[0-9]{8}(?![0-9]))"
    rf"|{_MONTH} (?:the )?[0-9]{{1,2}}(?:st|nd|rd|th)?,? [0-9]{{4}}"
)
_LONGEST_DATE, _LONGEST_MONTH = 40, 14
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
_GEOFENCED = re.compile(
    rb"(?:geo-?fence|gps|home|lives|located|location|seen|parked|delivered|position|pin)\b[^\n0-9\[({]{0,40}[-+]?[0-9]{1,3}$"
)
_FAR = 52
_MORE_NUMBERS = re.compile(rb"[ ]?[,;][ ]?[-+]?[0-9]")
_PRECISE = re.compile(rb"\.[0-9]{5,}[ ]?[,;/][ ]?[-+]?[0-9]{1,3}\.[0-9]{5,}$")
# 52°31'12.0"N 13°24'18.0"E, 48.8584 N, 2.2945 E: the sign of a degree is a question mark.
_DEGREES = re.compile(
    rb"(?<![\w.])[0-9]{1,3}(?:\?|[ ]?deg)[ ]?[0-9]{1,2}(?:['?\x27][ ]?[0-9]{1,2}(?:\.[0-9]{1,6})?[\"?'][\"?']?"
    rb"|\.[0-9]{2,}['?\x27]?)[ ]?[nsewo]\b"
    rb"|\b[nsewo][ ]?[0-9]{1,3}(?:\?|[ ]?deg)[ ]?[0-9]{1,2}(?:['?\x27][ ]?[0-9]{1,2}(?:\.[0-9]{1,6})?[\"?']{1,2}"
    rb"|\.[0-9]{2,}['?\x27]?)|"
    rb"[0-9]{1,2}(?:\?|deg"
    rb"| deg)[ ]?[0-9]{1,2}['?\x27][ ]?(?:[0-9]{1,2}(?:\.[0-9]{1,4})?[\"?][\"?']?)?[ ]?[ns][,; ]{1,3}"
    rb"[0-9]{1,3}(?:\?|deg| deg)[ ]?[0-9]{1,2}['?\x27][ ]?(?:[0-9]{1,2}(?:\.[0-9]{1,4})?[\"?][\"?']?)?[ ]?[ewo]\b"
    rb"|[0-9]{1,2}\.[0-9]{3,}[ ]?\??[ ]?[ns][,;/ ]{1,3}[0-9]{1,3}\.[0-9]{3,}[ ]?\??[ ]?[ewo]\b"
)
# 52° 31.200' N, N 52° 31.200, 48 deg 51' 29.99" N; one axis tells as well as both.
_PLUS_CODE = re.compile(rb"(?<![\w+])[23456789CFGHJMPQRVWX]{4,8}\+[23456789CFGHJMPQRVWX]{2,3}(?!\w)")
_THREE_WORDS = re.compile(rb"(?<![\w:/])///([a-z?]{3,18}\.[a-z?]{3,18}\.[a-z?]{3,18})(?![\w./])")
_POINT = re.compile(
    rb"point ?z? ?\((-?[0-9]{1,3}\.[0-9]{3,} -?[0-9]{1,3}\.[0-9]{3,})\)"
    rb"|\"point\\*\", ?\\*\"coordinates\\*\": ?\[ ?(-?[0-9]{1,3}\.[0-9]{4,}, ?-?[0-9]{1,3}\.[0-9]{4,})"
)
_DIGITS = b"0123456789"
_MOST_DEGREES = 3


def find(subject: Subject) -> Iterator[Match]:
    """Find dates of birth and coordinates."""
    if not subject.has_digits:
        return
    yield from _births(subject)
    yield from _coordinates(subject)
    if subject.words(_ANGLE) or b"0 A, 0" in subject.shape or (not subject.ascii and b"0?" in subject.figures):
        yield from (Match(*place.span(), "coordinates") for place in _DEGREES.finditer(subject.low))


def _coordinates(subject: Subject) -> Iterator[Match]:
    low = subject.low
    if b"+" in low:
        yield from (Match(*code.span(), "coordinates") for code in _PLUS_CODE.finditer(subject.raw))
    if b"///" in low:
        yield from (Match(*words.span(1), "coordinates") for words in _THREE_WORDS.finditer(low))
    if b".0000" not in subject.figures:
        return
    if b"point" in low:
        yield from (Match(*point.span(point.lastindex or 0), "coordinates") for point in _POINT.finditer(low))
    yield from _pairs(low)
    if any(axis in low for axis in _AXES):
        yield from _on_an_axis(low)


def _pairs(low: bytes) -> Iterator[Match]:
    for pair in _PAIR.finditer(low):
        start = max(0, pair.start() - _NEAR)
        is_mapped = (
            _MAPPED.search(low, start, pair.start())
            or _GEOFENCED.search(low, max(0, pair.start() - _FAR), pair.start())
        ) and not _MORE_NUMBERS.match(low, pair.end())
        if _PLACED.search(low, start, pair.start()) or (is_mapped and _PRECISE.match(low, pair.start(), pair.end())):
            lead = low[start : pair.start()]
            degrees = len(lead) - len(lead.rstrip(_DIGITS))
            yield Match(pair.start() - degrees, pair.end(), "coordinates")


def _on_an_axis(low: bytes) -> Iterator[Match]:
    for fraction in _FRACTION.finditer(low):
        lead = low[max(0, fraction.start() - 28) : fraction.start()]
        axis = lead.rstrip(_DIGITS)
        if 0 < len(lead) - len(axis) <= _MOST_DEGREES and _AXIS.search(axis):
            yield Match(fraction.start() - len(lead) + len(axis), fraction.end(), "coordinates")


def _births(subject: Subject) -> Iterator[Match]:
    low, text = subject.low, subject.text
    for _, _, end in telling_words.places(low, subject.words(_BIRTH)):
        yield from _date_behind(subject, end)
    if b"A.A." in subject.shape or b"a.a." in subject.shape:
        for _, _, end in telling_words.places(low, (_ABBREVIATION,)):
            yield from _date_behind(subject, end)
    if subject.has_other_script:
        lower = text.lower()
        lower = lower if len(lower) == len(text) else text  # some letters have two in lower case
        for hint in _OTHERS:
            at = lower.find(hint)
            while at >= 0:
                yield from _date_behind(subject, at + len(hint))
                at = lower.find(hint, at + 1)


def _date_behind(subject: Subject, end: int) -> Iterator[Match]:
    if subject.figures.find(b"0", end, end + _NEAR + _LONGEST_MONTH) < 0:
        return
    date = _DATE.search(subject.text, end, end + _NEAR + _LONGEST_DATE)
    if date and date.start() - end <= _NEAR:
        yield Match(*date.span(), "date_of_birth")
