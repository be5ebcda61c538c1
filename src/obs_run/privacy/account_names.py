"""What people are called by on social networks and messengers: only beside a word that says which."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

KINDS = frozenset({"account_name"})
_HANDLE = re.compile(rb"@[A-Za-z_][\w.-]{1,38}[A-Za-z0-9_](?![\w@/(])")
_NETWORK = re.compile(
    rb"telegram|twitter|instagram|insta\b|\big\b|tik ?tok|snapchat|threads|bluesky|mastodon|discord(?!\.)|skype"
    rb"|wechat|youtube|twitch"
    rb"|facebook|linkedin|reddit|pinterest|\bhandle|\bon x\b|\bx:|(?:user|screen)[ _-]?name|follow me|dm me"
    rb"|my account|benutzername|pseudo\b|usuario"
)
_BEFORE, _AFTER = 56, 32
_LONGEST_INDENT = 64
# Profiles of people.
_PROFILE = re.compile(
    rb"(?:linkedin\.com/in/|\bt\.me/|instagram\.com/|(?:twitter|x)\.com/(?!i/|home|search|hashtag|intent|share)"
    rb"|facebook\.com/(?!pages|groups|events|sharer)"
    rb"|tiktok\.com/@|snapchat\.com/add/|bsky\.app/profile/|skype:|wa\.me/)([\w.%-]{3,60})(?![\w/])"
)
# Names without any sign before them are common there.
_NETWORKS_OF_NAMES = (b"discord", b"skype", b"telegram")
# "Discord: someone#1234", "Skype: live:someone"
_NAMED = re.compile(
    rb"(?:discord|skype|telegram)(?: (?:id|name|user(?:name)?|handle|tag|account))?"
    rb"(?: is|:| ist| est| es)[ ]{1,2}((?:live:)?(?=[\w.#-]{0,40}[0-9_.#])[a-z][\w.-]{2,38}(?:#[0-9]{4})?)(?![\w@/])"
)


def find(subject: Subject) -> Iterator[Match]:
    """Find the names of accounts."""
    low = subject.low
    if b"@" in low:
        yield from _handles(low)
    if b"/" in low and (b".com/" in low or b"t.me/" in low):
        for profile in _PROFILE.finditer(low):
            yield Match(*profile.span(1), "account_name")
    if b"discord" in low or b"skype" in low or b"telegram" in low:
        for named in _NAMED.finditer(low):
            yield Match(*named.span(1), "account_name")


def _handles(low: bytes) -> Iterator[Match]:
    """Find what begins with a sign of its own, beside a word for networks."""
    at = low.find(b"@")
    while at >= 0:
        if at == 0 or not low[at - 1 : at].isalnum():
            handle = _HANDLE.match(low, at)
            if handle and not _is_decorator(low, handle) and _is_told(low, at, handle.end()):
                yield Match(at, at + len(handle[0].rstrip(b".")), "account_name")
        at = low.find(b"@", at + 1)


def _is_decorator(low: bytes, handle: re.Match[bytes]) -> bool:
    """Whether this stands before a function in Python: it begins a line, and has dots or is all of the line."""
    lead = low[max(0, handle.start() - _LONGEST_INDENT) : handle.start()]
    if lead.rpartition(b"\n")[2].strip():
        return False
    return b"." in handle[0] or low[handle.end() : handle.end() + 1] in b"\n"


def _is_told(low: bytes, first: int, last: int) -> bool:
    """Whether a word near it says that it is the name of an account."""
    return _NETWORK.search(low, max(0, first - _BEFORE), first) is not None or (
        _NETWORK.search(low, last, last + _AFTER) is not None
    )
