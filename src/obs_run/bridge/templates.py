"""The texts of log statements, with the values left out that are filled in."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, NamedTuple

from obs_run.bridge.words import VALUE

if TYPE_CHECKING:
    from collections.abc import Iterator

_MESSAGE_KEYS = frozenset(("event", "msg", "message", "text"))
"""What the text of a message is called among its fields."""
_WORD = re.compile(r"[^\W\d_]{2}")
LEVEL_NAMES = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "WARN": 30, "ERROR": 40, "CRITICAL": 50, "FATAL": 50}


class Template(NamedTuple):
    """The text of a log statement with its values left out, and what names these, "" where nothing does."""

    text: str
    names: tuple[str, ...] = ()

    def is_bare(self) -> bool:
        """Whether the text is its values alone, and perhaps a level: ``print(f"[INFO] {message}")``."""
        words = "".join(each if each.isalpha() else " " for each in self.text).upper().split()
        return VALUE in self.text and all(word in LEVEL_NAMES for word in words)


def read_template(message: ast.expr, arguments: list[ast.expr]) -> Template | None:
    """Return a message's text without its values; None where it has no text of its own."""
    if isinstance(message, ast.Constant) and isinstance(message.value, str):
        return _percent(message.value, arguments)
    if isinstance(message, ast.JoinedStr):
        return _joined(message)
    if isinstance(message, ast.BinOp):
        return _operation(message)
    if isinstance(message, ast.Call):
        return _formatted(message) or _built(message)
    return read_template(message.body, []) if isinstance(message, ast.IfExp) else None


def _operation(message: ast.BinOp) -> Template | None:
    left = message.left
    if isinstance(message.op, ast.Mod):
        values = message.right
        inner = values.elts if isinstance(values, ast.Tuple) else [values]
        return _percent(left.value, inner) if isinstance(left, ast.Constant) and isinstance(left.value, str) else None
    if not isinstance(message.op, ast.Add):
        return None
    left_part, right_part = read_template(left, []), read_template(message.right, [])
    if left_part is None and right_part is None:
        return None
    left_part = left_part or Template(VALUE, (name_of(left),))
    right_part = right_part or Template(VALUE, (name_of(message.right),))
    return Template(left_part.text + right_part.text, left_part.names + right_part.names)


def _built(message: ast.Call) -> Template | None:
    """Return the text that a function of the agent's makes a message of: ``json.dumps({"event": "task.start", ...})``.

    It is the first text that is given with a word in it; what else is given are values.
    """
    function = message.func
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Constant):
        return None  # a method of a text, as join
    found: Template | None = None
    names: list[str] = []
    for name, each in _given(message):
        text = read_template(each, []) if found is None and (name is None or name in _MESSAGE_KEYS) else None
        if text is not None and _WORD.search(text.text):
            found = text
        elif not isinstance(each, ast.Constant):
            names.append(name or name_of(each))
    if found is None:
        has_fields = any(isinstance(each, ast.Dict) for each in message.args)
        return Template(VALUE + f" {VALUE}" * (len(names) - 1), tuple(names)) if has_fields and names else None
    return found._replace(text=found.text + f" {VALUE}" * len(names), names=(*found.names, *names))


def _given(call: ast.Call) -> Iterator[tuple[str | None, ast.expr]]:
    """Yield what a call is given, a mapping by its keys, with the names."""
    for each in call.args:
        if not isinstance(each, ast.Dict):
            yield None, each
            continue
        for key, value in zip(each.keys, each.values, strict=True):
            yield ("" if key is None else _text_of(key)), value
    for keyword in call.keywords:
        yield keyword.arg or "", keyword.value


def _formatted(message: ast.Call) -> Template | None:
    function = message.func
    if not isinstance(function, ast.Attribute) or function.attr != "format":
        return None
    text = function.value
    return _braces(text.value, message) if isinstance(text, ast.Constant) and isinstance(text.value, str) else None


def name_of(node: ast.expr) -> str:
    """Return what names a value: a variable, an attribute, a key; "" where it is made of more than one."""
    if isinstance(node, ast.Name):
        return node.id.lower()
    if isinstance(node, ast.Attribute):
        return node.attr.lower()
    if isinstance(node, ast.Subscript):
        return (
            _text_of(node.slice) or name_of(node.value) if isinstance(node.slice, ast.Slice) else _text_of(node.slice)
        )
    if isinstance(node, ast.Call) and node.args:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in ("get", "getattr", "pop"):
            return next((text for each in node.args if (text := _text_of(each))), "")
        return name_of(node.args[0]) if name in ("str", "repr", "int", "hex") else ""
    return ""


def _text_of(node: ast.AST) -> str:
    return node.value.lower() if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _joined(message: ast.JoinedStr) -> Template:
    text: list[str] = []
    names: list[str] = []
    for part in message.values:
        if isinstance(part, ast.Constant):
            text.append(str(part.value))
        elif isinstance(part, ast.FormattedValue):
            text.append(VALUE)
            names.append(name_of(part.value))
    return Template("".join(text), tuple(names))


def _percent(text: str, arguments: list[ast.expr]) -> Template:
    if not arguments or "%" not in text:
        if "{" in text:  # loguru, whose values may be named
            named = [field if field.isidentifier() else "" for field in re.findall(r"\{([^{}:!]*)[^{}]*\}", text)]
            positional = map(name_of, arguments)
            return Template(re.sub(r"\{[^{}]*\}", VALUE, text), tuple(name or next(positional, "") for name in named))
        return Template(text)
    names = re.findall(r"%\((\w+)\)", text)
    template = re.sub(r"%(?:\(\w+\))?[-+ #0-9.*]*[a-zA-Z]", VALUE, text)
    return Template(template, tuple(names) or tuple(map(name_of, arguments)))


def _braces(text: str, call: ast.Call) -> Template:
    named = {each.arg: each.arg for each in call.keywords if each.arg}
    names = []
    for number, field in enumerate(re.findall(r"\{([^{}:!]*)[^{}]*\}", text)):
        place = int(field) if field.isdecimal() else number
        known = named.get(field)
        if known is None and place < len(call.args):
            known = name_of(call.args[place])
        names.append(known or "")
    return Template(re.sub(r"\{[^{}]*\}", VALUE, text), tuple(names))
