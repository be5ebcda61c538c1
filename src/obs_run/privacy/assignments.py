"""Secrets that running text gives a name to: ``password=...``, ``"api_key": "..."``, ``--token ...``, ``<secret>``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy import notations, tables, typed_groups
from obs_run.privacy.field_names import NameRule, secret_name
from obs_run.privacy.field_values import DRAWN, fits
from obs_run.privacy.matches import Match
from obs_run.privacy.signs import Sign, is_made, sign_after
from obs_run.privacy.values import is_free

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from obs_run.privacy.matches import Subject

KINDS = frozenset({
    "password", "secret", "api_key", "private_key", "authorization", "cookie", "token", "connection_string",
})  # fmt: skip

_OTHER_SCRIPTS = re.compile(
    "contraseña|contrasenya|senha|parola|hasło|şifre(?:m|si|niz|miz)?|lösenord|парол(?:ь|я|ем|ю)|密码|密碼|口令|パスワード|暗証番号|"
    r"heslo|jelsz[óa]\w{0,3}|salasana\w{0,2}|mot de "
    r"passe|adgangskode\w{0,2}|kodeord\w{0,2}|passord\w{0,2}|lozinka|geslo|parolă|slaptažod\w{1,3}"
    r"|κωδικός(?: πρόσβασης)?|סיסמא|รหัสผ่าน|palavra-passe|"
    "비밀번호|كلمة المرور|كلمة السر|पासवर्ड|סיסמה|mật khẩu",
    re.IGNORECASE,
)
_HAS_LETTERS = re.compile(r"[a-z]{2}")
# Any of these is in each of them, whatever the case.
_OTHER_SCRIPT_HINTS = (
    "aseñ", "ASEÑ", "enha", "arola", "aseny",
    "sło", "SŁO", "ifre", "İFRE", "senord", "роль", "РОЛЬ", "密码", "密碼", "口令", "パスワ",
    "暗証", "парол", "Парол", "heslo", "Heslo", "elsz", "alasan", "de passe", "dgangsk", "odeord", "assord", "ozink",
    "geslo", "arolă",
    "laptaž", "ωδικ", "סיסמא", "รหัส", "avra-", "비밀", "كلمة", "पासव", "סיסמה", "khẩu",
)  # fmt: skip
_HINTS_WITHOUT_LETTERS = tuple(hint for hint in _OTHER_SCRIPT_HINTS if not _HAS_LETTERS.search(hint))
_WORD = b"abcdefghijklmnopqrstuvwxyz0123456789_-."
_WORDS = _WORD + b" ?"
_LONGEST_NAME = 40
_LONGEST_ARN = 90

_QUOTE = re.compile(rb"(?:[nbrue@]{1,2}(?=[\"']))?(\\{0,7})(\"\"\"|'''|[\"'`])")
_ASSIGNED = re.compile(rb"=(?!=)|:(?=[^\s:])")
# Schemes whose values have names and quotes of their own, to the end of the line or of what is around.
_OF_PARTS = re.compile(
    rb"(?:digest|aws4-hmac-sha256|hmac|oauth|signature|hawk|mac)[ \t]{1,4}(?=\w{1,40}=)([^\r\n'`<]{1,4096})"
)
# PowerShell's way to write a password.
_SECURE_STRING = re.compile(rb"\(?convertto-securestring[ \t]{1,4}(?:-string[ \t]{1,4})?(?=[\"'])")
# Okta's SSWS, GitHub's token, and what else a server may ask for.
_ANY_SCHEME = re.compile(rb"[a-z][a-z0-9-]{1,24}[ \t]{1,4}(?![a-z_]{1,20}=[\"'])(?=[!-~]{0,512}[0-9])(?=[!-~]{16})")
_SCHEME = re.compile(rb"(?:bearer|basic|token|digest|apikey|negotiate|aws4-hmac-sha256)[ \t]{1,4}", re.IGNORECASE)
_UNQUOTED = re.compile(
    rb"(?:[^\s\"'`&,;<>(){}\[\]\\|]"
    rb"|&(?!(?:amp;)?[\w.%\[\]-]{1,60}=)"
    rb"|[,;](?![\s\"'\]})]|$|[\w .-]{1,30}=)"
    rb"|\((?!\))|\)(?=\w)|[{}\[\]|](?=[^\s\"',;])|\\(?![nrt\"'\\])"
    rb")+"
)
# Short where nothing is found, because whatever begins anew after it is looked at again.
_DRAWN = re.compile(rb"(?:[\w+/.=~-]|%[0-9a-f]{2}|:(?=[\w+/=~-]{12})){12,1024}")
_LINE = re.compile(rb"[^\r\n<]{1,8192}")
_COOKIE = re.compile(rb"[\w.!#$%&*+^`|~-]{1,128}=\S|[\w.%+/=-]{16,}$")
_ASCII = re.compile("[!-~]+")
_SHORTEST_OTHER = 4
_CODE = re.compile(
    rb"(?:self|cls|this|os|env|environ|settings?|config|cfg|args?|kwargs|options?|opts|params?|process|request|req|ctx"
    rb"|context|secrets?|vault|data|response|res|result|user|field|schema|typing|pydantic)\.[a-z_]"
    rb"|(?:optional|union|annotated|list|dict|literal|get|getenv|os|str|field|secretstr|input|getpass|env|lambda)"
    rb"[\w.]{0,40}[\[(]|[a-z_][\w.]{0,40}"
    rb"\[(?:str|int|bytes|float|bool|any|none|dict|list|secretstr)\b|[a-z_][\w.]{0,60}\(|await |f[\"']\{"
)
_TEMPLATE = re.compile(
    rb"\{\{|\{%|\$\{|\$\(|<%|\[(?:redacted|masked|hidden|filtered|removed|omitted)\]|<[a-z][\w -]{0,40}>"
)
_VARIABLE = re.compile(rb"[a-z]+(?:[_.][a-z]+)+$|x(?:-[a-z]+)+$")
_ELEMENT_TEXT = re.compile(rb"([^<>\s][^<>]{0,2000}?)\s{0,20}</")
_TAG = re.compile(rb"<[a-z][\w:.-]{0,60}[^<>]{0,240}>$")
_LONGEST_TAG = 304
_ESCAPE = re.compile(rb"(?:25){0,4}[0-9a-f]{2}")
_LISTED = re.compile(rb"(?=[^0-9]*[0-9])\S{5,}|\S* \S{6,}|\S*[^\w\s-]\S*$|\S{24,}")
# vault_key.yaml:2 is a place in a file, and so is server.key:12:3.
_LINE_OF_FILE = re.compile(rb"[ \w./-]{0,80}\w\.(?:key|pem|crt|gpg|enc):[0-9]{1,5}(?::[0-9]{1,4})?(?![\w.@-])")
_PLACE_IN_FILE = re.compile(
    rb"[\w./\\-]{1,120}\w\.(?:ya?ml|json|toml|ini|cfg|conf|env|txt|md|log|pem|key|crt|pub|gpg|enc|py|pyi|go|rs|tsx?|jsx?|mjs|java|kt|cs"
    rb"|rb|php|sh|c|cc|cpp|h|hpp|swift|scala|sql|tf|tpl|xml|html|properties):[0-9]{1,6}(?:[:-][0-9]{1,5})?:?"
)
_LETTERS = re.compile(rb"[a-z]+[.,;:!?]?$|[a-z]+(?:-[a-z]+)+$")
_DIGITS = frozenset(b"0123456789")
# https://user:<password>@host
_PLACES_IN_URLS = (b":<", b"/<", b"@<")
_PASSWORD = NameRule("password")
_OTHER = re.compile(
    rb"[\"'`]?[ ]?[,;.)]?[ ]{0,2}(?:(?:or|oder|ou|and|und|y|e|then|else|sinon|sonst|otherwise|alternatively"
    rb"|if (?:that|it|this) [a-z' ]{2,20})[,:]?[ ])?"
    rb"(?:or|oder|o|try|use|then|also|maybe|nimm|essaie|prueba)[ :]{1,2}[\"'`]?([^\s\"'`()<>{}]{6,128})"
)
# HTML calls the letter of a shortcut an access key; a short number is a count, or a status.
_SHORTEST_KEY, _LEAST_DIGITS = 3, 5
_LONG_KINDS = frozenset({"api_key", "token", "authorization", "private_key", "cookie"})


def find(subject: Subject) -> Iterator[Match]:
    """Find the values of names that tell of a secret."""
    place = last = 0
    for start, end in subject.places:
        if place <= start < last:
            continue  # in the value that was found before
        for match in _named(subject, start, end):
            place, last = start, match.end
            yield match
            yield from _others(subject, match)
    if not subject.ascii and _has_other_script(subject):
        for word in _OTHER_SCRIPTS.finditer(subject.text):
            value = _valued(subject, word.end(), _PASSWORD, b"")
            if value is not None:
                yield value


def _others(subject: Subject, match: Match) -> Iterator[Match]:
    """Find the passwords that a sentence names as well: "..., and if that fails try ..."."""
    if match.kind != "password":
        return
    end = match.end
    while other := _OTHER.match(subject.low, end):
        if not is_made(subject.raw[slice(*other.span(1))], _PASSWORD):
            return
        end = other.start(1) + len(other[1].rstrip(b".,;:"))
        yield Match(other.start(1), end, "password")


def mentions(subject: Subject) -> bool:
    """Whether any name of a secret occurs, with a value or not."""
    low = subject.low
    for start, end in subject.places:
        first, last = _extent(low, start, end)
        if _rule(subject.raw[first:last]) or low[first:last].endswith(notations.OTHER_NAMES):
            return True
    return not subject.ascii and _has_other_script(subject)


def _has_other_script(subject: Subject) -> bool:
    # True of what has any letter of ASCII, as ``low`` has no capitals.
    hints = _OTHER_SCRIPT_HINTS if subject.low.islower() else _HINTS_WITHOUT_LETTERS
    text = subject.text
    return any(hint in text for hint in hints)


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
        escape = _ESCAPE.match(low, first)
        first = escape.end() if escape else first
    return first, end + len(rest) - len(rest.lstrip(_WORD[:-1]))


def _named(subject: Subject, start: int, end: int) -> Iterable[Match]:
    low = subject.low
    first, last = _extent(low, start, end)
    rule = _rule(subject.raw[first:last])
    if rule is None and low[last : last + 1] in (b"=", b":") and _ASSIGNED.match(low, last):
        first += low[first:last].rfind(b" ") + 1  # what stands before is no part of the name: "user=bob pass=..."
        rule = _rule(subject.raw[first:last])
    if rule is None or _LINE_OF_FILE.match(low, first):
        return notations.other(subject, first, last)
    if low[first - 3 : first] == b"://" or low[first - 2 : first] in _PLACES_IN_URLS or _is_resource_name(low, first):
        return ()
    value = _valued(subject, last, rule, low[first:last])
    if value is not None:
        return (value,)
    return (*notations.around(subject, first, last, rule), *tables.below(subject, first, last, rule))


def _is_resource_name(low: bytes, first: int) -> bool:
    """Whether this is AWS's ``arn:...:secret:name`` or the like, which is a name."""
    if low[first - 4 : first] == b"did:":
        return True  # a decentralized identifier, which is a public key
    return low[first - 1 : first] == b":" and b"arn:aws" in low[max(0, first - _LONGEST_ARN) : first]


