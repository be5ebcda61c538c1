"""What one clause of a log line tells: readers for each thing that it may tell, tried one after the other."""

from __future__ import annotations

import re
from itertools import pairwise
from logging import WARNING
from typing import TYPE_CHECKING

from obs_run.bridge import words
from obs_run.bridge.clauses import DONE_MARKS, FAILED_MARKS, Clause
from obs_run.bridge.phrase import NOTHING, Phrase, Role
from obs_run.bridge.words import VALUE, is_gerund, is_participle, nouns_among, stem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ENTERING = re.compile(r"^\s*(?:-+>|→|>>+|enter(?:ing)?\b:?|call(?:ing|ed)?\b:?)\s*\(?", re.IGNORECASE)
_LEAVING = re.compile(
    r"^\s*(?:<-+|←|<<+|exit(?:ing)?\b:?|leav(?:e|ing)\b:?|return(?:ed|ing)?\b:?)\s*\(?", re.IGNORECASE
)
_COUNTED = re.compile(
    r"(?:\0|\d) (?:errors?|failures?|fehler)\b"
    r"|(?:^|[(,;|/:=+]\s*|\b(?:and|with|but|und|of) )(?:\0|\d+) (?:failed|fehlgeschlagen)\b"
    r"|\b(?:failed|errors?|failures?|lost)\s*(?:[:=]\s*)?(?:\0|\d)",
    re.IGNORECASE,
)
"""A number of failures, which tells of what went well too."""
_NO_FAILURE = re.compile(
    r"\b(?:without|no|zero|0|keine|ohne|sans)(?: \w+)? (?:errors?|failures?|fehler|erreurs?)\b", re.IGNORECASE
)
_COMPLETION_COUNTED = re.compile(r"\bcompletion(?:[ _]tokens?\b|\s?[=:])", re.IGNORECASE)
"""What a model has answered, by its length."""
_PERIODIC = re.compile(r"\b(?:every|each|alle) [\0\d]", re.IGNORECASE)
"""How often something is done from now on, which is a state."""
_NUMBERED = re.compile(
    rf"\b(?:{'|'.join(sorted(words.ITERATIONS))})\s*(?:#|no\.?|number)?\s*(?:\0|\d+)\s*(?:/|of\b|von\b|$|[)\]])",
    re.IGNORECASE,
)
"""What follows each other, right before its number."""
_COUNT = re.compile(r"\d+ [^\W\d]")
"""A number of things, of which a line tells how far they are."""
_HTTP_REQUEST = re.compile(r"(?:GET|POST|PUT|PATCH|DELETE|HEAD) /\S*$")
_HTTP_STATUS = re.compile(r"[1-5]\d\d\b")
_LATEST_START = 4
"""How many words may stand before the one that says that they begin."""
_LATEST_PARTICIPLE = 5
"""How many words may stand before the one that says what was done."""
_LONGEST_ITERATION = 4
_NEAR = 4
"""How many words at the beginning of a clause say what it is about."""


def read_phrase(clause: Clause) -> Phrase:
    """Return what a clause tells: what the first reader says that knows."""
    for read in _READERS:
        phrase = read(clause)
        if phrase is not None:
            return phrase
    return NOTHING


def _read_failure(clause: Clause) -> Phrase | None:
    is_marked = bool(clause.marks & FAILED_MARKS) and clause.level >= WARNING
    if is_marked or _is_failure(clause):
        return Phrase(Role.FAILURE, _failed_verb(clause.said), nouns_among(clause.said), name=clause.text)
    return None


def _is_failure(clause: Clause) -> bool:
    said = clause.said
    is_warning = clause.level >= WARNING
    if not is_warning and _NO_FAILURE.search(clause.text):
        return False
    if not is_warning and _COUNTED.search(clause.text):
        return False
    if is_warning and any(each in " ".join(said) for each in words.NOT_DONE):
        return True
    if not words.FAILURES.intersection(said):
        return False
    is_before_value = VALUE in said[-1] and said[-2:-1] == ("failed",)
    return is_warning or said[0] in words.FAILURES or said[-1] in words.FAILURES or is_before_value


