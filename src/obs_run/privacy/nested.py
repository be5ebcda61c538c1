"""Looks into values of every form: mappings, sequences, bytes, and JSON texts inside of texts, which stay valid."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.privacy import random_keys
from obs_run.privacy.actions import WITHHELD
from obs_run.privacy.field_names import NameRule
from obs_run.privacy.field_values import (
    DRAWN,
    hides,
    hides_number,
    paired_name,
    paired_value,
    private_members,
    schema_of_field,
)
from obs_run.privacy.json_text import Literal, parsed, shaped, written

if TYPE_CHECKING:
    from obs_run.privacy.text_scrubber import TextScrubber

_DEEPEST = 64
_DEEPEST_JSON = 8
_MOST_NODES = 100_000
_BLOB = 512
_OPTION = re.compile(r"--?[A-Za-z][\w-]{1,40}")
_NAME_OF_ID = re.compile(r"(?:(?:^|[._-])(?:id|ID|Id|uuid)|[a-z](?:Id|ID|Uuid))$")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=\r\n]")
_LEAST_DIGITS = 10**7
_MOST_BITS = 4096
_PRIVATE = NameRule("private_key")
_GONE: Any = object()
"""What is dropped."""


class Walk:
    """One look at one value; what is deeper or larger than anyone's telemetry is withheld."""

    __slots__ = ("_json_depth", "_left", "_scrubber")

    def __init__(self, scrubber: TextScrubber) -> None:
        self._scrubber = scrubber
        self._left = _MOST_NODES
        self._json_depth = 0

    def value(self, name: str | None, value: Any) -> Any:
        """Return ``value`` without what is to be taken out, None if that is all of it."""
        rule = self._scrubber.rule_for(name) if name else None
        result = self._any(value, rule, 0)
        return None if result is _GONE else result

    def attributes(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return ``values`` without what is to be taken out."""
        result: Mapping[str, Any] = self._mapping(values, None, 0)
        return result

    def _any(self, value: Any, rule: NameRule | None, depth: int) -> Any:
        if rule is not None and rule.form == "allowed":
            return value
        if isinstance(value, str):
            return self._text(value, rule, depth)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (int, float)):
            return self._number(value, rule)
        self._left -= 1
        if depth > _DEEPEST or self._left < 0:
            return WITHHELD
        return self._inside(value, rule, depth)

    def _inside(self, value: Any, rule: NameRule | None, depth: int) -> Any:
        if isinstance(value, Mapping):
            return self._mapping(value, rule, depth)
        if isinstance(value, (list, tuple, AbstractSet)):
            return self._sequence(value, rule, depth)
        if isinstance(value, (bytes, bytearray)):
            return self._bytes(value, rule, depth)
        shown = guard.shown(value)
        result = self._text(shown, rule, depth)
        return value if result is shown else result

    def _text(self, text: str, rule: NameRule | None, depth: int) -> Any:
        scrubber = self._scrubber
        if rule is not None and hides(rule, text, scrubber.kinds):
            if rule.form in DRAWN and (found := scrubber.plain(text)) is not text:
                return found  # of a kind that says more
            return text if scrubber.is_allowed(text) else self._replaced(rule, text)
        if scrubber.is_clean(text):
            return text
        if shaped(text):
            result = self._json(text, depth)
        elif len(text) >= _BLOB and not _NOT_BASE64.search(text):
            return text
        else:
            result = scrubber.plain(text)
        if result is text:
            scrubber.remember(text)
        return result

    def _id(self, text: str, depth: int) -> Any:
        """Return an id, which may look like a key: it is drawn as these are."""
        if shaped(text) or not random_keys.is_drawn_id(text):
            return self._text(text, None, depth)
        return text if self._scrubber.is_clean(text) else self._scrubber.plain(text, is_id=True)

    def _replaced(self, rule: NameRule, text: str) -> Any:
        result = self._scrubber.replaced(rule.kind, text)
        return _GONE if result is None else result

    def _json(self, text: str, depth: int) -> Any:
        """Return the JSON text made anew where something in it was taken out; what only looks like JSON as text."""
        scrubber = self._scrubber
        if "\\u" not in text and not scrubber.mentioned(text):
            return text
        if self._json_depth >= _DEEPEST_JSON:
            return WITHHELD
        document = parsed(text)
        if document is None:
            return scrubber.plain(text)
        self._json_depth += 1
        try:
            result = self._any(document.value, None, depth + 1)
        finally:
            self._json_depth -= 1
        if result is document.value and not document.repeats:
            return text
        return written(None if result is _GONE else result, text)

    def _number(self, value: float, rule: NameRule | None) -> Any:
        if isinstance(value, Literal):
            hidden = rule is not None and hides_number(rule, value.text, self._scrubber.kinds)
            return self._replaced(rule, value.text) if rule is not None and hidden else value
        if rule is None and (not self._scrubber.looks_at_numbers or -_LEAST_DIGITS < value < _LEAST_DIGITS):
            return value
        text = _digits(value)
        if text is None:
            return value
        if rule is not None and hides_number(rule, text, self._scrubber.kinds):
            return self._replaced(rule, text)
        if not self._scrubber.looks_at_numbers:
            return value
        result = self._scrubber.plain(text)
        return value if result is text else (result or _GONE)

    def _bytes(self, value: bytes | bytearray, rule: NameRule | None, depth: int) -> Any:
        text = value.decode("utf-8", "surrogateescape")
        result = self._text(text, rule, depth)
        if result is text or result is _GONE:
            return value if result is text else _GONE
        return type(value)(result.encode("utf-8", "surrogateescape"))

    def _sequence(self, value: Any, rule: NameRule | None, depth: int) -> Any:
        items = list(value)
        rules = [rule] * len(items)
        if rule is None and len(items) == 2 and (name := paired_name(items, self._scrubber.kinds)):  # noqa: PLR2004 (a pair)
            rules[1] = self._scrubber.rule_for(name)
        elif rule is None:
            self._add_rules_of_options(items, rules)
        results = [self._any(item, one, depth + 1) for item, one in zip(items, rules, strict=True)]
        if all(result is item for result, item in zip(results, items, strict=True)):
            return value
        kept = [result for result in results if result is not _GONE]
        if isinstance(value, list):
            return kept
        return tuple(kept) if isinstance(value, tuple) else frozenset(kept)

    def _add_rules_of_options(self, items: list[Any], rules: list[NameRule | None]) -> None:
        """Note what the options of a command line tell of the words behind them."""
        for index, item in enumerate(items[:-1]):
            if isinstance(item, str) and item[:1] == "-" and _OPTION.fullmatch(item):
                rules[index + 1] = self._scrubber.rule_for(item)

    def _mapping(self, value: Mapping[Any, Any], rule: NameRule | None, depth: int) -> Any:
        others = self._rules_of_place(value, rule)
        result: dict[Any, Any] = {}
        changed = False
        for key, item in value.items():
            name = self._key(key, depth)
            own = self._rule_of(key, name)
            if others and own is None:
                own = others.get(key)
            if own is None and type(item) is str and isinstance(key, str) and _NAME_OF_ID.search(key):
                new = self._id(item, depth + 1)
            else:
                new = self._any(item, own, depth + 1)
            if new is _GONE or name is _GONE:
                changed = True
                continue
            if name is not key:
                changed = True
                name = _unused(name, result)
            elif new is not item:
                changed = True
            result[name] = new
        return result if changed else value

    def _rules_of_place(self, value: Mapping[Any, Any], rule: NameRule | None) -> dict[Any, NameRule]:
        """Return the rules that members have by what stands around or beside them, the first that holds for each."""
        rules: dict[Any, NameRule] = {}
        pair = paired_value(value)
        if pair is not None and (of_pair := self._scrubber.rule_for(pair[0])) is not None:
            rules[pair[1]] = of_pair
        private = private_members(value)
        if private:
            rules.update(dict.fromkeys(private, _PRIVATE))
        if rule is not None:
            rules.update(dict.fromkeys(schema_of_field(value) or value, rule))
        together = self._scrubber.rules_beside(value)
        if together:
            rules.update(together)
        return rules

    def _rule_of(self, key: Any, name: Any) -> NameRule | None:
        """Return what a key tells as it was, or as it is where something in it was taken out."""
        if not isinstance(key, str):
            return None
        rule = self._scrubber.rule_for(key)
        return self._scrubber.rule_for(name) if rule is None and name is not key and isinstance(name, str) else rule

    def _key(self, key: Any, depth: int) -> Any:
        if not isinstance(key, str):
            return self._any(key, None, depth + 1)
        if self._scrubber.is_clean(key):
            return key
        result = self._scrubber.plain(key, is_name=True)
        if result is key:
            self._scrubber.remember(key)
        return result or _GONE


def _digits(value: float) -> str | None:
    """Return the number as people write it, None where they would not: in powers of ten, or endless."""
    if isinstance(value, int):
        return str(int(value)) if value.bit_length() <= _MOST_BITS else None
    text = repr(float(value))
    return None if "e" in text or "n" in text else text.removesuffix(".0")


def _unused(name: Any, taken: Mapping[Any, Any]) -> Any:
    if name not in taken:
        return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"
