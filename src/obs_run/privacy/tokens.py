"""Keys and tokens of the well-known providers, which their issuers made recognisable.

Each has a run of 20 characters or more of letters, digits, ``_`` and ``-``; only such runs are looked at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from obs_run.privacy import random_keys
from obs_run.privacy.matches import Match
from obs_run.privacy.token_shapes import TOKENS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject
    from obs_run.privacy.token_shapes import Token

KINDS = frozenset(token.kind for token in TOKENS) | random_keys.KINDS

_TELLING = re.compile(rb"[0-9]|[a-z][A-Z]|[A-Z]{2}[a-z]")
# Of one in thirty all that follows are capitals.
_IDS_OF_CAPITALS = (b"AKIA", b"ASIA", b"ABIA", b"ACCA")
# No word is as long.
_LETTERS = re.compile(rb"[_-](?:[a-z]{32}|[A-Z]{32})")
# Digests, trace ids and UUIDs: no token is of these letters alone, but for the one that begins with fc-.
_PLAIN_HEX = re.compile(rb"(?!fc-)[0-9a-f-]+")
_LONGEST_BEFORE = 64
_MOST_FAILURES = 100
# All that may stand before ends with one of these; few other runs follow one.
_LEADS = frozenset(b".:~/!|$")


def _any(tokens: list[tuple[int, Token]]) -> re.Pattern[bytes]:
    """Return one pattern for the cores of ``tokens``, whose group ``t<n>`` says which it was.

    It begins with a choice of letters and nothing else: the search then goes by these letters.
    """
    by_letter: dict[str, list[str]] = {}
    for index, token in tokens:
        by_letter.setdefault(token.core[0], []).append(f"(?P<t{index}>{token.core[1:]})")
    return re.compile("|".join(f"{letter}(?:{'|'.join(group)})" for letter, group in by_letter.items()).encode())


class _Neighbours(NamedTuple):
    kind: str
    last_sign: str
    before: re.Pattern[bytes] | None
    core: re.Pattern[bytes]
    after: re.Pattern[bytes]


def _last_sign(before: str) -> str:
    """Return the sign that all end with that ``before`` matches; most end with a dot and perhaps a word and a dot."""
    last = before.rstrip("?")[-1]
    return last if last in ":/~!|$" else "."


_ANYWHERE = _any([(i, token) for i, token in enumerate(TOKENS) if not token.before and token.core[0] != "["])
_GROUPS = {f"t{i}": (token, re.compile(token.after.encode())) for i, token in enumerate(TOKENS)}
_WITH_NEIGHBOURS = tuple(
    _Neighbours(
        token.kind,
        _last_sign(token.before) if token.before else "",
        re.compile(f"(?:{token.before})$".encode()) if token.before else None,
        re.compile(token.core.encode()),
        re.compile(token.after.encode()),
    )
    for token in TOKENS
    if token.before or token.core[0] == "["
)
_FOLLOWED = tuple(one for one in _WITH_NEIGHBOURS if not one.before)


_LED = {
    sign: tuple(one for one in _WITH_NEIGHBOURS if one.before is None or one.last_sign == chr(sign)) for sign in _LEADS
}


def find(subject: Subject) -> Iterator[Match]:
    """Find the tokens of providers."""
    raw = subject.raw
    for start, end in subject.runs:
        is_told = _TELLING.search(raw, start, end) or _LETTERS.search(raw, start, end)
        if not is_told and raw[start : start + 4] not in _IDS_OF_CAPITALS:
            continue  # letters and signs, of one case: an identifier
        led = start > 0 and raw[start - 1] in _LEADS
        is_hex = _PLAIN_HEX.fullmatch(raw, start, end) is not None
        if is_hex and not led:
            yield from random_keys.find_hex(subject, start, end)
            continue
        known = [*_inside(raw, start, end), *_beside(raw, start, end, led=led)]
        if known:
            yield from known
        elif not is_hex and random_keys.may_be_key(raw, start, end):
            yield from random_keys.find_in_run(subject, start, end)


def _inside(raw: bytes, start: int, end: int) -> Iterator[Match]:
    at, failures = start, 0
    while match := _ANYWHERE.search(raw, at, end):
        token, after = _GROUPS[match.lastgroup or ""]
        first, last = match.span()
        rest = after.match(raw, last)
        if rest and (token.anywhere or first == start or not (token.whole or raw[first - 1 : first].isalnum())):
            # What is joined to a token may be the rest of a longer one, unless another begins in it.
            longer = end if last < end and not _ANYWHERE.search(raw, last, end) else last
            yield Match(first, max(rest.end(), longer), token.kind)
            if token.kind in _KINDS_OF_IDS:
                yield from _secret_of(raw, last, token.kind)
            at = last
            continue
        at = first + 1
        failures += 1
        if failures > _MOST_FAILURES:  # made to keep us busy: not looked at any further, so it must not go out
            yield Match(at, end, "token")
            return


_KINDS_OF_IDS = frozenset({"aws_key", "alibaba_key", "tencent_key"})
# The secret that belongs to an id stands near it, however the two are parted.
_SECRET = re.compile(rb"(?<![A-Za-z0-9+/=_-])(?:[A-Za-z0-9+/]{40}|[A-Za-z0-9]{30,32})(?![A-Za-z0-9+/=_-])")
_NEAR_ID = 120


def _secret_of(raw: bytes, end: int, kind: str) -> Iterator[Match]:
    """Find the secret that belongs to the id of a key that ends at ``end``."""
    for secret in _SECRET.finditer(raw, end, end + _NEAR_ID):
        if _TELLING.search(secret[0]) and secret[0].lower() != secret[0] != secret[0].upper():
            yield Match(*secret.span(), kind)
            return


def _beside(raw: bytes, start: int, end: int, *, led: bool) -> Iterator[Match]:
    """Find what is known by what stands before or after the run."""
    lead = raw[max(0, start - _LONGEST_BEFORE) : start] if led else b""
    for kind, _, before, core, after in _LED[raw[start - 1]] if led else _FOLLOWED:
        match = core.match(raw, start, end)
        rest = after.match(raw, match.end()) if match else None
        ahead = before.search(lead) if before and rest else None
        if rest and (ahead or not before):
            first = start - (len(lead) - ahead.start()) if ahead else start
            yield Match(first, rest.end(), kind)