def _failed_verb(said: Sequence[str]) -> str:
    """Return the stem of what did not work: "failed loading", "failed to load"."""
    gerund = next(filter(is_gerund, said), None)
    if gerund is not None:
        return stem(gerund)
    return next((stem(verb) for before, verb in pairwise(said) if before in words.BEFORE_FAILED_VERB), "")


def _read_no_words(clause: Clause) -> Phrase | None:
    if clause.words:
        return None
    return Phrase(Role.END, name=clause.text) if clause.marks and not clause.said else NOTHING


def _read_foreign_start(clause: Clause) -> Phrase | None:
    is_start = clause.first in words.FOREIGN_STARTS or bool(words.FOREIGN_PASSIVES.intersection(clause.words))
    if is_start and clause.last not in words.COMPLETIONS:
        return Phrase(Role.START, stem(clause.first), nouns_among(clause.words[1:]), name=clause.text)
    return None


def _read_request_coming(clause: Clause) -> Phrase | None:
    """Read "new request", "message from the queue"."""
    is_coming = clause.first in words.BEFORE_REQUESTS and _has_request(clause.words[:_NEAR])
    is_from = clause.first in words.REQUESTS and bool(words.AFTER_REQUESTS.intersection(clause.words[1:2]))
    return _received(clause) if is_coming or is_from or clause.first == "incoming" else None


def _read_answer_out(clause: Clause) -> Phrase | None:
    """Read "response sent", "the reply goes out"."""
    is_out = bool(words.AFTER_ANSWERS.intersection(clause.words[1:4]))
    return _ended(clause, "answer") if is_out and _has_answer(clause.words[:2]) else None


def _read_answer_received(clause: Clause) -> Phrase | None:
    is_answer = clause.first in words.RECEIVING and _has_answer(clause.words[:_NEAR])
    is_passive = _has_answer(clause.words[:2]) and not words.COMING.isdisjoint(clause.words[1:3])
    return _ended(clause, "receive") if is_answer or is_passive else None


def _read_request_received(clause: Clause) -> Phrase | None:
    is_request = clause.first in words.REQUESTS and clause.last == "received"
    is_from = clause.first == "received" and "from" in clause.words[1:4]
    return _received(clause) if is_request or is_from else None


def _read_request_sent(clause: Clause) -> Phrase | None:
    """Read "query sent", after which the answer is awaited."""
    if clause.first in words.REQUESTS and clause.last == "sent":
        return Phrase(Role.START, "send", nouns_among(clause.words), name=clause.text)
    return None


def _read_leaving(clause: Clause) -> Phrase | None:
    if clause.is_first and _LEAVING.match(clause.text):
        return Phrase(Role.END, "", nouns_among(clause.words[1:]), name=clause.text)
    return None


def _read_server_starting(clause: Clause) -> Phrase | None:
    """Read that a server has started, which is a state."""
    is_state = clause.first in words.PASSING or clause.last in words.LATE_STARTS
    return NOTHING if is_state and words.SERVERS.intersection(clause.words) else None


def _read_entering(clause: Clause) -> Phrase | None:
    if not clause.is_first or not _ENTERING.match(clause.text):
        return None
    said = clause.words[1:] if clause.first in words.ENTERING else clause.words
    return Phrase(Role.START, "", nouns_among(said), name=clause.text)


def _read_something_received(clause: Clause) -> Phrase | None:
    is_other = clause.last == "received" and not _has_request(clause.words[:3])
    return _ended(clause, "receive") if is_other else None


def _read_gerund_as_subject(clause: Clause) -> Phrase | None:
    """Read "caching is on", which begins nothing, and "caching took 3 s", which is over."""
    if is_gerund(clause.first) and clause.words[1:2] == ("took",):
        return _ended(clause, stem(clause.first))
    is_subject = is_gerund(clause.first) and bool(words.BEING.intersection(clause.words[1:2]))
    return NOTHING if is_subject else None