def _valued(subject: Subject, at: int, rule: NameRule, name: bytes) -> Match | None:
    low = subject.low
    sign = sign_after(subject, at, rule, name)
    if sign is None:
        return None
    if rule.form == "drawn" and not sign.certain:
        rule = rule._replace(form="key")  # a sentence says so of the one key that it is about
    made = _SECURE_STRING.match(low, sign.end)
    quote = _QUOTE.match(low, made.end() if made else sign.end)
    if quote is None:
        return _bare(subject, rule, name, sign)
    start, end = quote.end(), _closing(low, quote)
    if low[at : at + 1] == b">" and b"</" not in low[start : end + _LONGEST_TAG]:
        return None  # a placeholder in brackets, with what follows it
    scheme = _scheme(low, rule, start, end)
    start = scheme.end() if scheme else start
    value = low[start:end]
    if sign.listed and not _LISTED.match(value):
        return None  # a list of names
    if quote[2] == b"`" and is_free(b"`%b`" % value):
        return None  # what a shell puts there
    return Match(start, end, rule.kind) if _is_value(subject.raw[start:end], rule, name) else None


def _bare(subject: Subject, rule: NameRule, name: bytes, sign: Sign) -> Match | None:
    low = subject.low
    if rule.kind == "authorization" and (parts := _OF_PARTS.match(low, sign.end)):
        return Match(*parts.span(1), rule.kind)
    scheme = _scheme(low, rule, sign.end, len(low))
    start = scheme.end() if scheme else sign.end
    if whole := _element(subject, rule, name, sign.end) or typed_groups.match(subject, rule, start):
        return whole
    match = _value_pattern(rule).match(low, start)
    if (
        not match
        or _TEMPLATE.match(low, start)
        or low[start - 1 : start + 1] == b":?"
        or low[match.end() : match.end() + 1] == b"("
    ):
        return None
    end = _end_of_value(subject, match, name, sign)
    value = low[start:end]
    if _CODE.match(value) or _is_prose(low, end, value, rule, sign) or _is_no_cookie(value, rule, sign):
        return None
    return Match(start, end, rule.kind) if _is_value(subject.raw[start:end], rule, name) else None


