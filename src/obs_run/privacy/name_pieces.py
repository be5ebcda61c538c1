"""Finds quickly where in a text pieces of the names of secrets stand; whether they are names is judged elsewhere."""

from __future__ import annotations

import operator
import re

from obs_run.privacy import telling_words
from obs_run.privacy.services import SERVICES

# Each begins with a letter and not with a choice, which Python's matcher looks for ten times as fast.
_CORES = tuple(
    re.compile(core)
    for core in (
        rb"k(?:ey|(?<=tok)en(?!s)|(?<=ook)ie|(?<=sk)od)",  # key, token, cookie; adgangskode
        rb"w(?:oo?r[dt]|d|(?<=pw)(?![a-z]))",  # password, passwort, passwd, pwd, wachtwoord; pw
        rb"cre[dt]",  # credential, secret
        rb"uthori[sz]ation",
        rb"p(?:asse\b|arol(?:a|e\b)|assord|hrase)",  # mot de passe, parola, passord, phrase
    )
)
# The ends of names that count only right before a sign that gives a value.
_ENDS = (
    b"pass", b"phrase", b"mnemonic", b"passcode", b"passe", b"parola", b"contrasena", b"senha", b"haslo", b"heslo",
    b"sifre", b"salasana", b"otp", b"pin", b"cvv", b"cvc", b"wifi", b"sandi", b"jelszo", b"lozinka", b"geslo",
    b"seed", b"words", b"string", b"bearer", b"jwt", b"sig", b"signature",
    b"code", b"clave", b"parolam", b"sifrem", b"auth", b"psk", b"creds", b"cred", b"pat", b"kty", b"private-lines",
    b"codes", b"login", b"salt", b"crumb", b"private", b"access", b"_session", b"sessionid", b"sessid", b"connect.sid",
)  # fmt: skip
_LAST_LETTERS = frozenset(end[-1] for end in _ENDS) | frozenset(b" \t\"'`\\])")
_SIGNS = (b":", b"=", b">")
# The beginnings of words: "is", "es", "est".
_WORDS = (b" is ", b" es")
# Italian and Portuguese say it with a letter that is none of ASCII.
_WORDS_OF_OTHERS = (*_WORDS, b" ? ")
_ONE_SIGN = bytes(61 if one in (58, 62) else one for one in range(256))  # : and > become =
_BEFORE_SIGN = b" \t\"'`\\])"
_LETTERS = b"abcdefghijklmnopqrstuvwxyz"
_SERVICES = frozenset(name.encode() for name in SERVICES)
_LONGEST_END = max(map(len, _SERVICES))
_LAST_OF = operator.itemgetter(slice(-_LONGEST_END, None))
_MOST_REMEMBERED = 8192
_other_ends: set[bytes] = set()
"""What was seen before a sign and is the end of no such name; nearly all of it comes again."""


def _has_core(word: bytes) -> bool:
    return any(core.search(word) for core in _CORES)


CORE = telling_words.register(_has_core)
"""The topic of words that have the core of such a name."""


def has_core(name: str) -> bool:
    """Whether a text with this name in it is seen to have it, whatever follows."""
    return _has_core(name.encode("ascii", "replace").lower())


def places(low: bytes, *, is_ascii: bool, has_core: bool) -> list[tuple[int, int]]:
    """Return where pieces of names stand; ``has_core`` is whether any word of the text has a core."""
    found: list[tuple[int, int]] = []
    if has_core:
        found += [match.span() for core in _CORES for match in core.finditer(low)]
    for lead in _ends(low):
        _add_occurrences(found, low, lead)
    for word in _WORDS if is_ascii else _WORDS_OF_OTHERS:
        at = low.find(word)
        while at >= 0:
            if low[at - 1] in _LAST_LETTERS:
                name = low[max(0, at - _LONGEST_END) : at].rstrip(_BEFORE_SIGN)
                if name.endswith(_ENDS):
                    end = max(0, at - _LONGEST_END) + len(name)
                    found.append((end - 1, end))
            at = low.find(word, at + 1)
    return found


def _add_occurrences(found: list[tuple[int, int]], low: bytes, lead: bytes) -> None:
    length = len(lead.rstrip(_BEFORE_SIGN))
    at = low.find(lead)
    while at >= 0:
        if low.startswith(_SIGNS, at + len(lead)):
            found.append((at + length - 1, at + length))
        at = low.find(lead, at + 1)


def _is_end(name: bytes) -> bool:
    """Whether ``name`` ends with an end of names of secrets, or with the name of a service."""
    return name.endswith(_ENDS) or name[len(name.rstrip(_LETTERS)) :] in _SERVICES


def _ends(low: bytes) -> list[bytes]:
    """Return what stands before a sign and is one of the ends, with what is between; the rest is remembered."""
    new = set(map(_LAST_OF, low.translate(_ONE_SIGN).split(b"="))) - _other_ends
    if not new:
        return []
    found = [lead for lead in new if _is_end(lead.rstrip(_BEFORE_SIGN))]
    if len(_other_ends) + len(new) > _MOST_REMEMBERED:
        _other_ends.clear()
    _other_ends.update(new.difference(found))
    return found
