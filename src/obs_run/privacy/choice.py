"""What the settings choose: kinds with their actions, and what finds them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from obs_run import settings
from obs_run.core import guard
from obs_run.privacy import assignments, field_names, headers, tokens, urls
from obs_run.privacy.actions import MASK, Action

if TYPE_CHECKING:
    from obs_run.privacy.field_names import NameRule
    from obs_run.privacy.matches import Detector, Subject

SECRETS = tokens.KINDS | urls.KINDS | headers.KINDS | assignments.KINDS
PERSONAL: frozenset[str] = frozenset()
PRESETS = {"secrets": SECRETS, "personal": PERSONAL}


@dataclass
class Choice:
    """The kinds that are taken out, what is done with each, and what finds them."""

    actions: dict[str, Action] = field(default_factory=dict)
    detectors: list[Detector] = field(default_factory=list)
    key: bytes = b""
    numbers: bool = False

    def rule_for(self, name: str) -> NameRule | None:
        """Return what the name of a field tells of its value."""
        rule = field_names.secret_name(name)
        return rule if rule is not None and rule.kind in self.actions else None

    def mentions(self, subject: Subject) -> bool:
        """Whether a text has a name in it that tells of its value."""
        return assignments.mentions(subject)

    def rank(self, kind: str) -> int:
        """Return the place of ``kind`` where several were found in one place: secrets come first."""
        return 0 if kind in SECRETS else 1


class WrongChoiceError(ValueError):
    """What the user chose cannot be; the text is the line for the user."""


def chosen() -> Choice:
    """Return what the settings choose; where they are wrong, all that is built in holds."""
    try:
        kinds = _kinds(settings.get("OBS_PRIVACY") or ())
    except WrongChoiceError as problem:
        guard.warn(f"{problem}; until that is right all built-in kinds are taken out")
        kinds = SECRETS | PERSONAL
    return Choice(
        actions=dict.fromkeys(sorted(kinds), MASK),
        detectors=[tokens.find, urls.find, headers.find, assignments.find] if kinds else [],
        key=_hash_key(),
    )


def _kinds(words: tuple[str, ...]) -> frozenset[str]:
    names = [word.lower() for word in words]
    kinds: frozenset[str] = frozenset() if "none" in names else SECRETS
    for name in names:
        if name == "none":
            continue
        one = name.removeprefix("-")
        if one not in PRESETS and one not in SECRETS | PERSONAL:
            allowed = ", ".join((*PRESETS, *sorted(SECRETS | PERSONAL)))
            raise WrongChoiceError(f"OBS_PRIVACY: {name!r} is not allowed; allowed: none, {allowed}")
        of = PRESETS.get(one, frozenset({one}))
        kinds = kinds - of if name.startswith("-") else kinds | of
    return kinds


def _hash_key() -> bytes:
    path = settings.get("OBS_PRIVACY_HASH_KEY_FILE")
    if path:
        try:
            return Path(path).read_bytes().strip()
        except OSError as error:
            guard.warn(f"OBS_PRIVACY_HASH_KEY_FILE: {path} cannot be read ({error.strerror}); using a random key")
    text = settings.get("OBS_PRIVACY_HASH_KEY")
    return text.encode() if text else os.urandom(32)
