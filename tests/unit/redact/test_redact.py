from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_run.core import messages
from obs_run.pipeline import content_limits
from obs_run.pipeline.redact import Redaction
from tests.unit.scrubbers import Small

TEXTS = st.text(max_size=20) | st.sampled_from(["SECRET1", "a SECRET22 b", "x" * 70])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def redaction() -> Redaction:
    return Redaction(Small())


def test_attributes_without_findings_are_the_same_object(redaction: Redaction) -> None:
    attributes = {"a": "b", "n": 1, "deep": ("x", "y"), "none": None}
    assert redaction.attributes(attributes) is attributes
    assert redaction.attributes(attributes) is attributes


def test_what_is_found_is_replaced_in_its_place(redaction: Redaction) -> None:
    attributes = {"a": "1", "password": "p", "b": "the SECRET1", "dropped": "x", "SECRET2": "y", "c": ("SECRET3", "z")}
    told = redaction.attributes(attributes)
    assert list(told.items()) == [
        ("a", "1"),
        ("password", "[password]"),
        ("b", "the [secret]"),
        ("[secret]", "y"),
        ("c", ("[secret]", "z")),
    ]
    assert attributes["b"] == "the SECRET1"


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_nothing_secret_is_left_of_whatever_attributes_there_are(attributes: dict[str, Any]) -> None:
    redaction = Redaction(Small())
    for _ in range(2):
        told = redaction.attributes(attributes)
        assert "SECRET1" not in repr(told)
        assert "SECRET22" not in repr(told)
        if "SECRET" not in repr(attributes):
            assert told is attributes


def test_what_was_clean_is_not_looked_at_again() -> None:
    scrubber = Small()
    redaction = Redaction(scrubber)
    attributes = {"model": "gpt-5", "reasons": ("stop",), "gen_ai.usage.input_tokens": 7}
    assert redaction.attributes(attributes) is attributes
    asked = len(scrubber.asked)
    assert redaction.attributes(dict(attributes)) == attributes
    assert len(scrubber.asked) == asked
    redaction.attributes({"password": "gpt-5"})
    assert len(scrubber.asked) > asked


def test_a_line_of_a_log_that_was_clean_is_not_looked_at_again() -> None:
    scrubber = Small()
    redaction = Redaction(scrubber)
    line, path = "the answer came in late. " * 10, "/srv/" + "deep/" * 30
    for said in (redaction.text(line), redaction.value(None, line), redaction.attributes({"code.file.path": path})):
        assert said in (line, {"code.file.path": path})
    asked = len(scrubber.asked)
    assert redaction.text(str(line)) is line
    assert redaction.value(None, line) is line
    assert redaction.attributes({"code.file.path": path}) == {"code.file.path": path}
    assert len(scrubber.asked) == asked
    assert redaction.attributes({"password": path}) == {"password": "[password]"}
    assert redaction.text(f"{line}SECRET1") == f"{line}[secret]"


def test_numbers_are_scrubbed_where_their_name_asks_for_it(redaction: Redaction) -> None:
    assert redaction.attributes({"password": 12345}) == {"password": "[password]"}


def test_bytes_are_scrubbed(redaction: Redaction) -> None:
    assert redaction.attributes({"raw": b"a SECRET1 b"}) == {"raw": b"a [secret] b"}
    assert redaction.value(None, b"\xff SECRET1 \xfe") == b"\xff [secret] \xfe"
    clean = b"\xff\x00"
    assert redaction.value(None, clean) is clean


def test_a_text_too_long_to_be_scrubbed_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_CONTENT_MAX_MESSAGE_CHARS", "1000")
    scrubber = Small()
    told = Redaction(scrubber).attributes({"big": "x" * 5_000_000 + "SECRET1"})
    assert told == {"big": "x" * 1000 + "[4999007 characters cut]"}
    assert max(map(len, scrubber.asked)) < 1000 + 2 * content_limits.MARGIN


def test_long_json_of_others_stays_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_CONTENT_MAX_MESSAGE_CHARS", "2000")
    monkeypatch.setenv("OBS_CONTENT_MAX_CHARS", "100")
    talk = [messages.message("user", messages.text(f"{number} SECRET{number} " + "x" * 200)) for number in range(40)]
    told = Redaction(Small()).attributes({"gen_ai.input.messages": json.dumps(talk)})
    kept = json.loads(told["gen_ai.input.messages"])
    assert kept[-1]["parts"][0]["content"] == "39 [secret] " + "x" * 88 + "[112 characters cut]"
    assert "SECRET" not in told["gen_ai.input.messages"]


@pytest.mark.parametrize("before", [0, 90, 95, 100, 8292 - 7, 8292, 8295, 9000])
@pytest.mark.parametrize("findings", [0, 300])
def test_no_half_of_a_secret_survives_the_limit(before: int, findings: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_CONTENT_MAX_CHARS", "100")
    # What is found is longer than what takes its place, so that the text behind it moves up to the limit.
    secret = "SECRET" + "7" * 60
    start = "".join(f"{secret} " for _ in range(findings))[:before].rpartition(" ")[0]
    text = start + " " * (before - len(start)) + secret + " the end" + " " * 9000
    told = Redaction(Small()).content("gen_ai.tool.call.result", text, content_limits.read_limits())
    assert "SECR" not in told
    assert "7777" not in told
    shown, _, note = told.rpartition("[")
    assert len(shown) <= 100
    assert note.endswith(" characters cut]")


def test_content_is_scrubbed_as_objects_and_stays_what_it_was(redaction: Redaction) -> None:
    arguments = {"city": "Lisbon", "password": {"is": "deep"}, "days": [1, "SECRET5"]}
    told = redaction.content("gen_ai.tool.call.arguments", arguments, content_limits.read_limits())
    assert told == {"city": "Lisbon", "password": "[password]", "days": [1, "[secret]"]}
    assert arguments["days"] == [1, "SECRET5"]


@given(VALUES, st.integers(32, 90))
def test_content_without_findings_is_what_the_limits_leave_of_it(value: Any, longest: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OBS_CONTENT_MAX_CHARS", str(longest))
        limits = content_limits.read_limits()
        if "SECRET" not in repr(value) and "password" not in repr(value):
            assert Redaction(Small()).content("x", value, limits) == content_limits.limited(value, limits)


def test_ids_that_providers_make_cost_nothing_and_hide_nothing() -> None:
    scrubber = Small()
    redaction = Redaction(scrubber)
    ids = {"gen_ai.response.id": "chatcmpl-Ab1", "gen_ai.tool.call.id": "call_Ab1"}
    assert redaction.attributes(ids) is ids
    assert scrubber.asked == []
    assert redaction.attributes({"gen_ai.response.id": "SECRET1"}) == {"gen_ai.response.id": "[secret]"}
    assert redaction.attributes({"note": "call_SECRET1"}) == {"note": "call_[secret]"}
