"""What the settings choose: kinds with their actions, and what finds them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from obs_run import settings
from obs_run.core import guard
from obs_run.privacy import (
    assignments,
    email_addresses,
    field_names,
    headers,
    national_ids,
    network_addresses,
    numbers,
    personal_names,
    tokens,
    urls,
)
from obs_run.privacy.actions import MASK, Action

if TYPE_CHECKING:
    from obs_run.privacy.field_names import NameRule
    from obs_run.privacy.matches import Detector, Subject

SECRETS = tokens.KINDS | urls.KINDS | headers.KINDS | assignments.KINDS
PERSONAL = email_addresses.KINDS | network_addresses.KINDS | numbers.KINDS | personal_names.KINDS
PRESETS = {"secrets": SECRETS, "personal": PERSONAL, "national_ids": national_ids.KINDS | personal_names.KINDS}


@dataclass
class Choice:
    """The kinds that are taken out, what is done with each, and what finds them."""

    actions: dict[str, Action] = field(default_factory=dict)
    detectors: list[Detector] = field(default_factory=list)
    key: bytes = b""
    personal: bool = False

    def rule_for(self, name: str) -> NameRule | None:
        """Return what the name of a field tells of its value."""
        for judge in (field_names.secret_name, personal_names.personal_name):
            rule = judge(name)
            if rule is not None and rule.kind in self.actions:
                return rule
        return None

    def mentions(self, subject: Subject) -> bool:
        """Whether a text has a name in it that tells of its value."""
        return assignments.mentions(subject) or (self.personal and personal_names.mentions(subject.low))

    def rank(self, kind: str) -> int:
        """Return the place of ``kind`` where several were found in one place: secrets come first."""
        return 0 if kind in SECRETS else 1


class WrongChoiceError(ValueError):
    """What the user chose cannot be; the text is the line for the user."""


def chosen() -> Choice:
    """Return what the settings choose; where they are wrong, all that is built in holds."""
    try:
        kinds = _kinds(settings.get("OBS_PRIVACY") or ())
        locales = _locales(settings.get("OBS_PRIVACY_LOCALES") or ())
    except WrongChoiceError as problem:
        guard.warn(f"{problem}; until that is right all built-in kinds are taken out")
        kinds, locales = SECRETS | PERSONAL, frozenset()
    if locales:
        kinds -= {kind for kind in national_ids.KINDS if kind[:2] not in locales}
    return Choice(
        actions=dict.fromkeys(sorted(kinds), MASK),
        detectors=_detectors(kinds, locales),
        key=_hash_key(),
        personal=bool(kinds & PERSONAL),
    )


def _detectors(kinds: frozenset[str], locales: frozenset[str]) -> list[Detector]:
    built_in: tuple[tuple[frozenset[str], Detector], ...] = (
        (tokens.KINDS, tokens.find),
        (urls.KINDS, urls.find),
        (headers.KINDS, headers.find),
        (assignments.KINDS, assignments.find),
        (email_addresses.KINDS, email_addresses.find),
        (network_addresses.KINDS, network_addresses.find),
        (numbers.KINDS, numbers.Finder(kinds, locales).find),
    )
    return [detector for of, detector in built_in if of & kinds]


def _locales(words: tuple[str, ...]) -> frozenset[str]:
    """Return the countries chosen, nothing for all; de, DE, de_DE and de-DE are one."""
    if "*" in words:
        return frozenset()
    countries = {word.replace("-", "_").rpartition("_")[2].lower() for word in words}
    for country in countries:
        if len(country) != 2 or not country.isalpha():  # noqa: PLR2004 (ISO 3166)
            raise WrongChoiceError(
                f"OBS_PRIVACY_LOCALES: {country!r} is not allowed; allowed: countries of two letters such as de, us; *"
            )
    return frozenset("gb" if country == "uk" else country for country in countries)


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
