"""OpenTelemetry's own warnings about what it cannot read quote it whole, secrets included: they are masked."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from obs_run.base import guard

if TYPE_CHECKING:
    from types import ModuleType


def install(module: ModuleType) -> None:
    """Mask what ``module`` logs under its own name; called when it is imported."""
    logging.getLogger(module.__name__).addFilter(_mask)


def _mask(record: logging.LogRecord) -> bool:
    return bool(guard.call("line of OpenTelemetry", _show_masked, record, default=False))


def _show_masked(record: logging.LogRecord) -> bool:
    # Most processes get no such warning.
    from obs_run.base.masking import masked_value

    record.msg, record.args = masked_value(record.getMessage()), None
    return True
