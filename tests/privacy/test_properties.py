from __future__ import annotations

import copy
import json
import string
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from obs_run.privacy import choice
from obs_run.privacy.engine import Scrubber
from tests.examples import examples
from tests.privacy import scoring
from tests.privacy.planted import NAMES, made

# Their shape is known by what stands around them (a name, BEGIN, a URL), which the corpus has.
NAMED_ONLY = {
    *("hex32", "hex40", "alnum32", "alnum40", "aws_secret", "aws_session", "azure_storage", "azure_bus", "azure_sas"),
    *("basic", "slack_hook", "discord_hook"),
}
# What a process holds itself is found where it is held.
TOKENS = sorted(set(NAMES) - NAMED_ONLY - {"held"})
WITHOUT_WORDS = ("email", "iban", "it.codicefiscale", "mx.curp")
MARKED = {one.text[start:end] for one in scoring.corpus() for start, end, kind in one.spans if kind in WITHOUT_WORDS}
PERSONAL = [*sorted(MARKED), "4111 1111 1111 1111", "5555555555554444", "526-01-8159", "404.770.679-56"]
CLEAN = ("the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "12", "3.5", "2026-11-23", "10:15")

PIECES = st.sampled_from([
    *" =:\"'\\\n[]{}@/-+,<>&.é",
    *("password", "hunter2", "://", "token", "api_key", "Bearer ", "bob", "example.com", "4111111111111111", "[email]"),
    *("[password]", "key", "1", "07", "sk-", "--", "密码", "[withheld]", "%3D", "::", "cookie", "eyJ", "AKIA", "is "),
    *("IBAN ", "+49 30 23125 014", "\ud800"),
])  # fmt: skip
WILD = st.one_of(st.text(), st.lists(PIECES, max_size=14).map("".join))
KEYS = st.one_of(
    WILD, st.sampled_from(["password", "token", "email", "card_number", "name", "value", "headers", "type"])
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    WILD,
    st.binary(max_size=20),
    st.sampled_from([10**40, 4111111111111111]),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(KEYS, inner, max_size=4),
        st.dictionaries(KEYS, inner, max_size=3).map(lambda value: json.dumps(value, default=repr)),
    ),
    max_leaves=12,
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), WILD),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)
# Nothing in them joins what is planted, or takes it for a part of itself.
AROUND = st.text(alphabet=st.sampled_from(string.ascii_letters + " \n.,;()日é"), max_size=60)
quick = settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def everything() -> Scrubber:
    """A scrubber with all built-in kinds; a module's fixture, so that it does not depend on the settings of a test."""
    return Scrubber(choice.every_built_in_kind())


@quick
@given(value=VALUES, name=KEYS)
def test_nothing_raises_and_nothing_given_is_changed(everything: Scrubber, value: Any, name: str) -> None:
    before = copy.deepcopy(value)
    everything.value(name, value)
    everything.attributes({name: value})
    assert repr(value) == repr(before)


@quick
@given(text=WILD)
def test_a_text_is_scrubbed_once_and_for_all(everything: Scrubber, text: str) -> None:
    once = everything.text(text)
    assert everything.text(once) == once
    assert everything.text(text) == once


@quick
@given(value=VALUES)
def test_a_value_is_scrubbed_once_and_for_all(everything: Scrubber, value: Any) -> None:
    once = everything.value("body", value)
    assert repr(everything.value("body", once)) == repr(once)


@quick
@given(value=JSON, indent=st.sampled_from([None, 2]), ascii_only=st.booleans())
def test_json_stays_json(everything: Scrubber, value: Any, indent: int | None, ascii_only: bool) -> None:  # noqa: FBT001
    text = json.dumps({"outer": [value]}, indent=indent, ensure_ascii=ascii_only)
    scrubbed = everything.text(text)
    again = json.loads(scrubbed)
    if scrubbed is text:
        assert again == {"outer": [value]}


@quick
@given(value=JSON)
def test_a_json_text_is_scrubbed_as_what_it_says_would_be(everything: Scrubber, value: Any) -> None:
    # The text is read only where it gives a reason to: that must never be overlooked.
    text = json.dumps({"outer": [value]}, ensure_ascii=False)
    assert json.loads(everything.text(text)) == everything.value(None, json.loads(text))


@quick
@given(
    name=st.sampled_from(TOKENS),
    seed=st.integers(0, 50),
    before=AROUND,
    after=AROUND,
    depth=st.integers(0, 3),
    form=st.integers(0, 3),
)
def test_a_planted_secret_never_comes_out(
    everything: Scrubber, name: str, seed: int, before: str, after: str, depth: int, form: int
) -> None:
    secret = made(name, seed).replace("\\n", "\n")
    telling = secret.splitlines()[-2] if "BEGIN" in secret and "END" in secret else secret.splitlines()[-1]
    assume("BEGIN" not in secret or "END" in secret or not after)
    text = f"{before} {secret} {after}"
    for _ in range(depth):
        text = json.dumps({"a": text, "n": 1} if form % 2 else [text], ensure_ascii=form < 2)
    assert telling not in everything.text(text).replace("\\", "")


@quick
@given(value=st.sampled_from(PERSONAL), before=AROUND, after=AROUND, depth=st.integers(0, 3))
def test_planted_personal_data_never_comes_out(
    everything: Scrubber, value: str, before: str, after: str, depth: int
) -> None:
    text = f"{before} {value} {after}"
    for _ in range(depth):
        text = json.dumps({"a": text})
    assert value not in everything.text(text)


@quick
@given(text=st.lists(st.sampled_from(CLEAN), max_size=40))
def test_a_clean_text_is_the_same_object(everything: Scrubber, text: list[str]) -> None:
    joined = " ".join(text)
    value = {"a": joined, "b": [joined, {"c": len(joined)}], "d": json.dumps({"e": joined})}
    assert everything.text(joined) is joined
    assert everything.value("body", value) is value
    assert everything.attributes(value) is value
