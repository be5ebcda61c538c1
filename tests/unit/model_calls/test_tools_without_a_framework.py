"""Agents that are loops around a client, in processes of their own: the tools in their traces, and what is inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.examples import crossed, one_in

if TYPE_CHECKING:
    from tests.unit.agents import Ran, Run

BEGIN = """
import asyncio, json, logging, os, subprocess, sys, threading
from concurrent.futures import ThreadPoolExecutor
from opentelemetry import trace
from fake_models import *
from telemetry_probe import show

log = logging.getLogger("agent")
log.setLevel("INFO")
tracer = trace.get_tracer("agent")
TOOLS = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in ("weather", "hotel")]
CALLS = ["weather"]

def model(request):
    asked = json.loads(request.content)
    if not asked.get("tools") or asked["messages"][-1]["role"] == "tool":
        return [*HELLO] if asked.get("stream") else completion()
    calls = [tool_call(name, "{}", f"t{number}") for number, name in enumerate(CALLS)]
    if asked.get("stream"):
        pieces = [chunk({"tool_calls": [{"index": number, **call}]}) for number, call in enumerate(calls)]
        return [*pieces, chunk({}, "tool_calls")]
    return completion(tool_calls=calls, content=None)

def results():
    return [{"role": "tool", "tool_call_id": f"t{number}", "content": "rain"} for number in range(len(CALLS))]

SAID = [*QUESTION["messages"], {"role": "assistant", "tool_calls": [tool_call(c, "{}") for c in CALLS]}]
c = client(model)
def ask(messages=QUESTION["messages"], **more):
    return c.chat.completions.create(**{**QUESTION, "messages": messages, "tools": TOOLS, **more})
