"""Notations that give a name to a value in their own way: members called name and value, files of credentials, calls.

They are looked at only around a name that tells of a secret, so that a text without one costs nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy import elements, telling_words
from obs_run.privacy.field_names import NameRule
from obs_run.privacy.field_values import fits
from obs_run.privacy.matches import Match
from obs_run.privacy.values import is_free

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

KINDS = frozenset({"password"})
_QUOTED = rb"(?:\\{0,3}'([^'\n]{1,512}?)\\{0,3}'|\\{0,3}\"([^\"\n]{1,512}?)\\{0,3}\"|([^\s'\"`;,|&()<>]{1,512}))"
_QUOTES = b" \t\\\"'"
_SIGNS = (b":", b"=", b".", b"/")
_BEFORE = 160
_PASSWORD = NameRule("password")
_AFTER = 700

# {"name": "X_SECRET", "value": "..."}, <add key="Password" value="..."/>, - name: TOKEN\n  value: ...
_IS_NAMED = re.compile(
    rb"\b(?:name|key|header|field|id|parameter|variable|property|option|label|type"
    rb"|selector|element)\\{0,3}[\"']?[ \t]{0,4}[:=][ \t]{0,4}"
    rb"\\{0,3}[\"']?(?:[\w:/-]{0,20}[.:/])?$"
)
_ITS_VALUE = re.compile(
    rb"\]?\\{0,3}[\"']?[ \t]{0,4}[,;]?\s{0,20}(?:[\"']?(?:type|secret|sensitive|in|description)"
    rb"[\"']?[ ]?[:=][ ]?[\"']?[\w ]{1,60}[\"']?[,;]?\s{0,20})?"
    rb"(?:- )?\\{0,3}[\"']?(?:val(?:ue)?|text|content|default(?:value)?)\\{0,3}[\"']?[ \t]{0,4}[:=][ \t]{0,4}" + _QUOTED
)
_VALUE_BEFORE = re.compile(
    rb"\bval(?:ue)?\\{0,3}[\"']?[ \t]{0,4}[:=][ \t]{0,4}" + _QUOTED + rb"[ \t]{0,4}[,;]?\s{0,20}\\{0,3}[\"']?"
    rb"(?:name|key|header|field|id)\\{0,3}[\"']?[ \t]{0,4}[:=][ \t]{0,4}\\{0,3}[\"']?(?:[\w:/-]{0,20}[.:/])?$"
)
# <string name="db_password">...</string>; <key>password</key><string>...</string>
_ITS_TEXT = re.compile(rb"[\"']>(?=[^<]{0,64}[0-9])([^<\s]{6,256})</")
_NEXT_ELEMENT = re.compile(rb"</key>\s{0,20}<string>([^<]{1,256})</string>")
# typed "..." into the password field
_IS_PLACE = re.compile(rb" {1,2}(?:in|into|as|for) ")
_QUOTED_BEFORE = re.compile(rb"[\"'`](?=[^\"'`\s]{0,64}[0-9])([^\"'`\s]{5,128})[\"'`]$")
_BARE_BEFORE = re.compile(
    rb"(?<=[ :])(?=[^\s\"'`]{0,64}[0-9])(?=[^\s\"'`]{0,64}[#$%^*~+!&@])([^\s\"'`()<>{}\[\],;]{8,128})$"
)
# variable "api_token" { default = "..." }
_IS_VARIABLE = re.compile(rb"\bvariable[ \t]{1,4}\"$")
_DEFAULT = re.compile(rb"\"[ \t]{0,4}\{[^{}]{0,300}?\bdefault[ \t]{0,8}=[ \t]{0,8}\"([^\"\n]{4,512})\"")
# The part of a form, as multipart/form-data has it.
_IS_PART = re.compile(rb"\bname=\\?\"[\w.\[\]-]{0,40}$")
_PART = re.compile(rb"[\w.\[\]-]{0,20}\\?\"[^\r\n]{0,80}?(?:\r?\n| {2}| \n){2}([^\r\n]{1,512})")
# login deploy password hunter2
_IS_NETRC = re.compile(rb"\blogin[ \t]{1,8}\S{1,128}\s{1,40}$")
_NEXT_WORD = re.compile(rb"[ \t]{1,8}(\S{1,256})")
# SET PASSWORD ... = PASSWORD('...'), set_password("..."), .withToken("...")
_IS_SET = re.compile(rb"(?:\bset password\b[^;\n]{0,100}|\.?\b_?(?:set|with|use|using|put)_?(?:[a-z]{0,16}_)?)$")
_ARGUMENT = re.compile(rb"\([ \t]{0,4}[\"']([^\"'\s/]{6,256})[\"'][ \t]{0,4}\)")
# find_element(By.ID, "password").send_keys("hunter2"), locator("#password").fill("hunter2")
_FILLED = re.compile(
    rb"\]?[\"'][ \t]{0,2}\)\.(?:send_keys|fill|type|press_sequentially|set_value|input|setvalue|sendkeys)\("
    rb"[ \t]{0,2}[\"']([^\"'\n]{1,256})[\"']"
)
# new NetworkCredential("bob", "..."), UsernamePasswordCredentials("bob", "...")
_SECOND_ARGUMENT = re.compile(
    rb"s?\([^,()\n]{1,128},[ \t]{0,4}(?:\(?convertto-securestring[ \t]{1,4}(?:-string[ \t]{1,4})?)?"
    rb"[\"']([^\"'\n]{1,256})[\"']"
)
# creds: admin / hunter2, credentials: admin / hunter2
_SLASHED = re.compile(
    rb"(?:s|entials?)?(?: (?:for|of|to|on|in) (?:the )?[\w.-]{1,32}){0,2}(?: are| is)?"
    rb"[ \t]{0,2}[:=]?[ \t]{1,4}[\"']?[\w.@\\-]{1,64}[ \t]{0,2}[/|:][ \t]{0,2}"
    rb"(?=[^\s/]{0,64}[0-9!#$%&*_])([^\s\"'/]{5,128})"
)
# echo hunter2 | gh secret set X, echo bob:hunter2 | chpasswd
_PIPED = re.compile(
    rb"\b(?:echo|printf)[ \t]{1,4}(?:-\w{1,3}[ \t]{1,4})?(?:[\"']?[\w.-]{1,64}:(?=[^|\n]{1,200}chpass?$))?" + _QUOTED +
    rb"[ \t]{0,4}\|[^\n|]{0,100}$"
)  # fmt: skip
# echo hunter2 | sudo -S true: a program that reads what it asks for from the pipe.
_ASKING = re.compile(
    rb"\|[ \t]{0,4}(?:sudo[ \t]{1,4}(?:-\w{1,8}[ \t]{1,4}){0,3}?-s\b|su\b|kinit\b|cryptsetup\b|passwd\b"
    rb"|gpg2?\b[^\n|]{0,100}--passphrase-fd|vault login\b|huggingface-cli login\b|gh auth login\b)"
)
_ECHOED = re.compile(rb"\b(?:echo|printf)[ \t]{1,4}(?:-\w{1,3}[ \t]{1,4})?" + _QUOTED + rb"[ \t]{0,4}$")
# The words that a wallet is made anew from (BIP 39).
_PHRASE = re.compile(
    rb"(?:[ ](?:phrase|words?))?(?:[ ](?:is|are))?[\"'`]?[ \t]{0,3}[:=]?\s{0,3}[\"'`]?"
    rb"(?!(?:[a-z]{1,12} ){0,12}(?:the|and|for|was|are|you|from|have|not|with|which)[ ])"
    rb"((?:(?:[0-9]{1,2}[.)][ ]?)?[a-z]{3,8}(?:[ ]|,[ ]?|\n)){11}(?:(?:(?:[0-9]{1,2}[.)][ ]?)?[a-z]{3,8}(?:[ ]|,[ ]?"
    rb"|\n)){3}){0,4}(?:[0-9]{1,2}[.)][ ]?)?[a-z]{3,8}(?![a-z]))"
)
_WPA = re.compile(rb"[ ]{1,4}[\"']?[\w.-]{1,64}[\"']?[ ]{1,4}[\"']?([^\s\"'$|<>]{8,63})")
# WIFI:T:WPA;S:office;P:hunter2;; as the picture for a phone says it
_WIFI = re.compile(rb":(?:[a-oq-z]:[^;\n]{0,64};){0,4}p:([^;\n\"']{4,128});")
# chpasswd <<< 'bob:hunter2', htpasswd -bc file bob hunter2
_HERE_STRING = re.compile(rb"[ \t]{0,4}<<<[ \t]{0,4}[\"']?[\w.-]{1,64}:([^\s\"']{1,256})")
_HTPASSWD = re.compile(
    rb"[ \t]{1,4}-[a-z0-9]{0,4}b[a-z0-9]{0,4}[ \t]{1,4}(?:(?!-)\S{1,256}[ \t]{1,4}){1,2}"
    rb"[\"']?([^\s\"'$][^\s\"']{0,255})"
)
# bob:hunter2@tcp(db.example:3306)/shop, as Go's drivers are told it
_DATA_SOURCE = re.compile(rb":([^\s*:@\"'`/]{1,256})@(?:tcp|unix)\(")
_MEMBER = re.compile(rb"\"(?:d|p|q|dp|dq|qi|k)\"[ \t\n]{0,8}:[ \t\n]{0,8}\"([\w-]{16,2048})\"")
_LONGEST_JWK = 6000
_LINES = re.compile(rb":[ \t]{0,4}[0-9]{1,3}\s{1,4}((?:[A-Za-z0-9+/=]{1,100}\s{1,4}){1,100})", re.IGNORECASE)


def around(subject: Subject, first: int, last: int, rule: NameRule) -> Iterator[Match]:
    """Find the value of the name from ``first`` to ``last`` where no sign between gives it."""
    low = subject.low
    if (b"cred" in low[first:last] or low[first:last].endswith(b"login")) and (slashed := _SLASHED.match(low, last)):
        yield from _value(slashed, _PASSWORD)
        return
    lead = low[max(0, first - _BEFORE) : first]
    found = None
    if lead.rstrip(_QUOTES).endswith(_SIGNS):
        found = _member(low, lead, first, last)
    if found is None and lead.endswith(b'"'):
        found = _quoted_name(low, lead, last)
    if found is None:
        found = _spoken(low, lead, first, last)
    if found is not None:
        yield from _value(found, rule)


def _member(low: bytes, lead: bytes, first: int, last: int) -> re.Match[bytes] | None:
    """Return the value of a member beside one that is called name."""
    if _IS_NAMED.search(lead) and (found := _ITS_VALUE.match(low, last) or _ITS_TEXT.match(low, last)):
        return found
    return _VALUE_BEFORE.search(low, max(0, first - _AFTER), first) if b"val" in lead else None


def _quoted_name(low: bytes, lead: bytes, last: int) -> re.Match[bytes] | None:
    if lead.endswith(b'e "'):
        return _DEFAULT.match(low, last) if _IS_VARIABLE.search(lead) else None
    return _PART.match(low, last) if _IS_PART.search(lead) else None


def _spoken(low: bytes, lead: bytes, first: int, last: int) -> re.Match[bytes] | None:
    """Return what a file of credentials, a call or a pipe makes of the name."""
    follows = low[last : last + 1]
    if follows in (b" ", b"\t") and b"login" in lead and _IS_NETRC.search(lead):
        return _NEXT_WORD.match(low, last)
    if follows == b"<":
        return _NEXT_ELEMENT.match(low, last)
    if _IS_PLACE.match(low, first, last):
        bare = _BARE_BEFORE.search(low, max(0, first - _BEFORE), first)
        return bare or _QUOTED_BEFORE.search(low, max(0, first - _BEFORE), first)
    if follows == b"(":
        return _argument(low, lead, first, last)
    if b"|" in lead and (piped := _PIPED.search(low, max(0, first - _BEFORE), first)):
        return piped
    return _FILLED.match(low, last)


def _argument(low: bytes, lead: bytes, first: int, last: int) -> re.Match[bytes] | None:
    """Return the secret argument of a call: the only one where it sets the name, the second of credentials."""
    if b"credential" in low[first:last]:
        return _SECOND_ARGUMENT.match(low, last)
    is_set = _IS_SET.search(lead + low[first:last].partition(b"password")[0]) or _IS_SET_NAME.match(low, first, last)
    return _ARGUMENT.match(low, last) if is_set else None


_IS_SET_NAME = re.compile(rb"(?:[\w.]{0,60}\.)?_?(?:set|with|use|using|put)[_a-z]")


OTHER_NAMES = (b"phrase", b"mnemonic", b"seed", b"words", b"wifi")
"""The ends of names that are none of secrets, of which ``other`` finds what is one."""


def other(subject: Subject, first: int, last: int) -> Iterator[Match]:
    """Find what a name says that is no name of a secret itself: a key in JSON, PuTTY's lines, credentials."""
    low = subject.low
    name = low[first:last]
    found: re.Match[bytes] | None = None
    if name.endswith(b"kty"):
        for member in _MEMBER.finditer(low, max(0, first - _LONGEST_JWK), last + _LONGEST_JWK):
            yield Match(*member.span(1), "private_key")
    elif name.endswith(b"private-lines"):
        found = _LINES.match(low, last)
    elif name.endswith((b"phrase", b"mnemonic", b"seed", b"words")):
        found = _WPA.match(low, last) if name.startswith(b"wpa_") else _PHRASE.match(low, last)
    elif name.endswith(b"passwd"):
        found = _HTPASSWD.match(low, last) or _HERE_STRING.match(low, last)
        found = found or _PIPED.search(low, max(0, first - _BEFORE), last - 2)
    elif name.endswith(b"wifi"):
        found = _WIFI.match(low, last)
    elif name.endswith(b"login"):
        found = _SLASHED.match(low, last)
    elif b"networkcredential" in name:
        found = _SECOND_ARGUMENT.match(low, last)
    if found is not None:
        kind = "private_key" if name.endswith(b"lines") else "password"
        yield Match(*found.span(found.lastindex or 0), kind)


