"""The general rule: what is taken for a key that no list knows, and what is not."""

from __future__ import annotations

import base64
import json
import random
import string
import uuid
from typing import TYPE_CHECKING

import pytest

from obs_run.base.randomness import is_random

if TYPE_CHECKING:
    from tests.privacy.conftest import Choose

SOURCE = random.Random("keys")
ALNUM = string.ascii_letters + string.digits


def drawn(length: int, alphabet: str = ALNUM) -> str:
    """Return a random word, of which one character is a digit as in nearly all."""
    return "".join(SOURCE.choice(alphabet) for _ in range(length - 1)) + "7"


def test_of_what_is_drawn_nearly_all_is_random() -> None:
    for length, alphabet in (
        (20, ALNUM),
        (32, ALNUM),
        (43, ALNUM + "_-"),
        (48, string.ascii_lowercase + string.digits),
    ):
        assert sum(is_random(drawn(length, alphabet)) for _ in range(500)) > 460, (length, alphabet)


@pytest.mark.parametrize(
    "word",
    [
        "AbstractSingletonProxyFactoryBean2",
        "test_returns_none_when_password_is_missing_2",
        "HAVE_GCC_ASM_FOR_X64_AND_ARM64",
        "x86_64-unknown-linux-gnu-2.35.1",
        "2026-11-29T10-22-01-backup-of-3",
        "getHTTPSConnectionPoolURLv2",
        "84631_83175_10054_68180e-5",
        base64.b64encode(b"Dear customer, thank you for your order").decode(),
        "aaaaaaaaaaaaaaaaaaaa1",
        "",
    ],
)
def test_what_people_write_is_not_random(word: str) -> None:
    assert not is_random(word)


@pytest.mark.parametrize("prefix", ["zq_", "qx-", "acme-prod-", "svc_live_", "my_token_", "XQ-", "q7k_"])
def test_a_prefix_tells(prefix: str, choose: Choose) -> None:
    scrubber = choose("secrets")
    found = [scrubber.text(f"see {prefix}{drawn(32)} there") == "see [unknown_key] there" for _ in range(40)]
    assert sum(found) >= 38


@pytest.mark.parametrize("prefix", ["chatcmpl-", "call_", "msg_", "run_", "req_", "file-", "sha256-", "user_"])
def test_the_prefix_of_an_id_does_not(prefix: str, choose: Choose) -> None:
    scrubber = choose("secrets")
    for _ in range(20):
        text = f"see {prefix}{drawn(32)} there"
        assert scrubber.text(text) is text


@pytest.mark.parametrize("prefix", ["adk-", "sess-", "tg-", "lc_run--", "s-", ""])
@pytest.mark.parametrize("name", ["gen_ai.conversation.id", "session_id", "toolCallId", "id"])
def test_the_name_of_an_id_tells_what_it_is(prefix: str, name: str, choose: Choose) -> None:
    scrubber = choose("secrets")
    for value in (f"{prefix}{drawn(32)}", f"{prefix}{uuid.UUID(int=SOURCE.getrandbits(128))}"):
        values = {"also": "password=hunter2-of-mine", name: value}
        assert scrubber.attributes(values)[name] == value
        text = json.dumps(values)
        assert json.loads(scrubber.text(text))[name] == value


@pytest.mark.parametrize(
    "value",
    [f"zq_secret_{drawn(32)}", f"sk-proj-{drawn(48)}", "https://joe:hunter2@example.com/", f"see zq_key_{drawn(32)}"],
)
def test_a_secret_that_stands_where_an_id_should_is_found(value: str, choose: Choose) -> None:
    assert choose("secrets").attributes({"session_id": value}) != {"session_id": value}


@pytest.mark.parametrize(
    "text",
    [
        "the api key {} is not valid",
        "Received={}, expected to start with 'sk-'",
        "unauthorized: {}",
        "login refused for {}",
        '{{"detail": "bad token: {}"}}',
    ],
)
def test_a_telling_word_tells(text: str, choose: Choose) -> None:
    scrubber = choose("secrets")
    values = [drawn(40) for _ in range(40)]
    # One drawn at random may look like words.
    assert sum(value in scrubber.text(text.format(value)) for value in values) <= 1


