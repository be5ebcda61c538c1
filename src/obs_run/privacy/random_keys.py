"""Keys of services that no list knows: a prefix or a telling word beside what was drawn at random and is no id.

It is asked only of runs of 20 characters or more in which no known token was found, so that it costs little.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.base.randomness import common_pairs, is_random
from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

KIND = "unknown_key"
KINDS = frozenset({KIND})


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# What stands before the ids, digests and names of things that are no secrets, of providers' answers not least.
_IDS = _set(
    "id ids uuid guid ulid chatcmpl cmpl compl call fc msg message run thread req request resp response file asst "
    "step toolu tooluse srvtoolu tool fp evt event cus pi pm ch cs ci in sub sube price prod product plan seti "
    "acct ba src item rs ws ig mcp mcpl mcpr fs cu conv conversation batch vs gen embd job ftjob session user usr "
    "member org team proj project trace span order doc document chunk node agent task part upload container cntr "
    "cfile artifact page sha sha1 sha256 sha384 sha512 md5 crc crc32 blake2b hash digest etag sum checksum "
    "fingerprint commit rev revision git ref tree blob layer img image cache build version ver release tag branch "
    "lock i vpc subnet sg eni ami vol snap rtb igw nat acl tgw eipalloc lt instance pod rsrc arn log logs metric "
    "bundle main index app vendor runtime polyfills style css js wasm static asset assets media video audio photo "
    "pic thumb avatar font tmp temp cursor offset seq row object obj partition idempotency primary foreign sort "
    "public pub pubkey idx uid pid gid tid sid cid tx txn block address addr account customer invoice payment "
    "charge refund subscription transaction cluster machine host server worker queue topic channel room group "
    "workspace folder dir path entry record question answer prompt completion choice candidate citation source "
    "search result results embedding vector memory dataset data table column view form field widget component "
    "comment post note notes ticket issue pull merge deploy deployment pipeline stage workflow wf execution exec "
    "flow rule policy role region zone x86 x64 lc lib llvm gcc python pip whl cpython test tests case fixture "
    "example sample model ckpt checkpoint epoch nonce salt iv boundary webkitformboundary multipart ga lsn gtid "
    "cookieconsent utm gclid fbclid srv svc db env cfg ctx pkg btn"
)
_SECRET_WORDS = _set(
    "key secret token pat sk rk ak apikey api live auth pw pass pwd password access private bearer cred admin svc "
    "service priv pri prv"
)
# Where a service runs is said in the names of its keys, hardly in ids.
_ENVIRONMENTS = _set("prod live dev staging stage test sandbox production eu us")
# A key for these is no secret.
_HARMLESS_KEYS = _set("cache idempotency primary foreign partition sort row object public index idx pub")
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
_TELLING = re.compile(
    rb"(?:api|access|secret|auth|service|license|account|private|signing|the|my|your|this|with|a|bad|wrong|valid|invalid|no|new|old)"
    rb"[ _-]?keys?(?![a-z])|\bkey[\"']?[ \t]*(?:[:=(]|is\b|was\b|[\"'`])|apikey|token(?!s\b|iz|_?(?:type|count))|secret"
    rb"|passw|"
    rb"\bpwd|credential|bearer|\bauth(?:[^a-z]|enti|oriz)|\blogin|unauthori|forbidden|\b40[13]\b"
    rb"|/(?:magic|reset|verify|confirm|invite|invitation|activate|unsubscribe|hooks?|webhooks?)[a-z-]{0,12}[/=]|[\"'`]sk-|schl.ssel|\bclave|"
    rb"\bcl.? (?:api|d)|chiave|chave|kennwort|api[ -]?key"
)
_NO_SECRET = re.compile(
    rb"(?:next|page|pagination|continuation|cursor|sync|delta|start|resume|cache|primary|foreign|public|partition|sort"
    rb"|idempotency|dedup|dedupe|s3|object|row|blob|file|image|item|group|routing|hash|lock|event|record)"
    rb"[ _-]{0,3}(?:page)?(?:token|key)"
)
_ID_BEFORE = re.compile(
    rb"(?:id|uuid|sha[0-9]*|md5|hash|digest|etag|fingerprint|checksum|integrity|cursor|nonce|commit|version|revision"
    rb"|model|file|path|url|name|user|username|signature)[\"']?[ \t]{0,2}[:=]?[ \t]{0,2}[\"'(]?$"
)
_ADJACENT = re.compile(
    rb"(?:key|token|secret|password|passwort|schl.ssel|credential)[\"']?"
    rb"(?:[ \t]{1,2}(?:is|was|ist|est|es|with|value|of|named|called))?[ \t]{0,2}[:=]?[ \t]{0,2}[\"'`(\[]?$"
)
_BETWEEN = b" \t\"'`([:="
_LAST_WORDS = (
    *(b"key", b"token", b"secret", b"password", b"passwort", b"ssel", b"credential"),
    *(b" is", b" was", b" ist", b" est", b" es", b" with", b" value", b" of", b"named", b"called"),
)


def find_in_run(subject: Subject, start: int, end: int) -> Iterator[Match]:
    """Find a key in a run of letters, digits, ``_`` and ``-`` that holds no known token."""
    raw = subject.raw
    run = raw[start:end]
    prefix = _PREFIX.match(run)
    if prefix:
        body = run[prefix.end() :]
        if not body or _is_key(prefix[0], body):
            if body and not _ENDS_OF_NAMES.match(raw, end):
                yield Match(start, _rest(raw, end), KIND)
            return
        if _HEX.fullmatch(body) or _UUID.fullmatch(body):
            return
    if raw[start - 1 : start] == b"." and (dotted := _DOTTED_PREFIX.search(raw, max(0, start - 34), start)):
        first = dotted.start()
        if _is_key(dotted[1], run, least=_SHORTEST_OF_ONE_CASE) and not _is_one_case(run):
            yield Match(first, _rest(raw, end), KIND)
            return
    if joined := _joined(raw, start, end):
        yield joined
    elif _is_bare_key(subject, start, end):
        yield Match(start, end, KIND)


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
    if not _IDS.isdisjoint(words) or len(whole[2]) < _SHORTEST_JOINED or not is_random(whole[2].decode()):
        return None
    return Match(first, whole.end(), KIND)


def find_hex(subject: Subject, start: int, end: int) -> Iterator[Match]:
    """Find a key in a run of hexadecimal digits: only right behind the word that says so."""
    if _is_adjacent(subject.low, start):
        yield Match(start, end, KIND)


def _is_adjacent(low: bytes, start: int) -> bool:
    """Whether a word for keys stands right before ``start``."""
    lead = low[max(0, start - _NEAR_BEFORE) : start]
    if not lead.rstrip(_BETWEEN).endswith(_LAST_WORDS):
        return False  # as nearly all are, ids and digests
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
    telling = any(word in _SECRET_WORDS for word in words) or not _ENVIRONMENTS.isdisjoint(words[1:])
    secret = telling and _HARMLESS_KEYS.isdisjoint(words)
    if not secret and (not _IDS.isdisjoint(words) or _ULID.fullmatch(body)):
        return False
    if _HEX.fullmatch(body) or _UUID.fullmatch(body):
        if len(body) < _SHORTEST_HEX:
            return False
        return secret or len(body) >= _LONG_HEX or not any(_is_word(word) for word in words)
    if body.isalpha() and len(body) >= _SHORTEST_OF_LETTERS:
        return _is_one_case(body) and common_pairs(body.decode()) <= _MOST_COMMON
    if _is_one_case(body):
        least = max(least, _SHORTEST_OF_ONE_CASE)
    return len(body) >= least and is_random(body.decode())


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
    lead = low[max(0, start - _NEAR_BEFORE) : start]
    near = lead + b" " + low[end : end + _NEAR_AFTER]
    if not _TELLING.search(near) or _ID_BEFORE.search(lead) or _NO_SECRET.search(near):
        return False
    return is_random(run.decode())
