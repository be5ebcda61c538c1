"""Secrets that running text gives a name to: ``password=...``, ``"api_key": "..."``, ``--token ...``, ``<secret>``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from obs_run.base.randomness import is_random
from obs_run.privacy.field_names import NameRule, secret_name
from obs_run.privacy.field_values import fits
from obs_run.privacy.matches import Match
from obs_run.privacy.name_pieces import places
from obs_run.privacy.values import is_free

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

KINDS = frozenset({
    "password", "secret", "api_key", "private_key", "authorization", "cookie", "token", "connection_string",
})  # fmt: skip

_OTHER_SCRIPTS = re.compile(
    "contraseña|contrasenya|hasło|şifre(?:m|si|niz|miz)?|lösenord|пароль|密码|密碼|口令|パスワード|暗証番号|"
    "비밀번호|كلمة المرور|كلمة السر|पासवर्ड|סיסמה|mật khẩu",
    re.IGNORECASE,
)
# Any of these is in each of them, whatever the case.
_OTHER_SCRIPT_HINTS = (
    "aseñ", "ASEÑ", "aseny", "sło", "SŁO", "ifre", "İFRE", "senord", "роль", "РОЛЬ", "密码", "密碼", "口令", "パスワ",
    "暗証", "비밀", "كلمة", "पासव", "סיסמה", "khẩu",
)  # fmt: skip
_WORD = b"abcdefghijklmnopqrstuvwxyz0123456789_-."
_WORDS = _WORD + b" ?"
_LONGEST_NAME = 40
_LONGEST_ARN = 90

_SEPARATOR = re.compile(
    rb"\\{0,7}[\"'`\])]{0,3}[ \t]{0,8}(?:={1,3}>?|:{1,2}=?>?|%(?:25){0,4}3[ad])[ \t]{0,8}"
    rb"|\\{0,7}[\"'],[ \t]{0,4}b?(?=\\{0,7}[\"'])"
    rb"|>(?=[^<>\s])"
)
_SPACED = re.compile(rb"[ \t]{1,4}=?(?=[^\s=-])")
_QUOTED_NEXT = re.compile(rb"[ \t]{1,4}(?:by[ \t]{1,4})?(?=['\"])")
# What other languages write between a name and its value.
_LOOSE = re.compile(r"\s?(?:[\u2013\u2014-]|は|が|是|为|為|:|이|은|는|هي|है|это|to|es|est|jest)\s?")
_COPULA = re.compile(
    rb"[\"']?[ \t]{1,4}(?:is|was|are|lautet|ist|war|est|es|era|to|jest|to jest|:)[ \t:]{1,4}(?=[\"'`]?\S{4})"
)
# "The token for the staging box is ...": only for what cannot be a word or a number.
_FAR_COPULA = re.compile(
    rb"(?: [a-z?]{1,12}){1,5}(?: (?:is|ist|es|est|to)|:) "
    rb"(?=[a-z]*[!-@\[-`{-~]*[0-9])(?=[0-9.,:/-]*[a-z])(?=[\"'`]?\S{6})"
)
# "The password hunter-22 is for you": only for what nobody writes as a word.
_BESIDE = re.compile(rb"[ \t]{1,3}[\"'`(]?(?!(?:field|input|box|form|reset|hash|length|policy|type)s?\b)([^\s\"'`()<>{}\[\],;=]{6,256})")
_MADE = re.compile(rb"(?=[^a-z]*[a-z])(?=[^0-9]*[0-9])(?![0-9]{1,3}-[a-z-]+$)[!-~]{6,}$")
_TECHNICAL = re.compile(
    rb"(?:sha|md|argon|bcrypt|scrypt|pbkdf|base|utf|oauth|ipv|http|tls|ssl|rfc|iso|aes|rsa|hs|rs|es|ed|pkcs|saml|x|v)[-_]?[0-9]"
    rb"|[0-9]+(?:st|nd|rd|th|px|ms|kb|mb|gb)\b|[a-z_]{2,}[0-9]{0,2}[.(]|\S+/\S+/|https?:"
)
_LEAST_HEX = 20
_QUOTE = re.compile(rb"(?:[nbrue@]{1,2}(?=[\"']))?(\\{0,7})(\"\"\"|'''|[\"'`])")
_SCHEME = re.compile(rb"(?:bearer|basic|token|digest|apikey|negotiate|aws4-hmac-sha256)[ \t]{1,4}", re.IGNORECASE)
_UNQUOTED = re.compile(
    rb"(?:[^\s\"'`&,;<>(){}\[\]\\|]"
    rb"|&(?!(?:amp;)?[\w.%\[\]-]{1,60}=)"
    rb"|[,;](?![\s\"'\]})]|$|[\w .-]{1,30}=)"
    rb"|\((?!\))|\)(?=\w)|[{}\[\]|](?=[^\s\"',;])|\\(?![nrt\"'\\])"
    rb")+"
)
# Short where nothing is found, because whatever begins anew after it is looked at again.
_DRAWN = re.compile(rb"[\w+/.-]{16,1024}={0,2}")
_LINE = re.compile(rb"[^\r\n<]{1,8192}")
_COOKIE = re.compile(rb"[\w.!#$%&*+^`|~-]{1,128}=\S|[\w.%+/=-]{16,}$")
_ASCII = re.compile("[!-~]+")
_SHORTEST_OTHER = 4
_CODE = re.compile(
    rb"(?:self|cls|this|os|env|environ|settings?|config|cfg|args?|kwargs|options?|opts|params?|process|request|req|ctx"
    rb"|context|secrets?|vault|data|response|res|result|user|field|schema|typing|pydantic)\.[a-z_]"
    rb"|(?:optional|union|annotated|list|dict|literal|get|getenv|os|str|field|secretstr|input|getpass|env|lambda)"
    rb"[\w.]{0,40}[\[(]|[a-z_][\w.]{0,60}\(|await |f[\"']\{"
)
_TEMPLATE = re.compile(
    rb"\{\{|\{%|\$\{|\$\(|<%|\[(?:redacted|masked|hidden|filtered|removed|omitted)\]|<[a-z][\w -]{0,40}>"
)
_LETTERS = re.compile(rb"[a-z]+[.,;:!?]?$|[a-z]+(?:-[a-z]+)+$")
_DIGITS = frozenset(b"0123456789")


def find(subject: Subject) -> Iterator[Match]:
    """Find the values of names that tell of a secret."""
    low = subject.low
    place = last = 0
    for start, end in places(low):
        if place <= start < last:
            continue  # in the value that was found before
        for match in _named(subject, start, end):
            place, last = start, match.end
            yield match
    if not subject.ascii and _has_other_script(subject.text):
        for word in _OTHER_SCRIPTS.finditer(subject.text):
            yield from _valued(subject, word.end(), NameRule("password"))


def mentions(subject: Subject) -> bool:
    """Whether any name of a secret occurs, with a value or not."""
    low = subject.low
    for start, end in places(low):
        first, last = _extent(low, start, end)
        if _rule(subject.raw[first:last]):
            return True
    return not subject.ascii and _has_other_script(subject.text)


def _has_other_script(text: str) -> bool:
    return any(hint in text for hint in _OTHER_SCRIPT_HINTS)


_MOST_REMEMBERED = 4096
_rules: dict[bytes, NameRule | None] = {}


def _rule(name: bytes) -> NameRule | None:
    """Return what a name tells of its value; the same names come again and again."""
    try:
        return _rules[name]
    except KeyError:
        pass
    if len(_rules) >= _MOST_REMEMBERED:
        _rules.clear()
    return _rules.setdefault(name, secret_name(name.decode()))


def _extent(low: bytes, start: int, end: int) -> tuple[int, int]:
    """Return where the name begins and ends that has this piece; ``api key`` and ``Access Token`` are names too."""
    lead = low[max(0, start - _LONGEST_NAME) : start]
    rest = low[end : end + _LONGEST_NAME]
    first = start - len(lead) + len(lead.rstrip(_WORDS))
    if low[first - 1 : first] == b"%":  # percent-encoded, as in %3Fpassword%3D
        first += 2
    return first, end + len(rest) - len(rest.lstrip(_WORD[:-1]))


def _named(subject: Subject, start: int, end: int) -> Iterator[Match]:
    low = subject.low
    first, last = _extent(low, start, end)
    rule = _rule(subject.raw[first:last])
    if rule is not None and low[first - 3 : first] != b"://" and not _is_resource_name(low, first):
        yield from _valued(subject, last, rule, name=low[first:last])


def _is_resource_name(low: bytes, first: int) -> bool:
    """Whether this is AWS's ``arn:...:secret:name``, which is a name."""
    return low[first - 1 : first] == b":" and b"arn:aws" in low[max(0, first - _LONGEST_ARN) : first]


