"""Levels and categories of records."""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple

from obs_run.base import guard


class Severity(NamedTuple):
    """A level as OpenTelemetry's log data model numbers it, and its place among the levels."""

    number: int
    text: str
    place: int


class LogLevel(Enum):
    """How much a record matters, from TRACE to CRITICAL."""

    severity: Severity

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class LogCategory(Enum):
    """What part of a system a record is about; SECURITY also goes to the audit trail."""

    index: int

    SYSTEM = "system"
    AGENT = "agent"
    API = "api"
    PERFORMANCE = "performance"
    SECURITY = "security"
    BUSINESS = "business"
    INTEGRATION = "integration"
    USER = "user"


# Attributes of the members, because a dict by members would compute a hash in Python each time.
for _index, (_level, _number) in enumerate(zip(LogLevel, (1, 5, 9, 13, 17, 21), strict=True)):
    _level.severity = Severity(_number, _level.name, _index)
for _index, _category in enumerate(LogCategory):
    _category.index = _index

_LEVELS = {level.value: level for level in LogLevel} | {"warn": LogLevel.WARNING, "fatal": LogLevel.CRITICAL}
_CATEGORIES = {category.value: category for category in LogCategory}
_SHOWN = 100
_TRACE = 5
_NUMBERS = (
    (50, LogLevel.CRITICAL),
    (40, LogLevel.ERROR),
    (30, LogLevel.WARNING),
    (20, LogLevel.INFO),
    (10, LogLevel.DEBUG),
)


def level_of(value: Any) -> LogLevel:
    """Return the level that is meant: itself, its name, or a number of the logging module."""
    if type(value) is LogLevel:
        return value
    if type(value) is int:
        return next((level for number, level in _NUMBERS if value >= number), LogLevel.TRACE)
    level = _LEVELS.get(value.lower()) if type(value) is str else None
    if level is None:
        _refuse("level", value, LogLevel, "INFO")
        return LogLevel.INFO
    return level


def number_of(level: LogLevel) -> int:
    """Return the number of the logging module for a level."""
    return next((number for number, each in _NUMBERS if each is level), _TRACE)


def category_of(value: Any) -> LogCategory:
    """Return the category that is meant: itself, or its name."""
    if type(value) is LogCategory:
        return value
    category = _CATEGORIES.get(value.lower()) if type(value) is str else None
    if category is None:
        _refuse("category", value, LogCategory, "SYSTEM")
        return LogCategory.SYSTEM
    return category


def _refuse(what: str, value: Any, allowed: type[Enum], instead: str) -> None:
    names = ", ".join(each.name for each in allowed)
    shown = guard.shown(value)[:_SHOWN]
    guard.warn_once(
        f"obs_run.logging: {what} {shown} is not allowed; allowed: {names}; using {instead}",
        about=f"obs_run.logging: {what}",
    )
