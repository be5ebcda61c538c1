"""One case of ``benchmarks.api``: print microseconds a call, of the calling thread and of all threads."""

from __future__ import annotations

import logging
import os
import sys
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    Case = Callable[[], object]

TAGS: dict[str, Any] = {"endpoint": "/api/users", "method": "GET", "attempt": 1}
LABELS = {"source": "web", "country": "US"}
FIELDS = {"operation": "user_login", "user_id": "user123"}
DATA = {"table": "users", "rows": 150}
FILE = Path("records.log")
WARM, CALLS = 2_000, 20_000


def sdk_span() -> Case:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class Nowhere(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            return SpanExportResult.SUCCESS if spans else SpanExportResult.FAILURE

    provider = TracerProvider()
    # A queue in which all calls have room: what is dropped would cost nothing.
    provider.add_span_processor(BatchSpanProcessor(Nowhere(), max_queue_size=WARM + CALLS))
    tracer = provider.get_tracer("benchmark")

    def case() -> None:
        with tracer.start_as_current_span("operation") as span:
            span.set_attributes(TAGS)

    return case


def our_span() -> Case:
    from obs_run.tracing import get_tracer

    tracer = get_tracer("benchmark")

    def case() -> None:
        with tracer.span("operation") as span:
            span.set_tags(TAGS)

    return case


def sdk_counter() -> Case:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    counter = MeterProvider([InMemoryMetricReader()]).get_meter("benchmark").create_counter("registrations")
    return partial(counter.add, 1, LABELS)


def our_counter() -> Case:
    from obs_run.metrics import counter

    registrations = counter("registrations")

    def case() -> None:
        registrations.increment(1, **LABELS)

    return case


def sdk_record() -> Case:
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, LogRecordExportResult

    class Nowhere(LogRecordExporter):
        def export(self, batch: Any) -> LogRecordExportResult:
            return LogRecordExportResult.SUCCESS if batch else LogRecordExportResult.FAILURE

        def shutdown(self) -> None:
            pass

        def force_flush(self, timeout_millis: int = 30000) -> bool:
            return timeout_millis > 0

    provider = LoggerProvider()
    provider.add_log_record_processor(BatchLogRecordProcessor(Nowhere(), max_queue_size=WARM + CALLS))
    from opentelemetry.sdk._logs import LoggingHandler

    logger = _logger(LoggingHandler(logger_provider=provider))
    return lambda: logger.info("query done in %s", "users", extra={**FIELDS, **DATA})


def stdlib_record() -> Case:
    handler = logging.FileHandler(FILE)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s %(table)s %(rows)s %(user_id)s"))
    logger = _logger(handler)
    return lambda: logger.info("query done in %s", "users", extra={**FIELDS, **DATA})


def _logger(handler: logging.Handler) -> logging.Logger:
    logger = logging.getLogger("benchmark")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    return logger


def structlog_record() -> Case:
    import structlog

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=FILE.open("a", encoding="utf-8", buffering=1)),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(**FIELDS)
    logger = structlog.get_logger()
    return lambda: logger.info("query done in users", **DATA)


def our_record() -> Case:
    from obs_run.logging import LogCategory, get_distributed_logger

    logger = get_distributed_logger()
    _contexts.append(logger.context(**FIELDS))

    def case() -> None:
        logger.info("query done in users", category=LogCategory.SYSTEM, data=DATA)

    return case


def scrub(text: str) -> Case:
    from obs_run.privacy import scrubber

    return partial(scrubber().text, text)


TEXTS = {
    "prose": "The quarterly report shows that revenue grew in every region, and the team expects more of the same. ",
    "json": '{"role": "user", "parts": [{"type": "text", "content": "What is the weather in Lisbon?"}]}, ',
    "log": "2026-11-23 04:12:55,120 INFO agent.planner: task 4711 took 0.231 s, 3 of 5 tools asked for, id=9f3c1e07 ",
    "found": f"Deploy with the token {'ghp' + '_' + 'a1B2c3D4e5F6' * 3} and write to ada.lovelace@example.org then. ",
}
_contexts: list[AbstractContextManager[Any]] = []
CASES: dict[str, Callable[[], Case]] = {
    "sdk-span": sdk_span,
    "our-span": our_span,
    "sdk-counter": sdk_counter,
    "our-counter": our_counter,
    "sdk-record": sdk_record,
    "stdlib-record": stdlib_record,
    "structlog-record": structlog_record,
    "our-record": our_record,
    **{f"scrub-{name}": partial(scrub, (text * 20)[:1024]) for name, text in TEXTS.items()},
}


def main() -> None:
    case = CASES[sys.argv[1]]()
    with _contexts[0] if _contexts else nullcontext():
        for _ in range(WARM):
            case()
        thread, process = time.thread_time(), time.process_time()
        for _ in range(CALLS):
            case()
        caller = time.thread_time() - thread
    # What the export thread still has to do belongs to the calls.
    time.sleep(1.5)
    whole = time.process_time() - process
    print(caller / CALLS * 1e6, whole / CALLS * 1e6, flush=True)
    # Leaving costs the same for every case, and is not asked here.
    os._exit(0)


if __name__ == "__main__":
    main()
