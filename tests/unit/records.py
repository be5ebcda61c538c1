"""Records as core hands them over, made of operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core.operations import ModelCall
from obs_run.core.sink import OperationRecord, Timing

if TYPE_CHECKING:
    from obs_run.core.operations import Operation


def record_of(operation: Operation, timing: Timing | None = None) -> OperationRecord:
    """Return the record of an operation that is over."""
    pricing: dict[str, Any] = {}
    if isinstance(operation, ModelCall):
        pricing["context"] = operation.price_context
        for name in ("cache_write_5m_tokens", "cache_write_1h_tokens"):
            pricing[name] = getattr(operation.usage, name, None)
    present = {name: value for name, value in pricing.items() if value is not None}
    return OperationRecord(type(operation).__name__, operation.attributes(), {}, timing or Timing(1.0), present)
