"""Names of devices that say whose they are: ``Janes-iPhone``, ``MacBook-Pro-von-Jane``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy import telling_words
from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

_KIND = "person_name"
_DEVICES = "iphone|ipad|ipod|macbook|imac|airpods|applewatch|galaxy|pixel|mbp|laptop|phone|tablet|watch"
_DEVICE = telling_words.register(frozenset(_DEVICES.encode().split(b"|")).__contains__)
_OWNED = re.compile(
    rf"(?<![\w-])([^\W\d_][^\W\d_]{{1,20}}?)(?:s-|'s[ -]|\u2019s[ -])(?:{_DEVICES}|pc|desktop)"
    r"(?:[ -]?(?:pro|air|mini|max|se|[0-9]{1,2}))*"
    rf"|(?<![\w-])(?:{_DEVICES})(?:[ -](?:pro|air|mini|max))?[ -](?:von|de|di|van|av)[ -]([^\W\d_][^\W\d_]{{1,20}})",
    re.IGNORECASE,
)
_NOBODY = telling_words.folded(
    "let it that what here there today company user users client customer admin guest someone everyone friend la le "
    "el the your my his her apple google samsung android kid child mum mom dad parent"
)


def find(subject: Subject) -> Iterator[Match]:
    """Find the names of devices with the name of an owner in them."""
    if not subject.words(_DEVICE):
        return
    for owned in _OWNED.finditer(subject.text):
        name = owned[1] or owned[2]
        if name[0].isupper() and name.lower().encode() not in _NOBODY:
            yield Match(*owned.span(), _KIND)
