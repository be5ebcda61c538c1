from __future__ import annotations

import time
from logging import DEBUG, ERROR, INFO, WARNING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obs_run.bridge.phrases import Role, head_of, read_phrases, read_subject

LEVELS = (DEBUG, INFO, WARNING, ERROR)
Told = tuple[Role, str, str]

# Values stand as {}: what each reader makes of a clause, role, verb and name.
TOLD: dict[str, tuple[str, int, list[Told]]] = {
    "a failure in a word": ("upload failed", INFO, [(Role.FAILURE, "", "upload failed")]),
    "a failure in two words": ("kiln {} could not be lit", WARNING, [(Role.FAILURE, "b", "kiln could not be lit")]),
    "a failure and its verb": ("failed to glaze {}", WARNING, [(Role.FAILURE, "glaz", "failed to glaze")]),
    "a mark of failure": ("❌ kiln", WARNING, [(Role.FAILURE, "", "❌ kiln")]),
    "failures counted": ("2 failed, 5 passed", INFO, [(Role.END, "", "2 failed")]),
    "failures counted in a warning": ("2 failed, 5 passed", WARNING, [(Role.FAILURE, "", "2 failed")]),
    "an error": ("kiln broken", ERROR, [(Role.FAILURE, "", "kiln broken")]),
    "an error while something begins": ("firing kiln", ERROR, [(Role.START, "fir", "firing kiln")]),
    "no words": ("{}", INFO, []),
    "a mark alone": ("✅", INFO, [(Role.END, "", "✅")]),
    "a German beginning": ("Beginne mit {}", INFO, [(Role.START, "beginn", "Beginne mit")]),
    "a German passive": ("Ofen wird beheizt", INFO, [(Role.START, "ofen", "Ofen wird beheizt")]),
    "a German end": ("Ofen geladen", INFO, [(Role.END, "", "Ofen geladen")]),
    "a request coming": ("new job {}", INFO, [(Role.RECEIVED, "", "new job")]),
    "a request from someone": ("job from {}", INFO, [(Role.RECEIVED, "", "job")]),
    "a request received": ("job {} received", INFO, [(Role.RECEIVED, "", "job received")]),
    "a request sent": ("ticket sent", INFO, [(Role.END, "send", "ticket sent"), (Role.START, "send", "ticket sent")]),
    "an answer given": ("answer sent to {}", INFO, [(Role.END, "answer", "answer sent")]),
    "an answer being given": ("sending reply", INFO, [(Role.END, "answer", "sending reply")]),
    "an answer that came": ("got answer from {}", INFO, [(Role.END, "receive", "got answer")]),
    "something else received": ("parcel {} received", INFO, [(Role.END, "receive", "parcel received")]),
    "a function entered": ("entering kiln", INFO, [(Role.START, "", "entering kiln")]),
    "a function left": ("exit kiln", INFO, [(Role.END, "", "exit kiln")]),
    "a call": ("-> fire({})", INFO, [(Role.START, "", "fire")]),
    "a return": ("<- fire", INFO, [(Role.END, "", "fire")]),
    "a message in": ("<<< job {}", INFO, [(Role.RECEIVED, "", "job")]),
    "a message out": ("==> reply {}", INFO, [(Role.END, "answer", "reply")]),
    "a server that is up": ("daemon kiln started", INFO, []),
    "a server being started": ("starting heartbeat", INFO, []),
    "a gerund as subject": ("firing is off", INFO, []),
    "a state": ("running on {}", INFO, []),
    "waiting": ("waiting for kiln {}", INFO, []),
    "a beginning": ("Rendering page {}", INFO, [(Role.START, "render", "Rendering page")]),
    "a beginning of no verb": ("performing glaze of {}", INFO, [(Role.START, "", "performing glaze")]),
    "a beginning of another verb": ("Start firing kiln {}", INFO, [(Role.START, "fir", "Start firing kiln")]),
    "an intention": ("about to fire kiln {}", INFO, [(Role.START, "fir", "about to fire kiln")]),
    "a beginning now": ("now firing kiln {}", INFO, [(Role.START, "fir", "now firing kiln")]),
    "an event of a call": ("oven.fire_call", INFO, [(Role.START, "call", "oven.fire_call")]),
    "an event of an answer": ("oven.reply", INFO, [(Role.END, "receive", "oven.reply")]),
    "a late start": ("kiln firing started", INFO, [(Role.START, "start", "kiln firing started")]),
    "a completion": ("kiln firing done", INFO, [(Role.END, "", "kiln firing done")]),
    "a completion with a verb": ("kiln closed", INFO, [(Role.END, "clos", "kiln closed")]),
    "over": ("the game is over", INFO, [(Role.END, "", "the game is over")]),
    "a mark of success": ("✓ kiln", INFO, [(Role.END, "", "✓ kiln")]),
    "a participle first": ("glazed {} pots", INFO, [(Role.END, "glaz", "glazed pots")]),
    "a participle last": ("page {} rendered", INFO, [(Role.END, "render", "page rendered")]),
    "a participle of a state": ("pots are glazed", INFO, []),
    "a sum": ("stats: glazed {} pots", INFO, []),
    "quoted speech": ("kiln {} says 'glazing pots'", INFO, []),
    "a prefix": ("[kiln 3] Firing {}", INFO, [(Role.START, "fir", "Firing")]),
    "a ruler": ("=== Firing kiln ===", INFO, [(Role.START, "fir", "Firing kiln")]),
    "a word alone": ("Firing kiln - end", INFO, [(Role.END, "fir", "Firing kiln")]),
    "an end and a beginning": (
        "pots glazed! firing kiln {}",
        INFO,
        [(Role.END, "glaz", "pots glazed"), (Role.START, "fir", "firing kiln")],
    ),
    "a failure and what is done instead": (
        "glaze failed, trying salt",
        WARNING,
        [(Role.FAILURE, "", "glaze failed"), (Role.START, "", "trying salt")],
    ),
}


