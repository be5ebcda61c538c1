"""Passwords and keys as people say them, in several languages, and as programs take them by their place."""

from __future__ import annotations

import random
import string
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.privacy.conftest import Choose

DRAW = random.Random(7)
WORDS = "apple orbit velvet canyon mimic tunnel rather dust ocean ladder pigeon cruise"


def drawn(signs: str, length: int) -> str:
    return "".join(DRAW.choice(signs) for _ in range(length))


PASSWORD = f"Moss*{drawn(string.ascii_letters, 9)}_"
KEY = drawn(string.ascii_letters + string.digits, 32)
HEX = drawn("0123456789abcdef", 32)
SECRET = drawn(string.ascii_letters + string.digits + "+/", 40)
AWS = "AKIA" + drawn(string.ascii_uppercase, 16)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Le mot de passe du serveur est {}", PASSWORD),
        ("La password del server di prova è {} e scade domani", PASSWORD),
        ("A senha do banco de produção é {}", PASSWORD),
        ("Das Passwort für den Testserver lautet {}.", PASSWORD),
        ("Adgangskoden til serveren er {}", PASSWORD),
        ("пароль к серверу {}", PASSWORD),
        ("Kata sandi: {}", PASSWORD),
        ("login is svc and pw is {} ,", PASSWORD),
        ("login: root / {}", PASSWORD + "7"),
        ("the password is hunter-22-b, if that fails try {}", PASSWORD),
        ("kubectl create secret generic db --from-literal=pw={}", PASSWORD),
        ("WIFI:T:WPA;S:office;P:{};;", PASSWORD),
        ("$s = ConvertTo-SecureString '{}' -AsPlainText -Force", PASSWORD),
        ("bcrypt.hashpw(b'{}', bcrypt.gensalt())", PASSWORD),
        ('DriverManager.getConnection("jdbc:mysql://db/app", "root", "{}")', PASSWORD),
        ("ftp = FTP('ftp.example.com', 'deploy', '{}')", PASSWORD),
        ("my recovery phrase is: {}", WORDS),
        ("seed words: {}", WORDS),
        ("SEED={}", WORDS.replace(" ", ",")),
        (f"I pasted {AWS} and {{}} there", SECRET),
        ("client = algoliasearch.Client('K7RQ2MZ0TD', '{}')", HEX),
        ("deepgram = Deepgram('{}')", HEX),
        ("cloudsmith {}", HEX),
        ("APIキーは{}です", KEY),
        ("ключ API: {}", KEY),
        ("密钥: {}", KEY),
        ("API-sleutel: {}", KEY),
        ("https://maker.ifttt.com/trigger/door/with/key/{}", KEY),
    ],
)
def test_the_secret_is_taken_out(text: str, secret: str, choose: Choose) -> None:
    assert secret[: len(secret) // 2] not in choose("secrets").text(text.format(secret))


@pytest.mark.parametrize(
    "text",
    [
        "The phrase is used when you want to say that something was done before anyone else could have seen it",
        "The seed is 42, the words are few",
        "pw = PlayWright()",
        "login is required / optional",
        "assemblyai transcript 5552493-16d8",
        "connect('localhost', 'postgres', 'public')",
        "The password of the router is not needed here",
    ],
)
def test_what_looks_like_that_and_is_none_is_left_alone(text: str, choose: Choose) -> None:
    scrubber = choose("secrets")
    assert scrubber.text(text) is text
