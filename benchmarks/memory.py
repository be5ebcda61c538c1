"""What an item in the queue takes of memory, beside the size that the queue counts for it.

``python -m benchmarks.memory``: at most 1.0 in the last column, or OBS_QUEUE_BYTES is no bound.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

NUMBER = 5000
AGENT = f"""
import obs_run.auto
import gc, json, logging, os
from opentelemetry import trace
from obs_run.core import recorder
from obs_run.core.operations import Inference, ToolCall, Usage
from obs_run.runtime.in_process import runtime

tracer = trace.get_tracer("agent")
logger = logging.getLogger("agent")
logger.propagate = False
logger.addHandler(logging.NullHandler())


def memory():
    gc.collect()
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def span():
    tracer.start_span("work").end()


def span_with_attributes():
    tracer.start_span("work", attributes={{f"key.{{n}}": f"value {{n}} {{os.getpid()}}" for n in range(10)}}).end()


def span_with_event():
    with tracer.start_as_current_span("work") as current:
        current.add_event("event", {{"a": 1}})


def model_call():
    call = recorder.start(Inference("chat", request_model="model"))
    call.operation.usage = Usage(1, 1)
    call.operation.response_id = str(id(call))
    call.end()


def model_call_with_text():
    call = recorder.start(Inference("chat", request_model="model"))
    text = "x" * 2000 + str(id(call))
    call.operation.input_messages = [{{"role": "user", "parts": [{{"type": "text", "content": text}}]}}]
    call.end()


def tool():
    recorder.start(ToolCall("search")).end()


def log():
    logger.warning("a line %d", 5, extra={{"a": "b"}})


span()
queue = runtime().queue()
queue.load()
queue.before_fork()
for work in (span, span_with_attributes, span_with_event, model_call, model_call_with_text, tool, log):
    for _ in range(50):
        work()
    counted, taken = queue._bytes, memory()
    for _ in range({NUMBER}):
        work()
    print(json.dumps([work.__name__, (queue._bytes - counted) / {NUMBER}, (memory() - taken) / {NUMBER}]), flush=True)
os.kill(os.getpid(), 9)
"""


def main() -> None:
    """Print one line for each kind of item."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(Path.home()),
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
        "OBS_QUEUE_BYTES": "1GiB",
        "OBS_SPOOL": "false",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true",
    }
    ran = subprocess.run([sys.executable, "-c", AGENT], env=environment, capture_output=True, text=True, check=False)
    print("| Item | Counted | Taken | Taken / counted |\n| --- | --- | --- | --- |")
    for line in ran.stdout.splitlines():
        name, counted, taken = json.loads(line)
        print(f"| {name.replace('_', ' ')} | {counted:.0f} | {taken:.0f} | {taken / counted:.2f} |")


if __name__ == "__main__":
    main()
