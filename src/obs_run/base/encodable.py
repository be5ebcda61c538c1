"""Texts that UTF-8 can say."""

from __future__ import annotations


def encodable(text: str) -> str:
    """Return ``text`` with what UTF-8 cannot say, such as half of a surrogate pair, as question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
