"""What is written in place of what was found; no built-in rule finds it again."""

from __future__ import annotations

import re
from typing import NamedTuple

_HASH_LENGTH = 12
MOST_KEPT = 8
_UNSAFE = re.compile(r"[^\w@.+-]")
_PLACEHOLDER = re.compile(
    r"\[(?:withheld|([a-z][a-z0-9_.-]{0,63})(?::(?:[0-9a-f]{12}|[\w@.+*-]{0,8}\u2026[\w@.+*-]{0,8}))?)\]"
)


class Action(NamedTuple):
    """One of mask, drop, hash and truncate, the last with how many characters stay at both ends."""

    how: str
    first: int = 0
    last: int = 0


MASK = Action("mask")
DROP = Action("drop")
HASH = Action("hash")
WITHHELD = "[withheld]"


def replacement(action: Action, kind: str, text: str, key: bytes) -> str:
    """Return what is written in place of ``text``: a placeholder, or nothing where the action is drop."""
    if action.how == "mask":
        return f"[{kind}]"
    if action.how == "hash":
        return f"[{kind}:{digest(text, key)}]"
    if action.how == "truncate":
        first, last = text[: action.first], text[len(text) - action.last :]
        if len(text) < 2 * (action.first + action.last):
            return f"[{kind}]"
        return f"[{kind}:{_UNSAFE.sub('*', first)}\u2026{_UNSAFE.sub('*', last)}]"
    return ""


def digest(text: str, key: bytes) -> str:
    """Return the first 48 bits of HMAC-SHA256 as hex; case and the spaces of written numbers make no difference."""
    import hashlib
    import hmac

    plain = text.casefold() if any(sign.isalpha() for sign in text) else "".join(filter(str.isdigit, text)) or text
    return hmac.new(key, plain.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:_HASH_LENGTH]


def placeholders(text: str, kinds: frozenset[str]) -> list[tuple[int, int]]:
    """Return where placeholders of ``kinds`` stand in ``text``."""
    if "[" not in text:
        return []
    return [match.span() for match in _PLACEHOLDER.finditer(text) if match[1] is None or match[1] in kinds]
