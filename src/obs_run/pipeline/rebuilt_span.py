"""A span in the SDK's form with other values of some fields."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, TypedDict

from opentelemetry.sdk.trace import ReadableSpan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import Link, SpanContext, SpanKind, Status
    from typing_extensions import Unpack

    class SpanFields(TypedDict, total=False):
        """The fields of a span in the SDK's form."""

        name: str
        context: SpanContext | None
        parent: SpanContext | None
        resource: Resource
        attributes: Mapping[str, Any] | None
        events: Sequence[Event]
        links: Sequence[Link]
        kind: SpanKind
        status: Status
        start_time: int | None
        end_time: int | None
        instrumentation_scope: InstrumentationScope | None


class SpanDraft:
    """A span that has ended, whose fields may be changed until it leaves; the SDK makes some anew at each question."""

    __slots__ = ("_before", "fields", "span")

    def __init__(self, span: ReadableSpan) -> None:
        self.span = span
        self.fields = _fields(span)
        self._before = self.fields.copy()

    def finished(self) -> ReadableSpan:
        """Return the span with its fields as they are now; itself where none was changed."""
        if all(map(operator.is_, self.fields.values(), self._before.values())):
            return self.span
        return ReadableSpan(**self.fields)


def rebuild_span(span: ReadableSpan, **changes: Unpack[SpanFields]) -> ReadableSpan:
    """Return a span with other values of some fields: the SDK's cannot be changed once they have ended."""
    fields = _fields(span)
    fields.update(changes)
    return ReadableSpan(**fields)


def _fields(span: ReadableSpan) -> SpanFields:
    return {
        "name": span.name,
        "context": span.context,
        "parent": span.parent,
        "resource": span.resource,
        "attributes": span.attributes,
        "events": span.events,
        "links": span.links,
        "kind": span.kind,
        "status": span.status,
        "start_time": span.start_time,
        "end_time": span.end_time,
        "instrumentation_scope": span.instrumentation_scope,
    }