def _scheme(low: bytes, rule: NameRule, start: int, end: int) -> re.Match[bytes] | None:
    """Return the scheme that stands before credentials."""
    return _SCHEME.match(low, start, end) or (
        _ANY_SCHEME.match(low, start, end) if rule.kind == "authorization" and rule.form == "any" else None
    )


def _element(subject: Subject, rule: NameRule, name: bytes, start: int) -> Match | None:
    """Return all of what an element of XML holds, spaces included."""
    low = subject.low
    text = _ELEMENT_TEXT.match(low, start) if low[start - 1 : start] == b">" else None
    if text is None or not _TAG.search(low, max(0, start - _LONGEST_TAG), start):
        return None
    value = text[1]
    if _TEMPLATE.match(value) or _CODE.match(value) or not _is_value(subject.raw[slice(*text.span(1))], rule, name):
        return None
    return Match(*text.span(1), rule.kind)


def _end_of_value(subject: Subject, match: re.Match[bytes], name: bytes, sign: Sign) -> int:
    """Return where a value without quotes ends: before the sign that ends a sentence, or what is of another script."""
    start, end = match.span()
    if not name and not sign.certain:
        plain = _ASCII.match(subject.text, start, end)
        end = plain.end() if plain and len(plain[0]) >= _SHORTEST_OTHER else start
    return start + len(subject.low[start:end].rstrip(b".,;:")) if sign.spaced else end


