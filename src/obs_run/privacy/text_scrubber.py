"""What one choice of kinds finds in texts that are no JSON, and says of the names of fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import held_values
from obs_run.privacy import held_secrets, random_keys
from obs_run.privacy.actions import WITHHELD, Action, placeholders, replacement
from obs_run.privacy.field_values import PAIRED
from obs_run.privacy.kinds import SECRETS
from obs_run.privacy.matches import Match, Subject, repeated, resolved
from obs_run.privacy.own_rules import WITHHELD_KIND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obs_run.privacy.choice import Choice
    from obs_run.privacy.field_names import NameRule

_MOST_ROUNDS = 6
_SHORT = 64
_MOST_REMEMBERED = 4096
_SHORTEST = 5
_MOST_REPEATED = 64


class TextScrubber:
    """Looks into texts and names of fields, and remembers those that it has seen."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self.kinds: Mapping[str, Action] = choice.actions
        self.active: bool = bool(choice.actions)
        self._names = frozenset({*choice.actions, WITHHELD_KIND})
        # The user's patterns may be of any length.
        self._shortest = 1 if any(rule.searches for rule in choice.rules.own) else _SHORTEST
        self._clean: set[str] = set()
        self._held = held_values.changes()
        self._other_keys: set[bytes] = set()
        self._fields: dict[str, NameRule | None] = {}

    def renew(self) -> None:
        """Forget what was clean, where the process holds a secret that it did not hold then."""
        held_secrets.refresh()
        if held_values.changes() != self._held:
            self._held = held_values.changes()
            self._clean.clear()

    def rule_for(self, name: str) -> NameRule | None:
        """Return what the name of a field tells of its value."""
        try:
            return self._fields[name]
        except KeyError:
            pass
        plain = name
        for first, last in reversed(placeholders(name, self._names)):
            plain = plain[:first] + plain[last:]
        rule = self._choice.rule_for(plain)
        if len(self._fields) >= _MOST_REMEMBERED:
            self._fields.clear()
        self._fields[name] = rule
        return rule

    def rules_beside(self, mapping: Mapping[Any, Any]) -> dict[str, NameRule] | None:
        """Return what the members of a mapping tell that tell it together."""
        choice = self._choice
        if choice.beside is None or choice.neighbours.isdisjoint(mapping):
            return None
        rules = choice.beside([name for name in mapping if isinstance(name, str)])
        return {name: rule for name, rule in rules.items() if rule.kind in self.kinds}

    def replaced(self, kind: str, text: str) -> str | None:
        """Return what stands for ``text``, None where the action is drop."""
        if kind == WITHHELD_KIND:
            return WITHHELD
        action = self.kinds[kind]
        return None if action.how == "drop" else replacement(action, kind, text, self._choice.key)

    def is_clean(self, text: str) -> bool:
        """Whether ``text`` is known to be clean, or too short to be anything else."""
        return len(text) < self._shortest or text in self._clean

    def is_allowed(self, text: str) -> bool:
        """Whether the user's list names this text as one that is never touched."""
        return text in self._choice.rules.allowed_texts

    @property
    def looks_at_numbers(self) -> bool:
        """Whether a number may be something to take out, without a name that says so."""
        return self._choice.personal or bool(self._choice.rules.own)

    def remember(self, text: str) -> None:
        """Note that ``text`` is clean; most values are short and come again."""
        if len(text) <= _SHORT:
            if len(self._clean) >= _MOST_REMEMBERED:
                self._clean.clear()
            self._clean.add(text)

    def mentioned(self, text: str) -> bool:
        """Whether anything in ``text``, as it stands, is a reason to read the JSON that it may be."""
        subject = Subject(_unescaped(text) if "\\" in text else text, self._names, is_personal=self._choice.personal)
        return (
            self._choice.mentions(subject)
            or self._has_telling_key(subject.raw)
            or any(True for detect in self._choice.hints for _ in detect(subject))
        )

    def _has_telling_key(self, raw: bytes) -> bool:
        """Whether a key of a JSON text tells of its value; nearly all keys come again and are known."""
        if b" :" in raw or b"\n:" in raw or b"\t:" in raw or b"\r:" in raw:
            return True  # a key may be further from its colon than is looked for
        keys = {piece[piece.rfind(b'"', 0, -1) + 1 :] for piece in raw.split(b'":')[:-1]} - self._other_keys
        for key in keys:
            name = key.rstrip(b"\\").decode()
            if name in PAIRED or self.rule_for(name) is not None:
                return True
        if len(self._other_keys) + len(keys) > _MOST_REMEMBERED:
            self._other_keys.clear()
        self._other_keys.update(keys)
        return False

    def plain(self, text: str, *, is_name: bool = False, is_id: bool = False) -> str:
        """Return ``text``, which is no JSON, without what is to be taken out; a name is not withheld as a whole.

        What is drawn at random is a key of no service where ``text`` is an id.
        """
        changed = text
        for _ in range(_MOST_ROUNDS):
            matches = self._matches(Subject(changed, self._names, is_personal=self._choice.personal))
            if is_name:
                matches = [match for match in matches if match.kind != WITHHELD_KIND]
            if is_id:
                matches = [match for match in matches if match.kind != random_keys.KIND]
            if not matches:
                return changed
            changed = self._written(changed, matches)
        return WITHHELD

    def _matches(self, subject: Subject) -> list[Match]:
        kinds = self._names
        matches = [match for detect in self._choice.detectors for match in detect(subject) if match.kind in kinds]
        if matches and subject.placeholders:
            matches = [match for match in matches if not subject.is_placeholder(match.start, match.end)]
        allowed = self._choice.rules.allowed_texts
        if allowed:
            matches = [match for match in matches if subject.text[match.start : match.end] not in allowed]
        secrets = [match for match in matches if match.kind in SECRETS]
        if secrets:
            matches += repeated(subject.text, secrets[:_MOST_REPEATED])
        return resolved(matches, self._choice.rank) if matches else matches

    def _written(self, text: str, matches: list[Match]) -> str:
        pieces: list[str] = []
        at = 0
        for match in matches:
            pieces += text[at : match.start], self.replaced(match.kind, text[match.start : match.end]) or ""
            at = match.end
        pieces.append(text[at:])
        return "".join(pieces)


def _unescaped(text: str) -> str:
    """Return JSON with its quotes as the texts in it have them; line breaks are read as what they are anyway."""
    return text.replace("\\\\", "\\?").replace('\\"', '"')
