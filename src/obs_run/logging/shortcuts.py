"""Functions that record with the process's logger."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from obs_run.logging.distributed_logger import get_distributed_logger
from obs_run.logging.levels import LogCategory, LogLevel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obs_run.base.noop_awaitable import NoopAwaitable


def log_info(message: object, **given: Any) -> NoopAwaitable:
    """Record at level INFO; takes what ``DistributedLogger.log`` takes. May be awaited."""
    return get_distributed_logger().record(LogLevel.INFO, sys._getframe().f_back, message, **given)  # noqa: SLF001 (as the logging module does)


def log_error(message: object, exception: Any = None, **given: Any) -> NoopAwaitable:
    """Record at level ERROR, with an exception if there is one. May be awaited."""
    at = sys._getframe().f_back  # noqa: SLF001 (as the logging module does)
    return get_distributed_logger().record(LogLevel.ERROR, at, message, exception=exception, **given)


def log_performance(operation: str, metrics: Mapping[str, Any], **given: Any) -> NoopAwaitable:
    """Record the figures of an operation, at level INFO, in category PERFORMANCE, tagged ``performance``."""
    at = sys._getframe().f_back  # noqa: SLF001 (as the logging module does)
    tags = ["performance", *_more(given.pop("tags", None))]
    told = {"category": LogCategory.PERFORMANCE, "operation": operation, **given}
    return get_distributed_logger().record(
        LogLevel.INFO, at, f"Performance: {operation}", performance_metrics=metrics, tags=tags, **told
    )


def _more(tags: Any) -> list[Any]:
    return list(tags) if isinstance(tags, (list, tuple, set, frozenset)) else [] if tags is None else [tags]
