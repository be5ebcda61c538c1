"""What the settings choose: kinds with their actions, and what finds them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from obs_run import settings
from obs_run.base import guard
from obs_run.base.masking import masked_path, masked_value
from obs_run.privacy import assignments, field_names, headers, held_secrets, notations, tokens, urls
from obs_run.privacy.actions import MASK, Action
from obs_run.privacy.field_names import NameRule
from obs_run.privacy.kinds import BUILT_IN, NATIONAL_IDS, PERSONAL, PRESETS, SECRETS
from obs_run.privacy.own_rules import WITHHELD_KIND, Rules
from obs_run.setting_texts import with_nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from obs_run.privacy.matches import Detector, Subject


class WrongChoiceError(ValueError):
    """What the user chose cannot be; the text is the line for the user."""


ALLOWED = NameRule("", "allowed")
"""What a name says whose value is never touched."""


@dataclass
class Choice:
    """The kinds that are taken out, what is done with each, and what finds them."""

    actions: dict[str, Action]
    detectors: list[Detector]
    hints: list[Detector]
    """The detectors that, with ``mentions``, tell whether a JSON text is worth reading."""
    personal: bool
    key: bytes
    rules: Rules
    judges: tuple[Callable[[str], NameRule | None], ...]
    """What tells by the name of a field."""
    neighbours: frozenset[str] = frozenset()
    """Names of fields that tell something beside others."""
    beside: Callable[[Collection[str]], dict[str, NameRule]] | None = None
    """What tells by the names of all fields."""

    def rule_for(self, name: str) -> NameRule | None:
        """Return what the name of a field tells of its value."""
        rules = self.rules
        if rules.own or rules.allowed_fields:
            low = name.lower()
            if any(field.match(low) for field in rules.allowed_fields):
                return ALLOWED
            for own in rules.own:
                if own.kind in self.actions and own.names(low):
                    return NameRule(own.kind)
        for judge in self.judges:
            rule = judge(name)
            if rule is not None and rule.kind in self.actions:
                return rule
        return None

    def mentions(self, subject: Subject) -> bool:
        """Whether a JSON text has a name in it that tells of its value, or may have one of the user's."""
        if self.rules.own:
            return True
        if b"\\" in subject.raw or not subject.ascii:
            return assignments.mentions(subject)  # what a text of the JSON says is written differently in it
        return any(True for _ in assignments.find(subject))

    def rank(self, kind: str) -> int:
        """Return the place of ``kind`` where several were found in one place: secrets come first."""
        if kind == WITHHELD_KIND:
            return 0
        return 1 if kind in SECRETS else 2


def chosen() -> Choice:
    """Return what the settings choose; where they are wrong, all that is built in holds."""
    try:
        return from_settings()
    except ValueError as problem:
        guard.warn_once(f"{problem}; until that is right, all built-in kinds are masked and no rules of yours hold")
        return every_built_in_kind()


def from_settings() -> Choice:
    """Return what the settings choose; a ``ValueError`` is the line for the user about what cannot be."""
    path = settings.get("OBS_PRIVACY_RULES")
    rules = _read(path) if path else Rules()
    kinds = _kinds(settings.get("OBS_PRIVACY") or (), rules)
    locales = _locales(settings.get("OBS_PRIVACY_LOCALES") or ())
    if locales:
        kinds -= {kind for kind in NATIONAL_IDS if kind[:2] not in locales}
    return _choice(_actions(kinds, rules), locales, rules)


def every_built_in_kind() -> Choice:
    """Return the choice of all that is built in, masked, whatever the settings are."""
    return _choice(dict.fromkeys(sorted(BUILT_IN), MASK), frozenset(), Rules())


def _read(path: str) -> Rules:
    from obs_run.privacy import rules_file

    return rules_file.read(path, BUILT_IN | PRESETS.keys())


def _choice(actions: dict[str, Action], locales: frozenset[str], rules: Rules) -> Choice:
    kinds = frozenset(actions)
    judges: tuple[Callable[[str], NameRule | None], ...] = (field_names.secret_name,)
    hints: list[Detector] = []
    detectors = _of_secrets(kinds)
    personal = bool(kinds & PERSONAL)
    neighbours: frozenset[str] = frozenset()
    beside = None
    if personal:
        from obs_run.privacy import columns, personal_names

        hints.append(columns.in_json)
        judges += (personal_names.personal_name,)
        neighbours, beside = personal_names.NEIGHBOURS, personal_names.beside
        detectors += _of_personal_data(kinds, locales)
    detectors += [rule.find for rule in rules.own if rule.kind in actions and rule.searches]
    return Choice(
        actions=actions,
        detectors=detectors,
        hints=hints + [detector for detector in detectors if detector is not assignments.find],
        personal=personal,
        key=_hash_key(),
        rules=rules,
        judges=judges,
        neighbours=neighbours,
        beside=beside,
    )


