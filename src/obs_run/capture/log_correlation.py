"""The ids of the current span on records of the logging module, by OpenTelemetry's names, for the agent's formats."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from obs_run import settings
from obs_run.context import propagation

if TYPE_CHECKING:
    from logging import LogRecord

_NONE = "0"


def add(record: LogRecord) -> None:
    """Add the fields to a record that is about to be handled; those that it has stay."""
    trace_id, span_id, flags = propagation.current_ids()
    fields = record.__dict__
    fields.setdefault("otelTraceID", f"{trace_id:032x}" if trace_id else _NONE)
    fields.setdefault("otelSpanID", f"{span_id:016x}" if span_id else _NONE)
    fields.setdefault("otelTraceSampled", bool(flags & 1))
    fields.setdefault("otelServiceName", _service_name())


@cache
def _service_name() -> str:
    from obs_run.process import program

    attributes = settings.get("OTEL_RESOURCE_ATTRIBUTES") or {}
    return str(settings.get("OTEL_SERVICE_NAME") or attributes.get("service.name") or program.describe().name)
