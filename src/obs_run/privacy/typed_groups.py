"""Secrets that are written in groups, so that people can type them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.base.randomness import common_pairs
from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from obs_run.privacy.field_names import NameRule
    from obs_run.privacy.matches import Subject

# App passwords and the keys of authenticators; recovery codes.
_GROUPS = re.compile(rb"[A-Za-z0-9]{4}(?:[ ][A-Za-z0-9]{4}){3,7}(?![\w])")
_TYPED_CODE = rb"(?=[^\s0-9]{0,8}[0-9])[a-z0-9]{2,8}(?:-[a-z0-9]{2,8}){1,7}(?![\w-])"
_CODES = re.compile(_TYPED_CODE + rb"(?:(?:[\"']?[,;][\"']?\s{0,2}|\s{1,2}[\"']?)" + _TYPED_CODE + rb"){1,30}")
_TYPED = frozenset({"password", "api_key", "secret"})
_MOST_COMMON = 0.6


def match(subject: Subject, rule: NameRule, start: int) -> Match | None:
    """Return a secret that is written in groups, to be typed in, or several of them one after another."""
    if rule.form == "code":
        codes = _CODES.match(subject.low, start)
        return Match(*codes.span(), rule.kind) if codes else None
    groups = _GROUPS.match(subject.raw, start) if rule.kind in _TYPED else None
    if groups is None or common_pairs(groups[0].decode().replace(" ", "")) > _MOST_COMMON:
        return None
    return Match(*groups.span(), rule.kind)