class _Sign(NamedTuple):
    """What gives a name its value: where the value begins, and how sure that is."""

    end: int
    certain: bool
    spaced: bool
    """Whether prose may go on after the value."""


def _sign(subject: Subject, at: int, rule: NameRule, name: bytes) -> _Sign | None:
    low = subject.low
    if match := _SEPARATOR.match(low, at):
        return _Sign(match.end(), certain=True, spaced=b":" in match[0])
    if b"--" in name and (match := _SPACED.match(low, at)):
        return _Sign(match.end(), certain=True, spaced=False)
    match = (rule.kind == "password" and _QUOTED_NEXT.match(low, at)) or _COPULA.match(low, at)
    match = match or _FAR_COPULA.match(low, at)
    if match:
        return _Sign(match.end(), certain=False, spaced=True)
    if name and (match := _BESIDE.match(low, at)) and _is_made(subject.raw[match.start(1) : match.end(1)], rule):
        return _Sign(match.start(1), certain=False, spaced=True)
    loose = None if name else _LOOSE.match(subject.text, at)
    return _Sign(loose.end(), certain=False, spaced=True) if loose else None


def _is_made(word: bytes, rule: NameRule) -> bool:
    """Whether a word right behind a name is no word, so that it may be the value though nothing says so."""
    word = word.rstrip(b".,;:!?")
    low = word.lower()
    if not _MADE.match(low) or _TECHNICAL.match(low):
        return False
    if rule.kind == "password":
        return True
    return is_random(word.decode()) or (len(word) >= _LEAST_HEX and not low.strip(b"0123456789abcdef"))


