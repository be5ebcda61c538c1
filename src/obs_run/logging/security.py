"""Records of category SECURITY on their way into the audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core import semconv

if TYPE_CHECKING:
    from obs_run.logging.record import Record


def append(record: Record) -> None:
    """Append the record to the audit trail, and note its place there on the record."""
    from obs_run import audit_trail

    fields: dict[str, Any] = {
        "action": record.message,
        "actor": record.context.get("user_id") or record.context.get("agent_id"),
        "level": record.level.value,
        "category": record.category.value,
        "context": record.context,
        "data": record.data,
        "tags": record.tags,
        "exception": record.exception,
    }
    trace_id, span_id, _ = record.trace
    if trace_id:
        fields["trace_id"], fields["span_id"] = f"{trace_id:032x}", f"{span_id:016x}"
    receipt = audit_trail.append({name: value for name, value in fields.items() if value})
    if receipt is not None and receipt.sequence is not None:
        record.more[semconv.OBS_AUDIT_SEQUENCE] = receipt.sequence
        record.more[semconv.OBS_AUDIT_HASH] = receipt.hash
