"""What a field's name and the form around it say of its value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from obs_run.base.randomness import is_encoded_text, is_random
from obs_run.privacy import random_keys
from obs_run.privacy.actions import placeholders
from obs_run.privacy.name_pieces import has_core

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from obs_run.privacy.field_names import NameRule

_EMPTY = re.compile(
    r"\s*(?:\*+|x{4,}|\u2022+|\.{3,}|none|null|nil|true|false|undefined|unset|n/?a|"
    r"[\[<(]?(?:redacted|masked|hidden|filtered|removed|omitted|secret|sensitive data removed)[\])>]?|"
    r"\$\{[\w:.-]+\}|\$[A-Z_][A-Z0-9_]*|\{\{[^{}]*\}\}|%\([\w]+\)s|\*{2,}.{0,4})\s*",
    re.IGNORECASE,
)
_FORMS = {
    "token": re.compile(r"(?=\S*[0-9])\S{8,}|\S{20,}"),
    "signed": re.compile(r"(?=\S*[0-9#$%^*~+!&@])\S{6,}|\S{20,}"),
    "pin": re.compile(r"[0-9]{3,8}"),
    "code": re.compile(
        r"[0-9]{3,8}|[0-9]{3}[ -][0-9]{3}|(?=[^0-9]*[0-9])[A-Za-z0-9]{2,8}(?:-[A-Za-z0-9]{2,8}){1,7}|[0-9a-f]{28,}"
    ),
    "text": re.compile(r".*[^0-9\s].*", re.DOTALL),
    "email": re.compile(r".*(?:@|%40).*", re.DOTALL),
    "worded": re.compile(r"[^\W\d_][^\d_/\\@:;{}<>=()\[\]]{1,80}"),
    "digits": re.compile(r"(?:[^0-9]*[0-9]){5}.*", re.DOTALL),
    "dated": re.compile(r".*[0-9].*", re.DOTALL),
    "decimal": re.compile(r"\s*[-+]?[0-9]{1,3}\.[0-9]{3,}\s*"),
    "plate": re.compile(
        r"(?=[^0-9]{0,5}[0-9])(?=[^A-ZÄÖÜ]{0,6}[A-ZÄÖÜ])[A-ZÄÖÜ0-9]{1,4}(?:[ ·-]?[A-ZÄÖÜ0-9]{1,4}){1,4}"
    ),
    "postal": re.compile(r"(?=[^0-9]{0,3}[0-9])(?:[A-Z]{1,2}-)?[0-9A-Z]{2,5}(?:[ -][0-9A-Z]{2,4})?"),
}
_NUMERIC = frozenset({"pin", "code", "digits", "dated", "decimal"})
_RANDOM = re.compile(r"(?=.*[0-9])\S{6,}|(?:bearer|basic|token) \S{6,}|\S{24,}", re.IGNORECASE)
_COUNTED = frozenset({"token", "api_key", "secret", "cookie", "authorization", "private_key", "connection_string"})
_LEAST_DIGITS = 6
_SHORTEST_DRAWN, _SHORTEST_OF_LETTERS = 12, 16
# Salts, as they are made for the settings of web sites.
_SIGN = re.compile(r"[^\w\s./:'\"\\]")
_LONG_OF_SIGNS, _MANY_SIGNS = 32, 6
# Digits in three places and more of one long word.
_SPREAD = re.compile(r"(?=.{20})(?:[A-Za-z]+[0-9]+){3,}[A-Za-z]*")
_KEY = re.compile(r"[A-Za-z0-9+/_.=~-]+")
_DIGEST = re.compile(r"[0-9a-fA-F-]+")
_HEXADECIMAL = re.compile(r"[0-9a-f]{28,}|[0-9A-F]{28,}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
DRAWN = frozenset({"drawn", "key"})
"""The forms of a name that tells only of what looks drawn."""
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})
_SCHEMA_TYPES = frozenset({"string", "integer", "number", "boolean", "object", "array", "null"})
_SCHEMA_VALUES = ("default", "const", "enum", "example", "examples", "value")
_NAMES = ("name", "key", "header", "field", "parameter", "label", "selector", "element")
_VALUES = ("value", "val")
_TYPED = "text"
"""What is typed into a field; it may as well be what stands beside it."""
_NO_MEMBERS: frozenset[str] = frozenset()
PAIRED = frozenset({*_VALUES, _TYPED, "kty", "family"})
"""Keys of which another key tells more: of a value whose name is the value of another, of a key in JSON."""


def hides(rule: NameRule, text: str, kinds: Collection[str]) -> bool:
    """Whether ``text`` under a name with ``rule`` is taken out: not what says that nothing is here, or is hidden."""
    if rule.kind not in kinds or not text or _EMPTY.fullmatch(text):
        return False
    if text[0] == "[" and any(span == (0, len(text)) for span in placeholders(text, frozenset(kinds))):
        return False
    if rule.form == "any":
        return True
    return fits(rule, _without_placeholders(text, kinds))


def _without_placeholders(text: str, kinds: Collection[str]) -> str:
    """Return ``text`` with spaces for what was taken out before, which tells nothing of the rest."""
    for first, last in reversed(placeholders(text, frozenset(kinds))):
        text = f"{text[:first]} {text[last:]}"
    return text


def fits(rule: NameRule, text: str) -> bool:
    """Whether ``text`` has the form that the rule asks for."""
    if rule.form in DRAWN:
        # Some are of two parts, of which one may be an id.
        return any(
            _is_drawn(part) or (rule.form == "key" and _HEXADECIMAL.fullmatch(part)) for part in text.split(":")[:3]
        )
    if rule.form == "named":
        from obs_run.privacy import person_names  # only where personal data are wanted

        return person_names.end_of_name(text, 0, 2) == len(text)
    form = _FORMS.get(rule.form)
    return form is None or form.fullmatch(text) is not None


def _is_drawn(text: str) -> bool:
    """Whether this is a key or credentials in base64, and neither an id nor a digest."""
    if len(text) >= _LONG_OF_SIGNS and len(set(_SIGN.findall(text))) >= _MANY_SIGNS:
        return any(sign.isdigit() for sign in text)
    if "%" in text:
        text = unquote(text)
    if len(text) < _SHORTEST_DRAWN or not _KEY.fullmatch(text) or _DIGEST.fullmatch(text):
        return False
    if random_keys.is_id(text) or (len(text) < _SHORTEST_OF_LETTERS and not any(sign.isdigit() for sign in text)):
        return False
    return is_random(text) or _SPREAD.fullmatch(text) is not None or (len(text) % 4 == 0 and is_encoded_text(text))


def hides_number(rule: NameRule, text: str, kinds: Collection[str]) -> bool:
    """Whether a number under a name with ``rule`` is taken out: a count of tokens or secrets is not."""
    if rule.kind not in kinds:
        return False
    if rule.form != "any":
        return rule.form in _NUMERIC and fits(rule, text)
    return rule.kind not in _COUNTED or len(text) >= _LEAST_DIGITS


def paired_name(pair: list[Any], kinds: Collection[str]) -> str | None:
    """Return the name where ``pair`` is one of name and value, as headers often are."""
    name, value = pair
    if isinstance(name, bytes) and isinstance(value, bytes):
        name, value = name.decode("latin-1"), value.decode("latin-1")
    if not isinstance(name, str) or not isinstance(value, str) or not has_core(name):
        return None
    return name if _RANDOM.fullmatch(_without_placeholders(value, kinds)) else None


def paired_value(mapping: Mapping[Any, Any]) -> tuple[str, str] | None:
    """Return the name that a mapping like ``{"name": ..., "value": ...}`` gives, and the key of its value."""
    for value_key in (*_VALUES, _TYPED):
        value = mapping.get(value_key)
        if value is None or (value_key == _TYPED and not (isinstance(value, str) and _RANDOM.fullmatch(value))):
            continue
        for name_key in _NAMES:
            name = mapping.get(name_key)
            if isinstance(name, str):
                return name, value_key
    return None


def private_members(mapping: Mapping[Any, Any]) -> frozenset[str]:
    """Return the members that are secret, where ``mapping`` is a key in JSON (JWK, RFC 7517)."""
    return _PRIVATE_MEMBERS if isinstance(mapping.get("kty"), str) else _NO_MEMBERS


def schema_of_field(mapping: Mapping[Any, Any]) -> tuple[str, ...]:
    """Return which parts of ``mapping`` are values, where it is the JSON schema of a field; else nothing."""
    kind = mapping.get("type")
    is_schema = (isinstance(kind, str) and kind in _SCHEMA_TYPES) or "$ref" in mapping or "anyOf" in mapping
    return _SCHEMA_VALUES if is_schema else ()
