"""The clauses of a log line's constant text, without what stands before and between them."""

from __future__ import annotations

import re
from typing import NamedTuple

from obs_run.bridge import words
from obs_run.bridge.words import VALUE

FAILED_MARKS = frozenset("✗✘❌💥🚨")
DONE_MARKS = frozenset("✓✔✅")
_ARROWS = frozenset("→←")
_NO_WORDS = FAILED_MARKS | DONE_MARKS | _ARROWS

_MARKS = re.compile(r"[^\w\s\0.,:;!?()\[\]{}<>=/'\"#%&+*@$€|~^`\\→←\N{EN DASH}—…-]+")
_PREFIXES = re.compile(r"^(?:\s*[\[({<][^\])}>]{0,60}[\])}>]\s*[:|-]?\s*|\s*[=*#~_-]{2,}\s*|\s*[|>•·]\s*)+")
_NAME_PREFIX = re.compile(
    r"^(?:[A-Z][\w.\0-]*(?: [A-Z][\w.\0-]*)?|[a-z][\w-]*\.[\w.-]+|\0)\s?(?::|\||->|»|—|\N{EN DASH})\s+(?=\S)"
)
_RULERS = re.compile(r"[=*#~_-]{3,}")
_BETWEEN = re.compile(
    r"(?<=[\w)\0'\"])[.!;](?=\s|$)|\s[|\N{EN DASH}—]\s|\s-\s|:\s|\.{2,}|…|,\s",
)
_AROUND = " .,:;!?-\N{EN DASH}—\t\r\n"
_WORDS = re.compile(r"[a-zA-ZÀ-ÿ][\wÀ-ÿ'\N{RIGHT SINGLE QUOTATION MARK}-]*|\0+|[✓✔✅✗✘❌💥🚨→←]")
_EVENT_NAME = re.compile(r"^[a-z][a-z0-9]*(?:[._-][a-z0-9]+)+$")
_EVENT_NAME_SEPARATORS = re.compile(r"[._-]")
_QUOTED = re.compile(r"(?<!\w)(?:'[^'\n\w]*\w[^'\n]*'|\"[^\"\n\w]*\w[^\"\n]*\")(?!\w)")
_VALUES = re.compile(r"['\"`(\[{<#]{0,9}\0['\"`)\]}>]*(?:/\0)?")
_LEFT_OVER = re.compile(r"\s(?:for|with|of|to|from|in|on|at|by|=|#|:|\()+$")
_PREPOSITION = r"(?:for|with|of|to|from|in|on|at|by|as|via|using)"
_REMARKS = (
    # "(idle timeout: 30s)", and one that the clause ends in the midst of
    re.compile(r" ?[(\[][^()\[\]]*\w[^()\[\]]*\0[^()\[\]]*[)\]]| ?[(\[][^()\[\]]*$"),
    # "- model: gpt"
    re.compile(r" [-\N{EN DASH}|,;] ?\w+ ?[:=] ?['\"]?\0.*$"),
    # "of 30 from the archive"
    re.compile(rf" {_PREPOSITION} ['\"]?\0['\"]?(?= ?(?:$|[(.,:;!?]|{_PREPOSITION} ))"),
)
"""What a name does without: it says no more than the values in it, which are left out."""
_AROUND_NAME = " .,:;!?-\N{EN DASH}—=(#'\""
_MOST_CLAUSES = 4
_MOST_PREFIXES = 3
_LONGEST_NAME = 80
_LONGEST_NAMED = 200


class Clause(NamedTuple):
    """A part of a line that tells one thing at most."""

    text: str
    level: int
    is_first: bool
    """Whether the line begins with it."""
    is_event: bool
    """Whether it begins with the name of an event, as "order.created", which then tells all."""
    marks: frozenset[str]
    """The marks of success and failure in it."""
    said: tuple[str, ...]
    """Its words in small letters, and the values between them."""
    words: tuple[str, ...]
    """Those of its words that tell what it tells, without the values."""

    @property
    def first(self) -> str:
        """The word that it begins with."""
        return self.words[0]

    @property
    def last(self) -> str:
        """The word that it ends with."""
        return self.words[-1]


def read_clause(text: str, level: int, *, is_first: bool) -> Clause:
    """Return a clause taken apart."""
    found = words_of(text)
    said = tuple(each for each in found if each not in _NO_WORDS)
    spoken = tuple(each for each in said if VALUE not in each)
    event, _, rest = text.partition(" ")
    is_event = _is_event_name(event, rest)
    if is_event and spoken:
        spoken = tuple(words_of(event))
    return Clause(text, level, is_first, is_event, frozenset(found) & (FAILED_MARKS | DONE_MARKS), said, spoken)


