"""Scrubbing of whole spans, log records and resources; one that cannot be scrubbed leaves without its texts."""

from __future__ import annotations

import copy
import operator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status, TraceState

from obs_run.base import guard, held_values
from obs_run.core import semconv
from obs_run.pipeline import redact
from obs_run.pipeline.rebuilt_span import SpanDraft

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from opentelemetry.sdk._logs import ReadableLogRecord

    from obs_run.pipeline.rebuilt_span import SpanFields
    from obs_run.pipeline.redact import Redaction

WITHHELD = "[withheld]"
_MARK = {semconv.OBS_PRIVACY_WITHHELD: True}
_NOTHING: frozenset[str] = frozenset()
_MOST_CACHED = 256


class ItemRedaction:
    """Scrubs what the SDK calls spans, records and resources; what nothing is found in passes as the same object."""

    def __init__(self, redaction: Redaction) -> None:
        self._values = redaction
        # Resources and scopes are few, and stand on every item.
        self._cache: dict[int, tuple[Any, Any]] = {}
        self._held = held_values.changes()

    def span(self, span: ReadableSpan, done: Collection[str] = _NOTHING) -> ReadableSpan:
        """Return a span that may leave; the attributes named in ``done`` are clean already."""
        draft = SpanDraft(span)
        self.scrub(draft, done)
        return draft.finished()

    def scrub(self, draft: SpanDraft, done: Collection[str] = _NOTHING) -> None:
        """Have a span leave without what must not; the attributes named in ``done`` are clean already."""
        try:
            draft.fields.update(self._clean_fields(draft.fields, done))
        except Exception as error:  # noqa: BLE001 (whatever it was, the span must not leave as it is)
            say_withheld("a span", error)
            draft.fields.update(self._bare_fields(draft.fields))

    def record(self, record: ReadableLogRecord, done: Collection[str] = _NOTHING) -> ReadableLogRecord:
        """Return a log record that may leave; the attributes named in ``done`` are clean already."""
        try:
            return self._record(record, done)
        except Exception as error:  # noqa: BLE001 (as above)
            say_withheld("a log record", error)
            return self._bare_record(record)

    def renew(self) -> None:
        """Look for secrets that the process did not hold before; once for each batch."""
        self._values.renew()

    def resource(self, resource: Resource) -> Resource:
        """Return a resource that may leave."""
        result: Resource = self._once(resource, "a resource", self._resource, _bare_resource)
        return result

    def scope(self, scope: InstrumentationScope | None) -> InstrumentationScope | None:
        """Return an instrumentation scope that may leave."""
        if scope is None:
            return None
        result: InstrumentationScope = self._once(scope, "a scope", self._scope, _bare_scope)
        return result

    def _once(self, original: Any, what: str, scrub: Callable[[Any], Any], instead: Callable[[Any], Any]) -> Any:
        if held_values.changes() != self._held:
            self._held = held_values.changes()
            self._cache.clear()
        cached = self._cache.get(id(original))
        if cached is not None:
            return cached[1]
        try:
            scrubbed = scrub(original)
        except Exception as error:  # noqa: BLE001 (as above)
            say_withheld(what, error)
            scrubbed = instead(original)
        if len(self._cache) >= _MOST_CACHED:
            self._cache.clear()
        # Kept beside the result: the id of an object that is gone may be another's.
        self._cache[id(original)] = original, scrubbed
        return scrubbed

    def _resource(self, resource: Resource) -> Resource:
        attributes = self._values.attributes(resource.attributes)
        return resource if attributes is resource.attributes else Resource(attributes, resource.schema_url)

    def _scope(self, scope: InstrumentationScope) -> InstrumentationScope:
        name, version = self._values.text(scope.name), self._values.text(scope.version)
        attributes = self._values.attributes(scope.attributes)
        if name is scope.name and version is scope.version and attributes is scope.attributes:
            return scope
        return InstrumentationScope(name, version, scope.schema_url, attributes)

    def _clean_fields(self, span: SpanFields, done: Collection[str]) -> SpanFields:
        return {
            "context": self._context(span["context"]),
            "name": self._values.text(span["name"]),
            "attributes": self._values.attributes(span["attributes"], done),
            "events": _each(span["events"], self._event),
            "links": _each(span["links"], self._link),
            "status": self._status(span["status"]),
            "resource": self.resource(span["resource"]),
            "instrumentation_scope": self.scope(span["instrumentation_scope"]),
        }

    def _event(self, event: Any) -> Any:
        name, attributes = self._values.text(event.name), self._values.attributes(event.attributes)
        return (
            event if name is event.name and attributes is event.attributes else Event(name, attributes, event.timestamp)
        )

    def _link(self, link: Any) -> Any:
        context, attributes = self._context(link.context), self._values.attributes(link.attributes)
        if context is None or (context is link.context and attributes is link.attributes):
            return link
        return Link(context, attributes)

    def _status(self, status: Status) -> Status:
        description = self._values.text(status.description)
        return status if description is status.description else Status(status.status_code, description)

    def _context(self, context: SpanContext | None) -> SpanContext | None:
        """Return a span context without the entries of its trace state in which something was found."""
        if context is None or not context.trace_state:
            return context
        state = dict(context.trace_state)
        kept = [(key, value) for key, value in state.items() if self._values.value(key, value) is value]
        if len(kept) == len(state):
            return context
        return SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags, TraceState(kept))

    def _record(self, record: ReadableLogRecord, done: Collection[str]) -> ReadableLogRecord:
        log = record.log_record
        body = self._values.value(None, log.body)
        attributes = self._values.attributes(log.attributes, done)
        event, severity = self._values.text(log.event_name), self._values.text(log.severity_text)
        resource, scope = self.resource(record.resource), self.scope(record.instrumentation_scope)
        if body is not log.body or attributes is not log.attributes or event is not log.event_name:
            log = _with(log, body=body, attributes=attributes, event_name=event, severity_text=severity)
        elif severity is not log.severity_text:
            log = _with(log, severity_text=severity)
        if log is record.log_record and resource is record.resource and scope is record.instrumentation_scope:
            return record
        return replace(record, log_record=log, resource=resource, instrumentation_scope=scope)

    def _bare_fields(self, span: SpanFields) -> SpanFields:
        context = span["context"]
        if context is not None and context.trace_state:
            context = SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags)
        return {
            "name": self._name(span["name"]),
            "context": context,
            "resource": self.resource(span["resource"]),
            "attributes": {**_figures(span["attributes"]), **_MARK},
            "events": [Event(WITHHELD, timestamp=event.timestamp) for event in span["events"]],
            "links": [_bare(link) for link in span["links"]],
            "status": Status(span["status"].status_code),
            "instrumentation_scope": self.scope(span["instrumentation_scope"]),
        }

    def _bare_record(self, record: ReadableLogRecord) -> ReadableLogRecord:
        log = record.log_record
        event = None if log.event_name is None else self._name(log.event_name)
        attributes = {**_figures(log.attributes), **_MARK}
        return replace(
            record,
            log_record=_with(log, body=WITHHELD, attributes=attributes, event_name=event, severity_text=None),
            resource=self.resource(record.resource),
            instrumentation_scope=self.scope(record.instrumentation_scope),
        )

    def _name(self, name: str) -> Any:
        try:
            return self._values.text(name)
        except Exception:  # noqa: BLE001 (said already)
            return WITHHELD


