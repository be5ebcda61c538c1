from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from obs_run import privacy

if TYPE_CHECKING:
    from collections.abc import Iterator

OPENAI = "sk-" + "proj-" + "a1B2" * 12
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NSJ9." + "c2lnbmF0dXJlMTIz"


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    privacy.forget()
    yield
    privacy.forget()


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


def test_nothing_is_touched_by_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_PRIVACY", "none")
    privacy.forget()
    scrubber = privacy.scrubber()
    assert not scrubber.active
    assert scrubber.text("password=hunter2") == "password=hunter2"
