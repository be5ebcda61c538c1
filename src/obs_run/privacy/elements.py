"""Elements of XML whose name tells of a secret and which have attributes: ``<Pass encoding="base64">...</Pass>``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy.field_names import secret_name
from obs_run.privacy.field_values import fits
from obs_run.privacy.matches import Match
from obs_run.privacy.values import is_free

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

_WITH_ATTRIBUTES = re.compile(
    rb"<([a-z][\w:.-]{1,40})(?:[ \t\n]{1,4}[\w:.-]{1,40}=\"[^\"<>]{0,120}\"){1,4}>\s{0,20}([^<>\s][^<>\n]{0,1000})</\1>"
)


def find(subject: Subject) -> Iterator[Match]:
    """Find what such elements hold."""
    low = subject.low
    for tag in _WITH_ATTRIBUTES.finditer(low):
        rule = secret_name(tag[1].decode())
        if rule is not None and not is_free(tag[2]) and fits(rule, subject.raw[tag.start(2) : tag.end(2)].decode()):
            yield Match(*tag.span(2), rule.kind)