def _valued(subject: Subject, at: int, rule: NameRule, name: bytes = b"") -> Iterator[Match]:
    low = subject.low
    sign = _sign(subject, at, rule, name)
    if sign is None:
        return
    start = sign.end
    quote = _QUOTE.match(low, start)
    if quote is None:
        yield from _bare(subject, start, rule, name, sign)
        return
    start, end = quote.end(), _closing(low, quote)
    scheme = _SCHEME.match(low, start, end)
    start = scheme.end() if scheme else start
    if _is_value(low[start:end], rule, name):
        yield Match(start, end, rule.kind)


def _bare(subject: Subject, start: int, rule: NameRule, name: bytes, sign: _Sign) -> Iterator[Match]:
    low = subject.low
    scheme = _SCHEME.match(low, start)
    start = scheme.end() if scheme else start
    match = _value_pattern(rule).match(low, start)
    if not match or _TEMPLATE.match(low, start) or low[match.end() : match.end() + 1] == b"(":
        return
    value = match[0]
    end = match.end()
    stripped = value.rstrip(b".,;:") if sign.spaced else value
    end -= len(value) - len(stripped)
    value = stripped
    if rule.kind == "cookie" and not (sign.certain and _COOKIE.match(value)):
        return
    if not name and not sign.certain:
        # Where the name is of another script, the value is what is not.
        plain = _ASCII.match(subject.text, start, end)
        end = plain.end() if plain else start
        value = low[start:end]
        if len(value) < _SHORTEST_OTHER:
            return
    if not _is_value(value, rule, name) or _CODE.match(value):
        return
    if (
        sign.spaced
        and _LETTERS.match(value)
        and (not sign.certain or low[end : end + 1] == b" " or rule.kind != "password")
    ):
        return
    if not sign.certain and not _DIGITS.intersection(value) and value.isalpha():
        return
    yield Match(start, end, rule.kind)


def _value_pattern(rule: NameRule) -> re.Pattern[bytes]:
    """Return what matches a value without quotes."""
    if rule.kind == "cookie":
        return _LINE
    return _DRAWN if rule.form == "drawn" else _UNQUOTED


def _closing(low: bytes, quote: re.Match[bytes]) -> int:
    """Return where the value ends that ``quote`` begins: at its like, else at the end of the line."""
    sign = quote[1] + quote[2]
    at = quote.end()
    line = low.find(b"\n", at)
    limit = len(low) if line < 0 or len(quote[2]) > 1 else line
    while (position := low.find(sign, at, limit)) >= 0:
        before = low[max(at, position - 16) : position]
        slashes = 0 if quote[1] else len(before) - len(before.rstrip(b"\\"))
        if slashes % 2 == 0:
            return position
        at = position + 1
    return limit


def _is_value(value: bytes, rule: NameRule, name: bytes) -> bool:
    if not value or is_free(value) or value[:1] in b"),]" or _is_reference(value, name):
        return False
    return rule.form == "any" or fits(rule, value.decode())


def _is_reference(value: bytes, name: bytes) -> bool:
    """Whether the value is a variable called as the field is: ``self.secret_key = secret_key``."""
    own = name.strip(b" -")
    return value == own or (value == own.rpartition(b".")[2] and not _DIGITS.intersection(value))
