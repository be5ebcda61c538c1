"""The Prometheus endpoint."""

from __future__ import annotations

from typing import Any

from obs_run import settings


def start() -> list[Any]:
    """Return the reader behind the Prometheus endpoint, which is being served then."""
    from opentelemetry.exporter.prometheus import PrometheusMetricReader
    from prometheus_client import start_http_server

    host = settings.get("OTEL_EXPORTER_PROMETHEUS_HOST")
    port = settings.get("OTEL_EXPORTER_PROMETHEUS_PORT")
    try:
        start_http_server(port, host)
    except OSError as error:
        from obs_run.core import guard

        guard.warn_once(
            f"OTEL_EXPORTER_PROMETHEUS_PORT: cannot serve metrics on {host}:{port} ({error.strerror or error})"
        )
        return []
    return [PrometheusMetricReader()]
