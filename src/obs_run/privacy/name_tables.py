"""Whether a word is a first name, a last name or neither, by lists of many countries."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

PATH = Path(__file__).with_name("name_table.txt")
_LETTERS = str.maketrans({
    "ł": "l", "ø": "o", "ß": "ss", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "\u2019": "'",
    "ə": "e", "ё": "е",
})  # fmt: skip
_MOST_REMEMBERED = 8192
_ENDS_OF_NAMES = (
    "ovich", "ović", "evic", "ovic", "ovski", "owski", "ewski", "inski", "ynski", "owska", "ewska", "inska", "enko",
    "czyk", "sson", "dottir", "opoulos", "opoulou", "idis", "akis", "akos", "escu", "eanu", "ashvili", "adze", "yants",
    "bichler", "hofer", "huber", "meier", "meyer", "mayer", "bauer", "mueller", "muller", "hausen", "reuter", "felder",
    "inger", "ovsky", "ovska", "ovec", "ovcova", "kova", "ckova", "nova", "walla", "zadeh", "oglu", "stein", "mann",
    "brecht", "shvili", "yan", "dze",
    "kov", "nov", "rov", "tov", "lov", "kova", "rova", "tova", "lova", "nova", "yeva", "ieva",
    "stone", "worth", "berry", "combe", "chukwu", "ogbo", "quist", "gaard", "ssen", "strom", "lund", "berg",
)  # fmt: skip

_ARTICLES = frozenset({"al", "el", "ben", "bin", "abu"})


def plain(word: str) -> str:
    """Return a word in small letters without the marks on them, as the lists have it."""
    if word.isascii():
        return word
    forms = unicodedata.normalize("NFKD", word.translate(_LETTERS))
    return "".join(sign for sign in forms if not unicodedata.combining(sign))


@cache
def _table() -> dict[tuple[str, str], str]:
    """Return the words of each list by their first two letters, in one text, which takes less memory than a set."""
    table: dict[tuple[str, str], str] = {}
    for line in PATH.read_text(encoding="utf-8").splitlines():
        section, _, words = line.partition(" ")
        table[section, words[:2]] = f" {words} "
    return table


_kinds: dict[str, frozenset[str]] = {}


def kinds_of(word: str) -> frozenset[str]:
    """Return which of "given", "ambiguous", "surname" and "word" a capitalised word is."""
    known = _kinds.get(word)
    if known is None:
        if len(_kinds) >= _MOST_REMEMBERED:
            _kinds.clear()
        known = _kinds[word] = _looked_up(word)
    return known


def _looked_up(word: str) -> frozenset[str]:
    low = plain(word.lower())
    # One half of a double name tells enough.
    parts = low.split("-") if "-" in low else (low,)
    table = _table()
    found = {
        section
        for section in ("given", "ambiguous", "surname", "word")
        if any(f" {part} " in table.get((section, part[:2]), "") for part in parts)
    }
    if not found and (parts[-1].endswith(_ENDS_OF_NAMES) or (len(parts) > 1 and parts[0] in _ARTICLES)):
        found.add("surname")
    return frozenset(found)


def is_name(word: bytes) -> bool:
    """Whether a word in small letters, with question marks for those that are not ASCII, is that of a name alone."""
    text = word.decode()
    if "?" not in text:
        kinds = _looked_up(text)
        return "given" in kinds or ("surname" in kinds and "word" not in kinds)
    pattern = re.compile(f" {re.escape(text).replace(re.escape('?'), '.{1,2}')} ")
    table = _table()
    return any(pattern.search(table.get((section, text[:2]), "")) for section in ("given", "surname")) or (
        text.endswith(_ENDS_OF_NAMES)
    )
