"""Names and addresses of people in sentences, forms and letters: by the word before them, or the form of an address."""

from __future__ import annotations

import itertools
import operator
import re
from typing import TYPE_CHECKING, TypeVar

from obs_run.privacy import document_numbers, lead_words, street_addresses
from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

_Seen = TypeVar("_Seen", bytes, tuple[bytes, bytes])
KINDS = frozenset({"person_name", "postal_address"})
# All begin with a capital, with a digit, or with a letter that is none of ASCII.
_BEGINNINGS = (b" A",)
_BEGINNINGS_OF_OTHERS = (b" A", b" ?a")
_BEGINNING_OF_NUMBERS = b" 0"
_LETTERS = b"abcdefghijklmnopqrstuvwxyz?'"
_NEAR = 48
_LONGEST_LEAD = 30
_BETWEEN = b" \t:.\"'*(#-,\r\n"

_TITLES, _GREETINGS, _INTRODUCTIONS, _NAMED_BY, _LABELS, _PERSONS, _CLOSINGS = (
    frozenset(word.encode().lstrip(b"?") or b"?" for word in words)
    for words in (
        lead_words.TITLES, lead_words.GREETINGS, lead_words.INTRODUCTIONS, lead_words.NAMED_BY, lead_words.LABELS,
        lead_words.PERSONS, lead_words.CLOSINGS,
    )
)  # fmt: skip
_TOLD = (
    _TITLES | _GREETINGS | _INTRODUCTIONS | _NAMED_BY | _LABELS | _PERSONS | _CLOSINGS
    | document_numbers.LAST_WORDS | street_addresses.LAST_WORDS
) - {b""}  # fmt: skip
# "my name is", "mein Name ist": one word is a name.
_SAID = re.compile(
    rb"(?:\b(?:(?:my|his|her|their|whose|full|first|last|maiden|legal|real|patient'?s?|customer'?s?|client'?s?"
    rb"|mother'?s?|father'?s?|wife'?s?"
    rb"|husband'?s?|son'?s?|daughter'?s?|boss'?s?|and the) name|nombre|mein name|sein name|ihr name|nom|nome|naam"
    rb"|navn|namn|nimi|jmeno|nume|ime|n.v|jm.no|ad)(?: (?:is|ist|est|es|er|\?|\?r|on|jest|je|to)){1,2}"
    rb"|mi nombre es|called|named|nazywam si\?|je m'appelle|hei(?:ss|\?)e|me llamo|me chamo|mi chiamo|nimeni on"
    rb"|mitt navn er|navnet mitt er|jmenuj[iu] se|m. numesc|m. cheam.|vol.m sa|zovem se|ime mi je|nomor|signed by"
    rb"|diagnosed by) $"
)
# "I am": as often it is anything else, so that a first and a last name must follow.
_SELF = re.compile(
    rb"(?:\b(?:i am|i'm|this is|yo soy|soy|ich bin|je suis|io sono|sono|eu sou|sou [oa]|jestem|ik ben|jag .r|jeg er"
    rb"|name is|name'?s)"
    rb"|\b(?:customer|patient|client|employee|mr|ms|user|tenant|claimant|account holder|made out|belongs|registered"
    rb"|issued|addressed"
    rb"|billed|payable) (?:to|is|named|called|for)) $"
)
_BY_SIGN = re.compile(r"\s*(?:[,!:;\u2014\u2013\uff0c-]|\n|$)")
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['\u2019.-](?=[^\W\d_]))*\.?")
_MOST_WORDS = 6
_INITIAL = 2
_SHORT_TITLE = 3


def find(subject: Subject) -> Iterator[Match]:
    """Find names of people and postal addresses."""
    for first in _places(subject):
        found = _after(subject, first)
        if found is not None:
            yield found
    if not subject.ascii:
        yield from _of_other_scripts(subject.text)
        yield from street_addresses.of_other_scripts(subject)
    if subject.has_digits:
        yield from _numbers(subject)


_MOST_REMEMBERED = 8192
_LEAD, _LEAD_OF_NUMBER, _REST_OF_NUMBER = 16, 24, 8
_MARGIN = b" " * _LEAD_OF_NUMBER
_END = b"\0"
_LAST_OF = operator.itemgetter(slice(-_LEAD_OF_NUMBER, None))
_FIRST_OF = operator.itemgetter(slice(_REST_OF_NUMBER))
_other_leads: set[bytes] = set()
_other_numbers: set[tuple[bytes, bytes]] = set()
"""What stands before and behind numbers, of what was seen before and tells nothing; nearly all of it comes again."""


def _places(subject: Subject) -> Iterator[int]:
    """Return where a capital begins something that the word before it may tell of."""
    shape, low, seen = subject.shape, subject.low, _other_leads
    # The lead that ends with the space at ``at`` begins at ``at`` here.
    figures = _MARGIN[: _LEAD - 1] + subject.figures
    for beginning in _BEGINNINGS if subject.ascii else _BEGINNINGS_OF_OTHERS:
        at = shape.find(beginning)
        while at >= 0:
            lead = figures[at : at + _LEAD]
            at += 1
            if lead not in seen:
                if _is_told(low, at):
                    yield at
                elif _has_whole_word(lead):
                    _remember(seen, lead)
            at = shape.find(beginning, at)


def _numbers(subject: Subject) -> Iterator[Match]:
    """Find the addresses that have a number, and the numbers that a word before them tells of."""
    pieces = (_MARGIN + subject.figures + _END).split(_BEGINNING_OF_NUMBERS)
    # All at once is ten times as fast as one by one.
    new = set(zip(map(_LAST_OF, pieces), map(_FIRST_OF, pieces[1:]), strict=False)) - _other_numbers
    if not new:
        return
    first = 1 - _LEAD_OF_NUMBER
    for piece, rest in itertools.pairwise(pieces):
        first += len(piece)
        around = (_LAST_OF(piece), _FIRST_OF(rest))
        if around in new:
            yield from _at_number(subject, first, around)
        first += len(_BEGINNING_OF_NUMBERS)


def _at_number(subject: Subject, first: int, around: tuple[bytes, bytes]) -> Iterator[Match]:
    """Judge the number at ``first``; what is ``around`` it is remembered where nothing of it tells anything."""
    may_be_of_address = street_addresses.may_be_of_address(subject.shape, first)
    if may_be_of_address:
        yield from street_addresses.at_number(subject, first)
    if _is_told(subject.low, first):
        if found := _after(subject, first):
            yield found
    # What is shorter follows another number, and what stands before that one may tell as well.
    elif not may_be_of_address and len(around[0]) == _LEAD_OF_NUMBER and _has_whole_word(around[0]):
        _remember(_other_numbers, around)


def _has_whole_word(lead: bytes) -> bool:
    """Whether the last word of ``lead`` begins in it."""
    return bool(lead.rstrip(_BETWEEN).lower().strip(_LETTERS))


def _remember(seen: set[_Seen], what: _Seen) -> None:
    if len(seen) >= _MOST_REMEMBERED:
        seen.clear()
    seen.add(what)


def _is_told(low: bytes, first: int) -> bool:
    word = _word_before(low, first)
    return word in _TOLD or word.endswith(document_numbers.ENDS_OF_WORDS)


def _word_before(low: bytes, first: int) -> bytes:
    """Return the last word before ``first``."""
    lead = low[max(0, first - _LONGEST_LEAD) : first].rstrip(_BETWEEN)
    word = lead[len(lead.rstrip(_LETTERS)) :]
    return word.lstrip(b"?") or word[:1]


def _after(subject: Subject, first: int) -> Match | None:
    """Judge what begins at ``first`` by the last word before it."""
    low = subject.low
    word = _word_before(low, first)
    end = _end_of_name(subject, low, first, word)
    if end:
        return Match(first, end, "person_name")
    address = street_addresses.labelled(subject, first) if word in street_addresses.LAST_WORDS else None
    return address or document_numbers.after(subject, first)


def _end_of_name(subject: Subject, low: bytes, first: int, word: bytes) -> int | None:
    """Return where the name ends that begins at ``first``, None where there is none."""
    if low[first - 1 : first] == b"\n":
        return _signed(subject, low, first) if word in _CLOSINGS else None
    least = 0 if _is_unit(subject.raw, first, word) else _fewest_words(low, first, word)
    end = _name(subject.text, first, least) if least else None
    # A greeting is one if a sign ends it.
    if end and least == 1 and word in _GREETINGS and not _BY_SIGN.match(subject.text, end):
        return None
    return end


def _is_unit(raw: bytes, first: int, word: bytes) -> bool:
    """Whether a short title is written in small letters, and so is none: "10 ms. Requires"."""
    return word in _TITLES and len(word) <= _SHORT_TITLE and word.capitalize() not in raw[max(0, first - 8) : first]


def _fewest_words(low: bytes, first: int, word: bytes) -> int:
    """Return how many words must follow ``word`` to be a name, 0 where none does."""
    sign = low[first - 2 : first].strip()
    before = low[max(0, first - _NEAR) : first]
    if sign == b":":
        return 2 if word in _LABELS else 0
    if word in _TITLES or word in _INTRODUCTIONS or _SAID.search(before):
        return 1
    if word in _PERSONS or (word in _NAMED_BY and _SELF.search(before)):
        return 2
    return 1 if word in _GREETINGS and sign != b"." else 0


def _signed(subject: Subject, low: bytes, first: int) -> int | None:
    """Return where the name ends that a letter is signed with, on a line of its own."""
    end = _name(subject.text, first, 1)
    is_whole = end is not None and low[end : end + 1] in (b"", b"\n", b"\r", b" ", b'"')
    return end if is_whole else None


def _name(text: str, first: int, least: int) -> int | None:
    """Return where the name ends that begins at ``first``, if it has ``least`` words, and none that no name has."""
    at = end = first
    count = 0
    for _ in range(_MOST_WORDS):
        word = _WORD.match(text, at)
        if word is None:
            break
        plain = word[0].rstrip(".").lower()
        if plain in lead_words.COMPANIES:
            return None
        at = word.end() + 1
        if plain in lead_words.PARTICLES and count:
            continue
        if not word[0][0].isupper() or plain in lead_words.NO_NAMES:
            break
        is_title = plain in lead_words.TITLES or plain in lead_words.TITLES_OF_DEGREE
        # A longer word with a dot ends the sentence; an initial and a title do not.
        is_last = word[0].endswith(".") and len(plain) > _INITIAL and not is_title
        end = word.end() - is_last
        count += len(plain) >= _INITIAL and not is_title
        if is_last or text[at - 1 : at] != " ":
            break
    return end if count >= least else None


# A letter that all of a script's texts have, and what one of must be there.
_HINTS_OF_OTHERS = {
    "о": ("зов", "важаем", "ФИО", "амилия", "ациент", "оспод", "имя"),
    "名": ("名前", "氏名", "姓名", "名字"),
    "我": ("我叫",),
    "様": ("様",),
    "先": ("先生",),
    "女": ("女士",),
    "이": ("이름",),
    "성": ("성함", "성명"),
    "ا": ("اسم",),
    "ש": ("שמי", "שם", "קוראים"),
    "न": ("नाम",),
    "ε": ("λένε", "νομα"),
}
_OF_OTHERS = re.compile(
    r"(?:(?:[Мм]еня|[Мм]ене) зов\w{1,3}|[Уу]важаем\w{2}|ФИО|[Фф]амилия(?:,? имя)?|[Пп]ациент\w{0,2}|[Гг]осподин\w?"
    r"|[Гг]оспож\w|на имя|[Мм]оё имя)"
    r"\s?:?\s((?:[А-ЯЁІЇЄҐ][а-яёіїєґ'’-]+|[А-Я]\.)(?: ?(?:[А-ЯЁІЇЄҐ][а-яёіїєґ'’-]+|[А-Я]\.)){0,2})"
    r"|(?:(?:お?名前|氏名|姓名|名字)[はが是]?[:： ]{0,2}|我叫|我的名字[是叫])"
    r"([一-龠々]{2,4}(?: ?[一-龠]{1,4})?)(?=です|と申|と言|[はがを、，。,.\s]"
    r"|$|[^一-龠])"
    r"|([一-龠々]{2,4})(?=様[、,。\s]|先生[，,：:]|女士[，,：:])"
    r"|(?:이름은|이름|성함은?|성명)[:： ]{0,2}([가-힣]{2,4}?)(?=입니다|이에요|이고|[ ,.\n]|$)"
    r"|(?:اسمي|الاسم|اسم المريض)[: ]{1,2}([\u0621-\u064a]{2,12}(?: [\u0621-\u064a]{2,12}){0,2})"
    r"|(?:שמי|שם(?: מלא)?:|קוראים לי) ?([\u05d0-\u05ea]{2,12} [\u05d0-\u05ea]{2,12})"
    r"|(?:मेरा नाम|नाम:) ?((?!है)[\u0900-\u097f]{2,16} (?!है)[\u0900-\u097f]{2,16})"
    r"|(?:[Μμ]ε λένε|[Οο]νομάζομαι|[Οο]νοματεπώνυμο:) ?([Α-ΩΆ-Ώ][α-ωά-ώ]+(?: [Α-ΩΆ-Ώ][α-ωά-ώ]+){0,2})"
)


def _of_other_scripts(text: str) -> Iterator[Match]:
    """Find the names that other scripts have a word before, or behind."""
    signs = [sign for sign in _HINTS_OF_OTHERS if sign in text]
    if any(hint in text for sign in signs for hint in _HINTS_OF_OTHERS[sign]):
        for name in _OF_OTHERS.finditer(text):
            yield Match(*name.span(name.lastindex or 0), "person_name")
