"""Log records for providers that a configuration file set up, which export them their own way."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

    from obs_run.core.sink import LogRecord


def emit(record: LogRecord, resource: Resource) -> None:
    """Emit a record with the logs API."""
    from opentelemetry import _logs

    from obs_run.pipeline.log_builder import build_log_record

    scope = record.scope if isinstance(record.scope, str) else record.scope.name
    _logs.get_logger(scope).emit(build_log_record(record, resource).log_record)
