"""Spans, log records and metrics as OTLP can say them: half characters and integers that are too long put otherwise.

The official encoder drops an attribute that it cannot say, with a traceback, and fails for a name or a metric's value.
What can be said is passed on as it is.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, Status

from obs_run.base import guard
from obs_run.base.encodable import encodable
from obs_run.pipeline.rebuilt_span import rebuild_span

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.metrics.export import MetricsData
    from opentelemetry.sdk.trace import ReadableSpan

_INT64 = 2**63
_DEEPEST = 32


def spans(batch: Sequence[ReadableSpan]) -> list[ReadableSpan]:
    """Return spans that OTLP can say."""
    resources: dict[int, Resource] = {}
    return [_span(span, resources) for span in batch]


def records(batch: Sequence[ReadableLogRecord]) -> list[ReadableLogRecord]:
    """Return log records that OTLP can say."""
    resources: dict[int, Resource] = {}
    return [_record(record, resources) for record in batch]


def metrics(data: MetricsData) -> MetricsData:
    """Return metrics that OTLP can say."""
    return replace(data, resource_metrics=[_of_resource(each) for each in data.resource_metrics])


def value(given: Any, depth: int = _DEEPEST) -> Any:
    """Return a value that OTLP can say; the same object where it can be said as it is."""
    if isinstance(given, str):
        return _text(given)
    if isinstance(given, int) and not -_INT64 <= given < _INT64:
        # More digits than that Python may refuse to write.
        return guard.shown(given)
    if not depth:
        return given
    if isinstance(given, Mapping):
        return attributes(given, depth - 1)
    if isinstance(given, (list, tuple)):
        return _each(given, lambda item: value(item, depth - 1))
    return given


def attributes(given: Any, depth: int = _DEEPEST) -> Any:
    """Return attributes that OTLP can say; the same object where they can be said as they are."""
    if not given:
        return given
    said = {_key(key): value(item, depth) for key, item in given.items()}
    is_same = all(map(operator.is_, given.values(), said.values())) and all(map(operator.is_, given, said))
    return given if is_same and len(said) == len(given) else said


def _key(key: Any) -> Any:
    return _text(key) if isinstance(key, str) else key


def _text(text: str) -> str:
    said = encodable(text)
    return text if said == text else said


def _each(items: Any, say: Callable[[Any], Any]) -> Any:
    said = [say(item) for item in items]
    return items if all(map(operator.is_, items, said)) else said


def _span(span: ReadableSpan, resources: dict[int, Resource]) -> ReadableSpan:
    return rebuild_span(
        span,
        name=_text(span.name),
        attributes=attributes(span.attributes),
        events=[Event(_text(each.name), attributes(each.attributes), each.timestamp) for each in span.events],
        links=[Link(each.context, attributes(each.attributes)) for each in span.links],
        status=Status(span.status.status_code, None if not span.status.description else _text(span.status.description)),
        resource=_resource(span.resource, resources),
        instrumentation_scope=_scope(span.instrumentation_scope),
    )


def _record(record: ReadableLogRecord, resources: dict[int, Resource]) -> ReadableLogRecord:
    log = record.log_record
    said = {
        "body": value(log.body),
        "attributes": attributes(log.attributes),
        "event_name": value(log.event_name),
        "severity_text": value(log.severity_text),
    }
    if any(getattr(log, name) is not each for name, each in said.items()):
        # The record is the agent's own where it was made with the logs API, and other processors have it too.
        log = copy.copy(log)
        for name, each in said.items():
            setattr(log, name, each)
    resource, scope = _resource(record.resource, resources), _scope(record.instrumentation_scope)
    if log is record.log_record and resource is record.resource and scope is record.instrumentation_scope:
        return record
    return replace(record, log_record=log, resource=resource, instrumentation_scope=scope)


def _resource(resource: Resource, cache: dict[int, Resource]) -> Resource:
    said = cache.get(id(resource))
    if said is None:
        own = attributes(resource.attributes)
        said = cache[id(resource)] = resource if own is resource.attributes else Resource(own, resource.schema_url)
    return said


def _scope(scope: InstrumentationScope | None) -> InstrumentationScope | None:
    if scope is None:
        return None
    name, version, own = _text(scope.name), value(scope.version), attributes(scope.attributes)
    if name is scope.name and version is scope.version and own is scope.attributes:
        return scope
    return InstrumentationScope(name, version, scope.schema_url, own)


def _of_resource(of_resource: Any) -> Any:
    resource = _resource(of_resource.resource, {})
    return replace(
        of_resource, resource=resource, scope_metrics=[_of_scope(each) for each in of_resource.scope_metrics]
    )


def _of_scope(of_scope: Any) -> Any:
    return replace(of_scope, scope=_scope(of_scope.scope), metrics=[_metric(each) for each in of_scope.metrics])


def _metric(metric: Any) -> Any:
    data = replace(metric.data, data_points=[_point(point) for point in metric.data.data_points])
    description, unit = value(metric.description), value(metric.unit)
    return replace(metric, name=_text(metric.name), description=description, unit=unit, data=data)


def _point(point: Any) -> Any:
    changes: dict[str, Any] = {}
    for name in ("value", "sum", "min", "max"):
        number = getattr(point, name, None)
        if isinstance(number, int) and not -_INT64 <= number < _INT64:
            changes[name] = _as_float(number)
    own = attributes(point.attributes)
    if own is not point.attributes:
        changes["attributes"] = own
    exemplars = [_exemplar(each) for each in point.exemplars]
    return replace(point, exemplars=exemplars, **changes)


def _exemplar(exemplar: Any) -> Any:
    number = exemplar.value
    if isinstance(number, int) and not -_INT64 <= number < _INT64:
        exemplar = replace(exemplar, value=_as_float(number))
    return replace(exemplar, filtered_attributes=attributes(exemplar.filtered_attributes))


def _as_float(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")
