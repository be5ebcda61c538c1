"""Keys of services that no list knows: a prefix or a telling word beside what was drawn at random and is no id.

It is asked only of runs of 20 characters or more in which no known token was found, so that it costs little.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from obs_run.base.randomness import common_pairs, is_random
from obs_run.privacy.matches import Match
from obs_run.privacy.prefix_words import ENVIRONMENTS, HARMLESS_KEYS, IDS, SECRET_WORDS
from obs_run.privacy.services import SERVICES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

KIND = "unknown_key"
KINDS = frozenset({KIND})


_PREFIX = re.compile(
    rb"(?:[a-z][a-z0-9]{0,11}|[A-Z][A-Z0-9]{0,11}|[A-Z][a-z]{1,11}|[0-9][a-z]{2,11}|[0-9]{1,2})[_-]{1,2}"
    # What follows may have few digits, else it is drawn already.
    rb"(?:(?:[a-z]{1,12}[0-9]{0,2}|[A-Z]{1,12}[0-9]{0,2}|[A-Z][a-z]{1,11}|[0-9][a-z]{2,11}|[0-9]{1,2})[_-]{1,2}){0,3}"
)
_TELLING_PREFIX = re.compile(
    rb"(?:[a-z0-9]{1,12}[_-]){0,2}(?:[srapt]k|key|token|secret|pat|api|live)[_-]", re.IGNORECASE
)
_JOINTS = (b"=", b"+", b"~")
_JOINED_LEAD = re.compile(rb"(?<![\w=+/.~&?%-])([A-Za-z][\w=+.~-]{3,63})$")
# A prefix, and what is drawn even before the first sign: two groups of digits, or a capital between small letters.
_JOINED = re.compile(
    rb"([A-Za-z][A-Za-z0-9]{1,11}[_.-](?:[a-z]{1,8}[_.-])?)"
    rb"(?=[\w.-]{0,24}(?:[0-9][A-Za-z_-]{1,12}[0-9]|[a-z][A-Z]{1,3}[a-z]))([\w.-]{5,64}[=+~][\w=+/.~-]{8,512})"
)
_LONGEST_LEAD = 66
_SHORTEST_JOINED = 28
_DOTTED_PREFIX = re.compile(rb"(?<![\w./@-])([A-Za-z][A-Za-z0-9_]{1,23}(?:\.[A-Za-z0-9]{1,8})?)\.$")
_JOINED_REST = re.compile(
    rb"(?:[.](?=[A-Za-z_-]{0,24}[0-9])(?=[0-9_-]{0,24}[A-Za-z])[A-Za-z0-9_-]{6,256}"
    rb"|[=+/~](?=[A-Za-z_-]{0,24}[0-9])(?=[0-9_-]{0,24}[A-Za-z])[A-Za-z0-9_-]{4,256}){0,64}(?:={1,2}(?![\w=]))?"
)
_SIGNS_OF_BASE64 = (b"+", b"/", b"=")
_ENCODED_LEAD = re.compile(rb"[A-Za-z0-9+/_-]*$")
_ENCODED_REST = re.compile(rb"[A-Za-z0-9+/_-]{0,512}={0,2}")
_LONGEST_ENCODED_LEAD, _SHORTEST_ENCODED = 100, 40
_PUBLIC_BEGINNINGS = (b"AAAA", b"MII", b"LS0t", b"iVBOR", b"/9j/", b"R0lGOD", b"UklGR", b"PHN2Z", b"JVBERi", b"//")
_DIGIT = re.compile(rb"[0-9]")
_LETTERS = re.compile(rb"[a-z]{32}|[A-Z]{32}")
_WORD = re.compile(r"[a-z]+[0-9]*|[0-9]+[a-z]*")
_HEX = re.compile(rb"[0-9a-f]+|[0-9A-F]+")
_UUID = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ULID = re.compile(rb"0[0-7][0-9A-HJKMNP-TV-Z]{24}|0[0-7][0-9a-hjkmnp-tv-z]{24}")
_ENDS_OF_NAMES = re.compile(
    rb"\.(?:js|css|py|pyc|so|whl|gz|tgz|png|jpe?g|svg|woff2?|html?|json|map|log|txt|csv|zip|tar)\b"
)
_SHORTEST = 16
_SHORTEST_OF_ONE_CASE = 20
_SHORTEST_OF_LETTERS = 32
_SHORTEST_HEX, _LONG_HEX = 28, 40
_SHORTEST_BARE, _SHORTEST_BARE_OF_ONE_CASE = 18, 30
_SHORTEST_WORD = 3
_MOST_COMMON = 0.5
"""A prefix with more common pairs of letters is a word, and words name ids."""

_NEAR_BEFORE, _NEAR_AFTER = 48, 32
_NEAR_OTHERS = 24
_TELLING = re.compile(
    rb"(?:api|access|secret|auth|service|license|account|private|signing|storage|the|my|your|this|with|a|bad|wrong"
    rb"|valid|invalid|no|new|old)"
    rb"[ ._-]?keys?(?![a-z])|\bkey[\"']?[ \t]*(?:[:=(]|is\b|was\b|[\"'`])|apikey"
    rb"|token(?!s\b|iz|_?(?:type|count))|secret"
    rb"|passw|"
    rb"\bpwd|credential|bearer|\bauth(?:[^a-z]|enti|oriz)|\blogin|unauthori|forbidden|\b40[13]\b"
    rb"|/(?:magic|reset|verify|confirm|invite|invitation|activate|unsubscribe|hooks?|webhooks?)[a-z-]{0,12}[/=]"
    rb"|[\"'`]sk-|schl.ssel|\bclave|"
    rb"\bcl.? (?:api|d)|chiave|chave|kennwort|api[ -]?key|klucz|sleutel|nyckel|n.kkel|n.gle\b|anahtar|kulcs|\bkl.?.\b"
    rb"|klju.\b"
)
_NO_SECRET = re.compile(
    rb"did:key|(?:next|page|pagination|continuation|cursor|sync|delta|start|resume|cache|primary|foreign|public"
    rb"|partition|sort"
    rb"|idempotency|dedup|dedupe|s3|object|row|blob|file|image|item|group|routing|hash|lock|event|record)"
    rb"[ _-]{0,3}(?:page)?(?:token|key)"
)
_ID_BEFORE = re.compile(
    rb"(?:id|uuid|sha[0-9]*|md5|hash|digest|etag|fingerprint|checksum|integrity|cursor|nonce|commit|version|revision"
    rb"|model|file|path|url|name|user|username|signature)[\"']?[ \t]{0,2}[:=]?[ \t]{0,2}[\"'(]?$"
)
# client = Weather("...")  # api key
_COMMENTED = re.compile(rb"[\"')\];,]{1,4}[ \t]{1,4}(?:#|//|--)[ ]?[\w ,-]{0,40}(?:key|token|secret)s?\b")
_OF_ID = re.compile(rb"(?:id|uuid|arn)[\"']?[ \t]{0,2}[:=][ \t]{0,2}[\"']?$")
_ADJACENT = re.compile(
    rb"(?:(?<![a-z])key|(?:api|access|secret|auth|private|master|account|storage|deploy)key|token|secret|password"
    rb"|passwort|schl.ssel|credential|\bauth)[\"']?"
    rb"(?:[ \t]{1,2}(?:is|was|ist|est|es|with|value|of|named|called))?[ \t]{0,2}[:=]?[ \t]{0,2}[\"'`(\[]{0,2}$"
)
_SMALL_LETTERS = b"abcdefghijklmnopqrstuvwxyz"
_BETWEEN = b" \t\"'`([:="
_LAST_WORDS = (
    *(b"key", b"token", b"secret", b"password", b"passwort", b"ssel", b"credential", b"auth"),
    *(b" is", b" was", b" ist", b" est", b" es", b" with", b" value", b" of", b"named", b"called"),
)


def find_in_run(subject: Subject, start: int, end: int) -> Iterator[Match]:
    """Find a key in a run of letters, digits, ``_`` and ``-`` that holds no known token."""
    raw = subject.raw
    if raw[start - 6 : start].lower() == b"basic ":
        if basic := _basic_credentials(raw, start):
            yield basic
        return
    run = raw[start:end]
    prefix = _PREFIX.match(run)
    if prefix and (judged := _by_prefix(subject, prefix, start, end)) is not None:
        yield from judged
        return
    if raw[start - 1 : start] == b"." and (dotted := _DOTTED_PREFIX.search(raw, max(0, start - 34), start)):
        first = dotted.start()
        if _is_key(dotted[1], run, least=_SHORTEST_OF_ONE_CASE) and not _is_one_case(run):
            yield Match(first, _rest(raw, end), KIND)
            return
    if joined := _joined(raw, start, end):
        yield joined
    elif encoded := _encoded(subject, start, end):
        yield encoded
    elif _is_bare_key(subject, start, end):
        yield Match(start, end, KIND)


def _by_prefix(subject: Subject, prefix: re.Match[bytes], start: int, end: int) -> list[Match] | None:
    """Return the key that the run is by its prefix, nothing where it is none, None where that cannot be told."""
    raw, low = subject.raw, subject.low
    body = raw[start + prefix.end() : end]
    if not body:
        return []
    if _is_key(prefix[0], body):
        is_other = _OF_ID.search(low, max(0, start - _NEAR_BEFORE), start) or _ENDS_OF_NAMES.match(raw, end)
        return [] if is_other else [Match(start, _rest(raw, end), KIND)]
    if _HEX.fullmatch(body) or _UUID.fullmatch(body):
        is_told = len(body) >= _SHORTEST_HEX and _is_adjacent(low, start)
        return [Match(start, end, KIND)] if is_told else []
    return None


def is_id(text: str) -> bool:
    """Whether ``text`` begins as the ids of things do: ``cus_...``, ``run-...``."""
    prefix = _PREFIX.match(text.encode("ascii", "replace"))
    return prefix is not None and not IDS.isdisjoint(_WORD.findall(prefix[0].decode().lower()))


def is_drawn_id(text: str) -> bool:
    """Whether ``text`` is an id where its name says so: one word, whatever its prefix, but for that of a secret."""
    if any(map(str.isspace, text)):
        return False
    prefix = _PREFIX.match(text.encode("ascii", "replace"))
    return prefix is None or not _are_of_secret(_WORD.findall(prefix[0].decode().lower()))


def _basic_credentials(raw: bytes, start: int) -> Match | None:
    """Return what begins at ``start``, if it is a user and a password in base64."""
    found = _ENCODED_REST.match(raw, start)
    if found is None:
        return None
    text = found[0].rstrip(b"=")
    try:
        content = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except ValueError:
        return None
    return Match(*found.span(), "authorization") if b":" in content and content.isascii() else None


def _encoded(subject: Subject, start: int, end: int) -> Match | None:
    """Return the key in base64 of which the run is a piece: by its prefix, or by a telling word near it."""
    raw = subject.raw
    if raw[start - 1 : start] not in _SIGNS_OF_BASE64 and raw[end : end + 1] not in _SIGNS_OF_BASE64:
        return None
    lead = _ENCODED_LEAD.search(raw, max(0, start - _LONGEST_ENCODED_LEAD), start)
    first = lead.start() if lead else start
    rest = _ENCODED_REST.match(raw, end)
    last = rest.end() if rest else end
    whole = raw[first:last]
    if start - first >= _LONGEST_ENCODED_LEAD or len(whole) < _SHORTEST_JOINED or not _is_encoded_key(whole):
        return None
    prefix = _PREFIX.match(whole)
    words = _WORD.findall(prefix[0].decode().lower()) if prefix else []
    if words and IDS.isdisjoint(words):
        return Match(first, last, KIND)
    told = len(whole) >= _SHORTEST_ENCODED and _is_told(subject.low, first, last)
    return Match(first, last, KIND) if told else None


def _is_encoded_key(whole: bytes) -> bool:
    """Whether this is base64, and neither a path nor the beginning of a public key, a certificate or a picture."""
    if b"+" not in whole and not whole.endswith(b"="):
        return False
    return (
        not whole.startswith(_PUBLIC_BEGINNINGS) and whole.count(b"+") < len(whole) // 8 and is_random(whole.decode())
    )


def _is_service(lead: bytes) -> bool:
    """Whether ``lead`` ends with the name of a service that gives out keys."""
    name = lead.rstrip(_BETWEEN)
    return name[len(name.rstrip(_SMALL_LETTERS)) :].decode() in SERVICES


def _joined(raw: bytes, start: int, end: int) -> Match | None:
    """Return the key of which the run is a piece, where signs of base64 part it after a few characters."""
    if raw[start - 1 : start] not in (*_JOINTS, b".") and raw[end : end + 1] not in _JOINTS:
        return None
    lead = _JOINED_LEAD.search(raw, max(0, start - _LONGEST_LEAD), start)
    first = lead.start(1) if lead else start
    whole = _JOINED.match(raw, first)
    if not whole or whole.end() < end:
        return None
    words = _WORD.findall(whole[1].decode().lower())
    if not IDS.isdisjoint(words) or len(whole[2]) < _SHORTEST_JOINED or not is_random(whole[2].decode()):
        return None
    return Match(first, whole.end(), KIND)


# client = Service("id", "...")
_CALLED = re.compile(
    rb"\b([a-z]{3,24})[\w.]{0,32}\((?:[^()\n\"']{0,40}[\"'][^()\n\"']{0,64}[\"'],[ ]?)?(?:[a-z_]{1,24}=)?[\"']$"
)
_LONGEST_CALL = 140
_LONG_NAME = 6
"""Shorter ones are the beginnings of other words."""
# What says so in other scripts.
_TELLING_OF_OTHERS = re.compile(
    r"キー|トークン|シークレット|ключ|токен|секрет|密钥|密鑰|秘钥|令牌|키|토큰|비밀|مفتاح|رمز|מפתח|טוקן|κλειδί|कुंजी|टोकन|khóa|kľúč|klíč|ključ"
    r"|clé\b|chìa|คีย์|โทเค็น"
)


def _is_in_call(low: bytes, start: int) -> bool:
    """Whether this is a text that a client of a service is made with."""
    lead = low[max(0, start - _LONGEST_CALL) : start]
    called = _CALLED.search(lead) if b"(" in lead and lead[-1:] in (b"'", b'"') else None
    return called is not None and (called[1].decode() in SERVICES or called[1].startswith(_LONG_SERVICES))


_LONG_SERVICES = tuple(name.encode() for name in SERVICES if len(name) >= _LONG_NAME)


def find_hex(subject: Subject, start: int, end: int) -> Iterator[Match]:
    """Find a key in a run of hexadecimal digits: only right behind the word that says so."""
    low = subject.low
    if _is_adjacent(low, start) or _COMMENTED.match(low, end) or _is_in_call(low, start):
        yield Match(start, end, KIND)


_ASKED = re.compile(rb"[ _-]?(?:access|private|login|api)$")
_BEHIND_SERVICE = (b" ", b"=", b":", b"'", b'"', b",")


def _is_adjacent(low: bytes, start: int) -> bool:
    """Whether a word for keys stands right before ``start``."""
    lead = low[max(0, start - _NEAR_BEFORE) : start]
    name = lead.rstrip(_BETWEEN)
    if not name.endswith(_LAST_WORDS):
        # As nearly all are: ids and digests. Some stand behind a service: "convertapi PRIVATE ...".
        return lead[-1:] in _BEHIND_SERVICE and _is_service(_ASKED.sub(b"", name))
    return bool(_ADJACENT.search(lead)) and not _NO_SECRET.search(lead) and b"hash" not in lead


def may_be_key(raw: bytes, start: int, end: int) -> bool:
    """Whether a run may be a key: of twenty random characters hardly ever none is a digit."""
    return (
        bool(_DIGIT.search(raw, start, end) or _LETTERS.search(raw, start, end))
        or _TELLING_PREFIX.match(raw, start, end) is not None
    )


def _rest(raw: bytes, end: int) -> int:
    """Return where the key ends of which a run ends at ``end``: a dot and the signs of base64 join others."""
    match = _JOINED_REST.match(raw, end)
    return match.end() if match else end


def _is_key(prefix: bytes, body: bytes, least: int = _SHORTEST) -> bool:
    """Whether ``body`` is random, and ``prefix`` not that of an id."""
    words = _WORD.findall(prefix.decode().lower())
    secret = _are_of_secret(words)
    if not secret and (not IDS.isdisjoint(words) or _ULID.fullmatch(body)):
        return False
    if _HEX.fullmatch(body) or _UUID.fullmatch(body):
        is_told = secret or len(body) >= _LONG_HEX or not any(map(_is_word, words))
        return is_told and len(body) >= _SHORTEST_HEX
    if body.isalpha() and len(body) >= _SHORTEST_OF_LETTERS:
        return _is_one_case(body) and common_pairs(body.decode()) <= _MOST_COMMON
    if _is_one_case(body):
        least = max(least, _SHORTEST_OF_ONE_CASE)
    return len(body) >= least and is_random(body.decode())


def _are_of_secret(words: list[str]) -> bool:
    """Whether the words of a prefix say that a secret follows."""
    is_told = any(word in SECRET_WORDS for word in words) or not ENVIRONMENTS.isdisjoint(words[1:])
    return is_told and HARMLESS_KEYS.isdisjoint(words)


def _is_word(word: str) -> bool:
    return len(word) >= _SHORTEST_WORD and word.isalpha() and common_pairs(word) > _MOST_COMMON


def _is_one_case(body: bytes) -> bool:
    return body in (body.lower(), body.upper())


def _is_bare_key(subject: Subject, start: int, end: int) -> bool:
    """Whether a run without a prefix is random, no part of a longer base64, and a telling word is near."""
    raw, low = subject.raw, subject.low
    if raw[start - 1 : start] in (b"+", b"/") or (end < len(raw) and raw[end] in b"+/"):
        return False
    run = raw[start:end]
    if _UUID.fullmatch(run):
        return _is_adjacent(low, start)
    if _ULID.fullmatch(run):
        return False
    if len(run) < (_SHORTEST_BARE_OF_ONE_CASE if _is_one_case(run) else _SHORTEST_BARE):
        return False
    told = _is_told(low, start, end) or _is_in_call(low, start) or _COMMENTED.match(low, end) is not None
    if not told and not subject.ascii:
        lead = subject.text[max(0, start - _NEAR_OTHERS) : start].lower()
        told = _TELLING_OF_OTHERS.search(lead) is not None
    return told and is_random(run.decode())


def _is_told(low: bytes, start: int, end: int) -> bool:
    """Whether a word near what stands from ``start`` to ``end`` tells of a key, and none of an id or a digest."""
    lead = low[max(0, start - _NEAR_BEFORE) : start]
    near = lead + b" " + low[end : end + _NEAR_AFTER]
    return (
        bool(_TELLING.search(near) or _is_service(lead)) and not _ID_BEFORE.search(lead) and not _NO_SECRET.search(near)
    )