@pytest.mark.parametrize(
    "text",
    [
        "nextPageToken={}",
        "a fresh session, request id: {}",
        "https://docs.example.com/document/d/{}/edit",
        "the file data:image/png;base64,{}/{}",
        "cache key {}",
    ],
)
def test_what_says_that_it_is_none_does_too(text: str, choose: Choose) -> None:
    scrubber = choose("secrets")
    for _ in range(10):
        value = drawn(40)
        whole = text.format(value, value)
        assert scrubber.text(whole) is whole


def test_digests_are_left_alone_but_behind_a_word_for_keys(choose: Choose) -> None:
    scrubber = choose("secrets")
    digest = "0123456789abcdef" * 2
    for text in (f"commit {digest}", f"sha256:{digest}{digest}", f"trace_id={digest}", f"etag {digest}"):
        assert scrubber.text(text) is text
    assert scrubber.text(f"api key {digest} is wrong") == "api key [unknown_key] is wrong"


@pytest.mark.parametrize(
    "text",
    [
        "ACMEWEATHER_KEY={}",
        '{{"acmeweather_key": "{}"}}',
        '{{"headers": [["x-functions-key", "{}"]]}}',
        "basic_auth: {}",
        "deploy_creds={}",
    ],
)
def test_a_name_of_which_the_last_word_tells_tells_of_what_is_drawn(text: str, choose: Choose) -> None:
    scrubber = choose("secrets")
    found = [value not in scrubber.text(text.format(value)) for value in (drawn(40) for _ in range(40))]
    assert sum(found) >= 38
    plain = text.format("rows-by-the-name-of-the-customer")
    assert scrubber.text(plain) is plain


@pytest.mark.parametrize("name", ["cache_key", "s3_key", "partitionKey", "rowKey"])
def test_keys_that_are_no_secrets(name: str, choose: Choose) -> None:
    scrubber = choose("secrets")
    for _ in range(20):
        text = f'{{"{name}": "{drawn(40)}"}}'
        assert scrubber.text(text) is text


def test_signs_of_base64_join_what_is_drawn(choose: Choose) -> None:
    scrubber = choose("secrets")
    for sign in ("=", "+", "/", "~", "."):
        found = [
            scrubber.text(f"see xq_{drawn(32)}{sign}{drawn(32)} there") == "see [unknown_key] there" for _ in range(40)
        ]
        assert sum(found) >= 36, sign


def test_a_uuid_right_behind_a_word_for_keys(choose: Choose) -> None:
    scrubber = choose("secrets")
    uuid = "12119770-DD4C-7564-7AB0-53F29F6C7A03"
    for form in (uuid, uuid.lower()):
        assert scrubber.text(f"token {form} was refused") == "token [unknown_key] was refused"
        assert scrubber.text(f"request {form} was refused") == f"request {form} was refused"


@pytest.mark.parametrize("text", ["see sk-{} there", "see xq_{} there"])
def test_letters_alone_are_a_key_where_no_word_is_as_long(text: str, choose: Choose) -> None:
    scrubber = choose("secrets")
    letters = "pbogbcxhwjnjgfjrjhsyyjifdibxecpnxkiwmhec"
    assert letters not in scrubber.text(text.format(letters))
    for plain in ("xq_donaudampfschifffahrtsgesellschaftskapitaen", "call_" + letters, letters):
        assert scrubber.text(plain) is plain


def test_a_key_that_signs_of_base64_part_early(choose: Choose) -> None:
    scrubber = choose("secrets")
    for text in (
        "see tfp_cj9xd8z=u1p-mdt.sp7finybg9dcv3jhkxo4z there",
        "see acme_live_9xs2wi0=7f6f0fppt8zf_owez76u15-7q there",
    ):
        assert scrubber.text(text) == "see [unknown_key] there"
    for plain in ("user_id2=9xsuwi02g1uw7f6f0fpppt83", "see call_cj9xd8z=u1p-mdt.sp7finybg9dcv3jhkxo there"):
        assert scrubber.text(plain) is plain


def test_the_key_of_a_service_in_json_may_be_hexadecimal(choose: Choose) -> None:
    scrubber = choose("secrets")
    digest = "0123456789abcdef" * 2
    assert scrubber.text(f'{{"acmeweather_key": "{digest}"}}') == '{"acmeweather_key": "[api_key]"}'
    for name in ("dedupe_key", "partition_key", "s3_key", "key"):
        text = f'{{"{name}": "{digest}"}}'
        assert scrubber.text(text) is text
