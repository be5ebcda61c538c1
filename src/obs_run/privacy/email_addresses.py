"""E-mail addresses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

KINDS = frozenset({"email"})
_AT = re.compile(r"@|%40")
# Letters with marks belong to names; those of scripts without spaces would make a sentence part of the address.
_LOCAL_BACKWARDS = re.compile(
    r"[A-Za-z0-9_\u00c0-\u024f](?:[A-Za-z0-9_\u00c0-\u024f.%+'&~-]{0,62}[A-Za-z0-9_\u00c0-\u024f])?"
)
# The domains of countries that are written in their own scripts.
_OTHER_SCRIPT = (
    r"(?:[^\W_]{1,40}\.){1,3}(?:中国|中國|台灣|台湾|香港|рф|укр|бел|срб|ελ|भारत|한국|みんな|السعودية|امارات"
    r"|ไทย)(?!\w)"
)
_DOMAIN = re.compile(
    r"(?:[A-Za-z0-9\u00c0-\u024f](?:[A-Za-z0-9\u00c0-\u024f-]{0,61}[A-Za-z0-9\u00c0-\u024f])?\.){1,8}"
    r"(?:xn--[a-z0-9-]{2,40}|[A-Za-z]{2,24})(?![A-Za-z0-9_])|"
    rf"{_OTHER_SCRIPT}|\[[0-9a-fA-F:.]{3, 45}\]"
)
_FILES = frozenset(
    {"png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "ts", "py", "json", "html", "md", "txt", "yaml", "yml"}
)
_NOT_PEOPLE = frozenset({"git", "hg", "svn"})
_LONGEST_LOCAL = 64
_LONGEST_USER = 256


def find(subject: Subject) -> Iterator[Match]:
    """Find e-mail addresses, also percent-encoded ones; not the user of a URL or of a git remote."""
    if b"@" not in subject.raw and b"%40" not in subject.raw:
        return
    text = subject.text
    for at in _AT.finditer(text):
        domain = _DOMAIN.match(text, at.end())
        if not domain or domain[0].rpartition(".")[2].lower() in _FILES:
            continue
        lead = text[max(0, at.start() - _LONGEST_LOCAL) : at.start()]
        local = _LOCAL_BACKWARDS.match(lead[::-1])
        if not local:
            continue
        start = at.start() - local.end()
        if not _in_authority(text, start) and text[start : at.start()] not in _NOT_PEOPLE:
            yield Match(start, domain.end(), "email")


def _in_authority(text: str, start: int) -> bool:
    """Whether what begins at ``start`` is the user or the password of a URL."""
    lead = text[max(0, start - _LONGEST_USER) : start]
    _, scheme, user = lead.rpartition("://")
    return bool(scheme) and not any(sign in user for sign in "/?# \n\t\"'<>")
