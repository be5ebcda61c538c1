"""The audit trail: records of security that are appended to a hash-chained file, and nowhere changed or left out."""

from __future__ import annotations

from obs_run.audit_trail.recording import append, audit
from obs_run.audit_trail.trail import Receipt

__all__ = ["Receipt", "append", "audit"]