def _value(found: re.Match[bytes], rule: NameRule) -> Iterator[Match]:
    group = found.lastindex or 0
    value = found[group]
    if not is_free(value) and fits(rule, value.decode()):
        yield Match(*found.span(group), rule.kind)


# The codes that a person gets to sign in: "your login code is 197954", "G-197954 is your verification code".
_CODE = rb"(?<![\w.-])(?:[a-z]{1,3}-)?((?:[0-9]{5,8}|[0-9]{3}[ -][0-9]{3})(?![\w-]))"
_CODE_AFTER = re.compile(
    rb"(?:code|codice|c.digo|otp|passcode)s?(?:[ \t]{1,3}[^\n:=]{0,40}?)?"
    rb"(?:[ \t]{0,3}[:=\xef]|[ \t](?:is|ist|lautet|est|es|to|er))?[ \t\"'*]{1,4}" + _CODE
)
_CODE_BEFORE = re.compile(
    _CODE + rb"[ \t]{1,2}(?:is|ist|est|es|as|als|como|comme)[ \t]{1,2}"
    rb"(?:your|the|ihr|dein|votre|ton|tu|su|a|an|one)\b[^\n.0-9]{0,40}$"
)
_OF_ACCESS = re.compile(
    rb"verif|v.rif|log[ -]?in|sign[ -]?[io]n|anmeld|einmal|sicherheit|best.tig|zugang|acce[sd]|one[ -]?time"
    rb"|\botp\b|2fa|mfa|two[ -]factor|authenti|security code"
    rb"|alarm|door|gate code|keypad|locker|entry code|passcode|weryfik|potvrz|expires? in|expires soon|minutes"
)
_OTHER_CODE = re.compile(
    rb"(?:status|error|exit|return|response|http|zip|postal|post|country|area|product|item|bar|qr|source|promo"
    rb"|discount|coupon"
    rb"|currency|language|dial|reason|result|event|fault|close|signal|en|de|uni)[ _-]?$"
)
# In German one word with what it is for: Anmeldecode, Bestätigungscode.
_BEFORE_WORDS = frozenset(b" \t\n\"'(*-_se")
_LONG_NUMBER = re.compile(rb"[0-9]{3} ?[0-9]{2}")
_NEAR_CODE = 64