def _actions(kinds: frozenset[str], rules: Rules) -> dict[str, Action]:
    """Return what is done with each kind: what the rules say of it, or of a preset that it is in, or masked."""
    actions: dict[str, Action] = {}
    for kind in sorted(kinds):
        said = [name for name in PRESETS if name in rules.actions and kind in PRESETS[name]]
        action = rules.actions.get(kind, rules.actions[said[-1]] if said else MASK)
        if action is not None:
            actions[kind] = action
    return actions


def _of_secrets(kinds: frozenset[str]) -> list[Detector]:
    built_in: tuple[tuple[frozenset[str], Detector], ...] = (
        (tokens.KINDS, tokens.find),
        (urls.KINDS, urls.find),
        (headers.KINDS, headers.find),
        (notations.KINDS, notations.find),
        (assignments.KINDS, assignments.find),
        (held_secrets.KINDS, held_secrets.find),  # last: of a kind that is known more is said
    )
    return [detector for of, detector in built_in if of & kinds]


def _of_personal_data(kinds: frozenset[str], locales: frozenset[str]) -> list[Detector]:
    from obs_run.privacy import (
        account_names,
        birth_dates,
        email_addresses,
        network_addresses,
        numbers,
        people,
        wallets,
    )

    built_in: tuple[tuple[frozenset[str], Detector], ...] = (
        (email_addresses.KINDS, email_addresses.find),
        (network_addresses.KINDS, network_addresses.find),
        (birth_dates.KINDS, birth_dates.find),
        (wallets.KINDS, wallets.find),
        (account_names.KINDS, account_names.find),
        (numbers.KINDS, numbers.Finder(kinds, locales).find),
        (people.KINDS, people.Finder(kinds).find),  # last: a number with a check digit has a kind of its own
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


def _kinds(words: tuple[str, ...], rules: Rules) -> frozenset[str]:
    names = [word.lower() for word in words]
    kinds: frozenset[str] = frozenset() if "none" in names else SECRETS | rules.kinds
    for name in names:
        kinds = _with(kinds, name, rules)
    return kinds


def _with(kinds: frozenset[str], word: str, rules: Rules, depth: int = 0) -> frozenset[str]:
    """Return ``kinds`` with what ``word`` names, or without, if there is a ``-`` before it."""
    name = word.removeprefix("-")
    if word == "none":
        return kinds if depth == 0 else frozenset()
    if name in rules.presets and depth <= len(rules.presets):
        if name != word:
            return kinds - _with(frozenset(), name, rules, depth + 1)
        for one in rules.presets[name]:
            kinds = _with(kinds, one, rules, depth + 1)
        return kinds
    kinds_by_name = {**PRESETS, **{kind: frozenset({kind}) for kind in BUILT_IN | rules.kinds}}
    if name not in kinds_by_name:
        presets = ", ".join(("none", *PRESETS, *rules.presets))
        allowed = f"{presets} or single kinds such as email, phone, card, each also with - before it"
        described = with_nearest(name, ("none", *rules.presets, *sorted(kinds_by_name)), allowed)
        raise WrongChoiceError(f"OBS_PRIVACY: {masked_value(word)!r} is not allowed; allowed: {described}")
    return kinds - kinds_by_name[name] if name != word else kinds | kinds_by_name[name]


def _hash_key() -> bytes:
    path = settings.get("OBS_PRIVACY_HASH_KEY_FILE")
    if path:
        try:
            key = Path(path).read_bytes().strip()
        except OSError as error:
            shown = masked_path(path)
            guard.warn_once(f"OBS_PRIVACY_HASH_KEY_FILE: {shown} cannot be read ({error.strerror}); using a random key")
            return os.urandom(32)
        if key:
            return key
        guard.warn_once(f"OBS_PRIVACY_HASH_KEY_FILE: {path} is empty; using a random key")
    text = settings.get("OBS_PRIVACY_HASH_KEY")
    return text.encode() if text else os.urandom(32)
