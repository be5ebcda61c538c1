"""Which calls in a source log something, and what they log."""

from __future__ import annotations

import ast

from obs_run import settings
from obs_run.bridge.templates import LEVEL_NAMES, read_template

LEVELS = {
    "trace": 5, "debug": 10, "info": 20, "success": 25, "warning": 30, "warn": 30, "error": 40, "exception": 40,
    "critical": 50, "fatal": 50, "print": 20, "msg": 20, "notice": 20,
}  # fmt: skip
LEVEL_LETTERS = {"D": 10, "I": 20, "W": 30, "E": 40, "C": 50, "F": 50}
_PRINTING = frozenset(["print", "write"])
_HELPERS = frozenset(("log", "log_info", "log_debug", "log_event", "emit_log", "say", "logline"))
"""What functions that log what they are given are called."""
_INFO = 20
Logged = tuple[int, ast.expr, list[ast.expr]]
"""The level, message and arguments of a call that logs."""


def read_call(call: ast.Call, helpers: frozenset[str]) -> Logged | None:
    """Return what a call logs, None where it does not log."""
    name = last_name(call.func)
    if not call.args or (name in _PRINTING and not settings.get("OBS_BRIDGE_STDOUT")):
        return None
    return (
        _logged_at_level(call, name)
        or _written_past_logging(call, name)
        or _logged_by_method(call, name)
        or _logged_by_helper(call, name, helpers)
    )


def _logged_at_level(call: ast.Call, name: str) -> Logged | None:
    """Return what ``log`` is given, whose first argument is the level."""
    arguments = call.args
    if name != "log" or not isinstance(call.func, ast.Attribute) or len(arguments) == 1:
        return None
    level = _level_of(arguments[0])
    return None if level is None else (level or _INFO, arguments[1], arguments[2:])


def _logged_by_method(call: ast.Call, name: str) -> Logged | None:
    """Return what a method is given that is named for its level, or ``print``."""
    if name not in LEVELS or not (isinstance(call.func, ast.Attribute) or name == "print"):
        return None
    return LEVELS[name], call.args[0], call.args[1:]


def _logged_by_helper(call: ast.Call, name: str, helpers: frozenset[str]) -> Logged | None:
    """Return what a function of the agent's own is given that logs it."""
    plain_name = name.lstrip("_")
    if name not in helpers and plain_name not in _HELPERS:
        return None
    levels = {place: found for place, each in enumerate(call.args) if (found := _level_of(each)) is not None}
    texts = [place for place, each in enumerate(call.args) if place not in levels and read_template(each, [])]
    if len(texts) > 1 and (letter := _level_letter(call.args[texts[0]])) is not None:
        levels[texts.pop(0)] = letter
    if not texts:
        return None
    level = next(iter(levels.values()), None)
    guessed = LEVELS.get(plain_name.removeprefix("log_"), _INFO)
    values = [each for place, each in enumerate(call.args) if place > texts[0] and place not in levels]
    return guessed if level is None else level, call.args[texts[0]], values


def _written_past_logging(call: ast.Call, name: str) -> Logged | None:
    """Return what methods are given that only loguru and structlog have, and functions that print."""
    function, arguments = call.func, call.args
    if name == "print" and len(arguments) > 1:
        return _INFO, _joined_by_spaces(arguments), []
    if not isinstance(function, ast.Attribute):
        return None
    if name == "write" and getattr(function.value, "attr", "") == "stdout":
        return _INFO, arguments[0], []
    if name == "log" and len(arguments) > 1 and isinstance(arguments[0], (ast.Constant, ast.Attribute)):
        return _INFO, arguments[1], arguments[2:]  # a level of the agent's own
    if name[:1] == "a" and name[1:] in LEVELS:  # structlog's methods that are awaited
        return LEVELS[name[1:]], arguments[0], arguments[1:]
    return None


def _joined_by_spaces(arguments: list[ast.expr]) -> ast.JoinedStr:
    """Return what is printed as one text."""
    parts: list[ast.expr] = []
    for each in arguments:
        if parts:
            parts.append(ast.Constant(" "))
        if isinstance(each, ast.JoinedStr):
            parts.extend(each.values)
        elif isinstance(each, ast.Constant):
            parts.append(ast.Constant(str(each.value)))
        else:
            parts.append(ast.FormattedValue(each, -1))
    return ast.JoinedStr(parts)


def _level_of(node: ast.expr) -> int | None:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str) and node.value.upper() in LEVEL_NAMES:
            return LEVEL_NAMES[node.value.upper()]
        return node.value if isinstance(node.value, int) and not isinstance(node.value, bool) else None
    name = last_name(node)
    return LEVEL_NAMES.get(name.upper()) if name.isupper() else None


def _level_letter(node: ast.expr) -> int | None:
    """Return the level that a letter stands for, as "W" for a warning."""
    text = node.value if isinstance(node, ast.Constant) else None
    return LEVEL_LETTERS.get(text) if isinstance(text, str) else None


def last_name(node: ast.expr) -> str:
    """Return the name that an expression ends with, "" where it is of another kind."""
    name: str = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name