_IDENTIFIED = re.compile(
    rb"identified[ \t]{1,8}(?:with[ \t]{1,8}\S{1,64}[ \t]{1,8})?(?:by|as)[ \t]{1,8}"
    rb"(?:values?[ \t]{1,8}|password[ \t]{1,8})?" + _QUOTED
)
_OF_USER = re.compile(rb"\b(?:user|role|to|grant|login)\b[^;\n]{1,160}$")
_PGPASS = re.compile(rb":(?:[0-9]{4,5}|\*):(?![0-9]{1,63}:)[\w*-]{1,63}:[\w*.@-]{1,63}:([^\s:]\S{0,255})(?=[\s\"]|$)")
_HOST = re.compile(
    rb"(?:^|[\n\"'`])[ \t]{0,4}(?![^:]{0,96}\.(?:[cht]s?|cc|cpp|py|go|rs|js|rb|php|java|log|md|txt)$)"
    rb"[a-z0-9.*-]{1,100}$"
)
_CRYPT = re.compile(
    rb"\$(?:1|2[abxy]|5|6|7|8|9|14|y|gy|nt|md5|sha1|apr1|argon2(?:id?|d)|s?crypt|bcrypt[\w-]{0,16}|pbkdf2[\w-]{0,16})"
    rb"\$[\w./,=$+-]{20,512}"
    rb"|\$[phs]\$[\w./]{30,60}|\$krb5[a-z]{2,8}\$[\w./$*:@-]{32,4096}"
)
# As web frameworks keep them.
_DERIVED = re.compile(
    rb"(?:pbkdf2[_:]|scrypt[:$]|bcrypt|argon2|sha1\$|md5\$)[\w:]{0,40}\$[\w./+=,$]{1,128}\$[\w./+=]{16,256}"
)
# The older of the two hashes that Windows keeps is that of no password, today.
_NO_LM_HASH = b"aad3b435b51404eeaad3b435b51404ee"
_OF_WINDOWS = re.compile(rb":([0-9a-f]{32}:[0-9a-f]{32})(?![0-9a-f])")


