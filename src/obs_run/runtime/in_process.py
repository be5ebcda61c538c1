"""The composition root of an agent's process: sink, queue, export path and providers, each made when it is needed.

Light to import: OpenTelemetry is loaded with the first span, or by the export thread.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.base import guard
from obs_run.core.open_recordings import Ending, open_recordings

# Not at the first record: a signal handler may log while that is being imported.
from obs_run.pipeline.delivery_threads import DeliveryThreads
from obs_run.pipeline.items import DeferredCall, LogItem, SpanItem
from obs_run.pipeline.losses import Losses
from obs_run.pipeline.queue import Items, Queue
from obs_run.process import (
    exit_hooks,
    exit_sequence,
    fork,
    fork_imports,
    forking_thread,
    run,
    standard_variables,
    termination,
)
from obs_run.process.exit_sequence import HeldSignals
from obs_run.process.unpatched import RLock, monotonic

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from obs_run.capture.api_logs import ApiLogProcessor
    from obs_run.core.sink import Attributes, LogRecord, ObservedMetrics, OperationRecord, SpanRecord
    from obs_run.pipeline.destination import Destinations
    from obs_run.pipeline.export_pipeline import ExportPipeline
    from obs_run.pipeline.metering import Metering
    from obs_run.pipeline.spool import Spool
    from obs_run.process.exit_sequence import ExitInfo
    from obs_run.process.identity import Identity
    from obs_run.runtime.metrics import MetricReaders
    from obs_run.runtime.open_work import OpenWork
    from obs_run.sdk.providers import Providers
    from obs_run.sdk.span_processor import QueueSpanProcessor
    from obs_run.sdk.span_sink import ConfiguredSpanSink, SpanSink

_DELIVERY_PATIENCE = 0.5
_FORK_PATIENCE = 3.0  # a child forked in the midst of the set-up would record nothing


class Runtime:
    """What this process records with; it is the sink of ``core`` and starts the providers of ``sdk``."""

    _serves_metrics = True
    """Whether this process has an endpoint for Prometheus, where the settings ask for one."""

    def __init__(self) -> None:
        self._queue: Queue | None = None
        self._making_queue = RLock()
        self._providers: Providers | None = None
        self._setting_up = RLock()
        self._is_installing = False
        self._holds_set_up = False
        self._span_processor: QueueSpanProcessor | None = None
        self._log_processor: ApiLogProcessor | None = None
        self._span_sink: SpanSink | ConfiguredSpanSink | None = None
        self.losses = Losses()
        self._destinations: Destinations | None = None
        self._spool: Spool | None = None
        self._has_spool = False
        self.threads = DeliveryThreads()
        self._metering: Metering | None = None
        self._readers: MetricReaders | None = None
        self._is_prepared = False
        self._loading_ns = 0
        """How long the agent's end was held up by our loading."""
        self._ended: Identity | None = None

    # The sink of core

    def start(
        self,
        name: str,
        kind: str,
        attributes: Callable[[], Attributes],
        parent: Context,
        start_ns: int | None = None,
    ) -> Span:
        """Begin the record of an operation."""
        return self._spans().start(name, kind, attributes, parent, start_ns)

    def end(self, span: Span, complete: Callable[[], OperationRecord]) -> None:
        """End it."""
        self._spans().end(span, complete)

    def measure(self, complete: Callable[[], OperationRecord]) -> None:
        """Measure what has no span of its own."""
        self._spans().measure(complete)

    def watch(self, observed: ObservedMetrics) -> None:
        """Read ``observed`` whenever metrics are collected."""
        if settings.get("OTEL_CONFIG_FILE") or _is_exported("metrics"):
            # Not here: the first look into a cache would wait for all that metrics need.
            self.call_later(self._watch, observed)

    def _watch(self, observed: ObservedMetrics) -> None:
        self.metering().watch(observed)

    def log(self, record: LogRecord) -> None:
        """Take a log record."""
        if settings.get("OTEL_CONFIG_FILE"):
            from obs_run.sdk import configured_logs

            # At once: such a provider is shut down before our queue is flushed.
            configured_logs.emit(record, self.set_up().resource)
        else:
            self.items().put(LogItem(record))

    def is_exporting(self) -> bool:
        """Whether the caller is the export thread, whose own doings are not recorded."""
        return self._queue is not None and self._queue.is_export_thread()

    def call_later(self, function: Callable[..., object], *arguments: Any) -> None:
        """Have ``function`` called on the export thread."""
        self.queue().put(DeferredCall(function, *arguments))

    # The queue

    def queue(self) -> Queue:
        """Return the process's queue, made at the first call."""
        if self._queue is None:
            # Made outside of the lock: a wrong setting is said by a log record, which comes here again.
            queue = Queue(self._make_pipeline, self.losses, self._start_threads)
            with self._making_queue:
                if self._queue is None:
                    self._queue = queue
                    self.prepare_to_leave()
        return self._queue

    def items(self) -> Items:
        """Return what takes the items of the agent's threads."""
        return self.queue()

    def is_in_use(self) -> bool:
        """Whether this process ever put something into its queue, or exports metrics."""
        return self._queue is not None and self._queue.is_used

    def _is_busy(self, interrupted: FrameType | None) -> bool:
        """Whether a signal handler cannot flush now: its thread holds what an export waits for, or imports it."""
        queue = self._queue
        if queue is not None and queue.is_held():
            return True
        if self._setting_up._is_owned() or _is_inside_sdk(interrupted):  # type: ignore[attr-defined]  # noqa: SLF001 (what Condition uses)
            return True
        return not (queue is not None and queue.is_loaded) and exit_sequence.is_importing(interrupted)

    def _make_pipeline(self) -> ExportPipeline:
        from obs_run.runtime.late_pools import without_threads

        with without_threads():
            from obs_run.pipeline.export_pipeline import ExportPipeline

            # The resource and the metrics are the providers'.
            self.set_up()
            # For the end of the process, when the agent may have given up the right to read a file.
            from obs_run.core import run_spans  # noqa: F401
            from obs_run.runtime import summary  # noqa: F401
            from obs_run.sdk import span_records  # noqa: F401
        return ExportPipeline(
            self.destinations(),
            self.losses,
            self.metering(),
            lambda: self.set_up().resource,
            self.readers().collect,
            self._metric_interval(),
            self._open_work(),
        )

    def _open_work(self) -> OpenWork | None:
        """Return what shows the work that is open; None where no spans are exported, or others see to it."""
        if not self.destinations().traces:
            return None
        from obs_run.runtime.open_work import OpenWork

        return OpenWork(lambda: self.set_up().resource)

    def load(self) -> None:
        """Import now what the first export would import."""
        self.queue().load()

    def destinations(self) -> Destinations:
        """Return where the telemetry goes; used by the export thread."""
        if self._destinations is None:
            from obs_run.runtime import destinations

            self._destinations = destinations.make_all(self.losses, self.spool(), self.threads)
        return self._destinations

    def spool(self) -> Spool | None:
        """Return where on the disk waits what destinations do not take, None for nowhere."""
        if not self._has_spool:
            from obs_run.runtime import destinations

            self._has_spool = True
            self._spool = destinations.make_spool(self.losses)
        return self._spool

    def _start_threads(self) -> None:
        """Have the threads that deliver; called as the export thread begins, for at the end there can be no more."""
        from obs_run.runtime import destinations

        if not settings.get("OTEL_CONFIG_FILE"):
            self.threads.start(destinations.number_of_otlp())

    def metering(self) -> Metering:
        """Return what measures and prices operations."""
        if self._metering is None:
            from obs_run.pipeline.metering import Metering
            from obs_run.sdk.providers import global_meter_provider

            self._metering = Metering(lambda: self.set_up().meter_provider, global_meter_provider)
        return self._metering

    def _metric_interval(self) -> float:
        """Return the seconds between two collections of metrics."""
        interval: float = settings.get("OTEL_METRIC_EXPORT_INTERVAL")
        return interval

    def readers(self) -> MetricReaders:
        """Return what reads metrics in this process."""
        if self._readers is None:
            from obs_run.runtime.metrics import MetricReaders

            self._readers = MetricReaders(serves=self._serves_metrics)
        return self._readers

    # The providers

    def set_up(self) -> Providers:
        """Return the providers, set up at the first call from whatever thread."""
        if self._providers is None or self._is_installing:
            with self._setting_up:
                if self._providers is None:
                    self._is_installing = True
                    try:
                        with standard_variables.corrected():
                            self._providers = self._make_providers()
                            guard.call("set-up", self._install, self._providers)
                        self._watch_metrics(self._providers)
                    finally:
                        self._is_installing = False
        return self._providers

    def _watch_metrics(self, providers: Providers) -> None:  # noqa: ARG002 (others need them)
        """Have metrics exported, which alone put nothing into the queue."""
        self.queue().watch_metrics()

    def providers_or_none(self) -> Providers | None:
        """Return the providers if they have been set up."""
        return self._providers

    def adopt_tracer_provider(self, provider: Any) -> None:
        """Have the spans of a provider that the agent set, beside what the agent does with them."""
        from obs_run.sdk import providers

        providers.adopt_tracer_provider(provider, self._processor_of_spans())
        if self._providers is not None:
            self._providers.forget_tracer()

    def adopt_logger_provider(self, provider: Any) -> None:
        """Have the records of a provider that the agent set."""
        if settings.get("OTEL_CONFIG_FILE"):
            # Records of ours go to that provider, and would come back.
            return
        from obs_run.sdk import providers

        providers.adopt_logger_provider(provider, self._processor_of_logs())

    def serve_metrics(self, host: str | None, port: int | None) -> tuple[str, int] | None:
        """Serve all metrics of the process to Prometheus; return the address, None (and a warning) if it cannot be."""
        # The set-up may begin an endpoint at this very address.
        providers = self.set_up()
        return self.readers().serve(providers, host, port)

    def _make_providers(self) -> Providers:
        from obs_run.runtime.late_pools import without_threads
        from obs_run.sdk.providers import Providers

        guard.call("lines of OpenTelemetry", self._keep_lines_back)
        with without_threads():
            import opentelemetry.sdk._logs  # noqa: F401 (what looks for a resource as it is imported)

        return Providers(self._processor_of_spans(), self._processor_of_logs())

    def _keep_lines_back(self) -> None:
        from obs_run.sdk import last_resort

        last_resort.install(self.is_exporting)

    def _install(self, providers: Providers) -> None:
        from obs_run.coexistence import baggage

        settings.say_problems()
        if settings.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS") or settings.get("OBS_PREFER"):
            from obs_run.coexistence import misnamed

            guard.call("names of instrumentors", misnamed.say)
        baggage.watch()
        file = settings.get("OTEL_CONFIG_FILE")
        if file:
            from obs_run.sdk import config_file

            config_file.configure(file)
            return
        # A span that never ends puts nothing into the queue, and must be ended all the same.
        exit_hooks.on_exit(self.finish)
        self.readers().install(providers)
        if settings.get("OBS_LRU_CACHES"):
            guard.call("caches", self._watch_lru_caches)
        providers.provide_traces()
        providers.provide_logs()

    def _watch_lru_caches(self) -> None:
        from obs_run.core import lru_caches

        # Here and not by the queue: this may be its own thread, and the first export.
        self.metering().watch(lru_caches.watch())

    def _processor_of_spans(self) -> QueueSpanProcessor:
        if self._span_processor is None:
            from obs_run.sdk.span_processor import QueueSpanProcessor

            self._span_processor = QueueSpanProcessor(self.items(), exports_spans=_is_exported("traces"))
        return self._span_processor

    def _processor_of_logs(self) -> ApiLogProcessor:
        if self._log_processor is None:
            from obs_run.capture.api_logs import ApiLogProcessor

            self._log_processor = ApiLogProcessor(lambda deadline: self.items().flush(deadline))
        return self._log_processor

    def _spans(self) -> SpanSink | ConfiguredSpanSink:
        if self._span_sink is None:
            from obs_run.sdk import span_sink

            providers = self.set_up()
            if settings.get("OBS_BUDGET_USD"):
                from obs_run.core import budgets
                from obs_run.pipeline import cost

                budgets.price_with(cost.total)
            if settings.get("OTEL_CONFIG_FILE"):
                self._span_sink = span_sink.ConfiguredSpanSink(providers, self._complete_at_once)
            else:
                is_idle = not any(map(_is_exported, ("traces", "metrics", "logs")))
                kind = span_sink.IdleSpanSink if is_idle else span_sink.SpanSink
                self._span_sink = kind(providers, self._processor_of_spans(), self.items())
        return self._span_sink

    def _complete_at_once(self, record: OperationRecord) -> Attributes:
        from obs_run.core import content
        from obs_run.pipeline import redact, span_builder

        attributes: Attributes = {}
        if content.on_spans():
            redaction = redact.shared()
            if redaction is not None:
                redaction.renew()
            attributes.update(span_builder.as_json(span_builder.limit_content(record, redaction)))
        attributes.update(span_builder.cost_attributes(guard.call("measurement", self.metering().measure, record)))
        return attributes

    # The end of the process

    def prepare_to_leave(self) -> None:
        """Have this process end its spans and flush as it leaves, with OpenTelemetry loaded before the end begins.

        The SDK asks a thread pool for its resource while it is imported, and pools refuse work once that end has begun.
        """
        if not self._is_prepared:
            self._is_prepared = True
            exit_hooks.on_exit(self.finish)
            try:
                # Registers itself too, and what is registered later runs earlier.
                import concurrent.futures.thread  # noqa: F401

                # The pools' own way.
                threading._register_atexit(guard.call, "set-up", self._load)  # type: ignore[attr-defined]  # noqa: SLF001
            except RuntimeError:
                # The end has begun: a function of atexit, or a thread that outlives the main one, records first.
                guard.call("set-up", self._load_export_path, is_over=True)

    def owe_run_span(self) -> None:
        """Have the run span exported even if nothing else is; called amid forks, too."""
        # A thread that is loading this is setting up, and prepares as well.
        if not fork_imports.is_imported_elsewhere("concurrent.futures"):
            self.prepare_to_leave()

    def record_abnormal_run(self, info: ExitInfo) -> None:
        """Have the run span exported as the process leaves, also of a server that could not start."""
        if info.exit_code or info.exception is not None:
            run.record_server()
        if not run.enabled():
            return
        run.identity()
        if info.kind != "exit":
            self.prepare_to_leave()
        elif not self._is_prepared:
            self._is_prepared = True
            exit_hooks.on_exit(self.finish)
            begun = monotonic()
            guard.call("set-up", self._load_export_path, is_over=True)
            # As where anything was recorded before: a first load, which compiles, would leave no time to deliver.
            info.deadline += monotonic() - begun

    def _load(self) -> None:
        if not self._has_something_to_say():
            return
        begin_ns = run.now_ns()
        held = HeldSignals().hold()
        is_waiting = guard.call("set-up", _has_threads_to_wait_for, default=False)
        guard.call("set-up", self._load_export_path)
        if is_waiting:
            held.release_and_send_again()
        else:
            held.release()
            # Nothing of the agent's went on meanwhile.
            self._loading_ns = run.now_ns() - begin_ns

    def _load_export_path(self, *, is_over: bool = False) -> None:
        from obs_run.runtime.late_pools import without_threads

        with without_threads(is_over=is_over):
            import obs_run.pipeline.export_pipeline  # noqa: F401 (with it all of OpenTelemetry that is needed)

            self.set_up()
        # The time to deliver is not for loading: on a busy machine nothing would be left of it.
        self.queue().load()

    def _has_something_to_say(self) -> bool:
        """Whether this process recorded anything, or owes its children a run span; a forked child may do neither."""
        return run.is_owned() or self.is_in_use() or len(open_recordings) > 0

    def finish(self, info: ExitInfo) -> None:
        """End what is open and flush; a second call, as after a failed exec, finds little to do."""
        # Modules of OpenTelemetry are loaded here only if the process has something to say.
        if not self._has_something_to_say():
            return
        info.began_ns -= self._loading_ns
        open_recordings.end_all(Ending(info.describe(), info.began_ns))
        if run.is_owned():
            guard.call("run span", self._end_run, info)
        self.queue().close(info.deadline)
        from obs_run.runtime import summary

        guard.call("where to look", summary.point_to_store, info)

    def _end_run(self, info: ExitInfo) -> None:
        """Export the run span, once."""
        if self._ended is run.identity():
            return
        self._ended = run.identity()
        from obs_run.core import run_spans

        # What functions of atexit did is the run's, too.
        self._put_span(run_spans.at_end(info, max(info.began_ns, self._processor_of_spans().latest_end_ns)))

    def end_part_of_run(self, ended: Identity, previous: Identity | None, times: tuple[int, int]) -> None:
        """Export the span of a part of the run; it is made by the export thread, which has the SDK."""
        if self.is_in_use():
            self.call_later(self._export_part, ended, previous, times)

    def _export_part(self, ended: Identity, previous: Identity | None, times: tuple[int, int]) -> None:
        from obs_run.core import run_spans

        self._put_span(run_spans.of_part(ended, previous, times))

    def _put_span(self, record: SpanRecord | None) -> None:
        if record is not None:
            from obs_run.sdk import span_records

            self.items().put(SpanItem(span_records.span_of(record, self.set_up().resource)))

    # Forks

    def watch_forks(self) -> None:
        """Be at home in forks."""
        fork.register(
            fork.QUEUE,
            "queue",
            before=self._send_thread_home,
            in_parent=self._resume_in_parent,
            in_child=self._begin_in_child,
        )
        fork.register(
            fork.PROVIDERS,
            "providers",
            before=self._wait_for_set_up,
            in_parent=self._let_set_up_go_on,
            in_child=self._renew_set_up,
        )

    def _send_thread_home(self) -> None:
        if self._queue is not None:
            self._queue.before_fork()
            self.threads.stop(_DELIVERY_PATIENCE)

    def _resume_in_parent(self) -> None:
        if self._queue is None:
            return
        if fork.would_warn_of_threads():
            self._queue.resume_without_thread()
        else:
            self._queue.after_fork_in_parent()

    def _begin_in_child(self) -> None:
        # Another thread of the parent may have held it.
        self._making_queue = RLock()
        self.threads.after_fork()
        open_ids = open_recordings.forget()
        if self._span_processor is not None:
            self._span_processor.after_fork(open_ids)
        if self._providers is not None:
            guard.call("fork", self._providers.after_fork, self._note_measurement)
        if self._queue is not None:
            self._queue.after_fork_in_child()
        forking_thread.watch_end(self._end_with_thread)

    def _end_with_thread(self) -> None:
        """In a child whose last thread ends: leave as it does, for the process would go on with our thread."""
        self.finish(exit_sequence.ExitInfo("exit", exit_code=0))
        self._send_thread_home()

    def _note_measurement(self) -> bool:
        """In a child: have measurements exported, and signals handled, which only the main thread can see to."""
        if not self.queue().is_used:
            self.queue().watch_metrics()
        if termination.suspended:
            termination.resume()
        return not termination.suspended

    def _wait_for_set_up(self) -> None:
        """Wait for a set-up in another thread: the child would inherit half of it, and its lock held for ever."""
        self._holds_set_up = self._setting_up.acquire(timeout=_FORK_PATIENCE)

    def _let_set_up_go_on(self) -> None:
        if self._holds_set_up:
            self._setting_up.release()

    def _renew_set_up(self) -> None:
        if self._holds_set_up:
            self._setting_up.release()
            return
        self._setting_up = RLock()
        if self._is_installing:
            self._providers, self._is_installing = None, False
            self._span_sink = None

    def is_busy(self, interrupted: FrameType | None) -> bool:
        """Whether a signal handler has to wait a moment before it flushes."""
        return bool(guard.call("signal", self._is_busy, interrupted, default=False))


def _has_threads_to_wait_for() -> bool:
    main = threading.main_thread()
    return any(not thread.daemon and thread is not main for thread in threading.enumerate())


def _is_inside_sdk(frame: FrameType | None) -> bool:
    """Whether ``frame`` is inside of OpenTelemetry's SDK, which holds the locks of its instruments for moments."""
    while frame is not None:
        if str(frame.f_globals.get("__name__")).startswith("opentelemetry.sdk."):
            return True
        frame = frame.f_back
    return False


def _is_exported(signal: str) -> bool:
    from obs_run.runtime import destinations

    return bool(set(destinations.names(signal)) - {"none"})
