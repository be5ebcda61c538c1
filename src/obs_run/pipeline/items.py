"""What waits in the queue: each item knows roughly how many bytes of memory it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import ReadableSpan

    from obs_run.core.sink import LogRecord, OperationRecord

# As measured (benchmarks/memory.py): what the SDK's span takes is ten times what is in it.
_SPAN_SIZE = 3400
_OPERATION_SIZE = 700
_BASE_SIZE = 600
_ENTRY_SIZE = 100
_ERROR_SEVERITY = 17


class SpanItem:
    """A span that has ended and, where it is one of ours, the operation that it stands for."""

    __slots__ = ("is_told", "operation", "runs", "size", "span")

    def __init__(
        self,
        span: ReadableSpan,
        operation: OperationRecord | None = None,
        *,
        is_told: bool = False,
        runs: tuple[tuple[int, str | None], ...] = (),
    ) -> None:
        self.span = span
        self.operation = operation
        self.is_told = is_told
        """Whether the span of somebody else ended inside of a model call of ours, which tells of it."""
        self.runs = runs
        """Our runs that the span of somebody else ended inside of, as ``OperationRecord`` has them."""
        self.size = _SPAN_SIZE
        if operation is None:
            self.size += _weight_of(span.attributes)
        else:
            # All else that it holds, and its span, are short labels.
            self.size += _OPERATION_SIZE + operation.content_size
        # To ask the SDK's lists for their length is cheaper than to go through an empty one.
        for attached in (span.events, span.links):
            if len(attached):
                self.size += sum(_BASE_SIZE + _weight_of(each.attributes) for each in attached)


class OpenItem:
    """A span that is open, as it was at its ``end_time``."""

    __slots__ = ("is_run", "size", "span")

    def __init__(self, span: ReadableSpan, *, is_run: bool) -> None:
        self.span = span
        self.is_run = is_run
        """Whether it is the run's."""
        self.size = _SPAN_SIZE


class OperationItem:
    """An operation whose span goes nowhere: it is measured all the same."""

    __slots__ = ("operation", "size")

    def __init__(self, operation: OperationRecord) -> None:
        self.operation = operation
        self.size = _BASE_SIZE + _OPERATION_SIZE


class LogItem:
    """A log record or event."""

    __slots__ = ("record", "size")

    def __init__(self, record: LogRecord) -> None:
        self.record = record
        self.size = _BASE_SIZE + weight(record.attributes) + weight(record.body)


class DeferredCall:
    """Work for the export thread."""

    __slots__ = ("arguments", "function", "size")

    def __init__(self, function: Callable[..., object], *arguments: Any, size: int = _BASE_SIZE) -> None:
        self.function = function
        self.arguments = arguments
        self.size = size


Item = SpanItem | OpenItem | OperationItem | LogItem | DeferredCall


def comes_first(item: object) -> bool:
    """Whether an item is one of those that go first where there is no time for all: roots of traces, and errors."""
    if isinstance(item, SpanItem):
        parent = item.span.parent
        return parent is None or parent.is_remote or item.span.status.status_code.name == "ERROR"
    return isinstance(item, LogItem) and (item.record.severity or 0) >= _ERROR_SEVERITY


_SMALL = frozenset({int, float, bool, type(None)})


def _weight_of(attributes: Any) -> int:
    if not attributes:
        return 0
    # The SDK's mapping answers a copy at once, and dict() key by key.
    plain = attributes.copy() if hasattr(attributes, "copy") else dict(attributes)
    return weight(plain)


def weight(value: Any, depth: int = 6) -> int:
    """Guess the memory held by texts inside ``value``; exactness is not worth the agent's time."""
    if isinstance(value, (str, bytes)):
        return len(value)
    if not depth or not isinstance(value, (dict, list, tuple)):
        return 0
    total = _ENTRY_SIZE * len(value)
    for item in value.values() if isinstance(value, dict) else value:
        # Most attributes are short texts: not worth a call.
        kind = type(item)
        if kind is str:
            total += len(item)
        elif kind not in _SMALL:
            total += weight(item, depth - 1)
    return total