def find(subject: Subject) -> list[Match]:
    """Find what has no name of a secret beside it: codes, SQL's passwords, lines of .pgpass, hashes of passwords."""
    low = subject.low
    matches: list[Match] = []
    if subject.tells(_SQL) and b"identified" in low:
        for found in _IDENTIFIED.finditer(low):
            if _OF_USER.search(low, max(0, found.start() - _BEFORE), found.start()):
                matches += _value(found, _PASSWORD)
    if b"|" in low:
        matches += _piped(low)
    if b"@" in low:
        matches += [Match(*found.span(1), "password") for found in _DATA_SOURCE.finditer(low)]
    if b"$" in low:
        matches += [Match(*found.span(), "password") for found in _CRYPT.finditer(low)]
        matches += [Match(*found.span(), "password") for found in _DERIVED.finditer(low)]
    if b"<" in low:
        matches += elements.find(subject)
    if b":" in low:
        matches += _between_colons(low)
    _add_codes(subject, matches)
    return matches


def _between_colons(low: bytes) -> Iterator[Match]:
    if _NO_LM_HASH in low:
        yield from (Match(*found.span(1), "password") for found in _OF_WINDOWS.finditer(low))
    for found in _PGPASS.finditer(low):
        if _HOST.search(low, max(0, found.start() - _BEFORE), found.start()):
            yield from _value(found, _PASSWORD)


