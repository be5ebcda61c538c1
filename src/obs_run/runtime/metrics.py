"""Who reads the metrics of this process: the export thread, and Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.runtime import destinations

if TYPE_CHECKING:
    from obs_run.sdk.metric_reader import QueueReader
    from obs_run.sdk.providers import Providers


class MetricReaders:
    """The readers of our meter provider, and of one that the agent set where Prometheus asks for it."""

    def __init__(self, *, serves: bool = True) -> None:
        self._serves = serves
        """Whether Prometheus asks this process, and not one that exports for it."""
        self._reader: QueueReader | None = None
        self._on_prometheus: list[Any] = []
        """The meter providers whose metrics the Prometheus endpoint shows."""

    def install(self, providers: Providers) -> None:
        """Make our meter provider with the readers that the settings ask for."""
        from obs_run.pipeline import redact_metrics
        from obs_run.sdk import metric_reader

        names = destinations.names("metrics")
        readers: list[Any] = []
        if set(names) - ({"none", "prometheus"} if self._serves else {"none"}):
            self._reader = redact_metrics.scrubbed(metric_reader.QueueReader())
            readers.append(self._reader)
        is_served = False
        if "prometheus" in names and self._serves:
            from obs_run.prometheus import endpoint

            is_served = guard.call("Prometheus endpoint", endpoint.serve) is not None
            if is_served:
                readers.append(self._prometheus_reader())
        if readers:
            provider = providers.provide_metrics(readers)
            if is_served:
                self._on_prometheus.append(provider)

    def serve(self, providers: Providers, host: str | None, port: int | None) -> tuple[str, int] | None:
        """Serve the metrics of our provider, and of one that the agent set, from now on."""
        from obs_run.prometheus import endpoint

        address = endpoint.serve(host, port)
        if address is not None:
            self._show_on_prometheus(providers)
        return address

    def collect(self) -> Any:
        """Return the metrics of now as ``MetricsData``; None if there are none."""
        if self._on_prometheus:
            from obs_run.prometheus import endpoint

            endpoint.resume()
        return self._reader.take() if self._reader is not None else None

    def _show_on_prometheus(self, providers: Providers) -> None:
        from opentelemetry.sdk.metrics import MeterProvider

        from obs_run.sdk import metric_reader
        from obs_run.sdk.providers import global_meter_provider

        for provider in (providers.meter_provider, global_meter_provider()):
            is_shown = any(provider is each for each in self._on_prometheus)
            if isinstance(provider, MeterProvider) and not is_shown:
                metric_reader.add(provider, self._prometheus_reader())
                self._on_prometheus.append(provider)
        if not self._on_prometheus:
            self._on_prometheus.append(providers.provide_metrics([self._prometheus_reader()]))

    def _prometheus_reader(self) -> Any:
        from obs_run.pipeline import redact_metrics
        from obs_run.prometheus import endpoint

        return redact_metrics.scrubbed(endpoint.make_reader(is_first=not self._on_prometheus))
