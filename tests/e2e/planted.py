"""Secrets of every well-known format, made from a seed: the text that each stands in, and what grep looks for."""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable
from dataclasses import dataclass

LETTERS = string.ascii_letters + string.digits
WORD = LETTERS + "_-"
UPPER = string.ascii_uppercase + string.digits
HEX = "0123456789abcdef"
BASE64 = LETTERS + "+/"

Draw = Callable[[str, int], str]


@dataclass(frozen=True)
class Planted:
    """A secret: its kind, the text that an agent has it in, and the part that must be nowhere."""

    kind: str
    text: str
    needle: str


def _jwt(draw: Draw) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part({'sub': draw(LETTERS, 12), 'exp': 1})}.{draw(WORD, 43)}"


def _pem(draw: Draw, kind: str) -> str:
    lines = "\n".join(draw(BASE64, 64) for _ in range(6))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{lines}\n-----END {kind}PRIVATE KEY-----"


KEYS: dict[str, Callable[[Draw], str]] = {
    "openai": lambda draw: f"sk-proj-{draw(WORD, 74)}T3BlbkFJ{draw(WORD, 73)}x",
    "openai service": lambda draw: f"sk-svcacct-{draw(LETTERS, 60)}",
    "openai old": lambda draw: f"sk-{draw(LETTERS, 19)}7T3BlbkFJ{draw(LETTERS, 20)}",
    "anthropic": lambda draw: f"sk-ant-api03-{draw(WORD, 93)}AA",
    "openrouter": lambda draw: f"sk-or-v1-{draw(HEX, 64)}",
    "google": lambda draw: f"AIza{draw(LETTERS, 35)}",
    "groq": lambda draw: f"gsk_{draw(LETTERS, 52)}",
    "xai": lambda draw: f"xai-{draw(LETTERS, 80)}",
    "perplexity": lambda draw: f"pplx-{draw(LETTERS, 48)}",
    "replicate": lambda draw: f"r8_{draw(LETTERS, 37)}",
    "hugging face": lambda draw: f"hf_{draw(string.ascii_letters, 34)}",
    "langsmith": lambda draw: f"lsv2_pt_{draw(HEX, 32)}_{draw(HEX, 10)}",
    "tavily": lambda draw: f"tvly-dev-{draw(LETTERS, 32)}",
    "pinecone": lambda draw: f"pcsk_{draw(LETTERS, 6)}_{draw(LETTERS, 63)}",
    "aws id": lambda draw: f"AKIA{draw(UPPER, 16)}",
    "github": lambda draw: f"ghp_{draw(LETTERS, 36)}",
    "github fine": lambda draw: f"github_pat_{draw(LETTERS, 22)}_{draw(LETTERS, 59)}",
    "gitlab": lambda draw: f"glpat-{draw(LETTERS, 20)}",
    "slack": lambda draw: f"xoxb-{draw(string.digits, 12)}-{draw(string.digits, 13)}-{draw(LETTERS, 24)}",
    "slack app": lambda draw: f"xapp-1-A{draw(UPPER, 10)}-{draw(string.digits, 13)}-{draw(HEX, 64)}",
    "stripe": lambda draw: f"sk_live_{draw(LETTERS, 24)}",
    "stripe restricted": lambda draw: f"rk_live_{draw(LETTERS, 24)}",
    "sendgrid": lambda draw: f"SG.{draw(LETTERS, 22)}.{draw(LETTERS, 43)}",
    "twilio": lambda draw: f"SK{draw(HEX, 32)}",
    "npm": lambda draw: f"npm_{draw(LETTERS, 36)}",
    "pypi": lambda draw: f"pypi-AgEIcHlwaS5vcmc{draw(LETTERS, 70)}",
    "digitalocean": lambda draw: f"dop_v1_{draw(HEX, 64)}",
    "databricks": lambda draw: f"dapi{draw(HEX, 32)}",
    "shopify": lambda draw: f"shpat_{draw(HEX, 32)}",
    "telegram": lambda draw: f"{draw('123456789', 10)}:AA{draw(LETTERS, 33)}",
    "vault": lambda draw: f"hvs.{draw(LETTERS, 90)}",
    "linear": lambda draw: f"lin_api_{draw(LETTERS, 40)}",
    "postman": lambda draw: f"PMAK-{draw(HEX, 24)}-{draw(HEX, 34)}",
    "jwt": _jwt,
    "private key": lambda draw: _pem(draw, ""),
    "rsa key": lambda draw: _pem(draw, "RSA "),
    "ssh key": lambda draw: _pem(draw, "OPENSSH "),
}
"""What is recognised wherever it stands, by what its issuer made it look like."""

IN_CONTEXT: dict[str, tuple[str, int, str]] = {
    "url password": (LETTERS, 18, "postgresql://agent:{}@db.internal:5432/shop"),
    "redis url": (LETTERS, 18, "rediss://:{}@cache.internal:6379/0"),
    "basic url": (LETTERS, 18, "see https://ada:{}@host.example/path?page=2"),
    "query string": (LETTERS, 24, "https://host.example/v1/items?page=2&api_key={}&sort=up"),
    "access token": (LETTERS, 30, "https://host.example/v1/items?access_token={}"),
    "bearer": (LETTERS, 40, "Authorization: Bearer {}"),
    "basic": (LETTERS, 32, "Authorization: Basic {}"),
    "password": (LETTERS, 14, "the settings are user=ada password={} host=db"),
    "aws secret": (BASE64, 40, "aws_secret_access_key = {}"),
    "json": (LETTERS, 24, '{{"client_secret": "{}", "scope": "all"}}'),
    "azure storage": (BASE64, 86, "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={}==;EndpointSuffix=x"),
    "environment": (LETTERS, 28, "export SERVICE_API_KEY={}"),
}
"""What is recognised by what stands around it."""


def planted(seed: int, count: int = 200) -> list[Planted]:
    """Return ``count`` different secrets; the same for the same seed."""
    source = random.Random(seed)

    def draw(alphabet: str, length: int) -> str:
        return "".join(source.choice(alphabet) for _ in range(length))

    found: list[Planted] = []
    while len(found) < count:
        for kind, make in KEYS.items():
            text = make(draw)
            found.append(Planted(kind, text, max(text.split("\n"), key=len)))
        for kind, (alphabet, length, context) in IN_CONTEXT.items():
            needle = draw(alphabet, length)
            found.append(Planted(kind, context.format(needle), needle))
    source.shuffle(found)
    found = found[:count]
    assert len({secret.needle for secret in found}) == count
    return found
