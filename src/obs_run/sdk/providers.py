"""OpenTelemetry's providers, set up once and late, and what the export path asks of them."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run._version import __version__
from obs_run.base import guard
from obs_run.pipeline.queue import queue
from obs_run.process import fork_locks

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry._logs import LoggerProvider
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.trace import Tracer, TracerProvider

    from obs_run.core.operations import Operation
    from obs_run.core.sink import OperationRecord, Timing
    from obs_run.pipeline.measurements import Measurements
    from obs_run.pipeline.prices import Cost
    from obs_run.sdk import sdk_providers


class Providers:
    """What was set up: the resource, the tracer and the metrics of this process."""

    def __init__(self) -> None:
        from obs_run.sdk import resource

        self.resource: Resource = guard.call("resource", resource.make) or resource.unknown()
        self.meter_provider: MeterProvider | None = None
        self.made: list[Any] = []
        """The providers that we made, which a provider of the agent's may replace."""
        self._reader: Any = None
        self._measurements: Measurements | None = None
        self._tracer: Tracer | None = None
        self._tracer_provider: sdk_providers.TracerProvider | None = None
        self.queues_spans = True
        """Whether spans come to the queue by our processor, and not only to where a configuration file says."""
        self._on_prometheus: list[Any] = []
        """The meter providers whose metrics the Prometheus endpoint shows."""

    def install(self) -> None:
        """Make our providers the global ones; a provider that the agent set before stays and gets our processor."""
        from obs_run.coexistence import baggage

        settings.say_problems()
        baggage.watch()
        if settings.get("OTEL_CONFIG_FILE"):
            from obs_run.sdk import config_file

            self.queues_spans = False
            config_file.configure(settings.get("OTEL_CONFIG_FILE"))
            return
        # A span that never ends puts nothing into the queue, and must be ended all the same.
        from obs_run.process import exit_hooks
        from obs_run.runtime import shutdown

        exit_hooks.on_leave(shutdown.finish)
        self._install_metrics()
        self._install_traces()
        self._install_logs()

    def tracer(self) -> Tracer:
        """Return the tracer of our own spans."""
        if self._tracer is None:
            from opentelemetry import trace

            from obs_run.core.semconv import SCHEMA_URL

            self._tracer = trace.get_tracer("obs_run", __version__, schema_url=SCHEMA_URL)
        return self._tracer

    def alone(self) -> bool:
        """Whether nobody but our export thread reads spans: no provider of the agent's, no processor beside ours."""
        tracer_provider = self._tracer_provider
        if tracer_provider is None:
            return False
        # No public way tells them; where they cannot be found, others may read.
        processors = getattr(tracer_provider._active_span_processor, "_span_processors", ())  # noqa: SLF001
        return len(processors) == 1

    def measure(self, operation: Operation, timing: Timing, *, seen: bool = True) -> Cost | None:
        """Record the metrics of an operation that ended, and return what it cost if its span is ``seen``."""
        from obs_run.pipeline import cost

        instruments = self._instruments()
        record = _record(operation, timing)
        if instruments is not None:
            instruments.record(record)
        if not cost.is_billable(record) or not (seen or instruments is not None):
            return None
        priced = guard.call("price", cost.of, record)
        if instruments is not None:
            instruments.cost(None if priced is None else float(priced.total), record)
        return priced

    def measure_unseen(self, operation: Operation, timing: Timing) -> None:
        """Record the metrics of an operation whose span goes nowhere."""
        self.measure(operation, timing, seen=False)

    def count_dropped(self, count: int) -> None:
        """Count what found the queue full."""
        instruments = self._instruments()
        if instruments is not None:
            instruments.count_lost({("", None, None): count})

    def collect_metrics(self) -> Any:
        """Return the metrics of now as ``MetricsData``; None if there are none."""
        if self._on_prometheus:
            from obs_run.prometheus import endpoint

            endpoint.resume()
        return self._reader.take() if self._reader is not None else None

    def after_fork(self) -> None:
        """In a child process: another instance, with counts that begin at zero."""
        from obs_run.sdk import metric_reader, resource

        self.resource = resource.in_child(self.resource)
        if self.meter_provider is not None:
            metric_reader.begin_at_zero(self.meter_provider, self.resource)

    def replaced(self) -> None:
        """Ask the global provider for our tracer again: the agent set a provider of its own."""
        self._tracer = self._tracer_provider = None

    def _instruments(self) -> Measurements | None:
        """Return the instruments; None where nobody reads metrics."""
        if self._measurements is None:
            from opentelemetry.metrics import _internal

            # Ours, even where the agent set a provider of its own: that one does not export to where we do.
            provider = self.meter_provider or _internal._METER_PROVIDER  # noqa: SLF001 (the public getter would answer with a stand-in)
            if provider is None:
                return None
            from obs_run.pipeline.measurements import Measurements

            meter = provider.get_meter("obs_run", __version__)
            self._measurements = Measurements(meter, ours=self.meter_provider)
        return self._measurements

    def _install_metrics(self) -> None:
        from obs_run.pipeline import redact_metrics
        from obs_run.runtime import destinations
        from obs_run.sdk import metric_reader

        names = destinations.names("metrics")
        readers: list[Any] = []
        served: list[Any] = []
        if set(names) - {"none", "prometheus"}:
            self._reader = redact_metrics.scrubbed(metric_reader.QueueReader())
            readers.append(self._reader)
        if "prometheus" in names:
            from obs_run.prometheus import endpoint

            served = guard.call("Prometheus endpoint", endpoint.start, default=[])
            readers.extend(served)
        if readers:
            self._provide_metrics(readers)
            self._on_prometheus = [self.meter_provider] if served else []

    def show_on_prometheus(self, make: Callable[[bool], Any]) -> None:
        """Have the metrics of our provider, and of one that the agent set, on the Prometheus endpoint from now on.

        ``make`` makes a metric reader, told whether it is the first.
        """
        from opentelemetry.metrics import _internal
        from opentelemetry.sdk.metrics import MeterProvider

        from obs_run.sdk import metric_reader

        chosen = _internal._METER_PROVIDER  # noqa: SLF001 (the public getter would answer with a stand-in)
        for provider in (self.meter_provider, chosen):
            known = any(provider is each for each in self._on_prometheus)
            if isinstance(provider, MeterProvider) and not known:
                metric_reader.add(provider, make(not self._on_prometheus))
                self._on_prometheus.append(provider)
        if not self._on_prometheus:
            self._provide_metrics([make(True)])  # noqa: FBT003 (told by its order)
            self._on_prometheus.append(self.meter_provider)

    def _provide_metrics(self, readers: list[Any]) -> None:
        from opentelemetry import metrics
        from opentelemetry.metrics import _internal

        from obs_run.sdk import sdk_providers

        self.meter_provider = sdk_providers.MeterProvider(readers, resource=self.resource, shutdown_on_exit=False)
        self.made.append(self.meter_provider)
        if _internal._METER_PROVIDER is None:  # noqa: SLF001 (the public getter would answer with a stand-in)
            metrics.set_meter_provider(self.meter_provider)

    def _install_traces(self) -> None:
        from opentelemetry import trace

        from obs_run.sdk import lazy_api, sampler, sdk_providers, spans

        chosen = lazy_api.chosen_tracer_provider()
        if chosen is not None:
            adopt(chosen)
            return
        made = sdk_providers.TracerProvider(sampler.make(), self.resource, shutdown_on_exit=False)
        made.add_span_processor(spans.QueueProcessor())
        self.made.append(made)
        self._tracer_provider = made
        trace.set_tracer_provider(made)

    def _install_logs(self) -> None:
        from opentelemetry import _logs
        from opentelemetry._logs import _internal

        from obs_run.capture import api_logs
        from obs_run.sdk import sdk_providers

        chosen = _internal._LOGGER_PROVIDER  # noqa: SLF001 (the public getter would answer with a stand-in)
        if chosen is not None:
            adopt_logs(chosen)
            return
        made = sdk_providers.LoggerProvider(resource=self.resource, shutdown_on_exit=False)
        made.add_log_record_processor(api_logs.QueueLogProcessor())
        self.made.append(made)
        _logs.set_logger_provider(made)


