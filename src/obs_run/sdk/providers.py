"""OpenTelemetry's providers: ours made the global ones, and what a provider of the agent's means for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run._version import __version__
from obs_run.base import guard

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk._logs import LogRecordProcessor
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Tracer, TracerProvider

    from obs_run.sdk import sdk_providers


class Providers:
    """What was set up: the resource and the providers of this process.

    ``span_processor`` and ``log_processor`` are put on our providers and on those that the agent sets.
    """

    def __init__(self, span_processor: SpanProcessor, log_processor: LogRecordProcessor) -> None:
        from obs_run.sdk import own_primitives, resource

        own_primitives.use_real_locks()
        self.resource: Resource = guard.call("resource", resource.make) or resource.unknown()
        self.meter_provider: MeterProvider | None = None
        self._span_processor = span_processor
        self._log_processor = log_processor
        self._own: list[Any] = []
        self._tracer: Tracer | None = None
        self._tracer_provider: sdk_providers.TracerProvider | None = None

    def is_own(self, provider: object) -> bool:
        """Whether ``provider`` is one that we made, which a provider of the agent's may replace."""
        return any(provider is each for each in self._own)

    def tracer(self) -> Tracer:
        """Return the tracer of our own spans."""
        if self._tracer is None:
            from opentelemetry import trace

            from obs_run.core.semconv import SCHEMA_URL
            from obs_run.sdk import own_primitives

            tracer = trace.get_tracer("obs_run", __version__, schema_url=SCHEMA_URL)
            own_primitives.use_own_ids(tracer)
            self._tracer = tracer
        return self._tracer

    def is_sole_span_reader(self) -> bool:
        """Whether nobody but our export thread reads spans: no provider of the agent's, no processor beside ours."""
        tracer_provider = self._tracer_provider
        if tracer_provider is None:
            return False
        # No public way gives them; where they cannot be found, others may read.
        processors = getattr(tracer_provider._active_span_processor, "_span_processors", ())  # noqa: SLF001
        return len(processors) == 1

    def provide_metrics(self, readers: list[MetricReader]) -> MeterProvider:
        """Make our meter provider, which ``readers`` read; the global one unless the agent set one."""
        from opentelemetry import metrics

        from obs_run.sdk import own_primitives, sdk_providers

        own_primitives.use_real_locks()
        own_primitives.use_own_random_numbers()
        provider = sdk_providers.MeterProvider(readers, resource=self.resource, shutdown_on_exit=False)
        self.meter_provider = provider
        self._own.append(provider)
        if global_meter_provider() is None:
            metrics.set_meter_provider(provider)
        return provider

    def provide_traces(self) -> None:
        """Make our tracer provider the global one; one that the agent set before stays and gets our processor."""
        from opentelemetry import trace

        from obs_run.sdk import own_primitives, sampler, sdk_providers, warning_filters

        warning_filters.leave_alone()
        chosen = global_tracer_provider()
        if chosen is not None:
            adopt_tracer_provider(chosen, self._span_processor)
            return
        provider = sdk_providers.TracerProvider(
            sampler.make(),
            self.resource,
            shutdown_on_exit=False,
            id_generator=own_primitives.SystemIdGenerator(),
        )
        provider.add_span_processor(self._span_processor)
        self._own.append(provider)
        self._tracer_provider = provider
        trace.set_tracer_provider(provider)

    def provide_logs(self) -> None:
        """Make our logger provider the global one, as ``provide_traces`` does the tracer provider."""
        from opentelemetry import _logs

        from obs_run.sdk import sdk_providers

        chosen = global_logger_provider()
        if chosen is not None:
            adopt_logger_provider(chosen, self._log_processor)
            return
        provider = sdk_providers.LoggerProvider(resource=self.resource, shutdown_on_exit=False)
        provider.add_log_record_processor(self._log_processor)
        self._own.append(provider)
        _logs.set_logger_provider(provider)

    def forget_tracer(self) -> None:
        """Ask the global provider for our tracer again: the agent set one of its own."""
        self._tracer = self._tracer_provider = None

    def after_fork(self, on_first_measurement: Callable[[], bool]) -> None:
        """In a child process: another instance, with counts that begin at zero.

        ``on_first_measurement`` is called before each measurement until it returns True.
        """
        from obs_run.sdk import metric_reader, resource

        self.resource = resource.in_child(self.resource)
        if self.meter_provider is not None:
            metric_reader.begin_at_zero(self.meter_provider, self.resource)
            metric_reader.before_measurements(self.meter_provider, on_first_measurement)


def adopt_tracer_provider(provider: Any, processor: SpanProcessor) -> None:
    """Have the spans of a provider that the agent made, beside what the agent does with them."""
    if hasattr(provider, "add_span_processor") and _mark(provider):
        from obs_run.sdk import own_primitives

        own_primitives.keep_numbers_of(provider)
        provider.add_span_processor(processor)


def adopt_logger_provider(provider: Any, processor: LogRecordProcessor) -> None:
    """Have the records of a provider that the agent made."""
    if hasattr(provider, "add_log_record_processor") and _mark(provider):
        provider.add_log_record_processor(processor)


def global_tracer_provider() -> TracerProvider | None:
    """Return the global tracer provider if one has been set."""
    from opentelemetry import trace

    chosen: TracerProvider | None = trace._TRACER_PROVIDER  # noqa: SLF001 (the public getter would answer with a stand-in)
    return chosen


def global_meter_provider() -> Any:
    """Return the global meter provider if one has been set."""
    from opentelemetry.metrics import _internal

    return _internal._METER_PROVIDER  # noqa: SLF001 (as above)


def global_logger_provider() -> Any:
    """Return the global logger provider if one has been set."""
    from opentelemetry._logs import _internal

    return _internal._LOGGER_PROVIDER  # noqa: SLF001 (as above)


def _mark(provider: Any) -> bool:
    """Mark a provider as adopted; False if it was already."""
    is_marked = getattr(provider, "_obs_run_adopted", False)
    provider._obs_run_adopted = True  # noqa: SLF001 (a mark of ours)
    return not is_marked
