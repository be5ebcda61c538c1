"""What people are called by on social networks and messengers: only beside a word that says which."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy import telling_words
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
_NETWORK_OF_OTHERS = re.compile(
    "телег|инста|вконтакт|твиттер|ютуб|тг|微信|微博|推特|抖音|小红书|テレグラム|インスタ|ツイッター|텔레그램|인스타|카카오|트위터"
    "|تلغرام|تليجرام|تيليجرام|انستغرام|انستا|تويتر|טלגרם|אינסטגרם|טוויטר|τελεγκραμ|टेलीग्राम|इंस्टाग्राम",
    re.IGNORECASE,
)
_BEFORE, _AFTER = 56, 32
_LONGEST_INDENT = 64
# Profiles of people.
_PROFILE = re.compile(
    rb"(?:linkedin\.com/in/|\bt\.me/|instagram\.com/|(?:twitter|x)\.com/(?!i/|home|search|hashtag|intent|share)"
    rb"|facebook\.com/(?!pages|groups|events|sharer)"
    rb"|youtube\.com/(?=@)|tiktok\.com/@|snapchat\.com/add/|bsky\.app/profile/|skype:)(@?[\w.%-]{3,60})(?![\w/])"
)
# "Discord: someone#1234", "my GitHub username is some-one", "LINE ID: some_one"
_NETWORKS = telling_words.folded(
    "discord skype telegram instagram insta ig twitter snapchat snap tiktok wechat weixin kakaotalk kakao github "
    "gitlab reddit steam psn xbox gamertag twitch youtube mastodon bluesky threads signal viber facebook fb linkedin "
    "pinterest venmo cashtag paypal onlyfans strava soundcloud spotify vk zalo qq"
)
_LINE = frozenset({b"line", b"id"})
_NAME_OF_NETWORK = telling_words.register(_NETWORKS.__contains__)
_ID_OF_LINE = telling_words.register(_LINE.__contains__)
_NAMED = re.compile(
    rb"(?:[ _-]?(?:id|name|user ?name|handle|tag|account|profile|nick|nickname|login|user|gamertag|friend code|konto"
    rb"|usuario"
    rb"|pseudo)(?![a-z])){0,2}[\"'*]{0,2}(?:(?: is| ist| est| es|:|(?<=id)|(?<=name)|(?<=handle)|(?<=tag))[ ]"
    rb"|(?<=[dega])[=:])[\"'*]{0,2}"
    rb"((?:live:|\$|@)?[a-z0-9](?:[\w-]|[.:](?=[a-z0-9])){2,38}(?:#[0-9]{4})?)(?![\w@/(:])"
)
_TELLING = re.compile(
    rb"(?=.*(?:[0-9_#]|[a-z]\.[a-z]|[a-z]-[a-z]|^live:|^@))(?!.*\.(?:com|org|net|io|js|py|ts|json|md|html|exe|app|yaml|log)$)(?!v?[0-9.:]+$)(?!.*::)"
)
_REDDIT = re.compile(rb"(?<![\w/])u/([\w-]{3,24})(?![\w/])")


def find(subject: Subject) -> Iterator[Match]:
    """Find the names of accounts."""
    low = subject.low
    if b"@" in low:
        yield from _handles(subject.text, low)
    if b"/" in low and (b".com/" in low or b"t.me/" in low):
        for profile in _PROFILE.finditer(low):
            yield Match(*profile.span(1), "account_name")
    networks = subject.words(_NAME_OF_NETWORK)
    if len(subject.words(_ID_OF_LINE)) == len(_LINE):
        networks.append(b"line id")
    for _, _, end in telling_words.places(low, networks):
        named = _NAMED.match(low, end)
        name = named[1].rstrip(b".:") if named else b""
        if named and name and _TELLING.match(name):
            yield Match(named.start(1), named.start(1) + len(name), "account_name")
    if b"reddit" in networks:
        yield from (Match(*user.span(1), "account_name") for user in _REDDIT.finditer(low))


def _handles(text: str, low: bytes) -> Iterator[Match]:
    """Find what begins with a sign of its own, beside a word for networks."""
    at = low.find(b"@")
    while at >= 0:
        if at == 0 or not low[at - 1 : at].isalnum():
            handle = _HANDLE.match(low, at)
            if handle and not _is_decorator(low, handle) and _is_told(text, low, at, handle.end()):
                yield Match(at, at + len(handle[0].rstrip(b".")), "account_name")
        at = low.find(b"@", at + 1)


def _is_decorator(low: bytes, handle: re.Match[bytes]) -> bool:
    """Whether this stands before a function in Python: it begins a line, and has dots or is all of the line."""
    lead = low[max(0, handle.start() - _LONGEST_INDENT) : handle.start()]
    if lead.rpartition(b"\n")[2].strip():
        return False
    return b"." in handle[0] or low[handle.end() : handle.end() + 1] in b"\n"


def _is_told(text: str, low: bytes, first: int, last: int) -> bool:
    """Whether a word near it says that it is the name of an account."""
    return _NETWORK.search(low, max(0, first - _BEFORE), first) is not None or (
        _NETWORK.search(low, last, last + _AFTER) is not None
        or (not text.isascii() and _NETWORK_OF_OTHERS.search(text, max(0, first - _BEFORE), last + _AFTER) is not None)
    )
