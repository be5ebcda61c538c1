"""Kinds, outcomes and ids of spans, and their forms in OpenTelemetry."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from opentelemetry import trace as api

from obs_run.base import guard

if TYPE_CHECKING:
    from collections.abc import Mapping

    E = TypeVar("E", bound=Enum)

_HEX = frozenset("0123456789abcdef")
_TRACE_DIGITS, _SPAN_DIGITS = 32, 16


class SpanKind(Enum):
    """What a span is to its peer, as in OpenTelemetry."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


class SpanStatus(Enum):
    """How a span ended. OpenTelemetry knows of errors only; TIMEOUT and CANCELLED are said in ``obs.span.status``."""

    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"


KINDS: Mapping[SpanKind, api.SpanKind] = {kind: api.SpanKind[kind.name] for kind in SpanKind}


def _new_trace_id() -> str:
    return os.urandom(_TRACE_DIGITS // 2).hex()


def _new_span_id() -> str:
    return os.urandom(_SPAN_DIGITS // 2).hex()


@dataclass
class SpanContext:
    """A span's ids as W3C hex strings: 32 characters of the trace, 16 of the span and of its parent (None: a root).

    ``flags`` are those of W3C Trace Context; 1 means that the trace is kept.
    """

    trace_id: str = field(default_factory=_new_trace_id)
    span_id: str = field(default_factory=_new_span_id)
    parent_span_id: str | None = None
    flags: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Return the ids as a dict."""
        return asdict(self)


def from_otel(trace_id: int, span_id: int, parent_id: int, flags: int) -> SpanContext:
    """Return OpenTelemetry's ids as ours."""
    parent = api.format_span_id(parent_id) if parent_id else None
    return SpanContext(api.format_trace_id(trace_id), api.format_span_id(span_id), parent, flags)


def to_otel(context: SpanContext) -> api.SpanContext | None:
    """Return our ids as OpenTelemetry's, old dashed ones too; None where they are none."""
    trace_id, span_id = hexadecimal(context.trace_id), hexadecimal(context.span_id)
    if trace_id is None or span_id is None or len(trace_id) != _TRACE_DIGITS:
        return None
    flags = context.flags if isinstance(context.flags, int) else 1
    # Old span ids were as long as trace ids.
    otel_context = api.SpanContext(
        int(trace_id, 16), int(span_id[-_SPAN_DIGITS:], 16), is_remote=True, trace_flags=api.TraceFlags(flags & 255)
    )
    return otel_context if otel_context.is_valid else None


def hexadecimal(value: Any) -> str | None:
    """Return an id in small letters and without dashes, None if it is not one."""
    if not isinstance(value, str):
        return None
    text = value.strip().replace("-", "").lower()
    return text if _SPAN_DIGITS <= len(text) <= _TRACE_DIGITS and _HEX.issuperset(text) else None


def coerce_enum(kind: type[E], value: Any, default: E) -> E:
    """Return the member of an enum that is meant: itself, its value or name, or OpenTelemetry's of the same name."""
    if isinstance(value, kind):
        return value
    name = getattr(value, "name", value)
    try:
        return kind[guard.shown(name).upper()]
    except KeyError:
        allowed = ", ".join(each.name for each in kind)
        shown = guard.shown(value)[:100]
        guard.warn_once(
            f"{kind.__name__} {shown!r} is not allowed; allowed: {allowed}; using {default.name}", about=kind.__name__
        )
        return default
