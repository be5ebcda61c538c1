"""Private keys in PEM, bearer tokens, and what curl and its like are told, in running text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

KINDS = frozenset({"private_key", "authorization", "password"})
_BEGIN = b"-----BEGIN"
_PRIVATE = re.compile(rb"-----BEGIN[ A-Z0-9_-]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(rb"-----END[ A-Z0-9_-]{0,40}PRIVATE KEY(?: BLOCK)?-----")
# Where no END comes: as far as there is base64, headers of PEM, and what line breaks may have become.
_BODY = re.compile(rb"(?:[A-Za-z0-9+/=\s\\\"',]|(?:Proc-Type|DEK-Info|Version|Comment|Hash):[^\n]{0,100})*")
_SCHEME = re.compile(rb"bearer[ \t]{1,4}|bearer%20|bearer\+")
_BEARER = re.compile(rb"[\w.~+/=:-]{8,}")
_FIELD = re.compile(rb"[a-z_]{2,40}=[^=]")
_SHELL_PASSWORD = re.compile(
    rb"sshpass -p ?(?:\"([^\"\n]{1,128})\"|'([^'\n]{1,128})'|([^\s\"'$]{1,128}))"
    rb"|mysql[\w -]{0,80} -p([^\s\"'$-][^\s\"']{0,127})"
)
_PAIR = re.compile(rb"(?:auth=[\w.]{0,40}|\blogin)\([\"'][^\"'\n]{0,128}[\"'],[ ]{0,4}[\"']([^\"'\n]{1,256})[\"']")
_CURL_USER = re.compile(rb"(?:\s-u|\s--user|\s--proxy-user|\s-U)[ =]?[\"']?([^\s:\"']{1,128}):([^\s\"']{1,256})")


def find(subject: Subject) -> Iterator[Match]:
    """Find private keys, bearer tokens, and the passwords given to programs."""
    raw, low = subject.raw, subject.low
    if _BEGIN in raw:
        yield from _private_keys(raw)
    if b"bearer" in low:
        for scheme in _SCHEME.finditer(low):
            value = _BEARER.match(raw, scheme.end())
            if value and _looks_random(value[0]) and not _FIELD.match(value[0]):
                yield Match(*value.span(), "authorization")
    if b" -" in low:
        yield from _options(raw, low)
    if b"(" in raw and (b"auth=" in low or b"login(" in low):
        for pair in _PAIR.finditer(low):
            yield Match(*pair.span(1), "password")


def _options(raw: bytes, low: bytes) -> Iterator[Match]:
    """Find passwords in the options of programs."""
    if b"curl" in low:
        for match in _CURL_USER.finditer(raw):
            if not match[2].startswith((b"$", b"{", b"<", b"*", b"//")):
                yield Match(*match.span(2), "authorization")
    if b" -p" in low and (b"sshpass" in low or b"mysql" in low):
        for match in _SHELL_PASSWORD.finditer(low):
            yield Match(*match.span(match.lastindex or 0), "password")


def _private_keys(raw: bytes) -> Iterator[Match]:
    begins = list(_PRIVATE.finditer(raw))
    ends = [match.end() for match in _END.finditer(raw)]
    limits = [begin.start() for begin in begins[1:]] + [len(raw)]
    for begin, limit in zip(begins, limits, strict=False):
        while ends and ends[0] < begin.end():
            ends.pop(0)
        body = _BODY.match(raw, begin.end(), limit)
        cut = body.end() if body else begin.end()
        yield Match(begin.start(), ends[0] if ends and ends[0] <= limit else cut, "private_key")


def _looks_random(value: bytes) -> bool:
    """Whether this is no word: it has a digit, or both cases beyond a capital, or is very long."""
    tail = value[1:]
    return (
        any(48 <= sign <= 57 for sign in value)  # noqa: PLR2004 (digits)
        or (tail.lower() != tail and tail.upper() != tail)
        or len(value) >= 40  # noqa: PLR2004 (no word is as long)
    )
