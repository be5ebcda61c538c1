"""Log records of spans as events of these spans too, for viewers that show no logs; used by the export thread alone.

A record comes out of the queue before the span that it belongs to, which ends later.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import Event

from obs_run import settings
from obs_run.base.json_text import to_json
from obs_run.core import semconv
from obs_run.pipeline.items import weight

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from obs_run.core.sink import LogRecord
    from obs_run.pipeline.rebuilt_span import SpanDraft

_SEVERITIES = {"trace": 1, "debug": 5, "info": 9, "warning": 13, "error": 17, "critical": 21}
_NEVER = 25
_MOST_EVENTS = 32
_MOST_SPANS = 4096
_MOST_BYTES = 8 << 20
_SAMPLED = 1
_EXCEPTION = "exception"
_EXCEPTION_ATTRIBUTES = (semconv.EXCEPTION_TYPE, semconv.EXCEPTION_MESSAGE, semconv.EXCEPTION_STACKTRACE)


class _Records:
    """What waits for the end of a span."""

    __slots__ = ("dropped", "kept", "size")

    def __init__(self) -> None:
        self.kept: list[LogRecord] = []
        self.dropped = 0
        self.size = 0


class LogEvents:
    """The records that are to be events of spans that have not come yet."""

    def __init__(self) -> None:
        self._least = _SEVERITIES.get(settings.get("OBS_SPAN_EVENTS"), _NEVER)
        self._waiting: OrderedDict[int, _Records] = OrderedDict()
        self._size = 0

    def note(self, record: LogRecord) -> None:
        """Keep a record for the span that it belongs to, if it is of a level that is wanted there."""
        severity = record.severity
        if record.event_name == semconv.EVENT_EXCEPTION:
            # A warning by the conventions; it is what the span failed by.
            severity = _SEVERITIES["critical"]
        if severity is None or severity < self._least or not record.span_id:
            return
        if not record.flags & _SAMPLED or not _is_for_span(record):
            return
        records = self._waiting.setdefault(record.span_id, _Records())
        self._waiting.move_to_end(record.span_id)
        size = weight(record.attributes) + weight(record.body)
        if len(records.kept) >= _MOST_EVENTS or self._size + size > _MOST_BYTES:
            records.dropped += 1
            return
        records.kept.append(record)
        records.size += size
        self._size += size
        if len(self._waiting) > _MOST_SPANS:
            # Of spans that were never ended here, as those around a fork.
            self._size -= self._waiting.popitem(last=False)[1].size

    def add_to(self, draft: SpanDraft) -> None:
        """Give a span that is over the events of its records."""
        context, before = draft.fields["context"], draft.fields["events"]
        if not self._waiting or context is None:
            return
        records = self._waiting.pop(context.span_id, None)
        if records is None:
            return
        self._size -= records.size
        events = [*before, *_events(records.kept, before)]
        if len(events) > len(before):
            events.sort(key=lambda event: event.timestamp)
            draft.fields["events"] = events
        if records.dropped:
            attributes = dict(draft.fields["attributes"] or {})
            draft.fields["attributes"] = {**attributes, semconv.OBS_SPAN_EVENTS_DROPPED: records.dropped}

    def clear(self) -> None:
        """Forget all, in a child process: the spans are the parent's."""
        self._waiting.clear()
        self._size = 0


def _is_for_span(record: LogRecord) -> bool:
    if record.event_name is not None:
        return record.event_name == semconv.EVENT_EXCEPTION
    # Alerts are events of their span already, and what we say of ourselves is nobody's span's.
    return not f"{_scope_name(record)}.".startswith("obs_run.")


def _scope_name(record: LogRecord) -> str:
    return record.scope if isinstance(record.scope, str) else record.scope.name


def _events(records: list[LogRecord], before: Sequence[Event]) -> Iterator[Event]:
    told = {_identity(event.attributes or {}) for event in before if event.name == _EXCEPTION}
    # The one of a record says what was going on, too.
    for record in sorted(records, key=lambda each: (each.event_name is not None, each.time_ns)):
        identity = _identity(record.attributes)
        is_told = identity is not None and identity in told
        if record.event_name is not None:
            # The conventions have the exceptions of their operations as log records, which many viewers do not show.
            if not is_told:
                told.add(identity)
                yield Event(_EXCEPTION, record.attributes, record.time_ns)
            continue
        attributes = _attributes(record)
        name = semconv.EVENT_LOG
        if is_told:
            attributes = {name: value for name, value in attributes.items() if name not in _EXCEPTION_ATTRIBUTES}
        elif identity is not None:
            told.add(identity)
            name = _EXCEPTION
        yield Event(name, attributes, record.time_ns)


def _identity(attributes: Any) -> tuple[str, Any] | None:
    """Return what tells an exception from others: type, which not all write with its module, and message."""
    kind = attributes.get(semconv.EXCEPTION_TYPE)
    if not isinstance(kind, str):
        return None
    return kind.rpartition(".")[2], attributes.get(semconv.EXCEPTION_MESSAGE) or ""


def _attributes(record: LogRecord) -> dict[str, Any]:
    body = record.body
    told = {
        semconv.LOG_MESSAGE: body if isinstance(body, str) else to_json(body),
        semconv.LOG_LEVEL: record.severity_text or str(record.severity),
        semconv.LOG_LOGGER: _scope_name(record),
    }
    return {**record.attributes, **told}
