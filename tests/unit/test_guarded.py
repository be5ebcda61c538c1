"""Each function of ours that an agent's calls pass raises in turn: what the agent sees stays as it is.

Faults are raised as a function is entered, by Python's own tracing, in the agent's threads. What the agent or
OpenTelemetry calls itself is left out, because nobody further out could catch it: those functions hold a guard and
little else, and what is inside of the guard is broken like the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.agents import Run

HARNESS = r"""
import asyncio, contextvars, json, logging, os, subprocess, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import telemetry_probe
from opentelemetry import _logs, baggage, metrics, propagate, trace
from opentelemetry._logs import LogRecord, SeverityNumber
from obs_run.base import guard
from obs_run.core import hooks, messages, recorder, streams
from obs_run.core.operations import AgentRun, Inference, ToolCall, Usage
from obs_run.core.outcomes import Call, Reader
from obs_run.runtime.process_runtime import runtime

OURS = os.path.dirname(sys.modules["obs_run"].__file__) + os.sep
FOLDERS = tuple(OURS + each + os.sep for each in ("core", "capture", "coexistence", "pipeline", "context", "sdk"))

class Listed(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []
    def emit(self, record):
        self.lines.append(record.getMessage())

listed = Listed()
log = logging.getLogger("agent")
log.propagate = False
log.addHandler(listed)
log.setLevel(1)

def begin(call):
    operation = Inference("chat", provider="openai", request_model="gpt-4o", server_address="api.openai.com")
    operation.input_messages = [messages.message("user", messages.text(call.argument(0, "text")))]
    return operation, READER

def result(operation, returned):
    operation.usage = Usage(10, 5)
    operation.output_messages = [messages.message("assistant", messages.text(str(returned)))]

READER = Reader(result, chunk=lambda operation, item: None)
library = ModuleType("a_library")

def ask(text):
    if text == "fail":
        raise ValueError("the library's own")
    return (part for part in (text, text)) if text == "stream" else text.upper()

async def ask_async(text):
    return ask(text)

library.ask, library.ask_async = ask, ask_async
INSTRUMENTOR = hooks.Instrumentor("a_library", "no-such-distribution", ">=0", (
    hooks.Target("a_library", "ask", streams.wrap_call(begin)),
    hooks.Target("a_library", "ask_async", streams.wrap_async_call(begin)),
))
hooks.add(INSTRUMENTOR, library)

def fails():
    try:
        library.ask("fail")
    except Exception as error:
        return repr(error)

def logs():
    listed.lines.clear()
    log.warning("told %s", 1, extra={"n": 2})
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("bad")
    return list(listed.lines)

tracer = trace.get_tracer("agent")
counter = metrics.get_meter("agent").create_counter("work")

def spans():
    with tracer.start_as_current_span("outer", kind=trace.SpanKind.SERVER) as outer:
        with tracer.start_as_current_span("inner") as inner:
            return inner.get_span_context().trace_id == outer.get_span_context().trace_id

def api_logs():
    _logs.get_logger("agent").emit(LogRecord(body={"a": 1}, severity_number=SeverityNumber.INFO, attributes={"b": 2}))
    counter.add(1)
    return True

def threads():
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(library.ask, "in a pool").result()

def children():
    return subprocess.run([sys.executable, "-S", "-c", "print(3)"], capture_output=True, text=True).stdout

def headers():
    # What cannot be judged is not sent, so only that nothing is raised counts.
    with tracer.start_as_current_span("request"):
        propagate.inject({}, baggage.set_baggage("who", "me"))
    return True

def flushed():
    # False where it could not be done.
    answers = trace.get_tracer_provider().force_flush(), _logs.get_logger_provider().force_flush()
    return [type(answer) for answer in answers] == [bool, bool]

WORKS = {
    "call": lambda: library.ask("a question"),
    "stream": lambda: list(library.ask("stream")),
    "async": lambda: asyncio.run(library.ask_async("a question")),
    "error": fails,
    "log": logs,
    "span": spans,
    "api": api_logs,
    "pool": threads,
    "headers": headers,
    "flush": flushed,
}

def all_works():
    outcomes = {}
    for name, work in WORKS.items():
        try:
            outcomes[name] = work()
        except BaseException as error:
            outcomes[name] = f"raised {error!r}"
    return outcomes

# The guard itself is what stands around all this.
plain = all_works()
all_works()
entered, outermost = {}, set()

def is_ours(code):
    return code.co_filename.startswith(FOLDERS) and code.co_name[0] != "<" and code.co_flags & 1

def key(code):
    return code.co_filename[len(OURS):], code.co_firstlineno, code.co_name

def collect(frame, event, argument):
    code = frame.f_code
    if is_ours(code):
        entered[key(code)] = code
        caller = frame.f_back
        if caller is None or not caller.f_code.co_filename.startswith(OURS):
            outermost.add(key(code))

def traced(function):
    threading.settrace(function)
    sys.settrace(function)
    try:
        # A fault in what leaves a context lets it stay current.
        return contextvars.copy_context().run(all_works)
    finally:
        sys.settrace(None)
        threading.settrace(None)

traced(collect)
changed, silent, broken = [], [], 0
said = guard.failed
logging.getLogger("obs_run").disabled = True

for name in sorted(set(entered) - outermost):
    fired = [0]
    def fault(frame, event, argument, name=name, fired=fired):
        code = frame.f_code
        if code.co_firstlineno == name[1] and is_ours(code) and key(code) == name:
            fired[0] += 1
            raise RuntimeError("a fault of ours")
    def failed(site, error, fault=fault):
        # Python ends the tracing of a thread whose trace function raised.
        sys.settrace(fault)
        said(site, error)
    guard.failed = failed
    outcomes = traced(fault)
    guard.failed = said
    broken += 1
    if not fired[0]:
        silent.append(name)
    different = {work: outcomes[work] for work in WORKS if outcomes[work] != plain[work]}
    if different:
        changed.append([name, different])
print("\n" + json.dumps({"changed": changed, "silent": silent, "broken": broken, "outermost": sorted(outermost)}))
"""
HOLDS_THE_GUARD = {("core/outcomes.py", "hides")}
"""What is called for each chunk of a stream has its guard inside: another around it would cost each chunk."""
ONCE = {
    "_kind_of",
}
"""Functions that a cache answers for afterwards, and that so cannot be entered again."""


def test_no_fault_of_ours_reaches_the_agent(agent: Run) -> None:
    ran = agent(HARNESS, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_AND_EVENT")
    seen = ran.seen
    changed = [(name, outcomes) for name, outcomes in seen["changed"] if (name[0], name[2]) not in HOLDS_THE_GUARD]
    assert changed == []
    assert [name for name in seen["silent"] if name[2] not in ONCE] == []
    assert seen["broken"] > 80, seen["broken"]


def test_the_harness_breaks_what_it_is_about(agent: Run) -> None:
    marked = HARNESS.replace(
        'print("\\n" + json.dumps({"changed"', 'print("\\n" + json.dumps({"names": sorted(set(entered)), "changed"'
    ).replace("for name in sorted(set(entered) - outermost):", "for name in ():")
    names = agent(marked, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_AND_EVENT").seen["names"]
    files = {name[0] for name in names}
    assert {"core/recorder.py", "core/outcomes.py", "capture/log_capture.py", "sdk/span_sink.py"} <= files
