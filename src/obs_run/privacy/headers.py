"""Private keys in PEM, bearer tokens, and what curl and its like are told, in running text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy import telling_words
from obs_run.privacy.matches import Match
from obs_run.privacy.values import is_free

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

KINDS = frozenset({"private_key", "authorization", "password"})
_BEGIN = b"-----BEGIN"
_PRIVATE = re.compile(rb"-----BEGIN[ A-Z0-9_-]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(rb"-----END[ A-Z0-9_-]{0,40}PRIVATE KEY(?: BLOCK)?-----")
# Where no END comes: as far as there is base64, headers of PEM, and what line breaks may have become.
_BODY = re.compile(rb"(?:[A-Za-z0-9+/=\s\\\"',]|(?:Proc-Type|DEK-Info|Version|Comment|Hash):[^\n]{0,100})*")
_SCHEME = re.compile(rb"bearer[ \t]{1,4}|bearer%20|bearer\+")
_BEARER = re.compile(rb"[\w.~+/=:-]{8,}")
_FIELD = re.compile(rb"[a-z_]{2,40}=[^=]")
# The options that some programs take a password by, and the programs.
_OPTION = re.compile(
    rb" -(pw?|a|w|u|n|k|x|-user|-proxy-user|(?:src|dest)?storepass|keypass|-p(?:ass|assphrase|sk|in)(?=[ =]))[ =]{0,2}"
    rb"(?:\"([^\"\n]{1,256})\"|'([^'\n]{1,256})'|([^\s\"'$=-][^\s\"']{0,255}))"
)
_WINDOWS = re.compile(rb" /(?:user:\S{1,64} {1,4}|pass(?:word)?:|p:)\"?([^\s\"/][^\s\"]{0,127})")
_PROGRAMS = {
    b"p": rb"sshpass|mysql\w{0,12}|mariadb\w{0,8}|(?:docker|podman|buildah|oras|helm|nerdctl|crane|az|oc|cf|heroku)"
          rb"[\w ]{0,16} login|mongo(?:sh|dump|restore|export|import)?|cqlsh|7za?|rdesktop|psexec|sqlcmd|bcp"
          rb"|ipmitool|evil-winrm|hydra|crackmapexec|netexec|nxc|smbmap|ssh-keygen|mosquitto_\w{3}|unzip|zip",
    b"k": rb"openssl",
    b"x": rb"snmp\w{2,8}",
    b"pw": rb"plink|pscp|psftp",
    b"n": rb"ssh-keygen",
    b"a": rb"redis-cli|keydb-cli|valkey-cli|http|https|xh|snmp\w{2,8}",
    b"w": rb"ldap\w{3,10}",
    b"u": rb"curl|smbclient|lftp|ftp",
    b"-user": rb"curl|smbclient",
    b"-proxy-user": rb"curl",
    b"": rb"keytool|jarsigner|xfreerdp|wfreerdp|net use|net\.exe use|cmdkey",
}  # fmt: skip
_RUN_BY = {
    option: re.compile(rb"(?:^|[\s/\\;&|(`\"'$])(?:%b)(?:\.exe)?(?![\w.])[^\n|;&]{0,200}$" % programs)
    for option, programs in _PROGRAMS.items()
}
# A share's name may look like a line break: \\\\nas.
_BY_WINDOWS = re.compile(rb"\b(?:net(?:\.exe)? use|xfreerdp|wfreerdp|cmdkey|runas|schtasks|psexec)\b[^|;&]{0,200}$")
# These take it right behind the letter; alone it has them ask.
_ATTACHED = re.compile(rb"\b(?:mysql\w{0,12}|mariadb[\w-]{0,8}|7za?)(?:\.exe)?[ ][^\n|;&]{0,200}$")
_SELF_TELLING = frozenset({b"-pass", b"-passphrase", b"-psk", b"-pin"})
_USER_OPTIONS = frozenset({b"a", b"u", b"-user", b"-proxy-user"})
_USER = re.compile(rb"[\w.\\/@-]{1,64}(?:[%,]|:)")
_LONGEST_COMMAND = 240
# Texts in brackets, of which one is a password if a word before the bracket says so.
_CALL = re.compile(
    rb"\(b?[\"']([^\"'\n]{0,128})[\"'](?:,[ ]{0,4}b?[\"']([^\"'\n]{1,256})[\"'])?"
    rb"(?:,[ ]{0,4}b?[\"']([^\"'\n]{1,256})[\"'])?"
)
_OF_PLACES = (
    re.compile(
        rb"\b(?:hashpw|checkpw|hash_?password|check_?password|verify_?password|set_?password|make_password"
        rb"|crypt\.crypt|bcrypt\.(?:hash|compare)(?:sync)?"
        rb"|generate_password_hash|generatefrompassword|password_hash|securestring|scrypt|argon2\.hash|unlock"
        rb"|pexpect\.sendline)$"
    ),
    re.compile(
        rb"(?:auth(?: ?= ?[\w.]{0,40}|\w{0,20})|login|credentials?|signin|sign_in|setbasicauth|basicauth"
        rb"|pbkdf2_hmac)$"
    ),
    re.compile(
        rb"(?:getconnection|ftp(?:_tls)?|imap4?(?:_ssl)?|mysqli|pdo|oci_connect|mysql_connect"
        rb"|createconnection|login)$"
    ),
)
# What PowerShell makes one of, whatever its name is.
_SECURE_STRING = re.compile(
    rb"convertto-securestring[ \t]{1,4}(?:-(?:asplaintext"
    rb"|force)[ \t]{1,4}){0,2}(?:-string[ \t]{1,4})?(?:\"([^\"\n]{1,256})\"|'([^'\n]{1,256})'|([^\s\"'$(-]\S{0,255}))"
    rb"(?=[^\n]{0,60}-asplain|[^\n]{0,40}-force|[\s)])"
)
_LONGEST_CALL = 64


_BEARERS = telling_words.register(lambda word: b"bearer" in word)


def find(subject: Subject) -> Iterator[Match]:
    """Find private keys, bearer tokens, and the passwords given to programs."""
    raw, low = subject.raw, subject.low
    if b"-" in raw and _BEGIN in raw:
        yield from _private_keys(raw)
    if subject.tells(_BEARERS) and b"bearer" in low:
        yield from _bearer_tokens(raw, low)
    if b" -" in low:
        for option in _OPTION.finditer(low):
            yield from _of_option(low, option)
        if b"securestring" in low:
            for string in _SECURE_STRING.finditer(low):
                yield Match(*string.span(string.lastindex or 0), "password")
    if b"(" in low:
        yield from _calls(low)
    if b"\\" in raw:
        yield from _windows_options(low)


def _bearer_tokens(raw: bytes, low: bytes) -> Iterator[Match]:
    for scheme in _SCHEME.finditer(low):
        value = _BEARER.match(raw, scheme.end())
        if value and _looks_random(value[0]) and not _FIELD.match(value[0]):
            yield Match(*value.span(), "authorization")


def _calls(low: bytes) -> Iterator[Match]:
    """Find the passwords that functions take by their place."""
    for call in _CALL.finditer(low):
        lead = low[max(0, call.start() - _LONGEST_CALL) : call.start()]
        for place, names in enumerate(_OF_PLACES, 1):
            value = call[place]
            if value and names.search(lead) and not is_free(value) and b" " not in value:
                yield Match(*call.span(place), "password")
                break


def _of_option(low: bytes, option: re.Match[bytes]) -> Iterator[Match]:
    """Find the password that an option gives to a program that takes one by it."""
    name, group = option[1], option.lastindex or 0
    first, last = option.span(group)
    lead = low[max(0, option.start() - _LONGEST_COMMAND) : option.start()]
    if name not in _SELF_TELLING and not _RUN_BY.get(name, _RUN_BY[b""]).search(lead):
        return
    if name == b"p" and low[option.end(1) : option.end(1) + 1] == b" " and _ATTACHED.search(lead + b" "):
        return
    if name in _USER_OPTIONS:
        # The user comes first, but for redis-cli and those of SNMP, which have none there.
        user = _USER.match(low, first, last)
        if (user is None) != (name == b"a" and (b"-cli" in lead or b"snmp" in lead)):
            return
        first = user.end() if user else first
    if not is_free(low[first:last]):
        yield Match(first, last, "authorization" if b"curl" in lead else "password")


def _windows_options(low: bytes) -> Iterator[Match]:
    for option in _WINDOWS.finditer(low):
        lead = low[max(0, option.start() - _LONGEST_COMMAND) : option.start()]
        if _BY_WINDOWS.search(lead) and not is_free(option[1]):
            yield Match(*option.span(1), "password")


def _private_keys(raw: bytes) -> Iterator[Match]:
    begins = list(_PRIVATE.finditer(raw))
    ends = [match.end() for match in _END.finditer(raw)]
    limits = [begin.start() for begin in begins[1:]] + [len(raw)]
    for begin, limit in zip(begins, limits, strict=False):
        while ends and ends[0] < begin.end():
            ends.pop(0)
        body = _BODY.match(raw, begin.end(), limit)
        cut = body.end() if body else begin.end()
        yield Match(begin.start(), ends[0] if ends and ends[0] <= limit else cut, "private_key")


def _looks_random(value: bytes) -> bool:
    """Whether this is no word: it has a digit, or both cases beyond a capital, or is very long."""
    tail = value[1:]
    return (
        any(48 <= sign <= 57 for sign in value) or (tail.lower() != tail and tail.upper() != tail) or len(value) >= 40  # noqa: PLR2004 (no word is as long)
    )