def _piped(low: bytes) -> Iterator[Match]:
    """Find the passwords that are piped into a program that asks for one."""
    for asking in _ASKING.finditer(low):
        if echoed := _ECHOED.search(low, max(0, asking.start() - _BEFORE), asking.start()):
            yield from _value(echoed, _PASSWORD)


_SQL = telling_words.register(lambda word: b"identified" in word)
_CODES = telling_words.register(lambda word: b"cod" in word or b"otp" in word or b"c?digo" in word)


def _add_codes(subject: Subject, matches: list[Match]) -> None:
    if not subject.tells(_CODES):
        return
    low = subject.low
    for word in (b"cod", b"otp") if subject.ascii else (b"cod", b"otp", b"c?digo"):
        at = low.find(word)
        while at >= 0:
            if at and low[at - 1] in _BEFORE_WORDS and (found := _code_at(low, at)):
                matches.append(Match(*found.span(1), "password"))
            at = low.find(word, at + 1)


def _code_at(low: bytes, at: int) -> re.Match[bytes] | None:
    lead = low[max(0, at - _NEAR_CODE) : at]
    found = _CODE_AFTER.match(low, at)
    if not found and _LONG_NUMBER.search(lead):
        found = _CODE_BEFORE.search(low, at - len(lead), at)
    if not found or _OTHER_CODE.search(lead):
        return None
    return found if _OF_ACCESS.search(low, at - len(lead), at + _NEAR_CODE) else None
