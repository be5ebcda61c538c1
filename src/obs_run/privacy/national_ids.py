"""National identity numbers, named after the modules of python-stdnum that check them."""

from __future__ import annotations

import re
from typing import NamedTuple

from obs_run.privacy import libraries


class NationalId(NamedTuple):
    """One number: the kind, the shapes it is written in, and the words that stand before it.

    A shape is the lengths of groups of digits with the signs between, such as ``3-2-4``. In a ``telling`` shape the
    number counts alone; else one of ``words`` must stand before it, because too much else is as long.
    """

    kind: str
    shapes: tuple[str, ...]
    telling: tuple[str, ...]
    words: re.Pattern[str]
    named: str


_ABBREVIATION = 4


def _words(words: str) -> re.Pattern[str]:
    """Return what finds any of ``words``: a long one also as the beginning of a longer one, an abbreviation alone."""
    whole = [
        rf"{re.escape(word)}(?!\w)" if len(word) <= _ABBREVIATION else re.escape(word) for word in words.split("|")
    ]
    return re.compile(rf"(?<![a-z])(?:{'|'.join(whole)})")


def _id(kind: str, shapes: str, telling: str, words: str) -> NationalId:
    return NationalId(kind, tuple(shapes.split("|")), tuple(filter(None, telling.split("|"))), _words(words), words)


_GENERAL_WORDS = (
    "id number|id no|identity number|identification number|national id|personal id|tax id|id-nummer|identity card",
    "ausweisnummer|número de identificación|numéro d'identification|kimlik no",
)
_GENERAL = _words("|".join(_GENERAL_WORDS))

NUMBERS = (
    _id("us.ssn", "9|3-2-4|3 2 4", "3-2-4", "ssn|social security|social-security|social is|social number|social:"),
    _id("us.itin", "9|3-2-4|3 2 4", "3-2-4", "itin|taxpayer"),
    _id("gb.nhs", "10|3 3 4|3-3-4", "", "nhs"),
    _id("gb.utr", "10|5 5", "", "utr|unique taxpayer"),
    _id("de.idnr", "11|2 3 3 3|2-3-3-3", "2 3 3 3", "steuer|tax id|tin|idnr|identifikationsnummer"),
    _id("fr.nir", "15|1 2 2 2 3 3 2", "15|1 2 2 2 3 3 2", "nir|sécurité sociale|securite sociale|insee"),
    _id("nl.bsn", "9|4.2.3|3.3.3|3 3 3", "", "bsn|burgerservice|sofinummer"),
    _id("be.nn", "11|2.2.2-3.2|6-3-2", "2.2.2-3.2", "rijksregister|registre national|nationaal nummer|niss|insz"),
    _id("pl.pesel", "11", "", "pesel"),
    _id("se.personnummer", "6-4|8-4|12|10|6+4", "6-4|8-4", "personnummer|personnr|samordningsnummer"),
    _id("dk.cpr", "6-4|10", "6-4", "cpr|personnummer"),
    _id("no.fodselsnummer", "11|6 5", "", "fødsels|fodsels|personnummer|d-nummer|fnr|f.nr"),
    _id("pt.nif", "9|3 3 3", "", "nif|contribuinte|fiscal"),
    _id("br.cpf", "11|3.3.3-2", "3.3.3-2", "cpf"),
    _id("in.aadhaar", "12|4 4 4|4-4-4", "", "aadhaar|aadhar|uidai|आधार"),
    _id("ca.sin", "9|3-3-3|3 3 3", "", "sin|nas|social insurance|assurance sociale"),
    _id("au.tfn", "9|8|3 3 3|3-3-3", "", "tfn|tax file"),
    _id("at.vnr", "10|4 6", "", "sozialversicherung|svnr|sv-nummer|versicherungsnummer"),
    _id("ch.ssn", "13|3.4.4.2", "3.4.4.2", "ahv|avs|sozialversicherung"),
    _id("cz.rc", "6/4|6/3|10|9", "6/4", "rodné|rodne|birth number|rč"),
    _id("sk.rc", "6/4|10", "6/4", "rodné|rodne"),
    _id("ro.cnp", "13", "", "cnp|cod numeric"),
    _id("bg.egn", "10", "", "егн|egn"),
    _id("hr.oib", "11", "", "oib"),
    _id("ee.ik", "11", "", "isikukood"),
    _id("lt.asmens", "11", "", "asmens"),
    _id("gr.amka", "11", "", "αμκα|amka"),
    _id("tr.tckimlik", "11", "", "kimlik|tckn|t.c.|tc no"),
    _id("kr.rrn", "6-7|13", "6-7", "주민등록|resident registration"),
    _id("jp.in", "12|4 4 4|4-4-4", "", "マイナンバー|個人番号|my number"),
    _id("cn.ric", "18", "18", "身份证|身分證"),
    _id("za.idnr", "13|6 4 2 1", "", "south africa|sa id|rsa id|id|id:|idno"),
    _id("cl.rut", "2.3.3-1|1.3.3-1|8-1", "2.3.3-1", "rut|run"),
    _id("il.idnr", "9|8-1", "", "תעודת זהות|ת.ז|teudat"),
    _id("th.pin", "1-4-5-2-1|13", "1-4-5-2-1", "บัตรประชาชน|เลขประจำตัว|thai id"),
    _id("my.nric", "6-2-4|12", "6-2-4", "nric|mykad|kad pengenalan"),
    _id("ar.cuit", "2-8-1|11", "2-8-1", "cuit|cuil"),
    _id("id.nik", "16", "", "nik|ktp"),
    _id("is.kennitala", "6-4|10", "", "kennitala"),
    _id("ua.rntrc", "10", "", "рнокпп|іпн|ипн"),
    _id("ru.inn", "12|10", "", "инн|inn"),
    _id("si.emso", "13", "", "emšo|emso|jmbg"),
    _id("mx.curp", "", "", "curp"),
)  # fmt: skip


