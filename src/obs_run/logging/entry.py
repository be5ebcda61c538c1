"""A record as handlers see it: its context, and the record itself."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any
from uuid import uuid4

from obs_run import privacy
from obs_run.base.json_text import to_json
from obs_run.base.plain_values import Snapshot
from obs_run.logging.levels import LogCategory, LogLevel


class _ContextState:
    """What is no field of a context."""

    __slots__ = ("_has_made_up_id",)

    _has_made_up_id: bool


@dataclass(init=False, repr=False, eq=False)
class LogContext(_ContextState):
    """Whose record it is: the fields that old code knows, and any others.

    Without a correlation id one is made up, as UUID; every other field that nobody sets is None or its default.
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

    def __init__(self, correlation_id: str | None = None, /, *values: Any, **more: Any) -> None:
        if len(values) >= len(_NAMES):
            raise TypeError(f"LogContext takes at most {len(_NAMES)} positional arguments")
        fields = {**dict(zip(_NAMES[1:], values, strict=False)), **more}
        own_id = correlation_id if correlation_id is not None else fields.pop("correlation_id", None)
        self.__dict__.update(_DEFAULTS)
        self.__dict__["correlation_id"] = str(uuid4()) if own_id is None else own_id
        self.__dict__.update(fields)
        self._has_made_up_id = own_id is None

    @classmethod
    def of(cls, fields: dict[str, Any]) -> LogContext:
        """Return a context with exactly ``fields`` and the defaults of those that are missing."""
        context = object.__new__(cls)
        context.__dict__ = {**_DEFAULTS, **fields}
        context._has_made_up_id = False
        return context

    def to_dict(self) -> dict[str, Any]:
        """Return every field by its name; those without a value are None."""
        return dict(self.__dict__)

    def own_fields(self) -> dict[str, Any]:
        """Return the fields that somebody set, without defaults and made-up ids."""
        own = {}
        for name, value in self.__dict__.items():
            is_default = value is None or (name in _DEFAULTS and value == _DEFAULTS[name])
            is_made_up = name == "correlation_id" and self._has_made_up_id
            if not is_default and not is_made_up:
                own[name] = value
        return own

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


class _EntryState:
    """What is no field of an entry, and is not copied with them: how it was made, and what was made of it."""

    __slots__ = ("_is_safe", "_line", "_record")

    _is_safe: bool
    _line: str
    _record: tuple[Any, str]


@dataclass
class StructuredLogEntry(_EntryState):
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
        values = {
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
                values[name] = value
        return values


@lru_cache(maxsize=2)
def _iso_second(second: int) -> str:
    # Most records come in the same second as the one before.
    return datetime.fromtimestamp(second, timezone.utc).isoformat()[:19]


def _iso(timestamp: float) -> str:
    """Return a time in UTC by ISO 8601, with microseconds."""
    second, microseconds = divmod(round(timestamp * 1e6), 1_000_000)
    return f"{_iso_second(second)}.{microseconds:06d}+00:00"


_OPTIONAL = ("exception", "stack_trace", "performance_metrics", "trace_id", "span_id")


def mark_safe(entry: StructuredLogEntry) -> StructuredLogEntry:
    """Note that an entry holds nothing but plain values, scrubbed."""
    entry._is_safe = True  # noqa: SLF001 (the same module)
    return entry


def is_safe(entry: StructuredLogEntry) -> bool:
    """Whether an entry was marked so; one that somebody else made is not."""
    return getattr(entry, "_is_safe", False)


def attach_record(entry: StructuredLogEntry, record: Any, scope: str) -> None:
    """Note the record that an entry was made of, and the name of its logger."""
    entry._record = record, scope  # noqa: SLF001 (the same module)


def record_of(entry: StructuredLogEntry) -> tuple[Any, str] | None:
    """Return the record that an entry was made of with the name of its logger; None where somebody else made it."""
    return getattr(entry, "_record", None)


def line(entry: StructuredLogEntry) -> str:
    """Return the record as handlers write it: scrubbed, as one line of JSON, without empty fields of the context."""
    text: str | None = getattr(entry, "_line", None)
    if text is None:
        context = {name: value for name, value in entry.context.__dict__.items() if value is not None}
        values = entry._as_dict(context)  # noqa: SLF001 (the same module)
        if not is_safe(entry):
            values = privacy.scrubber().value(None, Snapshot().value(values))
        text = entry._line = to_json(values)  # noqa: SLF001 (the same module)
    return text