def _read_answering(clause: Clause) -> Phrase | None:
    """Read "sending the response", after which nothing else is done."""
    is_answering = clause.first in words.ANSWERING and _has_answer(clause.words[:_NEAR])
    return _ended(clause, "answer") if is_answering else None


def _read_running_state(clause: Clause) -> Phrase | None:
    """Read "running on port 80", which is a state."""
    is_state = len(clause.words) == 1 or bool(words.AFTER_STATES.intersection(clause.words[1:2]))
    return NOTHING if clause.first == "running" and is_state else None


def _read_beginning(clause: Clause) -> Phrase | None:
    """Read "loading the index", but not "loading the index finished"."""
    first, last = clause.first, clause.last
    # What is requested may be a completion.
    is_completion = last in words.COMPLETIONS and last != "completion"
    if _PERIODIC.search(clause.text):
        return NOTHING
    # "undoing what was applied" begins.
    is_of_other = not words.RELATIVE.isdisjoint(clause.words)
    is_done = last != first and not is_of_other and (is_participle(last) or is_completion or last == "over")
    if is_done or not (is_gerund(first) or first in words.STARTS):
        return None
    return _start(clause.words, clause.text)


def _read_intention(clause: Clause) -> Phrase | None:
    """Read "about to load the index", "now loading the index"."""
    first, rest = clause.first, clause.words[1:]
    if first in words.BEFORE_TO and rest[:1] == ("to",) and rest[1:]:
        return _start((f"{rest[1]}ing", *rest[2:]), clause.text)
    if first == "now" and rest and is_gerund(rest[0]):
        return _start(rest, clause.text)
    if first == "let's" and rest:
        return _start((f"{rest[0]}ing", *rest[1:]), clause.text)
    return None


def _read_event(clause: Clause) -> Phrase | None:
    """Read "model.call", "model.response"."""
    if clause.is_event and clause.last in words.EVENT_CALLS:
        return Phrase(Role.START, "call", nouns_among(clause.words[:-1]), name=clause.text)
    if clause.is_event and clause.last in words.ANSWERS:
        return Phrase(Role.END, "receive", nouns_among(clause.words[:-1]), name=clause.text)
    return None


def _read_iteration(clause: Clause) -> Phrase | None:
    """Read that one of several begins: "iteration 3 of 5", "[attempt 2/3]"."""
    if not clause.is_first or clause.level >= WARNING or len(clause.words) > _LONGEST_ITERATION:
        return None
    if words.COMPLETIONS.intersection(clause.words):
        return None
    if words.ITERATIONS.intersection(clause.words[:2]) and _NUMBERED.search(clause.text):
        return Phrase(Role.START, "", nouns_among(clause.words), name=clause.text, is_iteration=True)
    return None


def _read_value_started(clause: Clause) -> Phrase | None:
    """Read "GET /items started", "job 7 picked up"."""
    if clause.text.endswith(words.PICKED_UP):
        return Phrase(Role.START, "", nouns_among(clause.words[:-2]), name=clause.text)
    is_alone = len(clause.words) == 1 and clause.last in words.BEGUN and VALUE in clause.said[0]
    return Phrase(Role.START, "start", name=clause.text) if is_alone else None


def _read_late_start(clause: Clause) -> Phrase | None:
    """Read "index build started"."""
    later = enumerate(clause.words[1:], 1)
    place = next((place for place, each in later if each in words.LATE_STARTS), None)
    if place is None or place > _LATEST_START:
        return None
    if _PERIODIC.search(clause.text):
        return NOTHING
    if _COUNT.match(clause.text):
        return NOTHING
    if clause.words[place] in words.STARTS and clause.words[place] != clause.last:
        # "systemctl start shop" is a command.
        return None
    if words.SERVERS.intersection(clause.words):
        return NOTHING
    return Phrase(Role.START, "start", nouns_among(clause.words[:place]), name=clause.text)