class _Word(NamedTuple):
    """A number with letters in it: its shape (``0`` a digit, ``a`` a letter), and whether a word must come before."""

    kind: str
    shape: bytes
    pattern: re.Pattern[str]
    words: re.Pattern[str] | None = None


def _word(kind: str, pattern: str, shape: bytes, words: str | None = None) -> _Word:
    return _Word(kind, shape, re.compile(pattern), _words(words) if words else None)


WORDS = (
    _word("es.dni", r"[0-9]{8}[A-Z]", b"00000000a"),
    _word("es.nie", r"[XYZ][0-9]{7}[A-Z]", b"a0000000a"),
    _word("gb.nino", r"[A-CEGHJ-PRTW-Z][A-CEGHJ-NPRTW-Z][0-9]{6}[A-D]", b"aa000000a"),
    _word("ie.pps", r"[0-9]{7}[A-W]", b"0000000a", "pps|ppsn"),
    _word("ie.pps", r"[0-9]{7}[A-W][A-IW]", b"0000000aa", "pps|ppsn"),
    _word("pt.cc", r"[0-9]{9}[A-Z0-9]{2}[0-9]", b"000000000aa0", "cartão de cidadão|cartao de cidadao|citizen card"),
    _word("pt.cc", r"[0-9]{9}[A-Z0-9]{2}[0-9]", b"0000000000a0", "cartão de cidadão|cartao de cidadao|citizen card"),
    _word("pt.cc", r"[0-9]{9}[A-Z0-9]{2}[0-9]", b"000000000a00", "cartão de cidadão|cartao de cidadao|citizen card"),
    _word("in.pan", r"[A-Z]{3}P[A-Z][0-9]{4}[A-Z]", b"aaaaa0000a"),
    _word("cl.rut", r"[0-9]{8}K", b"00000000a", "rut|run"),
    _word("fi.hetu", r"[0-9]{6}[ABCDEFYXWVU][0-9]{3}[0-9A-FHJ-NPR-Y]", b"000000a000a"),
    _word("fi.hetu", r"[0-9]{6}[ABCDEFYXWVU][0-9]{4}", b"000000a0000"),
    _word("it.codicefiscale", r"[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]", b"aaaaaa00a00a000a"),
    _word("mx.curp", r"[A-Z]{4}[0-9]{6}[HMX][A-Z]{5}[A-Z][0-9]", b"aaaa000000aaaaaaa0"),
    _word("mx.curp", r"[A-Z]{4}[0-9]{6}[HMX][A-Z]{5}[0-9]{2}", b"aaaa000000aaaaaa00"),
    _word("cn.ric", r"[0-9]{17}X", b"00000000000000000a"),
)
WORD_SHAPES = frozenset(word.shape for word in WORDS)
SPACED_NINO = re.compile(
    rb"(?<![A-Za-z0-9])[A-CEGHJ-PRTW-Z][A-CEGHJ-NPRTW-Z] [0-9]{2} [0-9]{2} [0-9]{2} [A-D](?![0-9A-Za-z])"
)
KINDS = frozenset(number.kind for number in NUMBERS) | {word.kind for word in WORDS}
# No module of the library: its rules are in the pattern.
_UNCHECKED = frozenset({"gb.nino"})
_MODULES = {"in.aadhaar": "in_.aadhaar", "in.pan": "in_.pan", "is.kennitala": "is_.kennitala", "jp.in": "jp.in_"}


def is_valid(kind: str, number: str) -> bool:
    """Whether the check digits, dates and ranges of ``number`` are right."""
    return kind in _UNCHECKED or libraries.is_valid(_MODULES.get(kind, kind), number)


class Finder:
    """Judges candidates for the kinds that are on."""

    def __init__(self, kinds: frozenset[str]) -> None:
        self._by_shape: dict[str, list[NationalId]] = {}
        for number in NUMBERS:
            if number.kind in kinds:
                for shape in number.shapes:
                    self._by_shape.setdefault(shape, []).append(number)
        self.shapes = frozenset(self._by_shape)
        self._numbers_words = _words("|".join(_GENERAL_WORDS + tuple(n.named for n in NUMBERS if n.kind in kinds)))
        self._words = [word for word in WORDS if word.kind in kinds]

    def of_shape(self, shape: str, number: str, before: str) -> str | None:
        """Return the kind of the ``number`` written in ``shape``, with the lower-case text before it."""
        candidates = self._by_shape.get(shape)
        if not candidates:
            return None
        named: list[NationalId] = []
        if self._numbers_words.search(before):
            named = [one for one in candidates if one.words.search(before)]
            if not named and _GENERAL.search(before):
                named = candidates
        telling = [one for one in candidates if shape in one.telling and one not in named]
        return next((one.kind for one in (*named, *telling) if is_valid(one.kind, number)), None)

    def of_word(self, word: str, before: str) -> str | None:
        """Return the kind of a word of letters and digits."""
        for one in self._words:
            has_shape = len(one.shape) == len(word) and one.pattern.fullmatch(word)
            if has_shape and (one.words is None or one.words.search(before)) and is_valid(one.kind, word):
                return one.kind
        return None
