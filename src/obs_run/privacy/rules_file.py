"""Reads the YAML file of own rules; whatever is wrong in it is one line that says where and what is allowed."""

from __future__ import annotations

import fnmatch
import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obs_run.base.masking import masked_value
from obs_run.privacy import pattern_size
from obs_run.privacy.actions import DROP, HASH, MASK, MOST_KEPT, Action
from obs_run.privacy.own_rules import SECONDS_PER_TEXT, OwnRule, Rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_KIND = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_ACTIONS = {"mask": MASK, "drop": DROP, "hash": HASH, "truncate": Action("truncate", 0, 4)}
_ALLOWED_ACTIONS = "mask, drop, hash, truncate, {truncate: {first: 2, last: 4}} (at most 8 each)"
_RULE_KEYS = ("patterns", "fields", "action", "ignore_case", "when_disabled")


class WrongRulesError(ValueError):
    """What is wrong in the file; the text is the line for the user."""


def read(path: str, built_in: Iterable[str]) -> Rules:
    """Return the rules in the file at ``path``, which may name the ``built_in`` kinds and presets."""
    file = _File(path)
    document = file.document()
    sections = {"rules": _rules, "actions": _actions, "presets": _presets, "allow": _allow}
    result = Rules()
    for name in document:
        if name not in sections:
            raise file.wrong(name, f"is not known; allowed: {', '.join(sections)}")
    # In this order: actions and presets may name what the rules add.
    for name, section in sections.items():
        if document.get(name) is not None:
            section(file, file.mapping(name, document[name]), result, frozenset(built_in))
    return result


class _File:
    """The file, for what is said of it."""

    def __init__(self, path: str) -> None:
        self.path = path

    def wrong(self, where: str, what: str) -> WrongRulesError:
        return WrongRulesError(f"OBS_PRIVACY_RULES: {masked_value(self.path)}: {where} {what}")

    def document(self) -> Mapping[str, Any]:
        try:
            import yaml
        except ImportError:
            raise self.wrong("needs PyYAML and regex", "(pip install 'obs-run[privacy]')") from None
        try:
            content = yaml.safe_load(Path(self.path).read_text(encoding="utf-8"))
        except OSError as error:
            raise self.wrong("cannot be read:", str(error.strerror)) from None
        except UnicodeDecodeError:
            raise self.wrong("is", "no UTF-8 text") from None
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = f"line {mark.line + 1}" if mark else "the text"
            raise self.wrong(line, f"is no YAML: {getattr(error, 'problem', error)}") from None
        return self.mapping("the file", {} if content is None else content)

    def mapping(self, where: str, value: Any) -> Mapping[str, Any]:
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            raise self.wrong(where, "must be a mapping of names")
        return value

    def texts(self, where: str, value: Any) -> list[str]:
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(one, str) and one for one in values):
            raise self.wrong(where, "must be a text or a list of texts")
        return values

    def action(self, where: str, value: Any) -> Action:
        if isinstance(value, str) and value in _ACTIONS:
            return _ACTIONS[value]
        if isinstance(value, dict) and set(value) == {"truncate"} and isinstance(value["truncate"], dict):
            kept = value["truncate"]
            first, last = kept.get("first", 0), kept.get("last", 0)
            numbers = all(type(one) is int and 0 <= one <= MOST_KEPT for one in (first, last))
            if numbers and set(kept) <= {"first", "last"}:
                return Action("truncate", first, last)
        raise self.wrong(where, f"is not allowed; allowed: {_ALLOWED_ACTIONS}")


def _rules(file: _File, section: Mapping[str, Any], result: Rules, built_in: frozenset[str]) -> None:  # noqa: ARG001
    for kind, value in section.items():
        where = f"rules.{kind}"
        if not _KIND.fullmatch(kind) or kind in ("secrets", "personal", "none", "withheld"):
            raise file.wrong(where, "is no name for a kind; allowed: a small letter, then those, digits and _ . -")
        rule = file.mapping(where, value)
        for key in rule:
            if key not in _RULE_KEYS:
                raise file.wrong(f"{where}.{key}", f"is not known; allowed: {', '.join(_RULE_KEYS)}")
        result.own.append(_rule(file, where, kind, rule))
        if "action" in rule:
            result.actions[kind] = file.action(f"{where}.action", rule["action"])


