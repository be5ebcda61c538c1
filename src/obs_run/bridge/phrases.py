"""What the constant text of a log line tells: that something begins, is over, failed, or was received."""

from __future__ import annotations

import re
from logging import ERROR, WARNING

from obs_run.bridge import words
from obs_run.bridge.clause_readers import read_phrase
from obs_run.bridge.clauses import (
    is_word_alone,
    measured_unit,
    nouns_of,
    plain_words_of,
    read_clause,
    short_name,
    split_clauses,
    spoken_words_of,
    without_prefixes,
    without_quotes,
)
from obs_run.bridge.phrase import NOTHING, Phrase, Role
from obs_run.bridge.words import VALUE

__all__ = ["NOTHING", "Phrase", "Role", "head_of", "read_phrases", "read_subject"]

_CALL = re.compile(r"^\s*(?:-+>|→|>>+)\s*(\w+|\0)")
_COUNT_AFTER_ARROW = re.compile(r"^\s*(?:-+>|→|>>+)\s*\0 [^\W\d]")
_RETURN = re.compile(r"^\s*(?:<-+|←|<<+)\s*(\w+|\0)")
_ASKED = re.compile(r"^[\W_]*(\w+) (call|query|invocation|result|response|reply)\s*[:=(]", re.IGNORECASE)
"""What is called or asked, as "tool call: search(...)", and what came of it, as "tool result: 3 hits"."""
_OUTCOMES_COUNTED = re.compile(
    r"[^:=\0,.]*\b(?:done|completed|succeeded|finished|ok|passed)\s?[:=]\s?\0[^.]*\b(?:failed|errors?|failures?)\s?[:=]\s?\0",
    re.IGNORECASE,
)
"""How many went well and how many did not, which sums up what was over before."""
_INCOMING = re.compile(r"^\s*(?:<[<=-]+|←|recv\b|rx\b|in:)", re.IGNORECASE)
_OUTGOING = re.compile(r"^\s*(?:[>=-]+>|→|sent\b|tx\b|out:)", re.IGNORECASE)
_AFTER_ARROW = 6
"""How many words after an arrow may say that it is that of a message."""
_SHORTEST_HEAD_WORD = 3
_BEGINNINGS = (Role.START, Role.RECEIVED)


def read_subject(template: str) -> Phrase:
    """Return what a line is about that tells neither a beginning nor an end."""
    clauses = split_clauses(template)
    nouns = nouns_of(clauses[0]) if clauses else frozenset()
    return Phrase(Role.NONE, "", nouns, measured_unit(template), short_name(template))


def head_of(template: str) -> str:
    """Return the words that a line begins with up to its first value, "" where these are none or no value follows."""
    head, value, _ = without_prefixes(template).partition(VALUE)
    said = plain_words_of(head)
    says_something = any(len(each) >= _SHORTEST_HEAD_WORD and each not in words.STOP for each in said)
    return " ".join(said) if value and says_something else ""


def read_phrases(template: str, level: int, *, is_handler: bool = False, leaves: bool = False) -> tuple[Phrase, ...]:
    """Return what a line tells, by its constant text and its level: mostly one thing, none, or an end and a start.

    What is told as an error where an exception is handled, or the function is left, is a failure, whatever the words.
    """
    template = without_quotes(template)
    arrow = _read_arrow(template, level)
    if arrow is not None:
        return (arrow,)
    clauses = split_clauses(template)
    if clauses and level < WARNING and _sums_up(clauses[0], template):
        return ()
    found = _read_clauses(clauses, level, template)
    if _is_unsaid_failure(found, template, level, is_handler=is_handler, leaves=leaves):
        return _unsaid_failure(found, template, clauses)
    measured = measured_unit(template) if level < WARNING else ""
    if found:
        return _phrases_told(found, clauses, level, measured)
    if measured and words.SAID_MEASURED.search(template):
        return (read_subject(template)._replace(role=Role.END),)
    return ()


def _sums_up(first_clause: str, template: str) -> bool:
    """Whether a line tells of what was over before."""
    is_summary = not words.SUMMARIES.isdisjoint(plain_words_of(first_clause)[:1])
    return is_summary or _OUTCOMES_COUNTED.match(template) is not None


def _read_arrow(template: str, level: int) -> Phrase | None:
    """Return what an arrow before a call, a result or a message tells."""
    said = frozenset(plain_words_of(template)[:_AFTER_ARROW])
    if said & words.REQUESTS and _INCOMING.match(template):
        return Phrase(Role.RECEIVED, "", nouns_of(template), name=short_name(template.lstrip(" <=-")))
    if said & words.ANSWERS and _OUTGOING.match(template):
        return Phrase(Role.END, "answer", nouns_of(template), name=short_name(template.lstrip(" >=-")))
    if level >= ERROR:
        return None
    asked = _ASKED.match(template)
    if asked is not None:
        role = Role.END if asked.group(2).lower() in words.ANSWERS else Role.START
        verb = "receive" if role is Role.END else "call"
        return Phrase(role, verb, nouns_of(asked.group(1)), name=asked.group().rstrip(":( "))
    for pattern, role in ((_CALL, Role.START), (_RETURN, Role.END)):
        match = pattern.match(template)
        # "-> 3 chunks from the file" calls nothing.
        if match is not None and not _COUNT_AFTER_ARROW.match(template):
            return _of_called(match.group(1).strip(VALUE), role)
    return None


