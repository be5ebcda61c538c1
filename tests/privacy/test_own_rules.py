from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from obs_run import privacy
from obs_run.privacy import own_rules, pattern_size

if TYPE_CHECKING:
    from pathlib import Path

    from tests.privacy.conftest import Choose

RULES = """
rules:
  customer:
    patterns: ["KD-[0-9]{6}"]
    fields: [customer_no, "*.kunde"]
    action: hash
  codename:
    patterns: ["\\\\bproject (?:falcon|heron)\\\\b"]
    ignore_case: true
    action: drop
actions:
  email: {truncate: {first: 1, last: 4}}
  jwt: off
  card: drop
presets:
  acme: [email, card, -url_credentials]
allow:
  texts: [support@example.com]
  fields: [public_*]
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES, encoding="utf-8")
    return path


def test_own_rules_stand_beside_the_built_in_ones(rules: Path, choose: Choose) -> None:
    scrubber = choose("acme", rules=rules, hash_key="k")
    assert scrubber.text("KD-123456 of Project Falcon, password=hunter2, jane@example.com, card 4111111111111111.") == (
        "[customer:3b7f6c4e2b5d] of , password=[password], [email:j\u2026.com], card ."
    ).replace("3b7f6c4e2b5d", scrubber.text("KD-123456").removeprefix("[customer:").rstrip("]"))
    assert scrubber.value("body", {"customer_no": "x1", "crm.kunde": "x2", "n": "x3"})["n"] == "x3"
    assert scrubber.value("customer_no", "x1").startswith("[customer:")
    assert "jwt" not in scrubber.kinds
    assert "url_credentials" not in scrubber.kinds


def test_the_same_value_has_the_same_hash_with_the_same_key(
    rules: Path, choose: Choose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = choose("", rules=rules, hash_key="k").text("KD-123456")
    assert choose("", rules=rules, hash_key="k").text("at KD-123456!") == f"at {one}!"
    assert choose("", rules=rules, hash_key="k2").text("KD-123456") != one
    key = tmp_path / "key"
    key.write_text("k\n")
    monkeypatch.delenv("OBS_PRIVACY_HASH_KEY")
    assert choose("", rules=rules, hash_key_file=key).text("KD-123456") == one
    assert privacy.scrubber().text(one) is one


def test_hashes_of_one_card_are_the_same_however_it_is_written(tmp_path: Path, choose: Choose) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("actions: {card: hash, email: hash}")
    scrubber = choose("personal", rules=path, hash_key="k")
    cards = ("4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111")
    assert len({scrubber.text(card) for card in cards}) == 1
    assert scrubber.text("Bob@Example.com") == scrubber.text("bob@example.com") != scrubber.text("eve@example.com")


def test_a_dropped_field_goes_and_json_stays_json(tmp_path: Path, choose: Choose) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("actions: {secrets: drop}")
    scrubber = choose("", rules=path)
    assert scrubber.attributes({"password": "x", "n": 1}) == {"n": 1}
    assert scrubber.value("password", "x") is None
    assert (
        scrubber.text('{"a": {"access_token": "abc"}, "cookies": ["x=1"], "n": 1}')
        == '{"a": {}, "cookies": [], "n": 1}'
    )


def test_what_is_allowed_is_never_touched(rules: Path, choose: Choose) -> None:
    scrubber = choose("acme", rules=rules)
    text = "ask support@example.com"
    assert scrubber.text(text) is text
    value = {"public_token": "hunter2", "public_contact": {"email": "jane@example.com"}}
    assert scrubber.attributes(value) is value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules: [", "line 1 is no YAML"),
        ("rule: {}", "rule is not known; allowed: rules, actions, presets, allow"),
        ("- a", "the file must be a mapping of names"),
        ("rules: {Ab: {patterns: x}}", "rules.Ab is no name for a kind"),
        ("rules: {ab: {}}", "rules.ab has neither patterns nor fields"),
        ("rules: {ab: {pattern: x}}", "rules.ab.pattern is not known; allowed: patterns, fields, action, "),
        ("rules: {ab: {patterns: ['(x']}}", "rules.ab.patterns[0] is no regular expression: missing )"),
        ("rules: {ab: {patterns: ['x*']}}", "rules.ab.patterns[0] matches the empty text"),
        (
            "rules: {ab: {patterns: ['a{1000000000}']}}",
            "rules.ab.patterns[0] repeats too much: at most 100000 elements",
        ),
        ("rules: {ab: {patterns: ['(?:x(a[bc]{99}){99,}d){99}']}}", "rules.ab.patterns[0] repeats too much"),
        ("rules: {ab: {patterns: 7}}", "rules.ab.patterns must be a text or a list of texts"),
        ("rules: {ab: {fields: a, action: blur}}", "rules.ab.action is not allowed; allowed: mask, drop, hash, "),
        ("rules: {ab: {fields: a, action: {truncate: {first: 99}}}}", "rules.ab.action is not allowed"),
        ("rules: {ab: {fields: a, ignore_case: 3}}", "rules.ab.ignore_case is not allowed; allowed: true, false"),
        (
            "rules: {ab: {fields: a, when_disabled: x}}",
            "rules.ab.when_disabled is not allowed; allowed: withhold",
        ),
        ("actions: {emial: mask}", "actions.emial is no kind or preset; allowed: "),
        ("presets: {acme: [emial]}", "presets.acme names 'emial', which is no kind or preset"),
        ("presets: {email: [card]}", "presets.email is no name for a preset of your own"),
        ("allow: {text: x}", "allow.text is not known; allowed: texts, fields"),
        ("rules: {ab: {patterns: \ud800}}", "is no UTF-8 text"),
    ],
)
def test_what_is_wrong_in_the_file_is_one_line_and_all_built_in_kinds_hold(
    text: str, said: str, tmp_path: Path, choose: Choose, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "rules.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    scrubber = choose("none", rules=path)
    assert [line.startswith(f"OBS_PRIVACY_RULES: {path}: ") and said in line for line in caplog.messages] == [True]
    assert "\n" not in caplog.messages[0]
    assert scrubber.text("password=hunter2 bob@example.com") == "password=[password] [email]"


@pytest.mark.parametrize(
    ("pattern", "size"),
    [
        (r"[a-z]{3}-\d{4,}", 8),
        (r"(?:ab|cd){2,5}", 40),
        (r"\p{Lu}{1000}", 1000),
        (r"[]{}]{7}|[[a]--[{9}]]{3}", 11),
        (r"\{1000000000\}", 12),
        (r"{,9}", 4),
        (r"(a{100}){100}", 10100),
        ("(" * 5000, 0),
    ],
)
def test_the_size_of_a_pattern_is_that_with_its_repetitions_written_out(pattern: str, size: int) -> None:
    assert pattern_size.size(pattern) == size


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    path = tmp_path / "slow.yaml"
    path.write_text("rules: {slow: {patterns: ['(?:a|aa)+$']}, other: {patterns: ['zebra'], when_disabled: pass}}")
    return path


def test_a_rule_that_is_too_slow_is_switched_off_and_texts_are_withheld(
    slow: Path, choose: Choose, caplog: pytest.LogCaptureFixture
) -> None:
    scrubber = choose("", rules=slow)
    assert scrubber.text("baaa") == "b[slow]"
    began = time.perf_counter()
    assert scrubber.text("a" * 200 + "!") == "[withheld]"
    took = time.perf_counter() - began
    assert took < 20, took
    assert scrubber.text("a harmless text") == "[withheld]"
    assert scrubber.attributes({"a harmless name": 7}) == {"a harmless name": 7}
    assert json.loads(scrubber.text('{"a": ["text", 1]}')) == {"a": ["[withheld]", 1]}
    assert [line.partition(":")[2].split(":")[0] for line in caplog.messages] == [" rule slow is switched off"]
    assert "more than 100 ms for a text of 201 characters; texts are withheld from now on" in caplog.text


def test_a_rule_that_is_slow_in_sum_is_switched_off_too(
    slow: Path, choose: Choose, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_rules, "SECONDS_BEFORE_AVERAGE", 0.0)
    monkeypatch.setattr(own_rules, "SECONDS_PER_CHARACTER", 1e-12)
    scrubber = choose("", rules=slow)
    assert scrubber.text("hello there") == "hello there"
    assert scrubber.text("hello here") == "[withheld]"
    assert "rule slow is switched off: 0.0 s for 11 characters so far" in caplog.text
    assert "rule other is switched off: 0.0 s for 11 characters so far; it is not applied from now on" in caplog.text


def test_a_rule_that_breaks_while_it_runs_is_switched_off(
    slow: Path, choose: Choose, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    scrubber = choose("", rules=slow)

    def broken(_self: Any, _subject: Any) -> Any:
        raise MemoryError("no more")

    monkeypatch.setattr(own_rules.OwnRule, "_matches", broken)
    assert scrubber.text("hello there") == "[withheld]"
    assert "rule slow is switched off: MemoryError: no more; texts are withheld" in caplog.text
