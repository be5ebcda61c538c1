"""Numbers of papers, accounts, vehicles and devices: without a check digit in common, known by the words before."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from obs_run.privacy import document_words, national_ids, telling_words
from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

KINDS = frozenset({"national_id", "bank_account", "device_id"})


class _Telling(NamedTuple):
    """What a word says of the number behind it."""

    kind: str
    form: str = "number"
    """"number", "plate" or "serial"."""
    alone: bool = True
    """Whether it tells without a word for numbers."""
    capitals: bool = False
    """Whether it must be written in capitals."""


_PAPER = _Telling("national_id")
_PLATE = _Telling("national_id", "plate")
_ACCOUNT = _Telling("bank_account")
_DEVICE = _Telling("device_id")
_SERIALS = _Telling("device_id", "serial")
_WORDS: dict[bytes, _Telling] = {
    **dict.fromkeys(document_words.NUMBERED, _PAPER._replace(alone=False)),
    **dict.fromkeys(document_words.ABBREVIATIONS, _PAPER._replace(capitals=True)),
    **dict.fromkeys(document_words.PAPERS, _PAPER),
    **dict.fromkeys(document_words.PLATES, _PLATE),
    **dict.fromkeys(document_words.ACCOUNTS, _ACCOUNT),
    **dict.fromkeys(document_words.DEVICES, _DEVICE),
}


def _phrases() -> dict[bytes, list[tuple[re.Pattern[bytes], _Telling]]]:
    """Return the rests of phrases by their first word, the longest first."""
    found: dict[bytes, list[tuple[re.Pattern[bytes], _Telling]]] = {}
    for phrases, telling in (
        (document_words.PLATE_PHRASES, _PLATE),
        (document_words.ACCOUNT_PHRASES, _ACCOUNT),
        (document_words.DEVICE_PHRASES, _DEVICE),
        ("serial number|serial no|serial nr|seriennummer", _SERIALS),
        (document_words.PHRASES, _PAPER),
    ):
        for phrase in sorted(phrases.split("|"), key=len, reverse=True):
            first, *rest = re.split(rb"[ /]", phrase.encode("ascii", "replace"))
            pattern = rb"".join(rb"[ _'/-]{0,2}" + re.escape(word) for word in rest) + rb"(?![a-z?])"
            found.setdefault(first, []).append((re.compile(pattern), telling))
    return found


_PHRASES = _phrases()
WORDS = frozenset(_WORDS.keys() | _PHRASES.keys())
_BANKS = telling_words.folded(
    "bank routing sort bsb transit ifsc iban blz bic swift aba agência agencia ag iban wire transfer payee beneficiary"
)
"""Words of which one makes an account that of a bank."""
_BANK = telling_words.register(_BANKS.__contains__)
_ENDS = tuple(document_words.ENDS_OF_COMPOUNDS)
_BESIDE = rb"[\"'`*]{0,3}"
_NOTED = rb"(?:[ ]?\([^()\n]{1,28}\))?"
_NUMBER = (
    rb"(?:numbers?|nummer|nummeret|numm?er|n.mero|numero|num.ro|numer|num|no|nro|nr|n|code|card|id|identifier|pin"
    rb"|serial|s.ria|seria|serie|i numer|e n.mero|sz.m[a-z]{0,2}|broj|..slo|nomor|s.|kort|karte|kaart|#)"
)
_SIGN = rb"(?:[ ]{0,2}(?:[:=#]|->|=>|-(?=[ ]))|[ ](?:is|was|ist|lautet|est|es|er|jest|to|:=|on my file is))"
# From a word to the number that it tells of: words for numbers, and whatever other words if a sign ends them.
_WAY = re.compile(
    rb"(?:[0-9](?=[ :=\"']))?\.?" + _BESIDE + _NOTED
    + rb"(?P<number>(?:[ _./-]{0,2}" + _NUMBER + rb"(?![a-z])[.?]{0,2}){0,3})"
    rb"(?P<words>(?:[ _/-]{1,2}[a-z?][a-z?'.]{0,15}){0,3}?)" + _NOTED + _BESIDE
    + rb"(?P<sign>" + _SIGN + rb"){0,2}[ \t]{0,3}\\{0,3}[\"'(<`\[*]{0,3}[#]?"
    + rb"(?=[a-z?]{0,7}(?:[ ./-][a-z?]{0,4})?[ ]?[0-9])"
)  # fmt: skip
_GLUE = frozenset(
    b"de del di do da des du van von of for the my his her their n? is der die das la le el mi mon su to with me on "
    b"our your card holder bei from issued by ist est es er i s y e nr no number n c my/ holder/ carnet jego jej moj "
    b"meu minha mijn min mein meine il mio personal conduire nacional colombiana federal".split()
)
_STOP = re.compile(
    rb"(?:^|[^a-z])(?:expir\w*|valid\w*|since|until|page|version|line|port|order|ticket|invoice|amount|price|total"
    rb"|call|phone|tel|telefon|mobile|count|size|length|limit|error|status|time|date|issue|in|at|rows?|bytes?|after"
    rb"|step|build|commit|task|job|session|request|trace|span|event|thread|process)(?![a-z])"
)
_VALUE = re.compile(
    r"(?:[A-Z]{1,7}|[0-9]{1,34})(?:[-./]?[A-Z0-9]{1,34}|\. (?=[0-9])[0-9]{1,14}|[ "
    r"](?=[A-Z]{0,3}-?[0-9])[A-Z0-9-]{1,14}|[ ][A-Z]{1,3}(?!\w)){0,8}"
    r"(?:\([0-9A-Z]\)|[a-z](?![\w]))?(?![\w])|[a-z]{1,4}-?[0-9]{4,12}(?!\w)"
)
_PLATE_VALUE = re.compile(
    r"[A-ZÄÖÜА-Я\u4e00-\u9fff]{1,3}[- ·]?(?:[A-ZÄÖÜА-Я]{1,2}[- ]?)?[0-9]{1,5}(?:[- ]?[A-ZА-Я]{1,3})?(?:[- "
    r"]?[0-9]{1,4})?[EH]?(?!\w)"
    r"|[0-9]{1,4}[ -]?[A-Z]{1,4}(?:[ -]?[0-9]{1,6}[A-Z]{0,2})?(?!\w)"
    r"|[A-Z]{1,3}[ -]?[0-9]{1,4}[ -]?[A-Z]{1,3}(?:[ -]?[0-9]{1,4})?(?!\w)"
    r"|\w{2,3}\s?[0-9]{2,3}\s?\w?\s?[0-9]{1,2}-[0-9]{2}"
    r"|[0-9]{2,3}[ -][0-9]{2,3}[ -][0-9]{2,3}(?!\w)"
)
_DATE = re.compile(
    r"(?:(?:19|20)[0-9]{2}[-/.][0-9]{1,2}(?:[-/.][0-9]{1,2})?|[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:19|20)[0-9]{2}|[0-9]{1,3}\.[0-9]{1,3}"
    r"|[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2})(?![0-9]|[.-][0-9])"
)
_UNIT = re.compile(
    r" ?(?:ms|s|sec|seconds|bytes|[kmg]i?b|%|€|\$|eur|usd|people|users|rows|items|times|years?)(?!\w)", re.IGNORECASE
)
_FEWEST, _FEWEST_AMONG_LETTERS, _FEWEST_OF_LONG, _LONG, _SHORTEST_PLATE = 5, 4, 2, 8, 5
_FEWEST_OF_MANY = 6
_NEAR = 72
# A-Number
_OF_ALIENS = b"number"
_CURRENT_ACCOUNT = re.compile(rb"A/C(?![A-Za-z])")
_DIGITS = frozenset(b"0123456789")


def words_of_others(kinds: frozenset[str]) -> frozenset[bytes]:
    """Return the words for national ids that are in none of ``kinds``."""
    left_out = (number.named for number in national_ids.NUMBERS if number.kind not in kinds)
    return telling_words.folded(" ".join(left_out).replace("|", " "))


def find(subject: Subject, passed_by: frozenset[bytes]) -> Iterator[Match]:
    """Find the numbers that a word tells of, but for some words."""
    for word, start, end in telling_words.places(
        subject.low, (word for word in subject.words(_TOPIC) if word not in passed_by)
    ):
        if found := _behind(subject, word, start, end):
            yield found
    if b"/" in subject.raw:
        for account in _CURRENT_ACCOUNT.finditer(subject.raw):
            if found := _valued(subject, _ACCOUNT, account.end()):
                yield found
    if b"A.A." in subject.shape:
        for dotted in _DOTTED.finditer(subject.raw):
            telling = _WORDS.get(dotted[0].replace(b".", b"").lower())
            if telling and (found := _valued(subject, telling, dotted.end())):
                yield found


def _is_telling(word: bytes) -> bool:
    return word in WORDS or word == _OF_ALIENS or (word.endswith(_ENDS) and _compound(word) is not None)


_TOPIC = telling_words.register(_is_telling)


def _compound(word: bytes) -> _Telling | None:
    """Return what the first part of a word like ``Reisepassnummer`` tells."""
    for end in _ENDS:
        if word.endswith(end) and len(word) > len(end):
            stem = word[: -len(end)]
            telling = _WORDS.get(stem) or _WORDS.get(stem.removesuffix(b"s"))
            if telling:
                return telling._replace(alone=True, capitals=False)
    return None


def _behind(subject: Subject, word: bytes, start: int, end: int) -> Match | None:
    for rest, of_phrase in _PHRASES.get(word, ()):
        if whole := rest.match(subject.low, end):
            is_bare = whole.end() == end and of_phrase is _ACCOUNT
            return None if is_bare and not subject.words(_BANK) else _valued(subject, of_phrase, whole.end())
    if word == _OF_ALIENS:
        return _valued(subject, _PAPER, end) if subject.low[start - 2 : start] == b"a-" else None
    telling = _WORDS.get(word) or _compound(word)
    if telling is None or (telling.capitals and not _is_abbreviation(subject.raw, start, end)):
        return None
    return _valued(subject, telling, end)


def _is_abbreviation(raw: bytes, start: int, end: int) -> bool:
    """Whether a short word is written in capitals, and no digit of a hash stands beside it."""
    return (
        raw[start:end].isupper() and not raw[max(0, start - 1) : start].isdigit() and not raw[end : end + 1].isdigit()
    )


def _valued(subject: Subject, telling: _Telling, end: int) -> Match | None:
    """Return the number that stands behind a word that ends at ``end``."""
    if subject.figures.find(b"0", end, end + _NEAR) < 0:
        return None
    way = _WAY.match(subject.low, end, end + _NEAR)
    if way is None or not _leads(way, telling):
        return None
    return _value(subject.text, way.end(), telling)


def _leads(way: re.Match[bytes], telling: _Telling) -> bool:
    """Whether what is between a word and a number lets the word tell of it."""
    if not telling.alone and not way["number"]:
        return False
    between = way["words"]
    if between and _STOP.search(between):
        return False
    if telling.alone and way["sign"] is not None:
        return True
    others = [word for word in between.replace(b"_", b" ").split() if word not in _GLUE]
    # "uruguayo": one other word is no more than where it is from, where what follows is long.
    return not others or (telling.alone and len(others) == 1 and _LONG_NUMBER.match(way.string, way.end()) is not None)


_LONG_NUMBER = re.compile(rb"(?:[a-z]{0,3}[./ -]?[0-9]){7}")
# D.N.I.
_DOTTED = re.compile(rb"(?<![\w.])(?:[A-Z]\.){2,5}")
# Those of certificates are hexadecimal.
_SERIAL = re.compile(r"(?=[A-Z0-9-]*[G-Z])[A-Z0-9]{1,6}-?[A-Z0-9-]{4,20}(?!\w)")
_OF_DEVICE = re.compile(r"[0-9a-fA-F]{12,40}(?!\w)|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _value(text: str, at: int, telling: _Telling) -> Match | None:
    if telling is _SERIALS:
        serial = _SERIAL.match(text, at)
        return Match(*serial.span(), telling.kind) if serial else None
    if telling.kind == "device_id" and (device := _OF_DEVICE.match(text, at)):
        return Match(*device.span(), telling.kind)
    if telling.form == "plate":
        plate = _PLATE_VALUE.match(text, at)
        if plate and sum(map(str.isalnum, plate[0])) >= _SHORTEST_PLATE and not _DATE.fullmatch(plate[0]):
            return Match(*plate.span(), telling.kind)
    value = _VALUE.match(text, at)
    if value is None or _DATE.match(value[0]) or _UNIT.match(text, value.end()):
        return None
    return Match(*value.span(), telling.kind) if _is_number(value, telling) else None


def _is_number(value: re.Match[str], telling: _Telling) -> bool:
    """Whether there are digits enough for the number that is told of."""
    digits = sum(map(str.isdigit, value[0]))
    signs = sum(map(str.isalnum, value[0]))
    if digits == signs:
        return digits >= (_FEWEST if telling.alone else _FEWEST_OF_MANY)
    return digits >= _FEWEST_AMONG_LETTERS or (digits >= _FEWEST_OF_LONG and signs >= _LONG)


_STEMS = {stem: kind for kind, stems in document_words.OTHER_SCRIPTS.items() for stem in stems.split("|")}
# Letters of other scripts are question marks.
_WAY_OF_OTHERS = re.compile(rb"[^0-9\n;A-Z]{0,24}?(?=(?:\?{0,2}[A-Z]{1,4}[ -]?)?[0-9])")
_VALUE_OF_OTHERS = re.compile(
    rb"\?{0,2}[A-Z]{0,4}[ -]?[0-9]{1,34}(?:[-./ ]?[A-Z0-9]{1,20}(?![a-z])){0,7}(?:\([0-9A-Z]\))?"
)
_PLATE_OF_OTHERS = re.compile(rb"[?A-Z]{0,3}(?:[ -]?[0-9?A-Z]{1,6}){1,4}")
_LEAD_OF_PLATE = 3


def of_other_scripts(subject: Subject) -> Iterator[Match]:
    """Find the numbers that words of other scripts tell of."""
    low = subject.text.lower()
    if len(low) != len(subject.text):
        low = subject.text
    for stem, kind in _STEMS.items():
        at = low.find(stem)
        while at >= 0:
            at += len(stem)
            if found := _of_other_script(subject.raw, at, kind):
                yield found
            at = low.find(stem, at)


def _of_other_script(raw: bytes, at: int, kind: str) -> Match | None:
    way = _WAY_OF_OTHERS.match(raw, at)
    if way is None:
        return None
    start = way.end()
    if kind == "plate":
        lead = raw[max(at, start - _LEAD_OF_PLATE) : start]
        value = _PLATE_OF_OTHERS.match(raw, start - len(lead) + len(lead.rstrip(b"? ")))
        kind = "national_id"
    else:
        value = _VALUE_OF_OTHERS.match(raw, start)
    if value is None or sum(map(_DIGITS.__contains__, value[0])) < _FEWEST_AMONG_LETTERS:
        return None
    return None if _DATE.fullmatch(value[0].decode()) else Match(*value.span(), kind)
