# ruff: noqa: ASYNC110, ASYNC240, BLE001, G004, PERF203, TRY002 - an agent as careless as agents are
"""An agent that has secrets wherever one can have them, and tells at the end how many it has used.

Its secrets are the lines of the JSON list in the file SECRETS; the first of them came on the command line.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from openai import OpenAI
from opentelemetry import _logs, baggage, context, metrics, propagate, trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.trace import Link, Status, StatusCode

import obs_run
from obs_run.logging import FileLogHandler, LogCategory, RemoteLogHandler, get_distributed_logger
from obs_run.metrics import MetricsExporter, counter, gauge, get_metrics_registry, histogram, timer
from obs_run.tracing import inject, setup_tracing

secrets: list[str] = json.loads(Path(os.environ["SECRETS"]).read_text())[int(os.environ["GIVEN"]) :]
log = logging.getLogger("agent")
log.addHandler(logging.NullHandler())
log.propagate = False
tracer = trace.get_tracer("agent")
meter = metrics.get_meter("agent")
client = OpenAI(base_url=os.environ["STUB"], api_key="stub")


def take() -> str:
    return secrets.pop()


def ask(question: str) -> None:
    messages: list[Any] = [{"role": "system", "content": f"You know {take()}."}, {"role": "user", "content": question}]
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "note": {"type": "string", "default": f"it is {take()}"}},
    }
    function: Any = {"name": "look_up", "description": f"Looks up, with {take()}", "parameters": schema}
    tools: Any = [{"type": "function", "function": function}]
    answer = client.chat.completions.create(model="gpt-5-mini", messages=messages, tools=tools).choices[0].message
    messages.append(answer)
    for call in answer.tool_calls or []:
        inner = json.dumps({"note": f"inside {take()}", "deep": json.dumps({"deeper": [take()]})})
        messages.append({"role": "tool", "tool_call_id": call.id, "content": inner})
    client.chat.completions.create(model="gpt-5-mini", messages=messages, tools=tools)


def stream(question: str) -> None:
    messages: Any = [{"role": "user", "content": question}]
    with client.chat.completions.create(model="gpt-5-mini", messages=messages, stream=True) as chunks:
        for _ in chunks:
            pass


def fail() -> None:
    raise Exception(take())


def think() -> None:
    for _ in range(4):
        ask(f"What of {take()}?")
        stream(f"And what of {take()}?")


def write_logs() -> None:
    for _ in range(3):
        log.warning(f"it is {take()}")
        log.error("it is %s for %s", take(), {"note": take()})
        log.warning("with more", extra={"note": take(), "deep": {"list": [take()]}})
        try:
            fail()
        except Exception:
            log.exception("it failed")
    logger = _logs.get_logger("agent")
    for body in (take(), {"note": [take()]}, [take()], take().encode()):
        record = LogRecord(severity_number=SeverityNumber.WARN, body=body, attributes={"note": take()})
        logger.emit(record)
    logging.getLogger(f"agent.{take()}").warning("a logger's name")


def make_spans() -> None:
    for _ in range(3):
        link = Link(trace.get_current_span().get_span_context(), {"note": take()})
        try:
            with tracer.start_as_current_span(f"step {take()}", links=[link]) as span:
                span.set_attribute("note", take())
                span.set_attribute("notes", ["one", take()])
                span.set_attribute("as.json", json.dumps([{"note": take()}]))
                span.set_attribute("url.full", take())
                span.set_attribute("http.url", take())
                span.set_attribute("db.connection_string", take())
                span.set_attribute("db.query.text", f"SELECT 1 FROM notes WHERE note = '{take()}'")
                span.add_event(f"event {take()}", {"note": take()})
                fail()
        except Exception:
            continue
    with tracer.start_as_current_span("others") as span:
        span.set_attribute("gen_ai.input.messages", json.dumps([{"role": "user", "parts": [{"content": take()}]}]))
        span.set_attribute("gen_ai.prompt.0.content", take())
        span.set_attribute("traceloop.entity.input", json.dumps({"inputs": {"note": take()}}))
        span.set_attribute("input.value", take())
        span.set_status(Status(StatusCode.ERROR, f"no {take()}"))


def measure() -> None:
    kinds = (
        meter.create_counter("jobs").add,
        meter.create_up_down_counter("open").add,
        meter.create_histogram("seconds").record,
        meter.create_gauge("heat").set,
    )
    for _ in range(4):
        for number, measured in enumerate(kinds):
            measured(number + 1, {"note": take(), "kind": "a"})
    metrics.get_meter(f"meter of {take()}").create_counter("calls", description=f"calls of {take()}").add(1)


def send() -> None:
    """Send baggage: in headers, and to a child process."""
    current = context.get_current()
    for number in range(8):
        current = baggage.set_baggage(f"note{number}", take(), current)
    token = context.attach(baggage.set_baggage("user", "ada", current))
    with tracer.start_as_current_span("sends"):
        headers: dict[str, str] = {}
        propagate.inject(headers)
        show = "import os; print(os.environ['TRACEPARENT'], os.environ.get('BAGGAGE'))"
        child = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    context.detach(token)
    Path("sent.json").write_text(json.dumps({"headers": headers, "child": child.stdout}))


def use_our_logging() -> None:
    logger = get_distributed_logger()
    logger.add_handler(FileLogHandler("file", "files/shop.log"))
    logger.add_handler(RemoteLogHandler("remote", f"{os.environ['REMOTE']}/v1/logs"))
    for category in (LogCategory.SYSTEM, LogCategory.SECURITY):
        with logger.context(operation=f"buys {take()}", user_id="ada", note=take()):
            logger.info(f"it is {take()}", category=category, data={"note": take()}, tags=[take()])
            logger.error("it failed", category=category, exception=ValueError(take()))
            logger.warning("slow", category=category, performance_metrics={"note": take()})
    obs_run.audit("login", actor=take(), outcome="ok", note=take(), deep={"list": [take()]})


def use_our_tracing() -> None:
    recorders = {
        "file": setup_tracing("shop.file", "file", file_path="files/spans.jsonl"),
        "remote": setup_tracing("shop.remote", "remote", endpoint=f"{os.environ['REMOTE']}/v1/traces"),
    }
    for ours in recorders.values():
        try:
            with ours.span(f"buys {take()}") as span:
                span.set_tag("note", take())
                span.set_tags({"deep": {"list": [take()]}})
                span.log_event(f"sees {take()}", note=take())
                fail()
        except Exception as error:
            log.warning(f"it failed again: {type(error)}")
    inside = baggage.set_baggage("note", take())
    token = context.attach(inside)
    Path("headers.json").write_text(json.dumps(inject({})))
    context.detach(token)


async def use_our_metrics() -> None:
    for _ in range(2):
        counter("our.jobs").increment(note=take())
        gauge("our.heat").set(5, note=take())
        histogram("our.seconds").observe(0.2, note=take())
        with timer("our.work").time_context(note=take()):
            pass
    written = asyncio.create_task(MetricsExporter(get_metrics_registry()).export_to_file("files/metrics.jsonl", 60))
    while not Path("files/metrics.jsonl").exists() or not Path("files/metrics.jsonl").stat().st_size:
        await asyncio.sleep(0.01)
    written.cancel()


think()
asyncio.run(use_our_metrics())
use_our_logging()
use_our_tracing()
write_logs()
make_spans()
measure()
send()
while len(secrets) > 1:
    log.warning(f"one more: {take()}")
trace.get_tracer_provider().force_flush()  # type: ignore[attr-defined]
endpoint = f"http://127.0.0.1:{os.environ['OTEL_EXPORTER_PROMETHEUS_PORT']}/metrics"
Path("endpoint.txt").write_bytes(urllib.request.urlopen(endpoint, timeout=60).read())
with trace.get_tracer("agent").start_as_current_span("last") as span:
    print(format(span.get_span_context().trace_id, "032x"), len(secrets) - 1)
raise Exception(f"ends with {take()}")