def _record(operation: Operation, timing: Timing) -> OperationRecord:
    from obs_run.core.recorder import ended
    from obs_run.core.sink import OperationRecord

    # Instrumentors have operations of their own, which are measured as what they are derived from.
    kind = next(
        each.__name__ for each in type(operation).__mro__ if each.__module__.startswith("obs_run.core.operations")
    )
    values = operation.__dict__
    usage = getattr(values.get("usage"), "__dict__", {})
    pricing = {
        "cache_write_5m_tokens": usage.get("cache_write_5m_tokens"),
        "cache_write_1h_tokens": usage.get("cache_write_1h_tokens"),
        "context": values.get("price_context"),
    }
    return OperationRecord(kind, ended(operation, timing), {}, timing, pricing)


_providers: Providers | None = None
_lock = threading.RLock()
_installing = False
_held = False
_FORK_PATIENCE = 3.0  # a child forked in the midst of the set-up would record nothing


def set_up() -> Providers:
    """Return the providers, set up at the first call from whatever thread."""
    global _providers, _installing
    if _providers is None or _installing:
        with _lock:
            if _providers is None:
                _installing = True
                try:
                    _providers = Providers()
                    guard.call("set-up", _providers.install)
                    # Metrics alone put nothing into the queue, but are exported by its thread.
                    queue().watch_metrics()
                finally:
                    _installing = False
    return _providers


def known() -> Providers | None:
    """Return the providers if they have been set up."""
    return _providers


def made(provider: object) -> bool:
    """Whether ``provider`` is one of ours."""
    return _providers is not None and any(provider is each for each in _providers.made)


def adopt(provider: TracerProvider) -> None:
    """Have the spans of a provider that the agent made, beside what the agent does with them."""
    if hasattr(provider, "add_span_processor") and _mark(provider):
        from obs_run.sdk import spans

        provider.add_span_processor(spans.QueueProcessor())
    if _providers is not None:
        _providers.replaced()


def adopt_logs(provider: LoggerProvider) -> None:
    """Have the records of a provider that the agent made, as ``adopt`` has the spans."""
    if hasattr(provider, "add_log_record_processor") and _mark(provider):
        from obs_run.capture import api_logs

        provider.add_log_record_processor(api_logs.QueueLogProcessor())


def _mark(provider: Any) -> bool:
    """Mark a provider as adopted; False if it was already."""
    marked = getattr(provider, "_obs_run_adopted", False)
    provider._obs_run_adopted = True  # noqa: SLF001 (a mark of ours)
    return not marked


def _before_fork() -> None:
    """Wait for a set-up in another thread: the child would inherit half of it, and its lock held for ever."""
    global _held
    fork_locks.begin()
    _held = _lock.acquire(timeout=_FORK_PATIENCE)


def _after_fork_in_parent() -> None:
    if _held:
        _lock.release()


def _after_fork_in_child() -> None:
    global _lock, _providers, _installing
    if _held:
        _lock.release()
        return
    _lock = threading.RLock()
    if _installing:
        _providers, _installing = None, False


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
