"""What words tell of people: their names, addresses, papers, accounts and devices."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy import columns, document_numbers, full_names, person_names, street_addresses
from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

KINDS = frozenset({"person_name", "postal_address"}) | document_numbers.KINDS


class Finder:
    """Finds what words tell of people, but for the national ids of countries that were not chosen."""

    def __init__(self, kinds: frozenset[str]) -> None:
        self._passed_by = document_numbers.words_of_others(kinds)

    def find(self, subject: Subject) -> Iterator[Match]:
        """Find names of people, postal addresses, and numbers of papers, accounts and devices."""
        yield from person_names.find(subject)
        yield from full_names.find(subject)
        yield from columns.find(subject)
        if subject.has_other_script:
            yield from _of_other_scripts(subject.text)
        if subject.has_digits:
            yield from street_addresses.find(subject)
            yield from document_numbers.find(subject, self._passed_by)
            if subject.has_other_script:
                yield from street_addresses.of_other_scripts(subject)
                yield from document_numbers.of_other_scripts(subject)


# A letter that all of a script's texts have, and what one of must be there.
_HINTS_OF_OTHERS = {
    "о": ("зов", "зва", "важаем", "ФИО", "амилия", "ациент", "оспод", "имя"),
    "名": ("名前", "氏名", "姓名", "名字"),
    "我": ("我叫",),
    "様": ("様",),
    "先": ("先生",),
    "女": ("女士",),
    "이": ("이름",),
    "성": ("성함", "성명"),
    "ا": ("اسم", "نام"),
    "م": ("نام",),
    "ช": ("ชื่อ",),
    "ש": ("שמי", "שם", "קוראים"),
    "न": ("नाम",),
    "ε": ("λένε", "νομα"),
}
_OF_OTHERS = re.compile(
    r"(?:(?:[Мм]еня|[Мм]ене) зо?в\w{1,4}|[Пп][іi]дпис|[Уу]важаем\w{2}|ФИО|[Фф]амилия(?:,? имя)?|[Пп]ациент\w{0,2}"
    r"|[Гг]осподин\w?"
    r"|[Гг]оспож\w|на имя|[Мм]оё имя)"
    r"\s?:?\s((?:[А-ЯЁІЇЄҐ][а-яёіїєґ'’-]+|[А-Я]\.)(?: ?(?:[А-ЯЁІЇЄҐ][а-яёіїєґ'’-]+|[А-Я]\.)){0,2})"
    r"|(?:(?:お?名前|氏名|姓名|名字)[はが是]?[:： ]{0,2}|我叫|我的名字[是叫])"
    r"([一-龠々]{2,4}(?: ?[一-龠]{1,4})?)(?=です|と申|と言|[はがを、，。,.\s]"
    r"|$|[^一-龠])"
    r"|([一-龠々]{2,4})(?=様[、,。\s]|先生[，,：:]|女士[，,：:])"
    r"|(?:이름은|이름|성함은?|성명)[:： ]{0,2}([가-힣]{2,4}?)(?=입니다|이에요|이고|[ ,.\n]|$)"
    r"|(?:اسمي|الاسم|اسم المريض|الاسم الكامل)[: ]{1,2}([\u0621-\u064a]{2,12}(?: [\u0621-\u064a]{2,12}){0,2})"
    r"|(?:نام من|نام و نام خانوادگی|نام)[: ]{1,2}([\u0621-\u06cc]{2,12}(?: [\u0621-\u06cc]{2,12}){0,2})"
    r"|(?:ชื่อ(?:-นามสกุล|ของฉันคือ)?)[: ]{1,2}([\u0e00-\u0e7f]{2,24}(?: [\u0e00-\u0e7f]{2,24})?)"
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
    for hints, pattern in _BY_HINTS:
        if any(hint in text for hint in hints):
            yield from (Match(*name.span(1), "person_name") for name in pattern.finditer(text))


# Titles before names or behind them, and the ends of Russian surnames.
_BY_HINTS = (
    (("님", "씨"), re.compile("(?<![가-힣])([가-힣]{2,5})(?: 고객님|고객님| 씨| 님)(?=[께이은을의가과, .]|$)")),
    (("さん",), re.compile("(?<![一-龠々])([一-龠々]{3,5}[^社者員店屋師署局\\W])さん(?=[がはをにのとへ、。])")),
    (
        ("السيد", "الأستاذ", "الدكتور"),
        re.compile("(?:السيدة?|الأستاذة?|الدكتورة?) ([\u0621-\u064a]{2,12} [\u0621-\u064a]{2,12})"),
    ),
    (
        ("κυρί", "κύρι"),
        re.compile("(?:κυρίας?|κυρίου?|κύριο[ςυ]?) ([Α-ΩΆ-Ώ][α-ωά-ώ]+(?: [Α-ΩΆ-Ώ][α-ωά-ώ]+){0,2})"),
    ),
    (
        ("ов", "ев", "ин", "ск", "цк", "енко", "чук"),
        re.compile(
            "(?<![\\w.-])(?<!улица )(?<!город )(?<!ул. )"
            "([А-ЯЁ][а-яё]{2,14}(?<!ая)(?<!ый) [А-ЯЁ][а-яё]{1,16}"
            "(?:[ое]ва?|ина?|[сц]к(?:ий|ая|ого|ой|ому)|енко|чук))(?![\\w-])"
        ),
    ),
)
