from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_run.base.masking import MASK, is_secret_name, masked, masked_value

TOKEN = "sk-" + "proj-Zq8vT3xL0aBcD1eF2gH3"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:word@host:4318/v1", f"https://me:{MASK}@host:4318/v1"),
        ("https://me:a/b@c@host/x", f"https://me:{MASK}@host/x"),
        ("https://abcdef@host", f"https://{MASK}@host"),
        ("http://host:4318/v1/traces", "http://host:4318/v1/traces"),
        ("https://h/?api_key=abc&team=a", f"https://h/?api_key={MASK}&team=a"),
        ("https://h/?key=abc#x", f"https://h/?key={MASK}"),
        ("team=a,password=two words,x.secret=b,tier=1", f"team=a,password={MASK},x.secret={MASK},tier=1"),
        ("authorization=Bearer abc", f"authorization={MASK}"),
        (TOKEN, MASK),
        (f"/etc/keys/{TOKEN}", f"/etc/keys/{MASK}"),
        ("Zq8vT3xL0aBcD1eF2gH3", MASK),
        ("d41d8cd98f00b204e9800998ecf8427e", MASK),
        ("one, Zq8vT3xL0aBcD1eF2gH3, two", f"one, {MASK}, two"),
        ("/data/Zq8vT3xL0aBcD1eF2gH3/store.db", "/data/Zq8vT3xL0aBcD1eF2gH3/store.db"),
        ("service.instance.id=123e4567-e89b-12d3-a456-426614174000",
         "service.instance.id=123e4567-e89b-12d3-a456-426614174000"),
        ("my-very-long-hostname-number-01:1234=lm_studio", "my-very-long-hostname-number-01:1234=lm_studio"),
        ("parentbased_traceidratio", "parentbased_traceidratio"),
        ("*.eu-central-1.compute.internal,10.0.0.0/8", "*.eu-central-1.compute.internal,10.0.0.0/8"),
        ("obs-run,openai=openllmetry", "obs-run,openai=openllmetry"),
    ],
)  # fmt: skip
def test_the_text_of_a_setting_without_its_secrets(text: str, shown: str) -> None:
    assert masked_value(text) == shown


@pytest.mark.sampled
@pytest.mark.parametrize(
    "piece", ["a", "a.", ":/a", "a=", "key ", "Aa1", " ", "sk-", "eyJ", "a:b@", "://u:p", "'\"", "a-"]
)
def test_the_time_of_masking_does_not_grow_with_the_text(piece: str) -> None:
    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        taken = []
        for _ in range(3):
            began = time.thread_time()
            masked(text)
            masked_value(text)
            taken.append(time.thread_time() - began)
        return min(taken)

    # Ten times the text took a hundred times as long.
    assert seconds(100_000) < 10 * max(seconds(2_000), 0.001)


def test_a_long_line_is_cut_and_its_length_said() -> None:
    text = masked("x" * 100_000)
    assert len(text) < 2100
    assert text.endswith("x... (100000 characters)")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY: '/etc/key.pem' is not allowed", None),
        ("OBS_OTLP_HEADERS_FILE: /etc/headers line 2 is not key=value or key: value; its headers are not sent", None),
        ("set-up failed and was skipped: KeyError: 'model'", None),
        ("trace 4bf92f3577b34da6a3ce929d0e0e4736 is gone", None),
        ("gen_ai.usage.input_tokens=12, max_tokens: 5", None),
        ('{"api_key": "abc", "model": "m"}', f'{{"api_key": "{MASK}", "model": "m"}}'),
        ("refused: Authorization: Bearer abc.def-ghi!", f"refused: Authorization: {MASK}"),
        ("asks for basic or bearer authentication", None),
        ("status 401 invalid token Bearer abcdef2hijk", f"status 401 invalid token {MASK}"),
        ("InvalidURL: nonnumeric port: http://me:word@host", f"InvalidURL: nonnumeric port: http://me:{MASK}@host"),
        ("AKIA" + "IOSFODNN7EXAMPLE and eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.c2ln", f"{MASK} and {MASK}"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", MASK),
    ],
)
def test_a_line_of_ours_without_its_secrets(line: str, shown: str | None) -> None:
    assert masked(line) == (line if shown is None else shown)


@pytest.mark.parametrize(
    "name", ["password", "DB_PASSWORD", "apiKey", "x-api-key", "clientSecret", "authtoken", "Cookie"]
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["", "team", "input_tokens", "keyboard", "monkey", "key_file", "secretName", "author", "°"]
)
def test_names_of_what_is_no_secret(name: str) -> None:
    assert not is_secret_name(name)


@given(st.text())
def test_any_text_is_taken_and_masked_once(text: str) -> None:
    for mask in (masked, masked_value):
        assert mask(mask(text)) == mask(text)


@given(st.text("ab:/@?#=&,; '\"\n-.1", max_size=60))
def test_texts_of_the_signs_that_matter_too(text: str) -> None:
    for mask in (masked, masked_value):
        assert mask(mask(text)) == mask(text)
