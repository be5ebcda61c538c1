"""What stands between a name and its value, in code, files and sentences."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from obs_run.base.randomness import is_random
from obs_run.privacy.field_names import NameRule

if TYPE_CHECKING:
    from obs_run.privacy.matches import Subject

_SEPARATOR = re.compile(
    rb"(?:\.value|[ \t]#?[0-9]{1,2}(?=:))?\\{0,7}[\"'`\])]{0,3}[ \t]{0,40}"
    rb"(?:={1,3}>?|:{1,2}=?>?|%(?:25){0,4}3[ad]|!={1,2}(?=[ \t]?[\"'`](?![a-z_-]{1,40}[\"'`])))[ \t]{0,40}"
    rb"|\\{0,7}[\"'][ \t]{0,4},[ \t]{0,40}b?(?=\\{0,7}[\"'])"
    rb"|(?:[ \t][\w:.-]{1,40}=\"[^\"<>\n]{0,200}\"){0,4}>(?=[^<>\s])"
    # What stands on the next line, or is used where nothing else is set.
    rb"|\s{1,60}=\s{0,4}(?=[\"'`])|[ \t]?(?:\|\||\?\?|\{)\s{0,40}(?=[\"'`])|[ \t]-[ \t](?=[\"'`])"
)
_SPACED = re.compile(rb"[ \t]{1,4}=?(?=[^\s=-])")
_QUOTED_NEXT = re.compile(rb"[ \t]{1,4}(?:by[ \t]{1,4})?(?=['\"])")
# What other languages write between a name and its value.
_LOOSE = re.compile(r"\s?(?:[\u2013\u2014-]|は|が|是|为|為|:|이|은|는|هي|है|это|to|es|est|jest)\s?")
_COPULA = re.compile(
    rb"[\"']?(?:,? which)?[ \t]{1,4}(?:is|was|are|lautet|hei(?:ss|\?)t|ist|war|est|es|er|je|on|este|era|to|jest"
    rb"|to jest|\?|:)"
    rb"[ \t:]{1,4}(?=[\"'`]?(?:\S{4}|[0-9]{3}\b))"
)
# "The token for the staging box is ...": only for what cannot be a word or a number.
_FAR_COPULA = re.compile(
    rb"(?: [a-z?]{1,16}){1,5}(?: (?:is|ist|es|est|er|je|este|to|jest|lautet|\?)|:) "
    rb"(?:(?=[a-z]*[!-@\[-`{-~]*[0-9])(?=[0-9.,:/-]*[a-z])(?=[\"'`]?\S{6})|(?=(?:[a-z0-9]{4} ){3}[a-z0-9]{4}\b))"
)
# The same of a password, which may be of words; in other scripts nothing but a few words need be between.
_FAR_PASSWORD = re.compile(
    rb"(?: [a-z?]{1,16}){0,5}(?: (?:is|ist|es|est|to|be|er|je|on|este|jest|lautet|typed|entered|:?=|\?)"
    rb"| from [!-~]{1,64} to| ?:)"
    rb"(?: |\s{2,4})[\"'`]?([^\s\"'`()<>{}\[\],;=]{6,256})"
)
_FAR_OF_OTHERS = re.compile(rb"[a-z?]{0,4}(?: [a-z?]{1,16}){0,6}:?[ ]([^\s\"'`()<>{}\[\],;=]{6,256})")
# "The password hunter-22 is for you": only for what nobody writes as a word.
_BESIDE = re.compile(
    rb"[ \t]{1,3}[\"'`(]?(?!(?:field|input|box|form|reset|hash|length|policy|type)s?\b)([^\s\"'`()<>{}\[\],;=]{6,256})"
)
_BELOW = re.compile(
    rb"\r?\n(?:\s{0,4}```[a-z]{0,12}\r?\n)?\s{0,16}(?:[-*][ ])?[\"'`]?([^\s\"'`()<>{}\[\],;:=]{6,256})(?![^\s\"'`,.])"
)
_MADE = re.compile(rb"(?=[^a-z]*[a-z])(?=[^0-9]*[0-9])(?![0-9]{1,3}-[a-z-]+$)[!-~]{6,}$")
_SIGNED = re.compile(rb"[a-z0-9]{2,}(?:[#$%^*~+!][a-z0-9]{2,})+$")
# Signs inside, and a capital behind a small letter.
_SIGNED_OF_BOTH_CASES = re.compile(rb"(?=[!-~]{0,64}[a-z][A-Z])(?=[!-~]{1,64}[#$%^*~+!&@=][!-~])[A-Za-z0-9][!-~]{5,}$")
_TECHNICAL = re.compile(
    rb"(?:sha|md|argon|bcrypt|scrypt|pbkdf|base|utf|oauth|ipv|http|tls|ssl|rfc|iso|aes|rsa|hs|rs|es|ed|pkcs|saml|x"
    rb"|v)[-_]?[0-9]"
    rb"|[0-9]+(?:st|nd|rd|th|px|ms|kb|mb|gb)\b|[a-z_]{2,}[0-9]{0,2}[.(]|\S+/\S+/|https?:"
)
_PASSWORD = NameRule("password")
_NAME_OF_OPTION = re.compile(rb"(?:^| )--?[a-z][^ ]*(?<!-)$")
_LEAST_HEX = 20
_BEGIN_OF_SIGNS = frozenset(b". \t\\\"'`])=:%,>\r\n!|?{")


class Sign(NamedTuple):
    """What gives a name its value: where the value begins, and how sure that is."""

    end: int
    certain: bool
    spaced: bool
    """Whether prose may go on after the value."""
    listed: bool = False
    """Whether a comma is all that is between, so that both may be words of a list."""


def sign_after(subject: Subject, at: int, rule: NameRule, name: bytes) -> Sign | None:
    """Return what gives the value to a name of ``rule`` that ends at ``at``; a name of another script is empty."""
    low = subject.low
    if not name:
        return _of_other_script(subject, at)
    if at >= len(low) or low[at] not in _BEGIN_OF_SIGNS:
        return None
    if match := _SEPARATOR.match(low, at):
        between = match[0]
        if (below := _BELOW.match(low, match.end())) and b":" in between:
            return _below(subject, below, rule)
        spaced = b":" in between and not (between == b":" and rule.kind == "password")
        return Sign(match.end(), certain=True, spaced=spaced, listed=b"," in between)
    if _NAME_OF_OPTION.search(name) and (match := _SPACED.match(low, at)):
        return Sign(match.end(), certain=True, spaced=False)
    return _spoken(subject, at, rule, name)


def _below(subject: Subject, below: re.Match[bytes], rule: NameRule) -> Sign | None:
    """Return the sign of a value on a line below: of codes, or of what nobody writes as a word."""
    if rule.form == "code":
        return Sign(below.start(1), certain=True, spaced=False)
    return _made(subject, below, rule)


def _of_other_script(subject: Subject, at: int) -> Sign | None:
    if match := _SEPARATOR.match(subject.low, at):
        return Sign(match.end(), certain=True, spaced=b":" in match[0])
    if far := _made(subject, _FAR_OF_OTHERS.match(subject.low, at), _PASSWORD):
        return far
    if match := _COPULA.match(subject.low, at):
        return Sign(match.end(), certain=False, spaced=True)
    if loose := _LOOSE.match(subject.text, at):
        return Sign(loose.end(), certain=False, spaced=True)
    return None


def _spoken(subject: Subject, at: int, rule: NameRule, name: bytes) -> Sign | None:
    low = subject.low
    if rule.kind == "password" and (far := _made(subject, _FAR_PASSWORD.match(low, at), rule)):
        return far
    # "set API_KEY 'x'": an identifier is hardly ever a word of a sentence.
    is_name = rule.kind == "password" or b"_" in name.strip(b"_")
    match = (is_name and _QUOTED_NEXT.match(low, at)) or _COPULA.match(low, at)
    match = match or _FAR_COPULA.match(low, at)
    if match:
        return Sign(match.end(), certain=False, spaced=True)
    return _made(subject, _BESIDE.match(low, at), rule)


def _made(subject: Subject, found: re.Match[bytes] | None, rule: NameRule) -> Sign | None:
    """Return the sign of a value that stands for itself, because nobody writes it as a word."""
    if found is None or not is_made(subject.raw[found.start(1) : found.end(1)], rule):
        return None
    return Sign(found.start(1), certain=False, spaced=True)


def is_made(word: bytes, rule: NameRule) -> bool:
    """Whether a word right behind a name is no word, so that it may be the value though nothing says so."""
    word = word.rstrip(b".,;:!?")
    low = word.lower()
    is_signed = rule.kind == "password" and (_SIGNED.match(low) or _SIGNED_OF_BOTH_CASES.match(word))
    if not (_MADE.match(low) or is_signed) or _TECHNICAL.match(low):
        return False
    if rule.kind == "password":
        return True
    return is_random(word.decode()) or (len(word) >= _LEAST_HEX and not low.strip(b"0123456789abcdef"))
