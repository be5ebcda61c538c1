"""Spans of ours in an agent that has no SDK: what OpenTelemetry's API asks of a span, kept as plain data."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Span, SpanContext, Status, StatusCode, TraceFlags, get_current_span

from obs_run.base import guard
from obs_run.base.payload import error_name
from obs_run.buffer.codec import SpanChanges
from obs_run.core import semconv
from obs_run.core.sink import SpanEvent, SpanLink
from obs_run.process import identity
from obs_run.process.unpatched import time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context

_MOST = 128
"""Attributes, events and links of one span, as the SDK has it."""
_LEAVES = frozenset((str, bool, int, float))
_HAS_FAILED = {StatusCode.UNSET: None, StatusCode.OK: False, StatusCode.ERROR: True}


class BufferedSpan(Span):
    """A span that goes on. What the agent sets on it is of the agent's own doing, beside what its operation tells."""

    __slots__ = (
        "_context",
        "_first_name",
        "attributes",
        "end_time",
        "events",
        "has_failed",
        "is_dropped",
        "is_sampled",
        "kind",
        "links",
        "name",
        "parent",
        "start_time",
        "status_description",
    )

    def __init__(self, name: str, kind: str, parent: Context, start_ns: int | None) -> None:
        around = get_current_span(parent)
        outer = around.get_span_context()
        self.is_dropped: bool = type(around) is BufferedSpan and around.is_dropped
        """Whether it is left out, for want of room."""
        if outer.is_valid:
            self.parent: SpanContext | None = outer
            trace_id, state = outer.trace_id, outer.trace_state
            self.is_sampled = _keeps(outer)
        else:
            self.parent, state = None, None
            trace_id = identity.random_id(16)
            self.is_sampled = identity.root_sampled(trace_id)
        flags = TraceFlags(TraceFlags.SAMPLED if self.is_sampled else TraceFlags.DEFAULT)
        self._context = SpanContext(
            trace_id, identity.random_id(8), is_remote=False, trace_flags=flags, trace_state=state
        )
        self.name = self._first_name = name
        self.kind = kind
        self.start_time = time.time_ns() if start_ns is None else start_ns
        self.end_time: int | None = None
        self.attributes: dict[str, Any] = {}
        self.events: list[SpanEvent] = []
        self.links: list[SpanLink] = []
        self.has_failed: bool | None = None
        self.status_description: str | None = None

    def get_span_context(self) -> SpanContext:
        """Return its ids."""
        return self._context

    def is_recording(self) -> bool:
        """Whether what is set on it is recorded."""
        return self.end_time is None and self.is_sampled

    def set_attribute(self, key: str, value: Any) -> None:
        """Set one attribute."""
        if not self.is_recording() or (len(self.attributes) >= _MOST and key not in self.attributes):
            return
        if type(value) in _LEAVES:
            self.attributes[key] = value
        else:
            guard.call("attribute", self._set_other, key, value)

    def _set_other(self, key: str, value: Any) -> None:
        if isinstance(value, (list, tuple)):
            # The agent may change it afterwards.
            self.attributes[key] = tuple(value)
        elif isinstance(value, (str, bytes, int, float)):
            self.attributes[key] = value
        elif value is not None:
            guard.warn_once(f"attribute {key}: a span takes no {type(value).__name__}")

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Set several attributes."""
        for key, value in dict(attributes).items():
            self.set_attribute(key, value)

    def add_event(self, name: str, attributes: Mapping[str, Any] | None = None, timestamp: int | None = None) -> None:
        """Note that something happened."""
        if self.is_recording() and len(self.events) < _MOST:
            self.events.append(SpanEvent(name, dict(attributes or {}), timestamp or time.time_ns()))

    def add_link(self, context: SpanContext, attributes: Mapping[str, Any] | None = None) -> None:
        """Refer to another span."""
        if self.is_recording() and len(self.links) < _MOST:
            self.links.append(_link(context, dict(attributes or {})))

    def update_name(self, name: str) -> None:
        """Name it anew."""
        if self.is_recording():
            self.name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Say how it went; that it went well is final."""
        if not self.is_recording() or self.has_failed is False:
            return
        if isinstance(status, Status):
            code, description = status.status_code, status.description
        else:
            code = status
        if code is not StatusCode.UNSET:
            self.has_failed = _HAS_FAILED[code]
            self.status_description = description if self.has_failed else None

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: FBT001, FBT002 (the API's)
    ) -> None:
        """Note an exception as an event."""
        if not self.is_recording():
            return
        stack = traceback.format_exception(type(exception), exception, exception.__traceback__)
        described = {
            semconv.EXCEPTION_TYPE: error_name(exception),
            semconv.EXCEPTION_MESSAGE: guard.shown(exception),
            semconv.EXCEPTION_STACKTRACE: "".join(stack),
            "exception.escaped": str(escaped),
        }
        self.add_event("exception", {**described, **(attributes or {})}, timestamp)

    def end(self, end_time: int | None = None) -> None:
        """Do nothing: it ends with its operation, whoever else ends it."""

    def __exit__(self, *_: object) -> None:
        """Leave it as it is, likewise."""

    def changes(self) -> SpanChanges | None:
        """Return what it has besides its operation; None where that is nothing."""
        has_more = self.attributes or self.events or self.links or self.has_failed is not None
        if self.name is self._first_name and not has_more:
            return None
        return SpanChanges(
            self.name,
            self.attributes,
            tuple(self.events),
            tuple(self.links),
            self.has_failed,
            self.status_description,
        )


def _link(context: SpanContext, attributes: dict[str, Any]) -> SpanLink:
    state = context.trace_state.to_header() if context.trace_state else ""
    return SpanLink(context.trace_id, context.span_id, int(context.trace_flags), context.is_remote, state, attributes)


def _keeps(parent: SpanContext) -> bool:
    """Whether a span below ``parent`` is kept, as the standard samplers decide."""
    if identity.is_parent_based():
        return bool(parent.trace_flags.sampled)
    return identity.root_sampled(parent.trace_id)
