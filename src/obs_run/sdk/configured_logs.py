"""Log records for providers that a configuration file set up, which export them their own way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.sdk import providers

if TYPE_CHECKING:
    from obs_run.pipeline.items import LogItem


def emit(item: LogItem) -> None:
    """Emit a record with the logs API, at once: such a provider is shut down before our queue is flushed."""
    from opentelemetry import _logs

    from obs_run.pipeline.span_builder import log_record

    resource = providers.set_up().resource
    _logs.get_logger(item.scope).emit(log_record(item, resource).log_record)
