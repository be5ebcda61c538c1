"""Credentials in URLs, and URLs that are themselves credentials."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.base.randomness import is_random
from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

KINDS = frozenset({"url_credentials", "webhook_url"})
# user/password@host, as Oracle's programs and drivers have it.
_ORACLE = re.compile(
    rb"(?:oracle:\w{2,8}:|sqlplus[^\n]{0,60}[ \"']|\bconnect[ (][\"']?|\buserid=[\"']?|dsn=[\"'])"
    rb"[\w.-]{1,64}/([^\s/@\"']{1,128})$",
    re.IGNORECASE,
)
_BEFORE_ORACLE = (b":", b" ", b'"', b"'", b"(", b"=")
_USER_SIGNS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
_LONGEST_ORACLE = 280
_LONGEST_PASSWORD = 128
_LONGEST_USER = 65  # with the sign before it
# A password may have an @ in it, and, where people forgot to encode it, a slash; a port with a path looks like that.
_AUTHORITY = re.compile(
    rb"://(?=[^\s\"'<>`|@]{0,1281}@)"  # hardly any has it, which is said much faster alone
    rb"([^\s/:@\"'<>\\`|]{0,256})"
    rb"(?::([^\s\"'<>`|/?#]{0,1024}|(?![0-9]{1,5}[/?#])[^\s\"'<>`|@]{0,256}))?@(?=[\w\[?])"
)
_USERS = frozenset({b"git", b"user", b"username", b"root", b"admin", b"anonymous", b"guest"})
_NO_SECRETS = re.compile(
    rb"(?:\*+|x{3,}|\.{3,}|[$%#]?\{{1,2}[^{}]*\}{1,2}|<[^<>]*>|\$\w+|%s|password|passwd|pass|pw|guest)$"
)
_HEX = re.compile(rb"[0-9a-f]{28,64}$")
_TOKEN = re.compile(rb"(?=[^\s]*[0-9])[\w.~-]{16,}$")
_WEBHOOK = re.compile(
    rb"(?:https?://)?(?:hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[\w/-]{20,}"
    rb"|(?:ptb\.|canary\.)?discord(?:app)?\.com/api/(?:v[0-9]+/)?webhooks/[0-9]{5,}/[\w-]{20,}"
    rb"|[\w.-]{1,80}\.webhook\.office\.com/webhookb2/[\w@/-]{30,}"
    rb"|outlook\.office(?:365)?\.com/webhook/[\w@/-]{30,}"
    rb"|maker\.ifttt\.com/trigger/[\w.-]{1,64}/(?:json/)?with/key/[\w-]{16,}|hook\.[a-z0-9]{2,4}\.make\.com/[\w-]{20,}"
    rb"|[\w.-]{1,80}/hooks/(?:[a-z0-9]{26}|[\w]{17}/[\w]{40,})(?![\w-])|hooks\.glip\.com/webhook/[\w./-]{20,}"
    rb"|api\.pushcut\.io/[\w-]{16,}/notifications"
    rb"|[\w.-]{1,80}/webhooks?/incoming/[\w-]{16,}|hooks\.airtable\.com/workflows/v1/genericWebhook/[\w/]{30,}"
    rb"|hooks\.zapier\.com/hooks/catch/[\w/]{8,}"
    rb"|chat\.googleapis\.com/v1/spaces/[\w-]{5,}/messages\?[\w=&%.~-]{20,}"
    rb"|open\.(?:feishu\.cn|larksuite\.com)/open-apis/bot/v2/hook/[\w-]{20,}"
    rb"|qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key=[\w-]{20,})"
)
# What all of them have of which the text has "hook" in it, said much faster.
_HOOK = re.compile(rb"hook(?:s\.|\.[a-z0-9]{2,4}\.make|s/[a-zA-Z0-9]|s/[0-9]|b2/|/[\w-]{20}|/send\?key=)")
_CHAT = b"chat.googleapis.com"


def find(subject: Subject) -> Iterator[Match]:
    """Find passwords and tokens in the part of a URL that names the user, and webhook addresses."""
    raw = subject.raw
    if b"@" in raw and b"://" in raw:
        for match in _AUTHORITY.finditer(raw):
            yield from _credentials(match)
    if b"@" in raw and b"/" in raw:
        yield from _oracle(raw)
    if (
        b"/" in raw
        and (b"hook" in raw or b"/with/key/" in raw)
        and (_HOOK.search(raw) or _CHAT in raw or b"/with/key/" in raw)
    ):
        for match in _WEBHOOK.finditer(raw):
            yield Match(*match.span(), "webhook_url")


def _oracle(raw: bytes) -> Iterator[Match]:
    at = raw.find(b"@")
    while at >= 0:
        slash = raw.rfind(b"/", max(0, at - _LONGEST_PASSWORD), at)
        if slash > 0 and raw[max(0, slash - _LONGEST_USER) : slash].rstrip(_USER_SIGNS).endswith(_BEFORE_ORACLE):
            found = _ORACLE.search(raw, max(0, at - _LONGEST_ORACLE), at)
            if found and not _NO_SECRETS.match(found[1].lower()):
                yield Match(*found.span(1), "url_credentials")
        at = raw.find(b"@", at + 1)


def _credentials(match: re.Match[bytes]) -> Iterator[Match]:
    password = match[2]
    if password:
        if _TOKEN.match(match[1]) and (_HEX.match(match[1]) or is_random(match[1].decode())):
            yield Match(*match.span(1), "url_credentials")  # GitHub and Sentry have the secret in the user's place
        if not _NO_SECRETS.match(password.lower()):
            yield Match(*match.span(2), "url_credentials")
    elif _TOKEN.match(match[1]) and match[1].lower() not in _USERS:
        yield Match(*match.span(1), "url_credentials")
