"""Ways out for metrics beside OpenTelemetry's own: the Prometheus endpoint, and a file of JSON lines."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.base import guard
from obs_run.metrics.values import number

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from obs_run.metrics.registry import MetricsRegistry
    from obs_run.privacy import Scrubber

_SHORTEST_INTERVAL = 0.001


class PrometheusServer:
    """Where metrics are served, as ``address`` (host and port; None if they could not be); may be awaited."""

    def __init__(self, address: tuple[str, int] | None) -> None:
        self.address = address

    def __await__(self) -> Generator[Any, None, PrometheusServer]:
        """Return at once: the server has its own thread."""
        return self
        yield

    def cancel(self, msg: Any = None) -> bool:  # noqa: ARG002 (as tasks have it)
        """Do nothing, return False: the server stays as long as the process."""
        return False


class MetricsExporter:
    """Exports metrics; OpenTelemetry's exporters need none of this."""

    def __init__(self, registry: MetricsRegistry) -> None:
        self.registry = registry

    def start_prometheus_exporter(self, host: str = "127.0.0.1", port: int = 8080) -> PrometheusServer:
        """Serve all OpenTelemetry metrics of the process at ``/metrics``, protected by the settings OBS_PROMETHEUS_*.

        Works awaited or not; an address that cannot be had is one warning.
        """
        return PrometheusServer(guard.call("Prometheus endpoint", _serve, host, port))

    async def export_to_file(self, file_path: str | Path, interval: float = 60.0) -> None:
        """Append what all metrics hold to a file as one JSON line, now and every ``interval`` seconds until cancelled.

        A line has ``timestamp`` (seconds since 1970) and ``metrics`` (as ``get_all_metrics``).
        """
        # Loaded for those who export to files, not for all who count.
        import asyncio

        from obs_run.files.shared_file import SharedFile

        file = guard.call("metrics file", SharedFile, file_path)
        pause = max(number(interval) or 0.0, _SHORTEST_INTERVAL)
        while file is not None:
            line = guard.call("metrics file", self._line)
            if line is not None:
                # A file system that hangs must not stop the agent's loop.
                await asyncio.to_thread(guard.call, "metrics file", file.write, line)
            await asyncio.sleep(pause)

    def _line(self) -> bytes:
        from obs_run.privacy import scrubber

        scrub = scrubber()
        metrics = {
            scrub.text(name): _scrubbed(metric, scrub) for name, metric in self.registry.get_all_metrics().items()
        }
        shown = {"timestamp": time.time(), "metrics": _finite(metrics)}
        return json.dumps(shown, ensure_ascii=False, default=guard.shown).encode("utf-8", "replace") + b"\n"


def _serve(host: str, port: int) -> tuple[str, int] | None:
    if settings.get("OTEL_SDK_DISABLED"):
        guard.warn_once("start_prometheus_exporter: nothing is served, OTEL_SDK_DISABLED is true")
        return None
    from obs_run.metrics import instruments
    from obs_run.runtime.process_runtime import runtime

    served = runtime().serve_metrics(host, port)
    instruments.bind_all()
    return served


def _scrubbed(metric: dict[str, Any], scrub: Scrubber) -> dict[str, Any]:
    """Return what a metric holds as it may leave the process: labels and names of states are scrubbed."""
    scrubbed = dict(metric)
    if isinstance(metric.get("value"), str):
        scrubbed["value"] = scrub.text(metric["value"])
    if "series" in metric:
        scrubbed["series"] = [
            {**_scrubbed(each, scrub), "tags": scrub.attributes(each["tags"])} for each in metric["series"]
        ]
    return scrubbed


def _finite(value: Any) -> Any:
    """Return JSON without the numbers that JSON does not have."""
    if isinstance(value, Mapping):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
