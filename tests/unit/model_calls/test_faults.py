"""Six hundred model calls, each with a random function of ours raising: the agent sees what it sees without us."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.agents import Run

# The fault is raised as a function is entered, by Python's own tracing. Functions that the library or Python itself
# calls hold the guard, and nobody further out could catch what they raise: what is inside of them is broken instead.
HARNESS = r"""
import asyncio, contextvars, random, sys, threading
from fake_models import *
import obs_instrumentors, obs_run
from obs_run.base import guard, stand_in, steps
import os, logging

OURS = tuple(os.path.dirname(module.__file__) + os.sep for module in (obs_run, obs_instrumentors))
# The guard itself, and what holds one around all that it does, which Python calls for ``with``.
GUARDS = (guard.__file__, stand_in.__file__, steps.__file__)
STREAM = [*HELLO, usage_chunk()]
TOOLS = [{"type": "function", "function": {"name": "pay", "parameters": {"type": "object"}}}]
ITEM = {"type": "function_call", "id": "i", "call_id": "t1", "name": "pay", "arguments": '{"a": 1}'}
EVENTS = response_events(ITEM, {"type": "response.function_call_arguments.delta", "delta": '{"a"'})

def fails(_): raise httpx2.ConnectError("away")
def left():
    stream = client(STREAM).chat.completions.create(**QUESTION, stream=True)
    first = next(iter(stream)); stream.close()
    return first
def helper():
    with client(STREAM).chat.completions.stream(**QUESTION) as stream:
        return [event.type for event in stream]
async def async_stream():
    return [each async for each in await async_client(STREAM).chat.completions.create(**QUESTION, stream=True)]
async def async_lines():
    stream = await async_client(STREAM).chat.completions.create(**QUESTION, stream=True)
    return [line async for line in stream.response.aiter_lines()]
async def async_call(): return await async_client(completion()).chat.completions.create(**QUESTION, tools=TOOLS)
async def cancelled():
    task = asyncio.ensure_future(async_stream()); await asyncio.sleep(0); task.cancel()
    return (await asyncio.gather(task, return_exceptions=True))[0]

WORKS = {
    "call": lambda: client(completion(tool_calls=[tool_call("pay", "{}")])).chat.completions.create(**QUESTION),
    "stream": lambda: list(client(STREAM).chat.completions.create(**QUESTION, stream=True)),
    "lines": lambda: list(client(STREAM).chat.completions.create(**QUESTION, stream=True).response.iter_lines()),
    "raw": lambda: client(completion()).chat.completions.with_raw_response.create(**QUESTION).text,
    "left": left,
    "helper": helper,
    "away": lambda: client(fails).chat.completions.create(**QUESTION),
    "responses": lambda: client(response(ITEM)).responses.create(model="m", input="x"),
    "events": lambda: list(client(EVENTS).responses.create(model="m", input="x", stream=True)),
    "async call": lambda: asyncio.run(async_call()),
    "async stream": lambda: asyncio.run(async_stream()),
    "async lines": lambda: asyncio.run(async_lines()),
    "cancelled": lambda: asyncio.run(cancelled()),
}

def outcome(work):
    try:
        return repr(WORKS[work]())
    except BaseException as error:
        return f"raised {error!r}"

def is_ours(code):
    is_named = code.co_name[0] != "<" and code.co_flags & 1
    return is_named and code.co_filename.startswith(OURS) and code.co_filename not in GUARDS

def traced(function, work):
    threading.settrace(function)
    sys.settrace(function)
    try:
        return contextvars.copy_context().run(outcome, work)
    finally:
        sys.settrace(None)
        threading.settrace(None)

plain = {work: outcome(work) for work in WORKS}
logging.getLogger("obs_run").disabled = True
entered, outermost = {}, set()

for work in WORKS:
    found = entered[work] = set()
    def collect(frame, event, argument):
        code = frame.f_code
        if is_ours(code):
            found.add(code)
            caller = frame.f_back
            if caller is None or not caller.f_code.co_filename.startswith(OURS):
                outermost.add(code)
    traced(collect, work)

chosen = random.Random(600)
changed, fired = [], 0
said = guard.failed
for number in range(600):
    work = chosen.choice(list(WORKS))
    inside = sorted(entered[work] - outermost, key=lambda code: (code.co_filename, code.co_firstlineno))
    broken = chosen.choice(inside)
    times = [0]
    def fault(frame, event, argument):
        if frame.f_code is broken:
            times[0] += 1
            raise RuntimeError("a fault of ours")
    def failed(site, error):
        # Python ends the tracing of a thread whose trace function raised.
        sys.settrace(fault)
        said(site, error)
    guard.failed = failed
    seen = traced(fault, work)
    guard.failed = said
    fired += bool(times[0])
    if seen != plain[work]:
        changed.append([work, f"{broken.co_filename}:{broken.co_firstlineno} {broken.co_name}", seen[:200]])
functions = len(set().union(*entered.values()) - outermost)
print("\n" + json.dumps({"changed": changed, "fired": fired, "functions": functions}))
"""


@pytest.mark.slow
def test_no_outcome_changes(agent: Run) -> None:
    seen = agent(HARNESS, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_AND_EVENT").seen
    print(seen["fired"], seen["functions"])
    assert seen["changed"] == []
    # Some are answered by a cache after the first time.
    assert seen["fired"] > 500
    assert seen["functions"] > 100
