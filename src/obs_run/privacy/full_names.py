"""Names of people that no word tells of: a first name and a last one side by side, by lists of many countries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy import lead_words, name_tables, person_names, telling_words
from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

_KIND = "person_name"
_SPACED = (b" A",)
_SPACED_OF_OTHERS = (b" A", b" ?")
"""Letters that are not ASCII are question marks."""
_BEHIND_LETTERS = frozenset(b"aA?.,")
_WORD_BEFORE = re.compile(r"(?<![\w./@#\\$&-])(?<!\w')[^\W\d_](?:[^\W\d_]|['\u2019-](?=[^\W\d_])){0,22}\.?$")
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['\u2019-](?=[^\W\d_]))*")
_LONGEST_WORD, _MOST_BETWEEN, _LONGEST_BETWEEN = 26, 3, 5
_CAPITALS = frozenset(b"A?")
_PLACES = frozenset({
    "sao", "são", "san", "santa", "santo", "puerto", "porto", "ciudad", "villa", "monte", "saint", "sankt", "fort",
    "mount", "lake", "cape", "new", "isla", "ilha", "rio", "cerro", "lago", "val", "bad", "ubuntu",
})  # fmt: skip
"""Before a first name they make the name of a place."""
_NO_FIRST = _PLACES | lead_words.NO_NAMES | lead_words.TITLES_OF_NAMES | lead_words.COMPANIES
_NO_FIRST |= {word.decode() for word in lead_words.CALLS | lead_words.GREETINGS | lead_words.CLOSINGS}
_NO_LAST = lead_words.NO_NAMES | lead_words.COMPANIES
_SHORTEST, _NEAR = 3, 64
_ENDS_OF_WORDS = (
    "ed", "ing", "ly", "ion", "ions", "ment", "ness", "able", "ous", "ive", "ism", "ity", "ics", "al", "ful",
)  # fmt: skip
_POSSESSIVE = ("'s", "\u2019s")
# Who made a program is told to everybody.
_IN_COPYRIGHT = re.compile(r"(?:[Cc]opyright|COPYRIGHT|\([Cc]\)|©)[^\n]*$")
# Words of Cyrillic and Greek letters are not told from others before.
_VOWELS = ("а", "α")


def _is_telling(word: bytes) -> bool:
    """Whether a word in small letters may be one of a name: another one is looked at only beside such a one."""
    if len(word) < _SHORTEST or not word[:2].isalpha():
        return len(word) >= _SHORTEST and word[:1] != word[1:2] and b"?" in word[:2]
    return name_tables.is_name(word)


_TOPIC = telling_words.register(_is_telling)


def find(subject: Subject) -> Iterator[Match]:
    """Find full names, of two words or more."""
    if not (subject.words(_TOPIC) or (subject.has_other_script and any(sign in subject.text for sign in _VOWELS))):
        return
    text = subject.text
    if "\\" in text:
        text = text.replace("\\n", " \n").replace("\\r", " \n").replace("\\t", " \t")
    done = 0
    for at in _places(subject.shape, text, is_ascii=subject.ascii):
        if at < done:
            continue
        found = _in_reverse(text, at) if text[at - 2] == "," else _in_order(text, at)
        if found and not _IN_COPYRIGHT.search(text, max(0, found[0] - _NEAR), found[0]):
            done = found[1]
            yield Match(*found, _KIND)


def _in_order(text: str, at: int) -> tuple[int, int] | None:
    """Return where the name begins and ends of which the word at ``at`` is the second."""
    first = _first_word(text, at - 1)
    if first is None or not _is_name(text, first, at):
        return None
    end = person_names.end_of_name(text, first, 2)
    return (first, _without_words(text, first, end)) if end is not None and end > at else None


def _in_reverse(text: str, at: int) -> tuple[int, int] | None:
    """Return where a name begins and ends that has the last name first: "Roe, Jane"."""
    last_name = _WORD_BEFORE.search(text, max(0, at - _LONGEST_WORD), at - 2)
    first_name = _WORD.match(text, at)
    if last_name is None or first_name is None:
        return None
    is_last = name_tables.kinds_of(last_name[0]) == {"surname"} and last_name[0][0].isupper()
    is_name = is_last and "given" in name_tables.kinds_of(first_name[0]) and not _is_followed(text, at)
    return (last_name.start(), first_name.end()) if is_name else None


def _places(shape: bytes, text: str, *, is_ascii: bool) -> list[int]:
    """Return where words begin with a capital that stand behind one that does, or behind an initial or a small word."""
    found: list[int] = []
    for form in _SPACED if is_ascii else _SPACED_OF_OTHERS:
        at = shape.find(form) + 1
        while at > 0:
            if shape[at - 2] in _BEHIND_LETTERS and text[at - 1] == " " and text[at].isupper():
                first = shape.rfind(b" ", 0, at - 1) + 1
                if at - first <= _LONGEST_BETWEEN or not _CAPITALS.isdisjoint(shape[first:at]):
                    found.append(at)
            at = shape.find(form, at) + 1
    return sorted(found) if len(found) > 1 else found


def _first_word(text: str, end: int) -> int | None:
    """Return where the capitalised word begins that ends at ``end``, or stands before small words and initials."""
    for _ in range(_MOST_BETWEEN):
        word = _WORD_BEFORE.search(text, max(0, end - _LONGEST_WORD), end)
        if word is None:
            return None
        plain = word[0].rstrip(".").lower()
        is_initial = len(plain) == 1 and word[0][0].isupper()
        if plain not in lead_words.PARTICLES and not is_initial:
            return word.start() if word[0][0].isupper() and not word[0].endswith(".") else None
        end = word.start() - 1
        if text[end : end + 1] != " ":
            return None
    return None


def _is_name(text: str, first: int, last: int) -> bool:
    """Whether the words at ``first`` and ``last`` are a first name and a last one, in this order or the other."""
    one, two = _word(text, first), _word(text, last)
    if len(one) < _SHORTEST or one.lower() in _NO_FIRST or two.lower() in _NO_LAST or not two[:1].isupper():
        return False
    kinds, others = name_tables.kinds_of(one), name_tables.kinds_of(two)
    is_last = "surname" in others and "word" not in others
    if one.isupper() or two.isupper():
        return "given" in kinds and is_last
    if "given" in kinds:
        return "word" not in others or "surname" in others
    if "ambiguous" in kinds:
        return is_last
    return "word" not in kinds and _is_name_of_second(text, one, last, others)


def _is_name_of_second(text: str, one: str, last: int, others: frozenset[str]) -> bool:
    """Whether the word at ``last`` makes a name of an unknown word before it: a first name, or a last name alone."""
    if "given" in others:
        return not _is_followed(text, last)
    return others == {"surname"} and not name_tables.kinds_of(one) and not one.endswith(_ENDS_OF_WORDS)


def _without_words(text: str, first: int, end: int) -> int:
    """Return where the name ends without what follows it and is no name: "Petersen Graphs"."""
    words = text[first:end].split(" ")
    while len(words) > 2 and name_tables.kinds_of(words[-1]) == _WORDS_ALONE:  # noqa: PLR2004 (first and last name)
        end -= len(words.pop()) + 1
    return end - 2 * text.endswith(_POSSESSIVE, first, end)


_WORDS_ALONE = frozenset({"word"})


def _word(text: str, at: int) -> str:
    word = _WORD.match(text, at)
    return word[0].removesuffix("'s").removesuffix("\u2019s") if word else ""


def _is_followed(text: str, first: int) -> bool:
    """Whether the first name at ``first`` has its last name behind it."""
    word = _WORD.match(text, first)
    last = word.end() + 1 if word else first
    return text[last - 1 : last] == " " and text[last : last + 1].isupper() and _is_name(text, first, last)
