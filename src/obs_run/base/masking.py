"""What our own lines never show: passwords of URLs, values under names of secrets, what looks like a key or token.

Light and always on: unlike ``obs_run.privacy`` it needs no settings, whose own mistakes pass through here.
"""

from __future__ import annotations

import math
import re
from collections import Counter

from obs_run.base import held_values, randomness

MASK = "********"

# Up to the last @, because a password may hold one that nobody encoded.
_USERINFO = re.compile(r":(/+)([^\s'\"<>/?#@:]*)(:?)[^\s'\"<>]*@")
_WORDS = frozenset({
    "password", "passwd", "passphrase", "pwd", "pass", "secret", "token", "key", "apikey", "auth", "authorization",
    "credential", "credentials", "cookie", "signature", "sig", "sas", "bearer", "jwt", "dsn",
})  # fmt: skip
_ENDS = ("password", "passwd", "secret", "token", "apikey", "accesskey", "secretkey", "privatekey", "authorization")
# Of files and the like the name is told, not what is in them; a KeyError is none.
_HARMLESS_ENDS = ("file", "path", "folder", "dir", "url", "name", "id", "type", "error", "exception")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_PAIR = re.compile(
    r"(?<![\w.\-])(?P<name>[\w.\-]*[A-Za-z])(?P<between>[\"']?\s*[=:]\s*[\"']?)"
    r"(?P<value>(?:(?:bearer|basic|digest|token|apikey)\s+)?[^\s,;&\"']+)",
    re.IGNORECASE,
)
_KNOWN = re.compile(
    r"(?<![A-Za-z0-9])(?:sk-[\w-]{8,}|gh[opusr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|xox[a-z]-[\w-]{8,}"
    r"|A(?:KI|SI)A[A-Z0-9]{12,}|AIza[\w-]{24,}|hf_\w{16,}|npm_\w{16,}|pypi-[\w-]{16,}|SG\.[\w.-]{16,}"
    r"|eyJ[\w-]{8,}\.[\w.-]+|(?:bearer|basic)\s+(?=[\w.~+/=-]*[\d=])[\w.~+/=-]{8,})"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_LONG_WORD = re.compile(r"(?<![\w./+-])[A-Za-z0-9_+-]{20,}={0,2}(?![\w./+-])")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_OURS = ("OBS_", "OTEL_")
_RANDOM_BITS = 3.2  # bits a character; words of a language have less
_WRITTEN_PAIRS = 0.6  # the share of common pairs of letters in names of several words
_LONG = 32
_LONGEST_LINE = 2000
_SHORTEST_KEY = 16


def masked(text: str) -> str:
    """Return a line of ours, of bounded length, with what is secret in it masked."""
    text = _cut(text)
    text = _USERINFO.sub(_without_password, text)
    text = _without_named(text)
    return held_values.masked(_KNOWN.sub(MASK, text), MASK)


def masked_value(text: str) -> str:
    """Return the text of a setting, which may be a key in the wrong place, with what is secret in it masked."""
    text = _cut(text)
    text = ",".join(_item(item) for item in _USERINFO.sub(_without_password, text).split(","))
    return _LONG_WORD.sub(_word, masked(text))


def _cut(text: str) -> str:
    # The time that masking takes grows faster than the text.
    return text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]}... ({len(text)} characters)"


def masked_path(path: str) -> str:
    """Return a path that a setting names, masked if it looks like what should be in the file."""
    import os

    if os.path.exists(path):  # noqa: PTH110 (pathlib is not loaded for this)
        return masked(path)
    if path.endswith("=") or any(map(_is_key, re.split(r"[/\\\\]", path))):
        return MASK
    return masked(path)


def _is_key(part: str) -> bool:
    """Whether a part of a path looks like a key and like no name of a file."""
    if len(part) < _SHORTEST_KEY or re.search(r"\.[A-Za-z]{1,8}$", part):
        return False
    is_hex = part.strip("0123456789abcdefABCDEF") == ""
    return is_hex or randomness.is_random(part) or masked_value(part) != part


def is_secret_name(name: str) -> bool:
    """Whether what is called ``name`` is kept to oneself."""
    parts = [part.lower() for part in _PARTS.findall(name)]
    if not parts or parts[-1] in _HARMLESS_ENDS:
        return False
    return not _WORDS.isdisjoint(parts) or "".join(parts).endswith(_ENDS)


def _without_password(found: re.Match[str]) -> str:
    # A user without a password is often a token.
    user = f"{found[2]}:" if found[3] else ""
    return f":{found[1]}{user}{MASK}@"


def _without_named(text: str) -> str:
    parts, begin, place = [], 0, 0
    while found := _PAIR.search(text, place):
        name = found["name"]
        # Our settings name files; key=value is how we say what a line must look like.
        if not is_secret_name(name) or name.startswith(_OURS) or found["value"] == "value" or _is_in_path(text, found):
            place = found.start("value")  # which may begin a pair itself
            continue
        parts.append(f"{text[begin : found.start('value')]}{MASK}")
        begin = place = found.end()
    return "".join(parts) + text[begin:]


def _is_in_path(text: str, found: re.Match[str]) -> bool:
    """Whether the name is the end of a file's path: /etc/passwd: cannot be read."""
    before = text[found.start() - 1 : found.start()] if found.start() else ""
    return before in ("/", "\\") and "=" not in found["between"]


def _item(item: str) -> str:
    name, equals, value = item.partition("=")
    is_pair = equals and value.strip() and "?" not in name
    return f"{name}={MASK}" if is_pair and is_secret_name(name) else item


def _word(found: re.Match[str]) -> str:
    word = found[0].rstrip("=")
    mixed = any(map(str.isupper, word)) and any(map(str.islower, word))
    looks_made = any(map(str.isdigit, word)) and any(map(str.isalpha, word)) and (mixed or len(word) >= _LONG)
    is_written = "_" in word and randomness.common_pairs(word) > _WRITTEN_PAIRS
    if not looks_made or is_written or _UUID.fullmatch(word) or _bits(word) <= _RANDOM_BITS:
        return found[0]
    return MASK


def _bits(word: str) -> float:
    """Return the entropy of the characters of ``word`` in bits a character (Shannon)."""
    return -sum(count / len(word) * math.log2(count / len(word)) for count in Counter(word).values())