def _is_no_cookie(value: bytes, rule: NameRule, sign: Sign) -> bool:
    """Whether this stands where a cookie should, and is none."""
    is_cookie = rule.kind == "cookie" and rule.form == "any"
    return is_cookie and not (sign.certain and _COOKIE.match(value) and not _PREFERENCE.match(value))


# One cookie that a word is the value of, with its attributes.
_PREFERENCE = re.compile(
    rb"[\w.-]{1,40}=(?:[a-z]{1,12}(?:[-_][a-z]{2})?|[01]);"
    rb"(?:[ ]?(?:max-age|expires|path|domain|samesite|secure|httponly|partitioned|priority)"
    rb"(?:=[^;]{0,64})?(?:;|$)){1,9}$"
)


def _is_prose(low: bytes, end: int, value: bytes, rule: NameRule, sign: Sign) -> bool:
    """Whether the value is just the next word of a sentence."""
    if (
        _LETTERS.match(value)
        and low[max(0, end - len(value) - 2) : end - len(value)] == b"  "
        and low[end : end + 1] == b" "
    ):
        return True  # what a manual says of an option
    if not sign.spaced:
        return False
    if _LETTERS.match(value) and (not sign.certain or low[end : end + 1] == b" " or rule.kind != "password"):
        return True
    # A letter of another script is a question mark.
    return not sign.certain and not _DIGITS.intersection(value) and value.replace(b"?", b"").isalpha()


def _value_pattern(rule: NameRule) -> re.Pattern[bytes]:
    """Return what matches a value without quotes."""
    if rule.kind == "cookie" and rule.form == "any":
        return _LINE
    return _DRAWN if rule.form in DRAWN else _UNQUOTED


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


def _is_value(raw: bytes, rule: NameRule, name: bytes) -> bool:
    value = raw.lower()
    if (
        not value
        or is_free(value)
        or value[:1] in b"(),]"
        or _is_reference(value, name)
        or _PLACE_IN_FILE.fullmatch(value)
    ):
        return False
    if rule.kind in _LONG_KINDS and (len(value) < _SHORTEST_KEY or (len(value) < _LEAST_DIGITS and value.isdigit())):
        return False
    return rule.form == "any" or fits(rule, raw.decode())


def _is_reference(value: bytes, name: bytes) -> bool:
    """Whether the value is a variable that is called for what it holds, as the field is: ``token = page_token``."""
    own = name.strip(b" -")
    if value == own or (value == own.rpartition(b".")[2].lstrip(b"_") and not _DIGITS.intersection(value)):
        return True
    return _VARIABLE.match(value) is not None and _rule(value) is not None
