from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from obs_run import privacy
from obs_run.privacy import libraries

if TYPE_CHECKING:
    from tests.privacy.conftest import Choose

OPENAI = "sk-" + "proj-" + "a1B2" * 12
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NSJ9." + "c2lnbmF0dXJlMTIz"


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("password=hunter2 and more", "password=[password] and more"),
        (f"my key is {OPENAI} ok", "my key is [openai_key] ok"),
        (f"Authorization: Bearer {JWT}", "Authorization: Bearer [jwt]"),
        ("postgresql://bob:p@ss@db.example.com/x", "postgresql://bob:[url_credentials]@db.example.com/x"),
        ('{"password": "hunter2", "n": 1.10}', '{"password": "[password]", "n": 1.10}'),
        ('{"args":"{\\"api_key\\":\\"abc\\"}"}', '{"args":"{\\"api_key\\":\\"[api_key]\\"}"}'),
        ('{"password": "hunt', '{"password": "[password]'),
        ("curl -u bob:secret1 http://x", "curl -u bob:[authorization] http://x"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc", "[private_key]"),
    ],
)
def test_secrets_are_masked_and_the_rest_stays(text: str, scrubbed: str) -> None:
    scrubber = privacy.scrubber()
    assert scrubber.text(text) == scrubbed
    assert scrubber.text(scrubbed) is scrubbed


@pytest.mark.parametrize(
    "value",
    [
        "gen_ai.usage.input_tokens=123 token_count: 12",
        "def f(password: str, token=None)",
        "api_key=os.environ['X']",
        {"max_tokens": 100, "gen_ai.usage.input_tokens": 7, "next_page_token": "abc", "primary_key": "id"},
        ["4bf92f3577b34da6a3ce929d0e0e4736", "123e4567-e89b-12d3-a456-426614174000"],
    ],
)
def test_what_only_looks_alike_is_the_same_object(value: Any) -> None:
    assert privacy.scrubber().value("body", value) is value


def test_names_speak_for_values_at_any_depth() -> None:
    value = {"headers": [("Authorization", "Bearer abc123"), {"name": "x-api-key", "value": "k"}], "pin": 1234}
    assert privacy.scrubber().attributes(value) == {
        "headers": [("Authorization", "[authorization]"), {"name": "x-api-key", "value": "[api_key]"}],
        "pin": "[password]",
    }
    assert value["pin"] == 1234


def test_nothing_is_touched_by_choice(choose: Choose) -> None:
    scrubber = choose("none")
    assert not scrubber.active
    assert scrubber.text("password=hunter2") == "password=hunter2"


def test_kinds_can_be_added_and_left_out(choose: Choose) -> None:
    text = f"password=hunter2 {JWT} bob@example.com 4111 1111 1111 1111"
    assert choose("").text(text) == "password=[password] [jwt] bob@example.com 4111 1111 1111 1111"
    assert choose("email").text(text) == "password=[password] [jwt] [email] 4111 1111 1111 1111"
    assert choose("secrets,card,-jwt").text(text) == f"password=[password] {JWT} bob@example.com [card]"
    assert choose("none,card").text(text) == f"password=hunter2 {JWT} bob@example.com [card]"
    assert choose("personal").text(text) == "password=[password] [jwt] [email] [card]"


def test_the_kinds_that_are_on_can_be_told(choose: Choose) -> None:
    kinds = choose("none,email,card").kinds
    assert {kind: action.how for kind, action in kinds.items()} == {"card": "mask", "email": "mask"}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("OBS_PRIVACY", "secrets,emial", "OBS_PRIVACY: 'emial' is not allowed; allowed: none, secrets, personal, "),
        (
            "OBS_PRIVACY",
            "personl",
            "also with - before it (did you mean 'personal'?); until that is right, all built-in",
        ),
        ("OBS_PRIVACY", "secrets,-anthropic_kye", "(did you mean 'anthropic_key'?)"),
        ("OBS_PRIVACY_LOCALES", "germany", "OBS_PRIVACY_LOCALES: 'germany' is not allowed; allowed: countries of two "),
        (
            "OBS_PRIVACY_RULES",
            "/nowhere/rules.yaml",
            "OBS_PRIVACY_RULES: /nowhere/rules.yaml: cannot be read: No ",
        ),
    ],
)
def test_a_wrong_setting_is_one_line_and_all_built_in_kinds_hold(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(name, value)
    privacy.forget()
    assert privacy.scrubber().text("password=hunter2 bob@example.com") == "password=[password] [email]"
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"{name}: ")
    assert said in line
    assert "until that is right, all built-in kinds are masked" in caplog.text


def test_only_ids_of_the_chosen_countries_are_looked_for(choose: Choose) -> None:
    text = "CPF 404.770.679-56, SSN 526-01-8159"
    assert choose("personal", locales="br").text(text) == "CPF [br.cpf], SSN 526-01-8159"
    assert choose("personal", locales="en_US").text(text) == "CPF 404.770.679-56, SSN [us.ssn]"


