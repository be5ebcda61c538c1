"""Secrets that a notation of its own gives away: files of credentials, SQL, programs' options, pairs, codes by mail.

Each notation has a word that is looked for first; hardly any text has one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from obs_run.privacy.field_names import secret_name
from obs_run.privacy.field_values import fits
from obs_run.privacy.matches import Match
from obs_run.privacy.values import is_free

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

KINDS = frozenset({"password", "secret", "token", "private_key", "stripe_key"})


class Notation(NamedTuple):
    """What a pattern finds, in texts in which all of ``words`` are; each group of it is a value."""

    words: tuple[bytes, ...]
    kind: str
    pattern: re.Pattern[bytes]


def _notation(words: str, kind: str, pattern: bytes) -> Notation:
    return Notation(tuple(word.encode() for word in words.split("|")), kind, re.compile(pattern))


_QUOTED = rb"(?:\\{0,3}'([^'\n]{1,256}?)\\{0,3}'|\\{0,3}\"([^\"\n]{1,256}?)\\{0,3}\"|([^\s'\"`;,|&()<>]{1,256}))"
_ARGUMENTS = rb"[^\n|;&]{0,200}?[ \t]"
_USER_AND_PASSWORD = rb"[\"']?[\w.@\\-]{1,64}"
# Programs, and the option of each that a password follows; the first word is in each of the programs' names.
_OPTIONS = (
    (b"redis-cli", b"redis-cli", b"-a"),
    (b"login", b"docker|podman|buildah|oras|helm|nerdctl|az|oc|cf|heroku|crane", b"-p"),
    (b"ldap", b"ldap\\w+", b"-w"),
    (b"sqlcmd", b"sqlcmd", b"-P"),
    (b"mongo", b"mongo(?:sh|dump|restore|export|import)?", b"-p"),
    (b"cqlsh", b"cqlsh", b"-p"),
    (b"mosquitto", b"mosquitto_\\w+", b"-P"),
    (b"ipmitool", b"ipmitool", b"-P"),
    (b"zip -", b"zip|unzip", b"-P"),
    (b"7z", b"7za?", b"-p"),
    (b"plink", b"plink", b"-pw"),
    (b"pscp", b"pscp", b"-pw"),
    (b"storepass", b"keytool|jarsigner", b"-(?:src|dest)?storepass"),
    (b"keypass", b"keytool|jarsigner", b"-keypass"),
    (b"htpasswd", b"htpasswd", b"-b[a-z]{0,3}[ ]\\S{1,128}[ ]\\S{1,64}"),
    (b"freerdp", b"xfreerdp|wfreerdp", b"/p:"),
    (b"rdesktop", b"rdesktop", b"-p"),
    (b"snmp", b"snmp\\w+", b"-[AX]"),
    (b"psexec", b"psexec", b"-p"),
)


def _option(program: bytes, option: bytes) -> re.Pattern[bytes]:
    between = b"" if option.endswith(b":") else b"[ =]?"
    return re.compile(rb"\b(?:%b)(?:\.exe)?\b%b%b%b%b" % (program, _ARGUMENTS, option, between, _QUOTED), re.IGNORECASE)


_PROGRAMS = tuple((word, _option(program, option)) for word, program, option in _OPTIONS)

NOTATIONS = (
    _notation("login|password", "password", rb"\blogin[ \t]{1,8}\S{1,128}\s{1,40}password[ \t]{1,8}(\S{1,256})"),
    _notation("identified", "password",
              rb"\b(?:user|role|to|grant|set|login)\b[^;\n]{1,160}?\bidentified[ \t]{1,8}(?:with[ \t]{1,8}\S{1,64}[ \t]{1,8})?"
              rb"(?:by|as)[ \t]{1,8}(?:values?[ \t]{1,8}|password[ \t]{1,8})?" + _QUOTED),
    _notation("set password", "password", rb"\bset password[^;\n]{0,120}?\bpassword\(" + _QUOTED),
    _notation("variable|default", "secret",
              rb"\bvariable[ \t]{1,4}\"[\w-]{0,60}(?:password|secret|token|key|passwd|credentials?)\"[ \t]{0,4}\{"
              rb"[^{}]{0,300}?\bdefault[ \t]{0,8}=[ \t]{0,8}\"([^\"\n]{4,512})\""),
    _notation("oracle:", "password", rb"\boracle:\w{2,8}:[\w.-]{1,64}/([^@\s/\"']{1,128})@"),
    _notation("sqlplus", "password", rb"\bsqlplus[ \t]{1,4}(?:-\w{1,8}[ \t]{1,4}){0,4}[\"']?[\w.-]{1,64}/\"?([^@\s\"']{1,128})"),
    _notation("oracledb.connect", "password", rb"oracledb\.connect\([\"'][\w.-]{1,64}/([^@\s\"']{1,128})@"),
    _notation("userid=", "password", rb"\buserid=[\"']?[\w.-]{1,64}/([^@\s\"']{1,128})"),
    _notation("cx_oracle", "password", rb"cx_oracle\.connect\([\"'][\w.-]{1,64}/([^@\s\"']{1,128})@"),
    _notation("smbclient", "password", rb"\bsmbclient\b" + _ARGUMENTS + rb"(?:-u|--user)[ =]?[\"']?[\w.\\/-]{1,64}%([^\s\"']{1,128})"),
    _notation("mount", "password", rb"\bmount\b[^\n]{0,120}?\bpass(?:word)?=([^\s,\"']{1,128})"),
    _notation("net use", "password", rb"\bnet use\b[^\n]{0,200}?/user:\S{1,64}[ \t]{1,4}([^\s/\"'][^\s\"']{0,127})"),
    _notation("net user", "password", rb"\bnet user[ \t]{1,4}[\w.-]{1,64}[ \t]{1,4}([^\s/\"'][^\s\"']{0,127})"),
    _notation("pass:", "password", rb"\b(?:openssl\b[^\n]{0,200}?|-pass(?:in|out|word)?[ =])[ ]?pass:" + _QUOTED),
    _notation("lftp", "password", rb"\blftp\b" + _ARGUMENTS + rb"-u[ ]?[\w.-]{1,64},([^\s\"']{1,128})"),
    _notation("chpasswd", "password", rb"[\"'\s][\w.-]{1,64}:([^\s\"'|]{1,128})[\"']?[ \t]{0,4}\|[^\n]{0,20}chpasswd"),
    _notation("echo|sudo", "password", rb"\becho[ \t]{1,4}(?:-\w{1,3}[ \t]{1,4})?" + _QUOTED + rb"[ \t]{0,4}\|[ \t]{0,4}sudo[^\n|]{0,20}-s"),
    _notation("echo|login", "password", rb"\becho[ \t]{1,4}(?:-\w{1,3}[ \t]{1,4})?" + _QUOTED + rb"[ \t]{0,4}\|[^\n|]{0,80}\blogin\b"),
    _notation("| |secret", "secret", rb"\b(?:echo|printf)[ \t]{1,4}(?:-\w{1,3}[ \t]{1,4})?" + _QUOTED + rb"[ \t]{0,4}\|[^\n|]{0,80}\b(?:secrets?|kubeseal)\b"),
    _notation("vault login", "token", rb"\bvault login[ \t]{1,4}(?:-\S{1,30}[ \t]{1,4}){0,3}([\w.-]{8,256})"),
    _notation("curl", "password", rb"\b(?:http|https|xh)[ \t]{1,4}[^\n|;&]{0,60}?-a[ ]?[\w.-]{1,64}:([^\s\"']{1,128})"),
    _notation("http -a", "password", rb"\bhttp -a[ ]?[\w.-]{1,64}:([^\s\"']{1,128})"),
    _notation("user |pass ", "password", rb"(?:^|\n)[ \t>]{0,4}user[ \t]{1,4}\S{1,128}[ \t]{0,4}\r?\n(?:\s{0,4}[0-9]{3}[^\n]{0,128}\n)?[ \t>]{0,4}pass[ \t]{1,4}(\S{1,256})"),
    _notation("auth plain", "password", rb"\bauth[ \t]{1,4}plain[ \t]{1,4}([A-Za-z0-9+/]{8,512}={0,2})"),
    _notation(" login ", "password", rb"(?:^|\n)[ \t>]{0,4}[a-z]?[0-9]{1,6}[ \t]login[ \t]{1,4}\S{1,128}[ \t]{1,4}" + _QUOTED),
    _notation("private-lines", "private_key", rb"\bprivate-lines:[ \t]{0,4}[0-9]{1,3}\s{1,4}([A-Za-z0-9+/=\s]{20,8192}?)(?=\s{0,4}(?:private-mac|$))"),
    _notation("form-data|name=", "secret",
              rb"\bname=\\?\"[\w.\[\]-]{0,60}(?:password|passwd|pwd|secret|token|api[_-]?key|passphrase|otp)\\?\"[^\r\n]{0,80}"
              rb"(?:\r?\n|\\r\\n){2}([^\r\n\\]{1,512})"),
    _notation("\"kty\"", "private_key", rb"\"(?:d|p|q|dp|dq|qi|k)\"[ \t]{0,4}:[ \t]{0,4}\"([\w-]{16,2048})\""),
    _notation("networkcredential", "password", rb"\bnetworkcredential\([^,()\n]{1,128},[ \t]{0,4}" + _QUOTED),
    _notation("getconnection", "password", rb"\bgetconnection\([^()\n]{1,256}?,[ \t]{0,4}[^,()\n]{1,128},[ \t]{0,4}[\"']([^\"'\n]{1,256})[\"']"),
    _notation("basicauth", "password", rb"basicauth\w{0,20}\([^,()\n]{1,128},[ \t]{0,4}[\"']([^\"'\n]{1,256})[\"']"),
    _notation("cred", "password",
              rb"\bcred(?:s|entials?)?(?: are| is)?[ \t]{0,2}[:=]?[ \t]{1,4}" + _USER_AND_PASSWORD +
              rb"[ \t]{0,2}[/|:][ \t]{0,2}(?=[^\s/]{0,64}[0-9!#$%&*_])([^\s\"'/]{5,128})"),
    _notation("log", "password",
              rb"\b(?:login|log in with|logged in with|log on with)[ \t]{0,2}:?[ \t]{1,4}" + _USER_AND_PASSWORD +
              rb"[ \t]{0,2}[/|][ \t]{0,2}(?=[^\s/]{0,64}[0-9!#$%&*_])([^\s\"'/]{5,128})"),
)  # fmt: skip

# Hashes of passwords, as /etc/shadow and databases keep them.
_CRYPT = re.compile(rb"\$(?:1|2[abxy]|5|6|7|y|gy|argon2(?:id?|d)|pbkdf2[\w-]{0,16})\$[\w./,=$+-]{20,512}")
_SIGNING = re.compile(rb"\bwhsec_[A-Za-z0-9+/]{24,128}={0,2}")
_PORT = re.compile(rb":(?:[0-9]{4,5}|\*):(?![0-9]{1,63}:)[\w*-]{1,63}:[\w*.@-]{1,63}:([^\s:][^\s]{0,255})(?=\s|$)")
_HOST = re.compile(rb"(?:^|[\n\"'`])[ \t]{0,4}[a-z0-9.*-]{1,100}$")
_LONGEST_HOST = 108

# A name and its value as two members, of a mapping, a tag, a block or a list of headers.
_VALUE = re.compile(rb"\bval(?:ue)?\\{0,3}[\"']?[ \t]{0,4}[:=][ \t]{0,4}" + _QUOTED)
_NAMED = re.compile(
    rb"\b(?:name|key|header|field|id|parameter|variable|property)\\{0,3}[\"']?[ \t]{0,4}[:=][ \t]{0,4}\\{0,3}[\"']?"
    rb"([\w.:-]{2,80})\\{0,3}[\"']?[\s,;]{1,40}(?:- )?\\{0,3}[\"']?$"
)
_NAMED_AFTER = re.compile(
    rb"\\{0,3}[\"']?[\s,;]{1,20}\\{0,3}[\"']?(?:name|key|header|field|id)\\{0,3}[\"']?[ \t]{0,4}[:=][ \t]{0,4}\\{0,3}[\"']?([\w.:-]{2,80})"
)
_LONGEST_NAMED = 160

_CODE = rb"((?<![\w.-])(?:[0-9]{4,8}|[0-9]{3}[ -][0-9]{3}|[A-Z0-9]{3,5}-[A-Z0-9]{3,5})(?![\w-]))"
_CODES = (
    # "Your login code is 197954", "code de vérification : 482 913"
    re.compile(rb"\b(?:c[o?]d(?:e|igo|ice)|kod|kode|koodi|otp|passcode|tan|pin)\b[^0-9\n]{0,48}?(?:[:=]|\b(?:is|ist|lautet|est|es|to|er|on)\b)[ \t\"'*]{0,4}" + _CODE, re.IGNORECASE),
    # "G-197954 is your verification code"
    re.compile(_CODE + rb"[ \t]{1,2}(?:is|ist|est|es|is as|as|als)[ \t]{1,2}(?:your|the|ihr|dein|votre|tu|su|a)[ \t]{1,2}[^\n.]{0,48}?(?:code|c.digo|otp|pin|tan|passcode)\b", re.IGNORECASE),
    # "Enter OTP 197954", "use code 482913 to sign in"
    re.compile(rb"\b(?:otp|one[- ]time (?:code|password|pin)|passcode|mfa code|2fa code|verification code|security code|login code|code)[ \t]{1,2}" + _CODE, re.IGNORECASE),
)  # fmt: skip
_OF_ACCESS = re.compile(
    rb"verif|v.rif|login|log in|sign[ -]?in|sign[ -]?on|anmeld|einmal|sicherheits|best.tig|zugang|acce[sd]|one[- ]time|\botp\b"
    rb"|2fa|mfa|two[- ]factor|authenti|security code|passcode|weryfik|potvrz|ov..ovac|doorcode|\btan\b|\bpin\b|expires? in"
)
_NEAR = 64


def find(subject: Subject) -> Iterator[Match]:
    """Find the values of all notations."""
    low = subject.low
    for words, kind, pattern in NOTATIONS:
        if words[0] in low and (len(words) == 1 or words[1] in low):
            yield from _of_notation(low, kind, pattern)
    if b" -" in low or b" /p:" in low:
        yield from _of_programs(low)
    if b"val" in low:
        yield from _of_pairs(subject)
    if subject.has_digits:
        yield from _of_codes(low)
    if b":" in low:
        yield from _of_lines(low)
    if b"$" in low:
        for match in _CRYPT.finditer(low):
            yield Match(*match.span(), "password")
    if b"whsec_" in low:
        for match in _SIGNING.finditer(subject.raw):
            yield Match(*match.span(), "stripe_key")


def _of_notation(low: bytes, kind: str, pattern: re.Pattern[bytes]) -> Iterator[Match]:
    for match in pattern.finditer(low):
        yield from _value(match, kind)


def _value(match: re.Match[bytes], kind: str) -> Iterator[Match]:
    group = match.lastindex or 0
    if not is_free(match[group]):
        yield Match(*match.span(group), kind)


def _of_programs(low: bytes) -> Iterator[Match]:
    for word, pattern in _PROGRAMS:
        if word in low:
            yield from _of_notation(low, "password", pattern)


def _of_pairs(subject: Subject) -> Iterator[Match]:
    """Find the values of members that are called value, beside one that is called name."""
    low = subject.low
    for match in _VALUE.finditer(low):
        start = match.start()
        named = _NAMED.search(low, max(0, start - _LONGEST_NAMED), start) or _NAMED_AFTER.match(low, match.end())
        if named is None:
            continue
        rule = secret_name(subject.raw[named.start(1) : named.end(1)].decode())
        value = match[match.lastindex or 0]
        if rule is not None and not is_free(value) and fits(rule, value.decode()):
            yield Match(*match.span(match.lastindex or 0), rule.kind)


def _of_codes(low: bytes) -> Iterator[Match]:
    if not any(word in low for word in (b"cod", b"kod", b"otp", b"tan", b"pin", b"koo", b"c?d")):
        return
    if not _OF_ACCESS.search(low):
        return
    for pattern in _CODES:
        for match in pattern.finditer(low):
            near = low[max(0, match.start() - _NEAR) : match.end() + _NEAR]
            if _OF_ACCESS.search(near):
                yield Match(*match.span(1), "password")


def _of_lines(low: bytes) -> Iterator[Match]:
    """Find the passwords of PostgreSQL's ``.pgpass``."""
    for match in _PORT.finditer(low):
        if _HOST.search(low, max(0, match.start() - _LONGEST_HOST), match.start()) and not is_free(match[1]):
            yield Match(*match.span(1), "password")