"""
END = """
ask([*SAID, *results()])
log.info("after")
show()
"""


def tree(ran: Ran) -> str:
    """Return the trees of spans and log records, as nested names; what is told at the end is told last."""
    seen = ran.seen
    ids = {span["span"] for span in seen["spans"]}
    children: dict[str, list[Any]] = {}
    for span in seen["spans"]:
        children.setdefault(span["parent"] if span["parent"] in ids else "", []).append(span)
    logs: dict[str, list[str]] = {}
    for entry in seen["logs"]:
        if entry["body"] is not None:
            logs.setdefault(entry["span"] if entry["span"] in ids else "", []).append(entry["body"])

    def shown(span_id: str) -> list[str]:
        nested = [f"{span['name']}{inner(span['span'])}" for span in children.get(span_id, [])]
        return [*(f"'{body}'" for body in logs.get(span_id, [])), *nested]

    def inner(span_id: str) -> str:
        inside = shown(span_id)
        return f"({' '.join(inside)})" if inside else ""

    return " ".join(shown(""))


def tool(ran: Ran) -> dict[str, Any]:
    (found,) = [span for span in ran.seen["spans"] if span["name"] == "execute_tool weather"]
    return dict(found)


LOOP = "chat gpt-4o-mini execute_tool weather({}) chat gpt-4o-mini"
WORK = {
    "a log line": ("log.info('rain')", "'rain'"),
    "a span of the SDK": ("with tracer.start_as_current_span('map'): log.info('rain')", "map('rain')"),
    "a span of ours": (
        "from obs_run.tracing import get_tracer\nwith get_tracer().span('map'): log.info('rain')",
        "map('rain')",
    ),
    "another model": ("ask(tools=[])", "chat gpt-4o-mini"),
    "a thread": (
        "t = threading.Thread(target=lambda: log.info('rain')); t.start(); t.join()",
        "'rain'",
    ),
    "a pool": (
        "with ThreadPoolExecutor(1) as pool: pool.submit(log.info, 'rain').result()",
        "'rain'",
    ),
    "a task": (
        "async def work(): log.info('rain')\nasyncio.run(work())",
        "'rain'",
    ),
}


@pytest.mark.sampled
@pytest.mark.parametrize(("stream", "work"), crossed([False, True], WORK))
def test_what_a_tool_does_is_inside(agent: Run, work: str, *, stream: bool) -> None:
    code, inside = WORK[work]
    asking = "list(ask(stream=True))" if stream else "ask()"
    ran = agent(f"{BEGIN}\n{asking}\n{code}\n{END}")
    # Spans are told as they end.
    names = tree(ran)
    assert f"execute_tool weather({inside})" in names, names
    assert names.startswith("'after' chat gpt-4o-mini execute_tool"), names
    attributes = tool(ran)["attributes"]
    assert attributes["gen_ai.tool.call.id"] == "t0"
    assert "obs.tool.unconfirmed" not in attributes
    assert not [name for name in attributes if name.startswith("gen_ai.tool.call.a")]


def test_its_time_is_that_between_the_calls(agent: Run) -> None:
    ran = agent(f"{BEGIN}\nimport time\nask()\ntime.sleep(0.2)\n{END}")
    assert tool(ran)["seconds"] >= 0.2
    (point,) = ran.seen["metrics"]["gen_ai.execute_tool.duration"]["points"]
    assert point["attributes"]["obs.tool.inferred"] is True


def test_a_child_process_is_inside(agent: Run) -> None:
    code = "child = [sys.executable, '-c', 'import os; print(os.environ[\"TRACEPARENT\"])']"
    run = "print(subprocess.run(child, capture_output=True, text=True).stdout)"
    ran = agent(f"{BEGIN}\nask()\n{code}\n{run}\n{END}")
    assert f"-{tool(ran)['span']}-" in ran.out


def test_a_child_that_is_forked_tells_of_none(agent: Run) -> None:
    child = "log.info('child'); ask([*SAID, *results()]); os._exit(0)"
    code = f"pid = os.fork()\nif not pid: {child}\nos.waitpid(pid, 0)"
    ran = agent(f"{BEGIN}\nask()\n{code}\n{END}")
    assert tree(ran) == "'after' chat gpt-4o-mini execute_tool weather chat gpt-4o-mini"


def test_several_tools(agent: Run) -> None:
    ran = agent(f"{BEGIN}\nCALLS.append('hotel')\nask()\nlog.info('rain')\n{END}")
    assert tree(ran) == "'rain' 'after' chat gpt-4o-mini execute_tool weather execute_tool hotel chat gpt-4o-mini"


TOLD = {
    "at the start": "with tracer.start_as_current_span('w', attributes={'gen_ai.operation.name': 'execute_tool',"
    " 'gen_ai.tool.name': 'weather'}): log.info('rain')",
    "by its name": "with tracer.start_as_current_span('execute_tool weather'): log.info('rain')",
    "in OpenInference's words": "with tracer.start_as_current_span('w', attributes={'openinference.span.kind': 'TOOL',"
    " 'tool.name': 'weather'}): log.info('rain')",
    "by our API": "from obs_run.tracing import get_tracer\nwith get_tracer().span('w', tags={'gen_ai.operation.name':"
    " 'execute_tool', 'gen_ai.tool.name': 'weather'}): log.info('rain')",
}


@pytest.mark.parametrize("told", one_in(2, TOLD))
def test_a_span_of_the_users_own_is_believed(agent: Run, told: str) -> None:
    ran = agent(f"{BEGIN}\nask()\n{TOLD[told]}\n{END}")
    # What others say in words of their own leaves in the conventions'.
    name = "execute_tool weather" if told in ("by its name", "in OpenInference's words") else "w"
    assert tree(ran) == f"'after' chat gpt-4o-mini {name}('rain') chat gpt-4o-mini"


def test_a_span_that_tells_late_is_inside_of_a_step(agent: Run) -> None:
    told = (
        "with tracer.start_as_current_span('w') as span: span.set_attributes({'gen_ai.operation.name': 'execute_tool',"
        " 'gen_ai.tool.name': 'weather'})"
    )
    ran = agent(f"{BEGIN}\nask()\n{told}\n{END}")
    names = tree(ran)
    assert "step weather(w)" in names, names
    assert "execute_tool" not in names


def test_results_that_never_come(agent: Run) -> None:
    ran = agent(f"{BEGIN}\nask()\nlog.info('rain')\nask()\nlog.info('after')\nask()\nshow()")
    assert tree(ran) == ("'after' chat gpt-4o-mini execute_tool weather('rain') chat gpt-4o-mini chat gpt-4o-mini")
    assert tool(ran)["attributes"]["obs.tool.unconfirmed"] is True


def test_the_end_of_the_span_around(agent: Run) -> None:
    code = "with tracer.start_as_current_span('turn'):\n    ask()\n    log.info('rain')\nlog.info('after')\nshow()"
    ran = agent(f"{BEGIN}\n{code}")
    names = tree(ran)
    assert "turn(chat gpt-4o-mini execute_tool weather('rain'))" in names, names
    assert names.startswith("'after'")
    assert tool(ran)["attributes"]["obs.tool.unconfirmed"] is True


RESPONSES = """
CALL = {"type": "function_call", "id": "i", "call_id": "t0", "name": "weather", "arguments": "{}"}
def respond(request):
    asked = json.loads(request.content)
    return response() if isinstance(asked["input"], list) else response(CALL)