def test_numbers_in_json_that_are_personal_become_texts_and_the_rest_stays_as_written(choose: Choose) -> None:
    text = '{"card":4111111111111111,"big":1e400,"price":1.10,"n":12345678901234567890,"t":true}'
    assert choose("personal").text(text) == text.replace("4111111111111111", '"[card]"')


def test_what_json_says_twice_is_not_overlooked() -> None:
    assert privacy.scrubber().text(f'{{"token": "{OPENAI}", "token": ""}}') == '{"token": ""}'


def test_escapes_in_json_hide_nothing(choose: Choose) -> None:
    scrubber = choose("personal")
    assert scrubber.text(r'{"\u0070assword": "hunter2"}') == '{"password": "[password]"}'
    assert scrubber.text(r'{"a": "bob\u0040example.com"}') == '{"a": "[email]"}'
    assert scrubber.text(r'{"a": "x\n4111111111111111\n"}') == r'{"a": "x\n[card]\n"}'


def test_json_in_json_in_json_stays_json() -> None:
    inner = json.dumps({"password": "hunter2", "n": 1})
    outer = json.dumps({"a": json.dumps([inner, "x"])})
    scrubbed = privacy.scrubber().text(outer)
    assert json.loads(json.loads(json.loads(scrubbed)["a"])[0]) == {"password": "[password]", "n": 1}


def test_what_is_too_deep_or_endless_is_withheld() -> None:
    endless: list[Any] = []
    endless.append(endless)
    wide: list[Any] = []
    wide += [wide, wide]
    scrubber = privacy.scrubber()
    assert "[withheld]" in str(scrubber.value("x", endless))
    assert "[withheld]" in str(scrubber.value("x", wide))
    text = OPENAI
    for _ in range(12):
        text = json.dumps([text])
    assert OPENAI not in scrubber.text(text)


def test_names_may_be_secrets_too(choose: Choose) -> None:
    scrubbed = choose("personal").value("users", {"bob@example.com": 1, "eve@example.com": 2, "n": 3})
    assert scrubbed == {"[email]": 1, "[email]_2": 2, "n": 3}


def test_bytes_sets_and_tuples_keep_their_type() -> None:
    value = {"a": b"password=hunter2", "b": ("x", OPENAI), "c": frozenset({OPENAI}), "d": bytearray(b"ok")}
    scrubbed = privacy.scrubber().attributes(value)
    assert scrubbed == {"a": b"password=[password]", "b": ("x", "[openai_key]"), "c": {"[openai_key]"}, "d": b"ok"}
    assert scrubbed["d"] is value["d"]


def test_an_object_is_shown_only_if_nothing_is_in_what_it_shows() -> None:
    class Connection:
        def __init__(self, text: str) -> None:
            self.text = text

        def __str__(self) -> str:
            return self.text

    harmless = Connection("db 17")
    assert privacy.scrubber().value("db", harmless) is harmless
    assert privacy.scrubber().value("db", Connection("password=hunter2")) == "password=[password]"


def test_the_schema_of_a_field_is_no_secret_but_its_default_is() -> None:
    schema = {"properties": {"password": {"type": "string", "description": "to log in", "default": "changeme"}}}
    assert privacy.scrubber().value("tools", schema) == {
        "properties": {"password": {"type": "string", "description": "to log in", "default": "[password]"}}
    }


def test_pictures_are_not_chewed_through() -> None:
    picture = "iVBORw0KGgo" * 100_000
    part = {"type": "blob", "mime_type": "image/png", "content": picture}
    assert privacy.scrubber().value("gen_ai.input.messages", [part])[0] is part


def test_threads_share_one_scrubber() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: id(privacy.scrubber()), range(64)))
        texts = set(pool.map(lambda number: privacy.scrubber().text(f"password=hunter{number}"), range(500)))
    assert (len(made), texts) == (1, {"password=[password]"})


def test_a_failure_of_ours_withholds_and_does_not_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    scrubber = privacy.scrubber()
    monkeypatch.setattr(scrubber, "plain", lambda _text: 1 / 0)
    assert scrubber.value("a", "some text") == "[withheld]"
    assert scrubber.text("some text") == "[withheld]"
    assert scrubber.attributes({"a": "some text"}) == {}


def test_without_the_libraries_what_looks_like_it_counts(
    choose: Choose, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("stdnum", "stdnum.us.ssn", "stdnum.luhn", "stdnum.iban", "phonenumbers"):
        monkeypatch.setitem(sys.modules, name, None)
    libraries.forget()
    scrubber = choose("personal")
    assert scrubber.text("SSN 000-00-0000, again SSN 000-00-0000") == "SSN [us.ssn], again SSN [us.ssn]"
    assert scrubber.text("call +1 212-555-0123") == "call [phone]"
    libraries.forget()
    assert [line.split(" is ")[0] for line in caplog.messages] == ["privacy: python-stdnum", "privacy: phonenumbers"]
