"""Metrics by service: those of all its processes, which go on when a process ends and another begins."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from opentelemetry.sdk.resources import Resource

from obs_run import settings
from obs_run.core.sink import Readings
from obs_run.pipeline import redact_metrics
from obs_run.pipeline.metering import Metering
from obs_run.relay.merged_metrics import merged
from obs_run.sdk import metric_reader, sdk_providers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opentelemetry.sdk.metrics.export import MetricsData

_OF_PROCESS = ("service.instance.id", "process.pid", "process.executable.path", "process.command_args")
_Key = tuple[tuple[str, Any], ...]
_Series = dict[_Key, float]


class Service:
    """A service on this machine, whatever processes it consists of: its instruments and how it prices."""

    def __init__(self, resource: Resource) -> None:
        self.name = str(resource.attributes.get("service.name", ""))
        self.observed = ServiceReadings()
        self._resource = resource
        self._reader = redact_metrics.scrubbed(metric_reader.QueueReader())
        self._looking = redact_metrics.scrubbed(metric_reader.QueueReader(is_cumulative=True))
        readers = [self._reader, self._looking]
        self._provider = sdk_providers.MeterProvider(readers, resource=resource, shutdown_on_exit=False)
        preference = settings.get("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE")
        self._counts_from_start = preference == "cumulative"
        self._passed: list[MetricsData] = []
        self._own: dict[str, MetricsData] = {}
        """What the agents' own instruments held last, by buffer."""
        self._ended: MetricsData | None = None
        """What those of processes held that are no more."""
        self.metering = Metering(lambda: self._provider, lambda: None)

    def observe(self, buffer: str, readings: Readings) -> None:
        """Take what a process tells of its pools, caches and breakers."""
        if self.observed.is_empty():
            self.metering.watch(self.observed)
        self.observed.add(buffer, readings)

    def take(self, buffer: str, collected: MetricsData) -> None:
        """Take what the instruments of a process hold."""
        if self._counts_from_start:
            self._own[buffer] = collected
        else:
            self._passed.append(collected)

    def end(self, buffer: str) -> None:
        """Keep the sums of a process that is no more."""
        self.observed.end(buffer)
        last = self._own.pop(buffer, None)
        if last is not None:
            self._ended = merged([self._ended, last], self._resource, has_gauges=False)

    def collect(self) -> list[MetricsData]:
        """Return what the instruments hold now, for destinations."""
        passed, self._passed = self._passed, []
        collected = [merged([self._reader.take(), *self._of_processes()], self._resource)]
        # Not added up: what has changed since the last time is beside what counts from the beginning.
        collected.extend(merged([each], self._resource) for each in passed)
        return [each for each in collected if each.resource_metrics]

    def look(self) -> MetricsData:
        """Return the same for whoever looks in between; all counted from the beginning."""
        return merged([self._looking.take(), *self._of_processes()], self._resource)

    def _of_processes(self) -> list[MetricsData | None]:
        return [self._ended, *list(self._own.values())]


class Services:
    """The services that this relay has heard of, by what they say of themselves apart from their process."""

    def __init__(self) -> None:
        self._services: dict[_Key, Service] = {}

    def of(self, attributes: Mapping[str, Any]) -> Service:
        """Return the service that a process with these resource attributes belongs to."""
        shared = {name: value for name, value in attributes.items() if name not in _OF_PROCESS}
        key = tuple(sorted((name, repr(value)) for name, value in shared.items()))
        service = self._services.get(key)
        if service is None:
            # The same after each restart, so that a counter that begins anew is seen as that and not as another.
            shared["service.instance.id"] = str(uuid5(NAMESPACE_URL, repr(key)))
            service = self._services[key] = Service(Resource(shared))
        return service

    def all(self) -> list[Service]:
        """Return all of them."""
        # Asked by the threads of the page, too.
        return list(self._services.values())


class ServiceReadings:
    """What the processes of a service count where it happens, as ``sink.ObservedMetrics`` wants it read."""

    def __init__(self) -> None:
        self._has_told = False
        self._counts: dict[str, dict[str, _Series]] = {}
        """By process and metric."""
        self._observations: dict[str, dict[str, _Series]] = {}
        self._durations: dict[str, dict[_Key, list[float]]] = defaultdict(dict)
        self._ended: dict[str, _Series] = defaultdict(dict)
        """The counts of processes that are no more."""

    def is_empty(self) -> bool:
        """Whether no process has told anything."""
        return not self._has_told

    def add(self, buffer: str, readings: Readings) -> None:
        """Take what a process has told last."""
        self._has_told = True
        self._counts[buffer] = _by_metric(readings.counts)
        self._observations[buffer] = _by_metric(readings.observations)
        for metric, values, attributes in readings.durations:
            self._durations[metric].setdefault(tuple(attributes.items()), []).extend(values)

    def end(self, buffer: str) -> None:
        """Keep the counts of a process that is no more, and forget how much there was of anything."""
        self._observations.pop(buffer, None)
        for metric, series in self._counts.pop(buffer, {}).items():
            _add_up(self._ended[metric], series)

    def read_counts(self, metric: str) -> list[tuple[float, Mapping[str, Any]]]:
        """Return the sums since the relay began."""
        return _summed([self._ended[metric], *(each.get(metric, {}) for each in list(self._counts.values()))])

    def read_observations(self, metric: str) -> list[tuple[float, Mapping[str, Any]]]:
        """Return how much there is now in all processes."""
        return _summed(each.get(metric, {}) for each in list(self._observations.values()))

    def take_durations(self, metric: str) -> list[tuple[list[float], Mapping[str, Any]]]:
        """Return the seconds that things took since the last time."""
        return [(values, dict(key)) for key, values in self._durations.pop(metric, {}).items()]

    def read_all(self) -> Readings:
        """Return nothing: whoever reads here knows the metrics by name."""
        return Readings([], [], [])


def _by_metric(read: Iterable[tuple[str, float, Mapping[str, Any]]]) -> dict[str, _Series]:
    found: dict[str, _Series] = defaultdict(dict)
    for metric, value, attributes in read:
        found[metric][tuple(attributes.items())] = value
    return found


def _add_up(total: _Series, series: _Series) -> None:
    for key, value in series.items():
        total[key] = total.get(key, 0) + value


def _summed(parts: Iterable[_Series]) -> list[tuple[float, Mapping[str, Any]]]:
    total: _Series = {}
    for part in parts:
        _add_up(total, part)
    return [(value, dict(key)) for key, value in total.items()]
