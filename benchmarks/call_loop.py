"""Make calls with one product; those that are counted lie between two signals to callgrind. Run by call.py."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib import import_module
from typing import Any

from openai import OpenAI

PRODUCT, CONTENT, EXPORT, *LENGTHS = sys.argv[1:]
# The stub answers in words: with its own six, the role and the end this makes fifty chunks.
PROMPTS = {"chat": "Hello", "stream": " ".join("a" * 42)}
CHUNKS = 50
INSTRUMENTORS = {
    "official": "opentelemetry.instrumentation.genai.openai",
    "traceloop": "opentelemetry.instrumentation.openai",
    "openinference": "openinference.instrumentation.openai",
}


seen: list[str] = []


def nothing() -> Any:
    """Return a span processor that only notes whose spans it saw."""
    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

    class Nothing(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            if len(seen) < 3:
                seen.append(span.name)

    return Nothing()


def exporter(module: str, name: str) -> Any:
    return getattr(import_module(f"opentelemetry.exporter.otlp.proto.http.{module}"), name)()


def set_up_sdk() -> list[Any]:
    """Set up the SDK's providers as its documentation does; return what is to be flushed."""
    from opentelemetry import _logs, metrics, trace
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader, PeriodicExportingMetricReader
    from opentelemetry.sdk.trace import TracerProvider

    tracers, loggers = TracerProvider(), LoggerProvider()
    readers: list[Any] = [InMemoryMetricReader()]
    if EXPORT == "otlp":
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        tracers.add_span_processor(BatchSpanProcessor(exporter("trace_exporter", "OTLPSpanExporter")))
        loggers.add_log_record_processor(BatchLogRecordProcessor(exporter("_log_exporter", "OTLPLogExporter")))
        readers = [PeriodicExportingMetricReader(exporter("metric_exporter", "OTLPMetricExporter"))]
    else:
        tracers.add_span_processor(nothing())
    trace.set_tracer_provider(tracers)
    _logs.set_logger_provider(loggers)
    metrics.set_meter_provider(MeterProvider(readers))
    return [tracers, loggers]


def set_up_logfire() -> list[Any]:
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    logfire = import_module("logfire")
    listening: dict[str, Any] = {}
    if EXPORT != "otlp":
        listening["additional_span_processors"] = [nothing()]
        listening["metrics"] = logfire.MetricsOptions(additional_readers=[InMemoryMetricReader()])
    logfire.configure(send_to_logfire=False, console=False, **listening)
    logfire.instrument_openai()
    return [logfire]


def set_up() -> list[Any]:
    """Switch the product on; return what is to be flushed."""
    if PRODUCT in ("plain", "obs-run"):
        return []
    if PRODUCT == "logfire":
        return set_up_logfire()
    flushed = set_up_sdk()
    if PRODUCT == "openlit":
        import_module("openlit").init(capture_message_content=CONTENT == "on")
    else:
        import_module(INSTRUMENTORS[PRODUCT]).OpenAIInstrumentor().instrument()
    return flushed


def call(client: OpenAI, kind: str, times: int, flushed: list[Any]) -> None:
    """Make calls, and do what the export threads still have to do for them."""
    for _ in range(times):
        answer = client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": PROMPTS[kind]}], stream=kind == "stream"
        )
        if kind == "stream":
            assert sum(1 for _ in answer) == CHUNKS
    for each in flushed:
        each.force_flush()
    ours = sys.modules.get("obs_run.runtime.process_runtime")
    if ours is not None and ours.runtime().is_in_use():
        ours.runtime().items().flush(time.monotonic() + 60)


def tell(*words: str) -> None:
    subprocess.run(["callgrind_control", *words, str(os.getpid())], check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    flushed = set_up()
    client = OpenAI(base_url=os.environ["STUB"] + "/v1", api_key="none")
    for kind, lengths in zip(PROMPTS, LENGTHS, strict=True):
        call(client, kind, 2, flushed)
        for times in lengths.split("-"):
            tell("-i", "on")
            call(client, kind, int(times), flushed)
            tell("-i", "off")
            tell("-d")
    assert seen or PRODUCT in ("plain", "obs-run") or EXPORT == "otlp", "nothing was recorded"


main()