def split_clauses(template: str) -> list[str]:
    """Return the first clauses of a line."""
    parts = _BETWEEN.split(without_prefixes(template))
    return [clause for part in parts if (clause := part.strip(_AROUND))][:_MOST_CLAUSES]


def without_quotes(template: str) -> str:
    """Return a line with a value in the place of quoted speech, whose words tell nothing."""
    return _QUOTED.sub(VALUE, template)


def without_prefixes(template: str, *, is_speaker: bool = False) -> str:
    """Return a line without rulers, brackets, pictures and names of who speaks before its words.

    ``is_speaker`` says that a name is that of who speaks also where no words follow; else it is what the line is about.
    """
    text = _RULERS.sub(" ", template).strip()
    for _ in range(_MOST_PREFIXES):
        before = text
        text = _without_prefix(text, is_speaker=is_speaker)
        if text == before:
            break
    return text


def _without_prefix(text: str, *, is_speaker: bool) -> str:
    marks = _MARKS.match(text)
    if marks and not set(marks.group()) & (FAILED_MARKS | DONE_MARKS):
        text = text[marks.end() :].lstrip()
    prefixes = _PREFIXES.match(text)
    if prefixes and prefixes.end() < len(text):
        text = text[prefixes.end() :]
    name = _NAME_PREFIX.match(text)
    is_subject = name and not is_speaker and not spoken_words_of(text[name.end() :])
    if name and not is_subject and not _tells_something(name.group()):
        text = text[name.end() :]
    return text


def _tells_something(prefix: str) -> bool:
    said = set(plain_words_of(prefix))
    outcome_words = words.FAILURES | words.COMPLETIONS | words.STARTS | words.LATE_STARTS | words.BAD
    return bool(said & outcome_words) or any(words.is_gerund(each) or words.is_participle(each) for each in said)


def words_of(text: str) -> list[str]:
    """Return the words, values and marks of a text; an event's name counts as several."""
    return plain_words_of(_split_event_name(text))


def plain_words_of(text: str) -> list[str]:
    """Return the words, values and marks of a text as they stand there."""
    return [each.lower() for each in _WORDS.findall(text)]


def spoken_words_of(text: str) -> list[str]:
    """Return the words and marks of a text as they stand there, without its values."""
    return [each for each in plain_words_of(text) if VALUE not in each]


def _split_event_name(text: str) -> str:
    first, space, rest = text.partition(" ")
    if not _is_event_name(first, rest):
        return text
    return _EVENT_NAME_SEPARATORS.sub(" ", first) + space + rest


def _is_event_name(word: str, rest: str) -> bool:
    """Whether a word is the name of an event, and not that of a file or a thing that the rest of a line tells of."""
    if _EVENT_NAME.match(word) is None:
        return False
    last = _EVENT_NAME_SEPARATORS.split(word)[-1]
    return _tells_something(last) or last in words.EVENT_CALLS | words.ANSWERS or not spoken_words_of(rest)


def nouns_of(text: str) -> frozenset[str]:
    """Return the stems of the words of a text that say what it is about."""
    return words.nouns_among(words_of(text))


def measured_unit(template: str) -> str:
    """Return the unit of the duration that a line tells was measured, "" where it tells none."""
    match = words.MEASURED.search(template)
    if match is None:
        return ""
    begin = max(template.rfind(mark, 0, match.start()) for mark in ".;,|") + 1
    return (
        ""
        if words.NOT_MEASURED.search(template[begin : match.end()])
        else match.group("unit") or match.group("unit_of_key")
    )


def short_name(clause: str) -> str:
    """Return a clause without values and what stands before them only for their sake."""
    clause = " ".join(clause.split())[:_LONGEST_NAMED]
    for remark in _REMARKS:
        clause = remark.sub("", clause) or clause
    text = " ".join(_VALUES.sub(" ", clause).split()).strip(_AROUND_NAME)
    return _LEFT_OVER.sub("", text)[:_LONGEST_NAME]


def is_word_alone(clause: str) -> bool:
    """Whether a clause only says that what stands before it begins or is over."""
    if VALUE in clause or any(map(str.isdigit, clause)):
        return False
    said = plain_words_of(clause)
    return len(said) == 1 and said[0] in words.COMPLETIONS | words.LATE_STARTS
