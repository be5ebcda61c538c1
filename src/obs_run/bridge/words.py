"""The words by which log lines tell that something begins, is over or failed, and how such words are compared."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def _split(text: str) -> frozenset[str]:
    """Return the words of a text; a list of a hundred words is read and changed more easily as one."""
    return frozenset(text.split())


VALUE = "\0"
"""Stands in a template for a value that was filled in."""

NO_START = _split(
    """
    waiting listening sleeping retrying skipping using ignoring missing warning pending string during existing nothing
    something everything anything remaining falling idling returning according including following assuming considering
    continuing keeping logging debugging incoming outgoing timing rating being having morning evening upcoming ping king
    ring thing spring bring sing wing backing pausing standing exceeding expecting holding respecting defaulting staying
    throttling dropping discarding operating watching monitoring
    """
)
"""Words on -ing that begin nothing: those of a state, of waiting, or of no verb."""
STARTS = _split("begin beginning start starting run execute process launch")
"""Words that tell of a beginning where a clause begins with them, though they do not end on -ing."""
GENERIC_STARTS = _split(
    """
    starting beginning begin start initiating launching attempting trying performing executing running run execute doing
    commencing kicking
    """
)
"""Words that tell of a beginning and not of what is done; a second verb tells that."""
LATE_STARTS = _split(
    """
    started starting start begins beginning begin begun called enter entered opens underway kicked initiated commenced
    beginnt gestartet démarré commence entamé
    """
)
"""Words that tell of a beginning where they stand behind what begins."""
PICKED_UP = ("picked up", "taken up", "taken over")
"""Words that together tell of the beginning of work on what stands before them."""
BEGUN = _split("started begins began begun gestartet beginnt démarré")
"""Those that tell of a beginning where they stand behind a value alone."""
SERVER_STARTS = _split("starting launching initiating")
"""Words after which a name of what runs in the background tells of a state."""
BACKGROUND = _split("background daemon thread threads server heartbeat listener workers pool")
"""What runs in the background; who starts it does not wait for its end."""
READY = "ready"
"""Tells of an end where its function told of the beginning, and of a state elsewhere."""
NO_END = _split(
    """
    failed need speed feed embed seed based limited expected unexpected required deprecated enabled disabled named
    received scheduled queued started skipped ignored exceeded estimated unsupported supported allowed blocked delayed
    advanced detailed shared hundred red bed ahead indeed proceed succeed exceed breed weed planned undefined configured
    unused unneeded elapsed observed requested attempted repeated linked related nested fixed combined throttled
    rejected denied aborted crashed refused dropped discarded lost retried unrelated
    """
)
"""Words on -ed that tell of no end that went well: those of a failure, a state, a plan, or of no verb."""
IRREGULAR = {
    "built": "build", "sent": "send", "found": "find", "read": "read", "wrote": "write", "written": "write",
    "got": "get", "undone": "undo",
    "made": "make", "ran": "run", "done": "", "broken": "break", "shut": "shut", "taken": "take", "put": "put",
    "set": "set", "left": "leave", "held": "hold", "fed": "feed", "drew": "draw", "drawn": "draw", "chosen": "choose",
    "spoken": "speak", "thought": "think", "brought": "bring", "bound": "bind", "split": "split", "torn": "tear",
    "brewed": "brew", "woken": "wake", "frozen": "freeze", "caught": "catch", "won": "win", "sold": "sell",
}  # fmt: skip
"""Past participles that do not end on -ed, and the verb of each."""
COMPLETIONS = _split(
    """
    completed complete completes completion finished finishes finish done succeeded success successful successfully
    succeeds ended ends end closed ok okay passed fertig abgeschlossen beendet erfolgreich termine terminé réussi exited
    stopped concluded finalized wrapped
    """
)
"""Words that tell of an end whatever was done."""
VERBS_OF_COMPLETIONS = {"stopped": "stop", "exited": "stop", "closed": "clos"}
"""The stems that those have that tell of an end and of what was done."""
FAILURES = _split(
    """
    failed failure fails fail failing error errored errors exception crashed crash aborted unable unsuccessful
    unsuccessfully cannot can't couldn't couldnt refused denied fehlgeschlagen fehler gescheitert abgebrochen échec
    échoué erreur fatal traceback err
    """
)
"""Words that tell of a failure."""
NOT_DONE = (
    "timed out", "time out", "could not", "did not", "was not", "not able", "gave up", "giving up", "ran out",
)  # fmt: skip
"""Words that together tell of a failure in a warning; of a state in what is told for information."""
BEFORE_FAILED_VERB = _split("to not cannot can't couldn't")
"""Words between one that tells of a failure and the verb of what failed."""
BAD = _split(
    """
    unusable unavailable missing invalid unhealthy unreachable rejected unknown unexpected broken corrupt corrupted
    malformed lost dead offline refused denied timeout unsupported incomplete aborted skipped ungültig
    """
)
"""Words that tell of a failure where an exception is handled."""
FOREIGN_STARTS = _split(
    """
    beginne verarbeite lade starte sende prüfe berechne erstelle öffne schließe verbinde suche übersetze speichere lese
    schreibe chargement envoi traitement démarrage calcul connexion traduction recherche lecture ouverture début
    """
)
"""German and French words by which lines tell of a beginning, as their first word."""
FOREIGN_PASSIVES = _split("wird werden")
"""German words by which lines tell of a beginning, wherever they stand."""
FOREIGN_ENDS = _split(
    """
    geladen gesendet verarbeitet erstellt geprüft verbunden gespeichert übersetzt berechnet geöffnet geschlossen chargé
    envoyé traité connecté terminée envoyée traitée traduit fini finie
    """
)
"""German and French words by which lines tell of an end; English participles end otherwise."""
SUMMARIES = _split("summary stats statistics total totals overview status metrics progress heartbeat")
"""First words of lines that sum up, whose other words tell of what was over long ago."""
SERVERS = _split(
    """
    server service services dienst daemon listener scheduler worker workers thread threads monitor watcher loop
    heartbeat consumer subscriber poller publisher
    """
)
"""What runs for as long as the program; that it has started is a state."""
REQUESTS = _split(
    """
    request message command task query job event call prompt question utterance input payload order ticket frame packet
    work item rpc action req
    """
)
"""What a server of messages receives."""
BEFORE_REQUESTS = _split("received got new incoming")
"""Words before a request that tell that it has come."""
AFTER_REQUESTS = _split("from in received arrives arrived")
"""Words after a request that tell that it has come."""
QUESTIONS = _split("question query prompt user")
"""What stands before the text of what is asked."""
ANSWERS = _split("response reply result answer ack results responses acknowledgement rsp resp")
"""What is sent back for a request."""
AFTER_ANSWERS = _split("out sent back gone returned delivered")
"""Words after an answer that tell that it was given, which ends the work on its request."""
ANSWERING = _split("sending returning sent returned")
"""Words before an answer that tell that it is given."""
RECEIVING = _split("received got")
"""Words before an answer that tell that it has come, which ends the waiting for it."""
COMING = _split("received arrived came returned")
"""Words behind an answer that tell that it has come."""
EVENT_CALLS = _split("call request query invoke")
"""Last words in the name of an event that tell that something is asked."""
PASSING = _split("entering leaving exiting")
"""Words that tell that a server changes its state."""
ENTERING = _split("entering enter calling")
"""Words that tell that a function is entered and stand before its name."""
BEING = _split("is are was were")
"""Words before which a gerund is the subject, and begins nothing."""
HANDED_OVER = _split("accepted requested submitted queued enqueued scheduled dispatched")
"""Words that tell that work was taken on, which others do."""
RELATIVE = _split("what which that whatever")
"""Words after which a participle tells of another thing."""
BEFORE_STATES = _split("is are be to will not if when no already never being can should")
"""Words before a participle which with it tells of a state, a plan or a condition."""
AFTER_STATES = _split("on in with as at for since from under")
"""Words after "running" that tell where or since when, so that it is a state."""
BEFORE_TO = _split("about going trying attempting now")
"""Words before "to" and the verb of what begins."""
AGAIN = _split("again once more anew")
"""Words after "trying" that tell of no other work than before."""
ITERATIONS = _split("iteration attempt step round epoch cycle turn pass phase stage trial try")
"""What follows each other with a number; the next begins when the one before is over."""
STOP = _split(
    """
    a an the to of for in on at by with from and or is are was were be been has have had this that it its as into via
    now all new successfully success successful started starting start finished completed complete done ok failed error
    failure s ms sec secs second seconds id after took time total using up down out off no not some any more got begin
    beginning end ended process execution run attempt operation please will we i our you
    """
)
"""Words that say nothing of what it is about."""
MEASURED = re.compile(
    r"(?:\b(?:in|took|taking|after|within|duration|time|latency|runtime|dauer|dauerte|en|spent)\b[\s:=]*"
    r"(?:(?:of|was|is)\s*)?|[(\[]\s*|⏱[^0-9]{0,40}?)"
    r"~?\0\s*(?P<unit>µs|us|ms|msec|msecs|milliseconds?|s|sec|secs|seconds?|sekunden|m|min|mins|minutes?|h|hours?)\b"
    r"|\b(?:dur|duration|took|latency)_(?P<unit_of_key>us|ms|s|secs?|seconds)[=:]\s?\0",
    re.IGNORECASE,
)
"""A duration that was measured, in a template."""
SAID_MEASURED = re.compile(
    r"\b(?:took|duration|latency|runtime|dauer|dauerte)\b|⏱|\b(?:dur|duration|took|latency)_[a-z]+[=:]", re.IGNORECASE
)
"""What says by itself that a duration was measured."""
NOT_MEASURED = re.compile(
    r"\b(?:time[sd]?[ -]?out|timeout|retry|retrying|wait|waiting|sleep|sleeping|uptime|eta|interval|every|idle|up to|"
    r"avg|average|limit|budget|exceeded|deadline|next|remaining|left|expires?|ttl|delay|backoff|cooldown|ago|max|min|mean|"
    r"p9\d|median|so far|still|again|due|will|lasted)\b",
    re.IGNORECASE,
)
"""What a look-alike of a measured duration stands beside."""


_NO_NOUNS = STOP | FAILURES | COMPLETIONS
_FAMILIES = (
    "look search find query locate scan resolve retrieve match lookup hunt",
    "save store persist write record keep",
    "create build generate make compose write produce draft",
    "stop shut close terminate end kill",
    "compute calculate evaluate estimate score",
    "fetch get download retrieve pull load read",
    "check verify validate test inspect probe",
    "send post push publish deliver dispatch",
    "open close shut",
    "acquire release",
    "connect disconnect",
    "lock unlock",
    "set configure initialize setup prepare boot bootstrap bring",
)


_ENDINGS = (
    "isation", "ization", "ations", "ation", "tions", "tion", "ings", "ing", "ies", "ied", "ers", "er", "ed", "es", "s",
)  # fmt: skip
"""What verbs and nouns end on in their forms, the longest first where one ends on another."""
_REPLACED_ENDINGS = {"ies": "y", "ied": "y", "isation": "iz", "ization": "iz"}
_SHORTEST_STEM = 3
_SHORTEST_STEM_ON_IS = 6
_SHORTEST_GERUND = 5
_SHORTEST_PARTICIPLE = 4
_SHORTEST_NOUN = 2


@lru_cache(4096)
def stem(word: str) -> str:
    """Return what the forms of a verb or noun have in common; good for comparing, not for showing."""
    if word in IRREGULAR:
        return IRREGULAR[word] or word
    word = _without_ending(word)
    if len(word) > _SHORTEST_STEM and word[-1] == word[-2] and word[-1] not in "ls":
        word = word[:-1]
    word = word.removesuffix("e")
    is_british = word.endswith("is") and len(word) >= _SHORTEST_STEM_ON_IS
    return word.removesuffix("is") + "iz" if is_british else word


def _without_ending(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word.removesuffix(ending) + _REPLACED_ENDINGS.get(ending, "")
    return word


def is_gerund(word: str) -> bool:
    """Whether a word tells that something begins, as "loading"."""
    return len(word) >= _SHORTEST_GERUND and word.endswith("ing") and word not in NO_START


def is_participle(word: str) -> bool:
    """Whether a word tells that something was done, as "loaded"."""
    if word in IRREGULAR:
        return True
    return len(word) >= _SHORTEST_PARTICIPLE and word.endswith("ed") and word not in NO_END


def nouns_among(said: Iterable[str]) -> frozenset[str]:
    """Return the stems of those words that say what it is about."""
    kept = (each for each in said if VALUE not in each and len(each) >= _SHORTEST_NOUN)
    return frozenset(stem(each) for each in kept if each not in _NO_NOUNS)


def _by_stems() -> dict[str, int]:
    found: dict[str, int] = {}
    for number, family in enumerate(_FAMILIES):
        for verb in family.split():
            found[stem(verb)] = found.get(stem(verb), 0) | 1 << number
    return found


FAMILIES = _by_stems()
"""Verbs that tell of the same work, by their stems: a bit for each family."""