def _rule(file: _File, where: str, kind: str, rule: Mapping[str, Any]) -> OwnRule:
    fields = file.texts(f"{where}.fields", rule.get("fields", []))
    patterns = file.texts(f"{where}.patterns", rule.get("patterns", []))
    if not fields and not patterns:
        raise file.wrong(where, "has neither patterns nor fields")
    ignore_case = rule.get("ignore_case", False)
    if not isinstance(ignore_case, bool):
        raise file.wrong(f"{where}.ignore_case", "is not allowed; allowed: true, false")
    when_disabled = rule.get("when_disabled", "withhold")
    if when_disabled not in ("withhold", "pass"):
        raise file.wrong(f"{where}.when_disabled", "is not allowed; allowed: withhold, pass")
    compiled = [
        _compiled(file, f"{where}.patterns[{number}]", pattern, ignore_case=ignore_case)
        for number, pattern in enumerate(patterns)
    ]
    return OwnRule(kind, compiled, _names(fields), withhold=when_disabled == "withhold")


def _compiled(file: _File, where: str, pattern: str, *, ignore_case: bool) -> Any:
    try:
        regex = import_module("regex")
    except ImportError:
        raise file.wrong("needs PyYAML and regex", "(pip install 'obs-run[privacy]')") from None
    if pattern_size.size(pattern) > pattern_size.LARGEST:
        raise file.wrong(where, f"repeats too much: at most {pattern_size.LARGEST} elements, written out")
    try:
        compiled = regex.compile(pattern, regex.VERSION1 | (regex.IGNORECASE if ignore_case else 0))
    except Exception as error:  # noqa: BLE001 (compiling is the library's work on the user's text)
        raise file.wrong(where, f"is no regular expression: {error}") from None
    try:
        matches_nothing = compiled.match("", timeout=SECONDS_PER_TEXT) is not None
    except TimeoutError:
        raise file.wrong(where, "is too slow for an empty text") from None
    if matches_nothing:
        raise file.wrong(where, "matches the empty text, so it would match everywhere")
    return compiled


def _names(fields: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(fnmatch.translate(name.lower())) for name in fields)


def _actions(file: _File, section: Mapping[str, Any], result: Rules, built_in: frozenset[str]) -> None:
    for kind, value in section.items():
        where = f"actions.{kind}"
        if kind not in built_in | result.kinds:
            raise file.wrong(where, f"is no kind or preset; allowed: {', '.join(sorted(built_in | result.kinds))}")
        # YAML reads the word off as false.
        result.actions[kind] = None if value is False or value == "off" else file.action(where, value)


def _presets(file: _File, section: Mapping[str, Any], result: Rules, built_in: frozenset[str]) -> None:
    names = built_in | result.kinds | frozenset(section) | {"none"}
    for preset, value in section.items():
        where = f"presets.{preset}"
        if not _KIND.fullmatch(preset) or preset in built_in | result.kinds | {"none"}:
            raise file.wrong(where, "is no name for a preset of your own, or one that is taken")
        words = file.texts(where, value)
        for word in words:
            if word.removeprefix("-") not in names:
                raise file.wrong(where, f"names {word!r}, which is no kind or preset")
        result.presets[preset] = tuple(words)


def _allow(file: _File, section: Mapping[str, Any], result: Rules, built_in: frozenset[str]) -> None:  # noqa: ARG001
    for key, value in section.items():
        where = f"allow.{key}"
        if key == "texts":
            result.allowed_texts = frozenset(file.texts(where, value))
        elif key == "fields":
            result.allowed_fields = _names(file.texts(where, value))
        else:
            raise file.wrong(where, "is not known; allowed: texts, fields")