def _of_called(called: str, role: Role) -> Phrase:
    """Return the call or the return of what has a name, "" where a value is called."""
    has_name = bool(called) and not called.isdecimal()
    about = frozenset((words.stem(called.lower()),)) if has_name else frozenset()
    return Phrase(role, "", about, name=called or "call")


def _read_clauses(clauses: list[str], level: int, template: str) -> list[Phrase]:
    """Return what each clause tells that tells something, with what those before say of it."""
    found: list[Phrase] = []
    for place, clause in enumerate(clauses):
        phrase = _read_in_place(clauses, place, level)
        if phrase.role is Role.NONE:
            if found and found[-1].is_iteration:
                found[-1] = found[-1]._replace(nouns=found[-1].nouns | nouns_of(clause))
            continue
        if place and not found and _is_aside(phrase, clause, template):
            continue
        if found and (found[-1].is_iteration or is_word_alone(clause)):
            # "BATCH 3: scored", "Scoring run - end"
            before = found.pop()
            phrase = phrase._replace(nouns=phrase.nouns | before.nouns, verb=phrase.verb or before.verb)
        if phrase.role is Role.START and not found:
            phrase = phrase._replace(nouns=phrase.nouns.union(*map(nouns_of, clauses[:place])))
        found.append(phrase)
    return found


def _is_aside(phrase: Phrase, clause: str, template: str) -> bool:
    """Whether a later clause begins nothing of its own: "an unknown node, leaving it out" tells of one thing."""
    return phrase.role is Role.START and (phrase.verb == "start" or f", {clause}" in template)


def _read_in_place(clauses: list[str], place: int, level: int) -> Phrase:
    """Return what a clause tells; a word alone tells of the line's first clause."""
    clause = clauses[place]
    phrase = read_phrase(read_clause(clause, level, is_first=place == 0))
    if not place or not is_word_alone(clause):
        return phrase
    [word] = spoken_words_of(clause)
    role = Role.END if word in words.COMPLETIONS else Role.START
    return phrase._replace(role=role, name=clauses[0], nouns=nouns_of(clauses[0]))


def _is_unsaid_failure(found: list[Phrase], template: str, level: int, *, is_handler: bool, leaves: bool) -> bool:
    """Whether a line tells of a failure by its level and place, and no clause does."""
    roles = {each.role for each in found}
    if level < WARNING or Role.FAILURE in roles:
        return False
    begins_first = bool(found) and found[0].role in _BEGINNINGS
    if level < ERROR:
        return is_handler and not begins_first and (leaves or _is_bad(template))
    if begins_first and not leaves:
        return False
    return is_handler or leaves or Role.END in roles or _is_bad(template)


def _is_bad(template: str) -> bool:
    """Whether the words tell of a failure where an exception is handled."""
    return not words.BAD.isdisjoint(plain_words_of(template)) or "not found" in template.lower()


def _unsaid_failure(found: list[Phrase], template: str, clauses: list[str]) -> tuple[Phrase, ...]:
    """Return a failure, and the start of what is done in its place."""
    failure = read_subject(template)._replace(role=Role.FAILURE)
    starts = [each for each in found if each.role is Role.START and each.name != clauses[0]]
    return (failure, *(each._replace(name=short_name(each.name)) for each in starts[:1]))


def _phrases_told(found: list[Phrase], clauses: list[str], level: int, measured: str) -> tuple[Phrase, ...]:
    """Return what a whole line tells, by what its clauses tell."""
    name = short_name(clauses[0])
    first = found[0]
    failure = next((each for each in found if each.role is Role.FAILURE), None)
    start = next((each for each in found if each.role in _BEGINNINGS), None)
    if failure is not None and (first is failure or level >= ERROR):
        joined = _joined(failure, found, name, measured)
        # The start of what is done in its place.
        is_other = start is not None and start is not first and level < ERROR
        return (joined, _named(start, clauses)) if start is not None and is_other else (joined,)
    if first is start and start.verb == "start" and any(each.role is Role.END for each in found):
        # "speech started at 0.4 s, finished at 1.2 s"
        return ()
    if first is start:
        begun = first._replace(name=name)
        is_sent = first.verb == "send" and clauses[0].endswith(" sent")
        # The end of its sending, the beginning of the waiting for what comes of it.
        return (Phrase(Role.END, "send", name=name), begun) if is_sent else (begun,)
    joined = _joined(first, found, name, measured)
    if start is None:
        return (joined,)
    return (joined, _named(start._replace(nouns=start.nouns | first.nouns), clauses))


def _joined(phrase: Phrase, found: list[Phrase], name: str, measured: str) -> Phrase:
    """Return what all clauses of one role tell together."""
    same = [each for each in found if each.role is phrase.role]
    nouns = frozenset[str]().union(*(each.nouns for each in same))
    says_all = phrase.role is Role.END and bool(phrase.nouns)
    # "batch finished, 3 files scored" tells of the batch.
    verb = phrase.verb if says_all else next((each.verb for each in same if each.verb), "")
    return phrase._replace(verb=verb, nouns=nouns, name=name, measured=measured)


def _named(phrase: Phrase, clauses: list[str]) -> Phrase:
    """Return what a later clause tells under that clause's name."""
    clause = next((each for each in clauses if phrase.name and each.startswith(phrase.name)), phrase.name)
    return phrase._replace(name=short_name(clause))