def _bare_resource(resource: Resource) -> Resource:
    kept = {name: value for name, value in resource.attributes.items() if name.startswith("telemetry.")}
    return Resource({**kept, **_MARK})


def _bare_scope(_: InstrumentationScope) -> InstrumentationScope:
    return InstrumentationScope(WITHHELD)


def _each(items: Any, scrub: Callable[[Any], Any]) -> Any:
    if not items:
        return items
    scrubbed = [scrub(item) for item in items]
    return items if all(map(operator.is_, items, scrubbed)) else scrubbed


def _with(log: Any, **fields: Any) -> Any:
    # The record is the agent's own where it was made with the logs API, and other processors have it too.
    changed = copy.copy(log)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _bare(link: Any) -> Link:
    context = link.context
    return Link(SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags))


def _figures(attributes: Any) -> dict[str, Any]:
    """Return the attributes that are numbers under names of the conventions."""
    plain = dict(attributes or {})
    return {name: value for name, value in plain.items() if redact.is_figure(name, value)}


def say_withheld(what: str, error: BaseException) -> None:
    """Say, once for each kind, that something could not be scrubbed; the error's own text may be what is private."""
    guard.warn_once(
        f"OBS_PRIVACY: scrubbing {what} failed ({type(error).__name__}): it leaves without its texts, "
        f"marked {semconv.OBS_PRIVACY_WITHHELD}",
        about=f"OBS_PRIVACY {what}",
    )


_shared: ItemRedaction | None = None
_of: Redaction | None = None


def shared() -> ItemRedaction | None:
    """Return the process's redaction of items; None where nothing is to be scrubbed."""
    global _shared, _of
    redaction = redact.shared()
    if redaction is None:
        return None
    if _shared is None or _of is not redaction:
        _shared, _of = ItemRedaction(redaction), redaction
    return _shared


def clean(item: Any) -> Any:
    """Return a span or log record that may leave; for those who hand them to a destination of their own."""
    redaction = shared()
    if redaction is None:
        return item
    return redaction.span(item) if isinstance(item, ReadableSpan) else redaction.record(item)
