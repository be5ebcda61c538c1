"""A record as handlers see it: its context, and the record itself."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any
from uuid import uuid4

from obs_run import privacy
from obs_run.base.plain_values import Snapshot, to_json
from obs_run.logging.levels import LogCategory, LogLevel

_GENERATED = "_generated"


@dataclass(init=False, repr=False, eq=False)
class LogContext:
    """Whose record it is: the fields that old code knows, and any others.

    A correlation id that is not given is made up, as UUID; every other field that is not given is None or its default.
    """

    correlation_id: str
    request_id: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    agent_id: str | None = None
    operation: str | None = None
    source: str | None = None
    version: str = "1.0.0"
    environment: str = "development"

    def __init__(self, correlation_id: str | None = None, /, *given: Any, **more: Any) -> None:
        if len(given) >= len(_NAMES):
            raise TypeError(f"LogContext takes at most {len(_NAMES)} positional arguments")
        fields = {**dict(zip(_NAMES[1:], given, strict=False)), **more}
        identity = correlation_id if correlation_id is not None else fields.pop("correlation_id", None)
        self.__dict__.update(_DEFAULTS)
        self.__dict__["correlation_id"] = str(uuid4()) if identity is None else identity
        self.__dict__.update(fields)
        if identity is None:
            self.__dict__[_GENERATED] = True

    @classmethod
    def of(cls, fields: dict[str, Any]) -> LogContext:
        """Return a context with exactly ``fields`` and the defaults of those that are missing."""
        made = object.__new__(cls)
        made.__dict__ = {**_DEFAULTS, **fields}
        return made

    def to_dict(self) -> dict[str, Any]:
        """Return every field by its name; those without a value are None."""
        return {name: value for name, value in self.__dict__.items() if name != _GENERATED}

    def given(self) -> dict[str, Any]:
        """Return the fields that somebody set, without defaults and made-up ids."""
        own = self.__dict__
        return {
            name: value
            for name, value in LogContext.to_dict(self).items()
            if value is not None
            and (name not in _DEFAULTS or value != _DEFAULTS[name])
            and not (name == "correlation_id" and _GENERATED in own)
        }

    def __eq__(self, other: object) -> bool:
        """Whether the other context has the same fields."""
        if not isinstance(other, LogContext):
            return NotImplemented
        return LogContext.to_dict(self) == LogContext.to_dict(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Return the fields that have a value."""
        fields = LogContext.to_dict(self).items()
        return f"LogContext({', '.join(f'{name}={value!r}' for name, value in fields if value is not None)})"


_NAMES = tuple(LogContext.__dataclass_fields__)
_DEFAULTS: dict[str, Any] = {name: getattr(LogContext, name, None) for name in _NAMES}


@dataclass
class StructuredLogEntry:
    """One record; times in seconds since the epoch."""

    timestamp: float = field(default_factory=time.time)
    level: LogLevel = LogLevel.INFO
    category: LogCategory = LogCategory.SYSTEM
    message: str = ""
    context: LogContext = field(default_factory=LogContext)
    data: dict[str, Any] = field(default_factory=dict)
    exception: str | None = None
    stack_trace: str | None = None
    performance_metrics: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    trace_id: str | None = None
    span_id: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the record by names; ``exception`` and those after it only where there is something to say."""
        return self._as_dict(LogContext.to_dict(self.context))

    def to_json(self) -> str:
        """Return the record as one line of JSON, without a newline."""
        return to_json(Snapshot().value(self.to_dict()))

    def _as_dict(self, context: dict[str, Any]) -> dict[str, Any]:
        told = {
            "timestamp": self.timestamp,
            "iso_timestamp": _iso(self.timestamp),
            "level": getattr(self.level, "_value_", self.level),
            "category": getattr(self.category, "_value_", self.category),
            "message": self.message,
            "context": context,
            "data": self.data,
            "tags": self.tags,
        }
        for name in _OPTIONAL:
            value = self.__dict__[name]
            if value:
                told[name] = value
        return told


_second: tuple[int, str] = (-1, "")


def _iso(timestamp: float) -> str:
    """Return a time in UTC by ISO 8601, with microseconds."""
    global _second
    second, microseconds = divmod(round(timestamp * 1e6), 1_000_000)
    known = _second
    if known[0] != second:
        # Most records come in the same second as the one before.
        known = _second = second, datetime.fromtimestamp(second, timezone.utc).isoformat()[:19]
    return f"{known[1]}.{microseconds:06d}+00:00"


_OPTIONAL = ("exception", "stack_trace", "performance_metrics", "trace_id", "span_id")
_SAFE, _LINE = "_safe", "_line"


def mark_safe(entry: StructuredLogEntry) -> StructuredLogEntry:
    """Note that an entry holds nothing but plain values, scrubbed."""
    entry.__dict__[_SAFE] = True
    return entry


def line(entry: StructuredLogEntry) -> str:
    """Return the record as handlers write it: scrubbed, as one line of JSON, without empty fields of the context."""
    known: str | None = entry.__dict__.get(_LINE)
    if known is None:
        own = entry.context.__dict__
        context = {name: value for name, value in own.items() if value is not None and name != _GENERATED}
        told = entry._as_dict(context)  # noqa: SLF001 (the same module)
        if _SAFE not in entry.__dict__:
            told = privacy.scrubber().value(None, Snapshot().value(told))
        known = entry.__dict__[_LINE] = to_json(told)
    return known