def _read_completion(clause: Clause) -> Phrase | None:
    """Read "index build done"."""
    done = [each for each in clause.words if each in words.COMPLETIONS or each in words.FOREIGN_ENDS]
    if done == ["completion"] and _COMPLETION_COUNTED.search(clause.text):
        return None
    is_over = clause.last == "over" and len(clause.words) > 1
    if not done and not is_over and not clause.marks & DONE_MARKS:
        return None
    participles = (each for each in clause.words if is_participle(each) and each not in words.COMPLETIONS)
    verb = next(map(stem, participles), "")
    if not verb and done:
        verb = words.VERBS_OF_COMPLETIONS.get(done[0], "")
    return _ended(clause, verb)


def _read_participle(clause: Clause) -> Phrase | None:
    """Read "index loaded", "loaded the index"."""
    places = [place for place, each in enumerate(clause.words) if is_participle(each)]
    if not places:
        return None
    if places[0] == 0:
        return _ended(clause, stem(clause.first))
    place = places[-1]
    if place > _LATEST_PARTICIPLE or words.BEFORE_STATES.intersection(clause.words[max(0, place - 2) : place]):
        return None
    return _ended(clause, stem(clause.words[place]))


def _read_ready(clause: Clause) -> Phrase | None:
    """Read "index ready", with which its preparation is over."""
    is_ready = clause.level < WARNING and len(clause.words) > 1 and clause.last == "ready"
    is_said = is_ready and words.BEFORE_STATES.isdisjoint(clause.words) and not is_gerund(clause.first)
    return _ended(clause, words.READY) if is_said else None


def _read_http_request(clause: Clause) -> Phrase | None:
    """Read "POST /v1/chat", as a server tells of it; who asks one tells of a whole address."""
    if not clause.is_first or _HTTP_REQUEST.match(clause.text) is None:
        return None
    return Phrase(Role.START, "request", nouns_among(clause.words), name=clause.text)


def _read_http_status(clause: Clause) -> Phrase | None:
    """Read "200 12 bytes", which answers a request, and "502 no backend left"."""
    match = _HTTP_STATUS.match(clause.text) if clause.is_first else None
    if match is None:
        return None
    return Phrase(Role.FAILURE if match.group().startswith("5") else Role.END, "answer", name=clause.text)


def _start(said: Sequence[str], name: str) -> Phrase:
    """Return the beginning of what words say whose first says that something begins."""
    first, rest = said[0], said[1:]
    if first in words.SERVER_STARTS and words.BACKGROUND.intersection(rest):
        return NOTHING
    verb = stem(first)
    if first in words.GENERIC_STARTS and rest and words.AGAIN.issuperset(rest):
        return NOTHING
    if first in words.GENERIC_STARTS:
        inner = next(filter(is_gerund, rest), None)
        generic = verb if first in ("executing", "execute") else ""
        verb = generic if inner is None else stem(inner)
    return Phrase(Role.START, verb, nouns_among(rest), name=name)


def _received(clause: Clause) -> Phrase:
    return Phrase(Role.RECEIVED, "", nouns_among(clause.words), name=clause.text)


def _ended(clause: Clause, verb: str) -> Phrase:
    return Phrase(Role.END, verb, nouns_among(clause.words), name=clause.text)


def _has_request(said: Sequence[str]) -> bool:
    return not words.REQUESTS.isdisjoint(said)


def _has_answer(said: Sequence[str]) -> bool:
    return not words.ANSWERS.isdisjoint(said)


_READERS: tuple[Callable[[Clause], Phrase | None], ...] = (
    _read_http_request,
    _read_http_status,
    _read_failure,
    _read_no_words,  # those below take a first word for granted
    _read_foreign_start,
    _read_request_coming,
    _read_answer_out,
    _read_answer_received,
    _read_request_received,
    _read_request_sent,
    _read_leaving,
    _read_server_starting,
    _read_entering,
    _read_something_received,
    _read_gerund_as_subject,
    _read_answering,
    _read_running_state,
    _read_beginning,
    _read_intention,
    _read_event,
    _read_iteration,
    _read_value_started,
    _read_late_start,
    _read_completion,
    _read_ready,
    _read_participle,
)
"""Those for what is most particular come first."""
