"""Finds quickly where in a text pieces of the names of secrets stand; whether they are names is judged elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Each begins with a letter and not with a choice, which Python's matcher looks for ten times as fast.
_CORES = tuple(
    re.compile(core)
    for core in (
        rb"k(?:ey|(?<=tok)en(?!s)|(?<=ook)ie|(?<=sk)od)",  # key, token, cookie; adgangskode
        rb"w(?:oo?r[dt]|d)",  # password, passwort, passwd, pwd, wachtwoord
        rb"cre[dt]",  # credential, secret
        rb"uthori[sz]ation",
    )
)
# The ends of names that count only right before a sign that gives a value.
_ENDS = (
    b"pass", b"passphrase", b"passcode", b"passe", b"parola", b"contrasena", b"senha", b"haslo", b"heslo", b"sifre",
    b"salasana", b"otp", b"pin", b"cvv", b"cvc", b"string", b"bearer", b"jwt", b"sig", b"signature",
    b"code", b"clave", b"parolam", b"sifrem", b"auth", b"psk", b"creds", b"pat",
)  # fmt: skip
_SIGNS = (b":", b"=")
# The beginnings of words: "is", "es", "est".
_WORDS = (b" is ", b" es")
_ONE_SIGN = bytes(61 if one == 58 else one for one in range(256))  # noqa: PLR2004 (: becomes =)
_BEFORE_SIGN = b" \t\"'`\\])"
_LONGEST_END = 12
_MOST_REMEMBERED = 8192
_other_ends: set[bytes] = set()
"""What was seen before a sign and is the end of no such name; nearly all of it comes again."""


def has_core(name: str) -> bool:
    """Whether a text with this name in it is seen to have it, whatever follows."""
    low = name.encode("ascii", "replace").lower()
    return any(core.search(low) for core in _CORES)


def places(low: bytes) -> Iterator[tuple[int, int]]:
    """Yield where pieces of names stand."""
    for core in _CORES:
        for match in core.finditer(low):
            yield match.span()
    for sign in _SIGNS + _WORDS if _has_end(low) else _WORDS:
        at = low.find(sign)
        while at >= 0:
            lead = low[max(0, at - _LONGEST_END) : at]
            name = lead.rstrip(_BEFORE_SIGN)
            if name.endswith(_ENDS):
                end = at - len(lead) + len(name)
                yield end - 1, end
            at = low.find(sign, at + 1)


def _has_end(low: bytes) -> bool:
    """Whether one of the ends stands before a sign: said at once for what was seen before."""
    new = {piece[-_LONGEST_END:] for piece in low.translate(_ONE_SIGN).split(b"=")} - _other_ends
    for lead in new:
        if lead.rstrip(_BEFORE_SIGN).endswith(_ENDS):
            return True
    if len(_other_ends) + len(new) > _MOST_REMEMBERED:
        _other_ends.clear()
    _other_ends.update(new)
    return False
