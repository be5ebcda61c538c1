"""What a log line tells, and how much two lines tell of the same."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from obs_run.bridge import words

_SAME_VERB = 3
_SAME_NOUN = 2
_VERB_AS_NOUN = 2
_LEAST_COMMON = 5
"""How many letters two longer stems have in common that are of one family."""


class Role(Enum):
    """What a line tells."""

    NONE = 0
    START = 1
    END = 2
    FAILURE = 3
    RECEIVED = 4
    """That a message has come which is now being worked on."""


class Phrase(NamedTuple):
    """What is told by a line, and of what."""

    role: Role
    verb: str = ""
    """The stem of the verb, "" where it says nothing."""
    nouns: frozenset[str] = frozenset()
    """The stems of the other words that say what it is about."""
    measured: str = ""
    """The unit of a duration that the line tells was measured, "" where it tells none."""
    name: str = ""
    """The line in short, without its values."""
    is_iteration: bool = False
    """Whether it is one of several that follow each other, which its number tells."""

    def is_generic(self) -> bool:
        """Whether it does not say what it is about."""
        return not self.nouns and not self.verb

    def likeness(self, other: Phrase) -> int:
        """Return how much both tell of the same: 0 for nothing, more for the same verb and for each common noun."""
        if (self.verb, other.verb) == ("start", "stop"):
            # How long something was up, which is no work.
            return 0
        common = sum(_is_among(noun, other.nouns) for noun in self.nouns)
        if _are_same_work(self.verb, other.verb):
            return _SAME_VERB + _SAME_NOUN * common
        is_crossed = _is_among(self.verb, other.nouns) or _is_among(other.verb, self.nouns)
        return _SAME_NOUN * common + _VERB_AS_NOUN * is_crossed


NOTHING = Phrase(Role.NONE)


def _are_same_work(one: str, other: str) -> bool:
    """Whether two stems of verbs are alike, or of verbs that tell of the same work."""
    return _are_alike(one, other) or bool(words.FAMILIES.get(one, 0) & words.FAMILIES.get(other, 0))


def _is_among(stem: str, others: frozenset[str]) -> bool:
    return any(_are_alike(stem, each) for each in others)


def _are_alike(one: str, other: str) -> bool:
    """Whether two stems are of one family, as those of "transcribing" and "transcription"."""
    if not one or not other:
        return False
    if one == other:
        return True
    common = _common_letters(one, other)
    shorter = min(len(one), len(other))
    if common == shorter:
        return common >= _LEAST_COMMON - 1
    return common >= _LEAST_COMMON and common == shorter - 1


def _common_letters(one: str, other: str) -> int:
    """Return how many letters both begin with."""
    common = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        common += 1
    return common
