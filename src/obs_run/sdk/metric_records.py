"""Collected metrics as plain data, and back in the SDK's form."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics import export
from opentelemetry.sdk.metrics.export import AggregationTemporality, MetricsData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from obs_run.sdk.span_records import plain_attributes

if TYPE_CHECKING:
    from collections.abc import Callable

_CLASSES: dict[str, Any] = {
    name: kind for name, kind in vars(export).items() if isinstance(kind, type) and is_dataclass(kind)
}
_LEAVES = (str, int, float, bool, type(None))


def record_of(data: MetricsData) -> Any:
    """Return metrics as plain data; exemplars are left out."""
    return _plain(data)


def metrics_of(record: Any) -> MetricsData:
    """Return the metrics that ``record_of`` made plain; ``ValueError`` where it did not."""
    data = _rebuilt(record)
    if not isinstance(data, MetricsData):
        raise ValueError("no metrics")  # noqa: TRY004 (of data that was read)
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, _LEAVES):
        return value
    if isinstance(value, (list, tuple)):
        return list(map(_plain, value))
    for kind, fields_of in _OTHERS.items():
        if isinstance(value, kind):
            return fields_of(value)
    if is_dataclass(value):
        of_fields = [(field.name, _plain(getattr(value, field.name))) for field in fields(value) if _is_kept(field)]
        return type(value).__name__, dict(of_fields)
    return plain_attributes(value)


_OTHERS: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    AggregationTemporality: lambda it: ("temporality", it.value),
    Resource: lambda it: ("resource", plain_attributes(it.attributes), it.schema_url),
    InstrumentationScope: lambda it: ("scope", it.name, it.version, it.schema_url, plain_attributes(it.attributes)),
}


def _is_kept(field: Any) -> bool:
    return bool(field.name != "exemplars")


def _rebuilt(value: Any) -> Any:
    if isinstance(value, list):
        return list(map(_rebuilt, value))
    if not isinstance(value, tuple):
        return value
    kind, *rest = value
    if kind == "temporality":
        return AggregationTemporality(*rest)
    if kind == "resource":
        return Resource(*rest)
    if kind == "scope":
        return InstrumentationScope(*rest)
    if kind not in _CLASSES:
        raise ValueError("no metrics")
    made = _CLASSES[kind]
    given = {name: _rebuilt(item) for name, item in rest[0].items()}
    if any(field.name == "exemplars" for field in fields(made)):
        given["exemplars"] = ()
    return made(**given)
