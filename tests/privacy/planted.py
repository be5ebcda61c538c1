"""Tokens of the shapes that providers give out, made from pieces with a fixed seed: none was ever valid."""

from __future__ import annotations

import base64
import json
import random
import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_UPPER, _LOWER, _DIGITS = string.ascii_uppercase, string.ascii_lowercase, string.digits
_ALNUM = _UPPER + _LOWER + _DIGITS
_HEX = "0123456789abcdef"
_URL = _ALNUM + "_-"


def _of(alphabet: str) -> Callable[[random.Random, int], str]:
    def make(source: random.Random, length: int) -> str:
        # The first characters have a digit, a small and a capital letter, as nearly all real ones do.
        rest = "".join(source.choice(alphabet) for _ in range(length - 3))
        return "".join(source.choice(some) for some in ("0123456789", alphabet, alphabet)) + rest

    return make


_alnum, _hex, _url, _upper, _digits = _of(_ALNUM), _of(_HEX), _of(_URL), _of(_UPPER + _DIGITS), _of(_DIGITS)


def _base64(source: random.Random, length: int) -> str:
    return base64.b64encode(source.randbytes(length)).decode()


def _jwt(source: random.Random, _: int) -> str:
    head, body = {"alg": "HS256", "typ": "JWT"}, {"sub": _digits(source, 8), "name": "agent"}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (head, body)]
    return ".".join((*parts, _url(source, 43)))


def _pem(label: str, end: str = "\n", *, whole: bool = True) -> Callable[[random.Random, int], str]:
    def make(source: random.Random, lines: int) -> str:
        body = [_base64(source, 48) for _ in range(lines)]
        last = ["-----" + f"END {label}-----"] if whole else []
        return end.join(["-----" + f"BEGIN {label}-----", *body, *last])

    return make


def _basic(source: random.Random, length: int) -> str:
    return base64.b64encode(f"agent:{_alnum(source, length)}".encode()).decode()


