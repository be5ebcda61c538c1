"""Words that tell what is behind or before them: which of a text's words are such, and where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Judge = Callable[[bytes], bool]
    """Whether a word in lower case tells something."""

_LETTERS = frozenset(b"abcdefghijklmnopqrstuvwxyz?")
# Clauses are apart by a line break here, words by a space.
_CLAUSES = bytes(sign if sign in _LETTERS else 10 if sign in b'.!;\n"()' else 32 for sign in range(256))
_APART = bytes(sign if sign in _LETTERS or chr(sign).isalpha() else 32 for sign in range(256))
_LONGEST_REMEMBERED, _MOST_REMEMBERED, _MOST_WORDS = 160, 8192, 16384
_judges: list[Judge] = []
_other_words: set[bytes] = set()
_telling_words: dict[bytes, int] = {}
"""Words that tell something to a judge, with the topics that they tell of."""
_other_clauses: set[bytes] = set()
_telling_clauses: dict[bytes, dict[bytes, int]] = {}
"""Clauses with the telling words in them; most of what is said was said before."""


def register(judge: Judge) -> int:
    """Have ``judge`` asked of each word that no text had before; return the topic, a bit that stands for it."""
    _judges.append(judge)
    for known in (_other_words, _telling_words, _other_clauses, _telling_clauses):
        known.clear()
    return 1 << (len(_judges) - 1)


def folded(words: str) -> frozenset[bytes]:
    """Return the words of a list as the bytes of a text in lower case have them: ``?`` for what is not ASCII."""
    return frozenset(word.lower().encode("ascii", "replace") for word in words.split())


def telling(low: bytes) -> dict[bytes, int]:
    """Return those words of a text in lower case that tell something, with their topics."""
    found: dict[bytes, int] = {}
    new: list[bytes] = []
    for clause in set(low.translate(_CLAUSES).split(b"\n")) - _other_clauses:
        known = _telling_clauses.get(clause)
        if known is None:
            new.append(clause)
        else:
            found.update(known)
    if new:
        words = _in_words(frozenset(b" ".join(new).split()))
        _remember(new, words)
        found.update(words)
    return found


def _in_words(words: frozenset[bytes]) -> dict[bytes, int]:
    return {word: topics for word in words - _other_words if (topics := _topics(word))}


def _remember(clauses: list[bytes], telling_words: dict[bytes, int]) -> None:
    if len(_other_clauses) + len(_telling_clauses) > _MOST_REMEMBERED:
        _other_clauses.clear()
        _telling_clauses.clear()
    for clause in clauses:
        if len(clause) > _LONGEST_REMEMBERED:
            continue
        own = telling_words.keys() & clause.split() if telling_words else ()
        if own:
            _telling_clauses[clause] = {word: telling_words[word] for word in own}
        else:
            _other_clauses.add(clause)


def _topics(word: bytes) -> int:
    known = _telling_words.get(word)
    if known is not None:
        return known
    topics = sum(1 << place for place, judge in enumerate(_judges) if judge(word))
    if len(_other_words) + len(_telling_words) > _MOST_WORDS:
        _other_words.clear()
        _telling_words.clear()
    if topics:
        _telling_words[word] = topics
    else:
        _other_words.add(word)
    return topics


def places(text: bytes, words: Iterable[bytes]) -> Iterator[tuple[bytes, int, int]]:
    """Return where the words stand, with the words; not where they are a part of another word."""
    spaced = b""
    for word in words:
        spaced = spaced or b" %b " % text.translate(_APART)
        # The space in front of the text makes this the place where the word begins.
        whole = b" %b " % word.translate(_APART)
        at = spaced.find(whole)
        while at >= 0:
            end = at + len(word)
            if text.startswith(word, at):
                yield word, at, end
            at = spaced.find(whole, end)
