"""What waits in the queue: each item knows roughly how many bytes of memory it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import ReadableSpan

    from obs_run.core.operations import Operation
    from obs_run.core.sink import Timing

_BASE_SIZE = 600
_LABELS_SIZE = 1500


class SpanItem:
    """A span that has ended and, where it is one of ours, the operation that it tells of."""

    __slots__ = ("operation", "size", "span", "timing")

    def __init__(self, span: ReadableSpan, operation: Operation | None = None, timing: Timing | None = None) -> None:
        self.span = span
        self.operation = operation
        self.timing = timing
        self.size = _BASE_SIZE + (_weight_of(span.attributes) if operation is None else _weight_of_content(operation))
        # To ask the SDK's lists for their length is cheaper than to go through an empty one.
        for attached in (span.events, span.links):
            if len(attached):
                self.size += sum(_BASE_SIZE + _weight_of(each.attributes) for each in attached)


class LogItem:
    """A log record or event, as plain values."""

    __slots__ = (
        "attributes",
        "body",
        "event_name",
        "flags",
        "scope",
        "severity",
        "severity_text",
        "size",
        "span_id",
        "time_ns",
        "trace_id",
    )

    def __init__(
        self,
        *,
        time_ns: int,
        severity: int,
        severity_text: str | None,
        body: Any,
        attributes: dict[str, Any],
        trace: tuple[int, int, int],
        scope: str,
        event_name: str | None = None,
    ) -> None:
        self.time_ns = time_ns
        self.severity = severity
        self.severity_text = severity_text
        self.body = body
        self.attributes = attributes
        self.trace_id, self.span_id, self.flags = trace
        self.scope = scope
        self.event_name = event_name
        self.size = _BASE_SIZE + weight(attributes) + (len(body) if isinstance(body, str) else 0)


class ApiLogItem:
    """A record made with the OpenTelemetry logs API."""

    __slots__ = ("record", "size")

    def __init__(self, record: Any) -> None:
        self.record = record
        self.size = _BASE_SIZE + _weight_of(record.log_record.attributes) + weight(record.log_record.body)


class CallItem:
    """Work for the export thread, such as recording the measurements of an operation."""

    __slots__ = ("arguments", "function", "size")

    def __init__(self, function: Callable[..., object], *arguments: Any) -> None:
        self.function = function
        self.arguments = arguments
        self.size = _BASE_SIZE


Item = SpanItem | LogItem | ApiLogItem | CallItem


_SMALL = frozenset({int, float, bool, type(None)})


def _weight_of(attributes: Any) -> int:
    # The SDK's mapping answers a copy at once, and dict() key by key.
    return weight(attributes.copy() if hasattr(attributes, "copy") else dict(attributes)) if attributes else 0


def _weight_of_content(operation: Operation) -> int:
    """Guess the memory held by what an operation says; all else that it holds, and its span, are short labels."""
    values = operation.__dict__
    told = (values[name] for name in getattr(operation, "CONTENT", ()))
    return _LABELS_SIZE + sum(weight(value) for value in told if value is not None)


def weight(value: Any, depth: int = 6) -> int:
    """Guess the memory held by texts inside ``value``; exactness is not worth the agent's time."""
    if isinstance(value, (str, bytes)):
        return len(value)
    if not depth or not isinstance(value, (dict, list, tuple)):
        return 0
    total = 50 * len(value)
    for item in value.values() if isinstance(value, dict) else value:
        # Most fields of an operation are None, most attributes short texts: not worth a call.
        kind = type(item)
        if kind is str:
            total += len(item)
        elif kind not in _SMALL:
            total += weight(item, depth - 1)
    return total
