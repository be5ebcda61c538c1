"""Functions that record with the process's logger."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from obs_run.logging.distributed_logger import get_distributed_logger
from obs_run.logging.levels import LogCategory, LogLevel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obs_run.base.noop_awaitable import NoopAwaitable


def log_info(message: object, **more: Any) -> NoopAwaitable:
    """Record at level INFO; takes what ``DistributedLogger.log`` takes. May be awaited."""
    return get_distributed_logger().record(LogLevel.INFO, sys._getframe().f_back, message, **more)  # noqa: SLF001 (as the logging module does)


def log_error(message: object, exception: Any = None, **more: Any) -> NoopAwaitable:
    """Record at level ERROR, with an exception if there is one. May be awaited."""
    at = sys._getframe().f_back  # noqa: SLF001 (as the logging module does)
    return get_distributed_logger().record(LogLevel.ERROR, at, message, exception=exception, **more)


def log_performance(operation: str, metrics: Mapping[str, Any], **more: Any) -> NoopAwaitable:
    """Record the figures of an operation, at level INFO, in category PERFORMANCE, tagged ``performance``."""
    at = sys._getframe().f_back  # noqa: SLF001 (as the logging module does)
    tags = ["performance", *_as_list(more.pop("tags", None))]
    fields = {"category": LogCategory.PERFORMANCE, "operation": operation, **more}
    return get_distributed_logger().record(
        LogLevel.INFO, at, f"Performance: {operation}", performance_metrics=metrics, tags=tags, **fields
    )


def _as_list(tags: Any) -> list[Any]:
    if tags is None:
        return []
    return list(tags) if isinstance(tags, (list, tuple, set, frozenset)) else [tags]