# The pieces between which the random part stands; "{}" is never part of one.
_SHAPES: dict[str, tuple[str, Callable[[random.Random, int], str], int, str]] = {
    "openai_project": ("sk-" + "proj-", _url, 120, ""),
    "openai_old": ("sk-", _alnum, 48, ""),
    "anthropic": ("sk-" + "ant-api03-", _url, 93, "AA"),
    "google_api": ("AI" + "za", _url, 35, ""),
    "google_oauth": ("ya" + "29.a0", _url, 120, ""),
    "google_client": ("GOC" + "SPX-", _url, 28, ""),
    "aws_id": ("AK" + "IA", _upper, 16, ""),
    "aws_temporary": ("AS" + "IA", _upper, 16, ""),
    "aws_secret": ("", _alnum, 40, ""),
    "aws_session": ("IQoJb3JpZ2lu", _alnum, 200, "=="),
    "github_classic": ("gh" + "p_", _alnum, 36, ""),
    "github_server": ("gh" + "s_", _alnum, 36, ""),
    "github_fine": ("github" + "_pat_", _alnum, 22, "_" + "Zx8" * 19 + "Qw"),
    "gitlab": ("gl" + "pat-", _url, 20, ""),
    "slack_bot": ("xo" + "xb-123456789012-1234567890123-", _alnum, 24, ""),
    "slack_user": ("xo" + "xp-123456789012-123456789012-123456789012-", _hex, 32, ""),
    "slack_hook": ("T0ABCDEFG/B0ABCDEFG/", _alnum, 24, ""),
    "discord_hook": ("", _url, 68, ""),
    "stripe_live": ("sk" + "_live_", _alnum, 24, ""),
    "stripe_restricted": ("rk" + "_live_", _alnum, 48, ""),
    "stripe_hook": ("wh" + "sec_", _alnum, 32, ""),
    "twilio": ("S" + "K", _hex, 32, ""),
    "sendgrid": ("S" + "G.", _url, 22, "." + "aZ0_" * 10 + "bcd"),
    "mailgun": ("key" + "-", _hex, 32, ""),
    "mailchimp": ("", _hex, 32, "-us6"),
    "huggingface": ("h" + "f_", _alnum, 34, ""),
    "groq": ("gs" + "k_", _alnum, 52, ""),
    "xai": ("xa" + "i-", _alnum, 80, ""),
    "replicate": ("r" + "8_", _alnum, 37, ""),
    "perplexity": ("pp" + "lx-", _alnum, 48, ""),
    "openrouter": ("sk-" + "or-v1-", _hex, 64, ""),
    "nvidia": ("nv" + "api-", _url, 64, ""),
    "tavily": ("tv" + "ly-", _alnum, 32, ""),
    "firecrawl": ("f" + "c-", _hex, 32, ""),
    "pinecone": ("pc" + "sk_", _alnum, 6, "_" + "Qx7" * 21),
    "langsmith": ("ls" + "v2_pt_", _hex, 32, "_0a1b2c3d4e"),
    "langfuse_public": ("pk" + "-lf-", _hex, 8, "-1234-4abc-8def-0123456789ab"),
    "langfuse_secret": ("sk" + "-lf-", _hex, 8, "-1234-4abc-8def-0123456789ab"),
    "npm": ("np" + "m_", _alnum, 36, ""),
    "pypi": ("py" + "pi-AgEIcHlwaS5vcmc", _url, 150, ""),
    "docker": ("dc" + "kr_pat_", _url, 27, ""),
    "digitalocean": ("do" + "p_v1_", _hex, 64, ""),
    "databricks": ("da" + "pi", _hex, 32, ""),
    "telegram": ("1234567890" + ":AA", _url, 33, ""),
    "discord": ("M" + "TI", _alnum, 21, ".GaBcDe." + "x_Y9" * 7),
    "shopify": ("shp" + "at_", _hex, 32, ""),
    "square": ("sq0" + "atp-", _url, 22, ""),
    "vault": ("hv" + "s.", _url, 95, ""),
    "terraform": ("Ab12Cd34Ef56Gh" + ".atlasv1.", _url, 67, ""),
    "linear": ("lin" + "_api_", _alnum, 40, ""),
    "notion": ("nt" + "n_", _digits, 11, "aB3" * 12),
    "notion_old": ("secr" + "et_", _alnum, 43, ""),
    "postman": ("PM" + "AK-", _hex, 24, "-" + "0f" * 17),
    "sentry_user": ("sn" + "tryu_", _hex, 64, ""),
    "hex32": ("", _hex, 32, ""),
    "hex40": ("", _hex, 40, ""),
    "alnum32": ("", _alnum, 32, ""),
    "alnum40": ("", _alnum, 40, ""),
    "grafana": ("gl" + "sa_", _alnum, 32, "_0a1B2c3D"),
    "newrelic": ("NR" + "AK-", _upper, 27, ""),
    "dynatrace": ("dt0" + "c01.", _upper, 24, "." + "A1B2" * 16),
    "atlassian": ("AT" + "ATT3", _url, 180, "=0A1B2C3D"),
    "airtable": ("pat" + "Ab12Cd34Ef56Gh.", _hex, 64, ""),
    "heroku": ("HR" + "KU-AA", _url, 58, ""),
    "fly": ("fm" + "2_", _alnum, 120, "=="),
    "planetscale": ("ps" + "cale_tkn_", _url, 43, ""),
    "supabase": ("sb" + "p_", _hex, 40, ""),
    "pulumi": ("pu" + "l-", _hex, 40, ""),
    "prefect": ("pn" + "u_", _alnum, 36, ""),
    "doppler": ("dp" + ".pt.", _alnum, 43, ""),
    "dropbox": ("s" + "l.", _url, 135, ""),
    "alibaba": ("LT" + "AI", _alnum, 20, ""),
    "azure_client": ("aB3" + "8Q~", _url, 31, ""),
    "azure_storage": ("", _base64, 64, ""),
    "azure_bus": ("", _base64, 32, ""),
    "azure_sas": ("", _alnum, 43, "%3D"),
    "openshift": ("sha" + "256~", _url, 43, ""),
    "artifactory": ("AK" + "Cp", _alnum, 69, ""),
    "brevo": ("xkey" + "sib-", _hex, 64, "-aB3dE6gH9jK2mN5p"),
    "age": ("AGE-" + "SECRET-KEY-1", _upper, 58, ""),
    "cerebras": ("cs" + "k-", _alnum, 48, ""),
    "datadog": ("dd" + "app_", _alnum, 34, ""),
    "e2b": ("e2" + "b_", _hex, 40, ""),
    "elevenlabs": ("s" + "k_", _hex, 48, ""),
    "facebook": ("EA" + "AC", _alnum, 160, ""),
    "fireworks": ("f" + "w_", _alnum, 24, ""),
    "flutterwave": ("FLW" + "SECK_TEST-", _hex, 32, "-X"),
    "onepassword": ("op" + "s_eyJ", _alnum, 250, ""),
    "razorpay": ("rz" + "p_live_", _alnum, 14, ""),
    "readme": ("rd" + "me_", _of(_LOWER + _DIGITS), 70, ""),
    "rubygems": ("ruby" + "gems_", _hex, 48, ""),
    "sonar": ("sq" + "p_", _hex, 40, ""),
    "sourcegraph": ("sg" + "p_", _hex, 40, ""),
    "tencent": ("AK" + "ID", _alnum, 32, ""),
    "yandex": ("AQ" + "VN", _url, 36, ""),
    "brave": ("BS" + "A", _alnum, 28, ""),
    "easypost": ("EZ" + "AK", _alnum, 54, ""),
    "clickhouse": ("4b" + "1d", _alnum, 38, ""),
    "maxmind": ("Ab1" + "Cd2_", _alnum, 29, "_mmk"),
    "tailscale": ("ts" + "key-auth-", _alnum, 12, "-" + "Ab3" * 8),
    "klaviyo": ("p" + "k_", _hex, 34, ""),
    "zoho": ("10" + "00.", _hex, 32, "." + "0f" * 16),
    "salesforce": ("3M" + "VG9", _alnum, 80, ""),
    "held": ("quiet-", _alnum, 12, "-otter"),
    "unknown": ("zq" + "_", _alnum, 32, ""),
    "unknown_hex": ("zq" + "t_", _hex, 40, ""),
    "jwt": ("", _jwt, 0, ""),
    "basic": ("", _basic, 12, ""),
    "pem_rsa": ("", _pem("RSA PRIVATE KEY"), 12, ""),
    "pem_openssh": ("", _pem("OPENSSH PRIVATE KEY"), 8, ""),
    "pem_escaped": ("", _pem("PRIVATE KEY", "\\n"), 8, ""),
    "pem_cut": ("", _pem("EC PRIVATE KEY", whole=False), 4, ""),
    "pgp": ("", _pem("PGP PRIVATE KEY BLOCK"), 10, ""),
}
NAMES = tuple(_SHAPES)


def made(name: str, seed: int | str = 0) -> str:
    """Return the token ``name``; the same for the same ``seed``."""
    before, make, length, after = _SHAPES[name]
    return before + make(random.Random(f"{name} {seed}"), length) + after  # the seed is the point
