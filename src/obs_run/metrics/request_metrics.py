"""Metrics of common kinds of work, under the names that they always had."""

from __future__ import annotations

from operator import not_
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.metrics.values import number

if TYPE_CHECKING:
    from obs_run.metrics.registry import MetricsRegistry

_FIRST_ERROR = 400


class MetricsCollector:
    """Measures requests, database calls and operations of agents in a registry; durations are in seconds."""

    def __init__(self, registry: MetricsRegistry) -> None:
        self.registry = registry

    def collect_request_metrics(self, endpoint: str, method: str, status_code: int, duration: float) -> None:
        """Measure an HTTP request: http.requests, http.response_time and, from status 400 on, http.errors."""
        tags = {"endpoint": endpoint, "method": method, "status": guard.shown(status_code)}
        failed = (number(status_code) or 0) >= _FIRST_ERROR
        guard.call(
            "metrics", self._collect, "http.requests", "http.response_time", "http.errors", tags, duration, failed
        )

    def collect_database_metrics(self, operation: str, table: str, duration: float, success: bool) -> None:  # noqa: FBT001 (as it always was)
        """Measure a database call: db.queries, db.query_time and, without success, db.errors."""
        tags = {"operation": operation, "table": table, "success": guard.shown(success)}
        guard.call(
            "metrics", self._collect, "db.queries", "db.query_time", "db.errors", tags, duration, _failed(success)
        )

    def collect_agent_metrics(self, agent_id: str, operation: str, duration: float, success: bool) -> None:  # noqa: FBT001 (as it always was)
        """Measure an agent's operation: agent.operations, agent.operation_time and, without success, agent.errors."""
        tags = {"agent_id": agent_id, "operation": operation, "success": guard.shown(success)}
        names = ("agent.operations", "agent.operation_time", "agent.errors")
        guard.call("metrics", self._collect, *names, tags, duration, _failed(success))

    def _collect(self, calls: str, times: str, errors: str, tags: dict[str, Any], duration: Any, failed: bool) -> None:  # noqa: FBT001 (one of the figures)
        self.registry.counter(calls).increment(**tags)
        self.registry.timer(times).record(duration, tags)
        if failed:
            self.registry.counter(errors).increment(**tags)


def _failed(success: Any) -> bool:
    return bool(guard.call("metrics", not_, success, default=True))