r = client(respond)
tools = [{"type": "function", "name": "weather", "parameters": {}}]
first = r.responses.create(model="gpt-5-mini", input="x", tools=tools)
log.info("rain")
output = {"type": "function_call_output", "call_id": "t0", "output": "rain"}
r.responses.create(model="gpt-5-mini", input=[*MORE, output], previous_response_id=first.id)
show()
"""


@pytest.mark.parametrize("more", ["", '{"role": "user", "content": "x"}, CALL,'], ids=["stored", "with the history"])
def test_responses(agent: Run, more: str) -> None:
    content = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}
    ran = agent(f"{BEGIN}\n{RESPONSES.replace('*MORE,', more)}", **content)
    assert tree(ran) == "chat gpt-5-mini execute_tool weather('rain') chat gpt-5-mini"
    attributes = tool(ran)["attributes"]
    assert attributes["gen_ai.tool.call.arguments"] == "{}"
    assert attributes["gen_ai.tool.call.result"] == "rain"


ASYNC = """
a = async_client(model)
async def converse(name):
    first = await a.chat.completions.create(**{**QUESTION, "model": name, "tools": TOOLS})
    await asyncio.sleep(0)
    await asyncio.gather(work(name))
    await a.chat.completions.create(**{**QUESTION, "model": name, "messages": [*SAID, *results()], "tools": TOOLS})
async def work(name):
    log.info(name)
async def main():
    await asyncio.gather(*[converse(name) for name in ("one", "two", "three")])
asyncio.run(main())
show()
"""


def test_conversations_beside_each_other(agent: Run) -> None:
    names = tree(agent(f"{BEGIN}\n{ASYNC}"))
    assert [names.count(f"execute_tool weather('{name}')") for name in ("one", "two", "three")] == [1, 1, 1], names


def test_switched_off(agent: Run) -> None:
    ran = agent(f"{BEGIN}\nask()\nlog.info('rain')\n{END}", OBS_INFER_TOOLS="false")
    assert tree(ran) == "'rain' 'after' chat gpt-4o-mini chat gpt-4o-mini"


def test_a_loop_keeps_nothing(agent: Run) -> None:
    code = (
        "from obs_run.core.tool_windows import windows\nfrom obs_run.core.open_recordings import open_recordings\n"
        "for _ in range(200):\n    ask()\n    log.info('rain')\n    ask([*SAID, *results()])\n"
        "show(waiting=len(windows.waiting), open=len(open_recordings))"
    )
    seen = agent(f"{BEGIN}\n{code}").seen
    assert (seen["waiting"], seen["open"]) == (0, 0)
    assert sum(span["name"] == "execute_tool weather" for span in seen["spans"]) == 200
