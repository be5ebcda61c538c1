"""E-mail addresses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy import telling_words
from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

KINDS = frozenset({"email"})
_AT = re.compile(r"@|%40|\uff20|&#(?:64|x40);|&commat;")
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


_OTHER_SIGNS = (b"&#", b"&commat;")
# jane [at] example [dot] com, jane(at)example.com, jane AT example DOT com, jane @ example . com
_AT_WORDS = telling_words.folded("at arroba chez ät")
_DOT_WORDS = telling_words.folded("dot punkt point punto ponto arroba")
_AT_SIGN = telling_words.register(_AT_WORDS.__contains__)
_DOT_SIGN = telling_words.register(_DOT_WORDS.__contains__)
_UPI = telling_words.register(b"upi".__eq__)
_AT_IN_BRACKETS = re.compile(rb"at[\])}>]| @ ")
_DOT = r"(?: ?[\[({<] ?(?:dot|punkt|point|punto|ponto|\.) ?[\])}>] ?| (?:dot|DOT|punkt|punto) | ?\. ?|\.)"
_SPELLED = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9][\w+-]{0,40}(?:\.[\w+-]{1,40}){0,3}(?: ?[\[({<] ?(?:at|AT|@|arroba|ät) ?[\])}>] "
    r"?[A-Za-z0-9-]{2,40}(?:" + _DOT + r"[A-Za-z0-9-]{2,24}){1,3}| (?:at|AT) [A-Za-z0-9-]{2,40}"
    r"(?:(?: (?:dot|DOT) | ?[\[({] ?dot ?[\])}] ?)[A-Za-z]{2,24}){1,3}"
    + r"| ?@ ?[A-Za-z0-9-]{2,40} ?\. ?[a-z]{2,6})(?![\w])"
)
# The user of a payment service, which is no address.
_PAYMENT = re.compile(
    rb"[\w.-]{2,60}@(?:ok(?:hdfcbank|axis|icici|sbi)|ybl|ibl|axl|paytm|upi|apl|yapl|hdfcbank|icici|sbi|axisbank|kotak)(?![\w.])"
)


def _has_sign(subject: Subject) -> bool:
    raw = subject.raw
    if b"@" in raw or (b"%" in raw and b"%40" in raw):
        return True
    return (b"&" in raw and any(sign in raw for sign in _OTHER_SIGNS)) or (
        not subject.ascii and "\uff20" in subject.text
    )


def _spelled(subject: Subject) -> Iterator[Match]:
    """Find addresses that are written so that no program reads them."""
    has_sign = b"@" in subject.raw
    is_spelled = has_sign or bool(subject.words(_AT_SIGN))
    if is_spelled and (subject.words(_DOT_SIGN) or _AT_IN_BRACKETS.search(subject.low)):
        yield from (Match(*address.span(), "email") for address in _SPELLED.finditer(subject.text))
    if has_sign and subject.words(_UPI):
        yield from (Match(*user.span(), "email") for user in _PAYMENT.finditer(subject.low))


def find(subject: Subject) -> Iterator[Match]:
    """Find e-mail addresses, also percent-encoded ones; not the user of a URL or of a git remote."""
    yield from _spelled(subject)
    if not _has_sign(subject):
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