def template(text: str) -> str:
    return text.replace("{}", "\0")


@pytest.mark.parametrize("kind", TOLD)
def test_a_text_tells(kind: str) -> None:
    text, level, told = TOLD[kind]
    assert [(each.role, each.verb, each.name) for each in read_phrases(template(text), level)] == told


@pytest.mark.parametrize("text", ["round {} of {}", "[1] round {}/{}"])
def test_an_iteration_begins_with_its_number(text: str) -> None:
    [phrase] = read_phrases(template(text), INFO)
    assert phrase.role is Role.START
    assert phrase.is_iteration
    assert not any(each.is_iteration for each in read_phrases(template(text), WARNING))


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("Finished round {}", Role.END),
        ("glazing took {} s", Role.END),
        ("received {} from {}", Role.RECEIVED),
        ("let's glaze {} pots", Role.START),
    ],
)
def test_texts_with_words_of_two_kinds(text: str, role: Role) -> None:
    assert [each.role for each in read_phrases(template(text), INFO)] == [role]


def test_what_an_iteration_did_is_its_end() -> None:
    [phrase] = read_phrases(template("round {}/{}: glazed {} pots"), INFO)
    assert (phrase.role, phrase.verb) == (Role.END, "glaz")
    assert phrase.nouns == {"round", "glaz", "pot"}


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("Rendered page {} in {} ms", "ms"),
        ("page rendered ({}s)", "s"),
        ("page rendered, took: {} minutes", "minutes"),
        ("page rendered after wait of {} s", ""),
        ("page {} rendered", ""),
    ],
)
def test_a_measured_duration_is_told_with_its_unit(text: str, unit: str) -> None:
    [phrase] = read_phrases(template(text), INFO)
    assert (phrase.role, phrase.measured) == (Role.END, unit)


@pytest.mark.parametrize(
    ("level", "is_handler", "leaves", "is_failure"),
    [
        (INFO, True, True, False),
        (WARNING, True, False, False),
        (WARNING, False, True, False),
        (WARNING, True, True, True),
        (ERROR, False, False, False),
        (ERROR, True, False, True),
        (ERROR, False, True, True),
    ],
)
def test_place_and_level_tell_a_failure_that_no_word_tells(
    *, level: int, is_handler: bool, leaves: bool, is_failure: bool
) -> None:
    told = read_phrases(template("no such pot {}"), level, is_handler=is_handler, leaves=leaves)
    assert [each.role for each in told] == [Role.FAILURE] * is_failure


def test_a_subject_has_nouns_and_a_name_without_values() -> None:
    subject = read_subject(template("[x] Pots in kiln {} of '{}'"))
    assert (subject.role, subject.name) == (Role.NONE, "[x] Pots in kiln")
    assert subject.nouns == {"pot", "kiln"}


@pytest.mark.parametrize(
    ("text", "head"), [("kiln {} hot", "kiln"), ("[1] The kiln {}", "the kiln"), ("a {}", ""), ("kiln hot", "")]
)
def test_a_head_stands_before_a_value(text: str, head: str) -> None:
    assert head_of(template(text)) == head


@pytest.mark.parametrize(
    ("one", "other", "is_alike"),
    [
        ("transcribing tape", "transcription ready, tape played", True),
        ("saving pots", "stored pots", True),
        ("saving pots", "sold plates", False),
    ],
)
def test_likeness_is_by_families_of_words(one: str, other: str, *, is_alike: bool) -> None:
    [start], [end] = read_phrases(one, INFO), read_phrases(other, INFO)
    assert bool(start.likeness(end)) == is_alike


PIECES = [
    " ", "\n", "a", "A ", "Ab: ", "a ", "a.b", "a-", "1", "\0", "/\0", "-", "=", "<", "->", "→", "(", "( ", "[x] ",
    ".", ",", ": ", "…", "|", "#", "'", '"', "'a ", "a'", "✓", "⏱", "in ", "in (", "failed ", "errors: ", "loaded ",
    "loading ", "could not ", "received ", "response ", "attempt ", "no.", "wird ", "took \0s ", "\ud800",
]  # fmt: skip
BEFORE = ["", "in ", "failed", "'", "x (", "round 1", "->"]


@settings(deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=9))), st.sampled_from(LEVELS), st.booleans())
def test_no_text_raises(pieces: list[str], level: int, is_handler: bool) -> None:  # noqa: FBT001
    text = "".join(pieces)
    for leaves in (False, True):
        for phrase in read_phrases(text, level, is_handler=is_handler, leaves=leaves):
            assert phrase.role is not Role.NONE
    assert read_subject(text).role is Role.NONE
    assert "\0" not in head_of(text)


@pytest.mark.sampled
@pytest.mark.parametrize("before", BEFORE)
def test_a_long_text_costs_no_more_than_its_length(before: str) -> None:
    for piece in PIECES:
        short, long = (before + piece * (length // len(piece)) + "x" for length in (1_000, 10_000))
        # One that looks back over and over costs a hundred times as much.
        assert cost(long) < 40 * cost(short), (before, piece)


def cost(text: str) -> float:
    """Return the processor time of reading, that of the best of three."""
    costs = []
    for _ in range(3):
        begun = time.thread_time()
        read_phrases(text, INFO)
        read_phrases(text, ERROR, is_handler=True)
        head_of(text)
        costs.append(time.thread_time() - begun)
    return min(costs)
