"""Streams are recorded whichever way the agent reads them, and as far as they went."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.examples import crossed, one_in
from tests.otlp_receiver import Receiver

if TYPE_CHECKING:
    from tests.unit.agents import Ran, Run

ON = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}
BEGIN = "from fake_models import *\nfrom telemetry_probe import show\n"
SHOW = "import gc; gc.collect()  # the client leaves a circle behind\nshow()"
WITH_USAGE = "[*HELLO, usage_chunk()]"
READ_BEFORE = "event_hooks={'response': [lambda r: r.read()]}"
ASKED = "**QUESTION, stream=True, stream_options={'include_usage': True}"


def chat(ran: Ran) -> dict[str, Any]:
    (span,) = [span for span in ran.seen["spans"] if span["name"].startswith("chat")]
    attributes: dict[str, Any] = span["attributes"]
    return attributes


def parts(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    (message,) = json.loads(attributes["gen_ai.output.messages"])
    found: list[dict[str, Any]] = message["parts"]
    return found


WAYS = {
    "the client's own": f"c = client({WITH_USAGE})\nlist(c.chat.completions.create({ASKED}))",
    "read before": f"c = client({WITH_USAGE}, {READ_BEFORE})\nlist(c.chat.completions.create({ASKED}))",
    "raw, read before": f"""
c = client({WITH_USAGE}, {READ_BEFORE})
list(c.chat.completions.with_raw_response.create({ASKED}).parse())""",
    "raw, read before, as text": f"""
c = client({WITH_USAGE}, {READ_BEFORE})
assert "Hel" in c.chat.completions.with_raw_response.create({ASKED}).text""",
    "lines of the stream's response": f"""
c = client({WITH_USAGE})
assert "usage" in "".join(c.chat.completions.create({ASKED}).response.iter_lines())""",
    "bytes of the stream's response": f"""
c = client({WITH_USAGE})
stream = c.chat.completions.create({ASKED})
assert b"".join(stream.response.iter_raw()) == sse({WITH_USAGE})""",
    "lines of a streaming response": f"""
c = client({WITH_USAGE})
with c.chat.completions.with_streaming_response.create({ASKED}) as r: lines = list(r.iter_lines())
assert lines[-2] == "data: [DONE]", lines""",
    "the whole body": f"c = client({WITH_USAGE})\nc.chat.completions.create({ASKED}).response.read()",
    "async": f"""
import asyncio
async def main():
    async for _ in await async_client({WITH_USAGE}).chat.completions.create({ASKED}): pass
asyncio.run(main())""",
    "async lines": f"""
import asyncio
async def main():
    stream = await async_client({WITH_USAGE}).chat.completions.create({ASKED})
    assert len([line async for line in stream.response.aiter_lines()]) == 10
asyncio.run(main())""",
}


@pytest.mark.sampled
@pytest.mark.parametrize("way", one_in(2, WAYS))
def test_a_stream_is_recorded_whatever_way_it_is_read(way: str, agent: Run) -> None:
    attributes = chat(agent(f"{BEGIN}{WAYS[way]}\nshow()", **ON))
    assert attributes["gen_ai.response.model"] == "gpt-4o-mini"
    assert attributes["gen_ai.response.finish_reasons"] == ["stop"]
    assert attributes["gen_ai.usage.input_tokens"] == 10
    assert "obs.response.stream_end" not in attributes
    assert [part["content"] for part in parts(attributes)] == ["Hello"]


LEFT = {
    "lines": "for line in stream.response.iter_lines():\n    if 'lo' in line: break",
    "bytes, closed": "next(pieces := stream.response.iter_bytes()), next(pieces)\nstream.close()",
}


@pytest.mark.parametrize("way", LEFT)
def test_bytes_that_are_read_in_part_are_recorded(way: str, agent: Run) -> None:
    source = f"c = client({WITH_USAGE})\nstream = c.chat.completions.create({ASKED})\n{LEFT[way]}\nshow()"
    attributes = chat(agent(BEGIN + source, **ON))
    assert (attributes["obs.response.stream_end"], parts(attributes)[0]["content"]) == ("abandoned", "Hello")


# What the agent sees of a stream for which it did not ask for usage, by a provider that is known to tell it if asked.
SERVED = """
import http.server, threading
from fake_models import *
class Model(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append("stream_options" in asked)
        events = [dict(each, usage=None) for each in HELLO] + [usage_chunk()] if self.server.asked[-1] else HELLO
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.write(sse(events))
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
server.asked = []
threading.Thread(target=server.serve_forever, daemon=True).start()
import os
address = f"127.0.0.1:{server.server_port}"
os.environ["OBS_STREAM_USAGE_HOSTS"] = address
from obs_run import settings
getattr(settings, "forget", lambda: None)()
seen = []
def keep(response): response.read(); seen.append(response.text)
def note(request): seen.append(request.content.decode())
class Own(openai.OpenAI):
    def _prepare_options(self, options): seen.append(json.dumps(options.json_data)); return options
class Transport(httpx2.HTTPTransport):
    def handle_request(self, request): seen.append(request.read().decode()); return super().handle_request(request)
def made(kind=openai.OpenAI, **more):
    return kind(api_key="k", base_url=f"http://{address}/v1", max_retries=0, **more)
def create(c): return c.chat.completions.create(**QUESTION, stream=True)
def look(way):
    if way == "stream": seen.extend(each.model_dump_json(exclude_unset=True) for each in create(made()))
    if way == "lines": seen.extend(create(made()).response.iter_lines())
    if way == "text": seen.extend(create(made()).response.iter_text())
    if way == "raw": seen.extend(map(bytes.decode, create(made()).response.iter_raw()))
    if way == "body": seen.append(create(made()).response.read().decode())
    if way == "hook": list(create(made(http_client=httpx2.Client(event_hooks={"response": [keep]}))))
    if way == "request hook": list(create(made(http_client=httpx2.Client(event_hooks={"request": [note]}))))
    if way == "transport": list(create(made(http_client=httpx2.Client(transport=Transport()))))
    if way == "mount": list(create(made(http_client=httpx2.Client(mounts={"http://": Transport()}))))
    if way == "class": list(create(made(Own)))
    if way == "patched":
        send = httpx2.Client.send
        def sent(self, request, **more): seen.append(request.content.decode()); return send(self, request, **more)
        httpx2.Client.send = sent
        list(create(made()))
"""


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("way", "is_asked"),
    one_in(2, [(way, True) for way in ("stream", "lines", "text", "raw", "body")])
    + one_in(2, [(way, False) for way in ("hook", "request hook", "transport", "mount", "class", "patched")]),
)
def test_usage_that_we_ask_for_is_seen_by_nobody(way: str, is_asked: bool, agent: Run) -> None:  # noqa: FBT001
    ran = agent(f"{SERVED}\nlook({way!r})\nfrom telemetry_probe import show\nshow(seen=seen, asked=server.asked)", **ON)
    assert ran.seen["asked"] == [is_asked]
    assert "usage" not in "".join(ran.seen["seen"])
    assert "lo" in "".join(ran.seen["seen"]) or not is_asked
    attributes = chat(ran)
    assert attributes.get("gen_ai.usage.input_tokens") == (10 if is_asked else None)
    assert parts(attributes)[0]["content"] == "Hello"


def test_space_before_the_json_is_no_loss(agent: Run) -> None:
    source = 'c = client(b"  \\n\\n" + json.dumps(completion()).encode())\n'
    source += "c.chat.completions.with_raw_response.create(**QUESTION).http_response.encoding = 'latin-1'\nshow()"
    attributes = chat(agent(f"{BEGIN}{source}", **ON))
    assert (attributes["gen_ai.response.id"], attributes["gen_ai.usage.output_tokens"]) == ("c", 5)
    assert parts(attributes)[0]["content"] == "hi"


PAYING = """
import os, signal, sys, asyncio
from fake_models import *
STREAM = HELLO[:2] + [chunk({"tool_calls": [{"index": 0, **tool_call("pay", '{"a"')}]}), chunk({}, "tool_calls")]
ITEM = {"type": "function_call", "id": "i", "call_id": "t1", "name": "pay", "arguments": '{"a": 1}'}
RESPONSE = response_events(ITEM, {"type": "response.function_call_arguments.delta", "delta": '{"a"'})
def begin():
    stream = iter(client(STREAM).chat.completions.create(**QUESTION, stream=True))
    for _ in range(3): next(stream)
    return stream
def begin_response():
    stream = iter(client(RESPONSE).responses.create(model="gpt-5-mini", input="x", stream=True))
    for _ in range(3): next(stream)
    return stream
async def begin_async():
    global stream
    stream = aiter(await async_client(STREAM).chat.completions.create(**QUESTION, stream=True))
    for _ in range(3): await anext(stream)
"""
LEAVING = {
    "end": "",
    "exception": "raise RuntimeError('out')",
    "sys.exit": "sys.exit(3)",
    "SIGTERM": "os.kill(os.getpid(), signal.SIGTERM)",
    "os._exit": "os._exit(0)",
    "exec": "os.execv(sys.executable, [sys.executable, '-S', '-c', 'pass'])",
}
OPENED = {
    "chat": "stream = begin()",
    "responses": "stream = begin_response()",
    "async": "asyncio.run(begin_async())",
}


@pytest.mark.sampled
@pytest.mark.parametrize(("way", "opened"), crossed(LEAVING, OPENED))
def test_what_has_streamed_when_the_process_leaves_is_kept(way: str, opened: str, agent: Run) -> None:
    with Receiver() as receiver:
        source = f"{PAYING}{OPENED[opened]}\n{LEAVING[way]}\n"
        agent(source, **ON, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint, OBS_FLUSH_SECONDS="20")
        (span,) = [span for span in receiver.spans if span.name.startswith("chat")]
    attributes = span.attributes
    told = parts(attributes)
    assert told[-1] == {"type": "tool_call", "id": "t1", "name": "pay", "arguments": '{"a"'}
    assert list(attributes["obs.response.tool_calls"]) == ["pay"]
    if opened != "responses":
        assert told[0]["content"] == "Hello"
    if opened != "async" or "obs.span.ended_by" in attributes:
        assert attributes["obs.span.unfinished"]


RESPONSES = f"""{BEGIN}import gc
ITEM = {{"type": "function_call", "id": "i", "call_id": "t1", "name": "pay", "arguments": '{{"a": 1}}'}}
EVENTS = response_events(ITEM, {{"type": "response.function_call_arguments.delta", "delta": '{{"a"'}})
def until(kind):
    for event in client(EVENTS).responses.create(model="gpt-5-mini", input="x", stream=True):
        if event.type == kind: break
    del event
    gc.collect()  # the client leaves a circle behind
"""
KINDS = [
    ("response.output_item.added", ""),
    ("response.function_call_arguments.delta", '{"a"'),
    ("response.output_item.done", '{"a": 1}'),
]


@pytest.mark.sampled
@pytest.mark.parametrize(("kind", "arguments"), KINDS)
def test_a_response_that_is_left_keeps_what_came(kind: str, arguments: str, agent: Run) -> None:
    attributes = chat(agent(f"{RESPONSES}\nuntil({kind!r})\nshow()", **ON))
    assert parts(attributes) == [{"type": "tool_call", "id": "t1", "name": "pay", "arguments": arguments}]
    assert attributes["obs.response.stream_end"] == "abandoned"


def test_names_of_tools_are_kept_without_content(agent: Run) -> None:
    attributes = chat(agent(f"{RESPONSES}\nuntil('response.output_item.done')\nshow()"))
    assert attributes["obs.response.tool_calls"] == ["pay"]
    assert "1" not in str(attributes.get("gen_ai.output.messages", ""))


WHOLE = {
    "response": f"{RESPONSES}\nuntil('response.completed')\n{SHOW}",
    "usage chunk": f"""{BEGIN}
for each in client([*HELLO, usage_chunk()]).chat.completions.create({ASKED}):
    if each.usage: break
{SHOW}""",
    "last chunk": f"""{BEGIN}
for each in client(HELLO).chat.completions.create(**QUESTION, stream=True):
    if each.choices[0].finish_reason: break
{SHOW}""",
}


@pytest.mark.sampled
@pytest.mark.parametrize("way", WHOLE)
def test_a_break_at_the_last_event_is_whole(way: str, agent: Run) -> None:
    attributes = chat(agent(WHOLE[way], **ON))
    assert "obs.response.stream_end" not in attributes
    assert attributes["gen_ai.response.finish_reasons"]


ONE_OF_TWO = f"""{BEGIN}
first = chunk({{"content": "a"}}, "stop")
for _ in client([first, chunk({{}})]).chat.completions.create(**QUESTION, stream=True, n=2): break
{SHOW}"""


@pytest.mark.parametrize(
    "source",
    [
        ONE_OF_TWO,
        (
            f"{BEGIN}\nfor each in client([*HELLO, usage_chunk()]).chat.completions.create({ASKED}):\n"
            f"    if each.choices[0].finish_reason: break\n{SHOW}"
        ),
    ],
)
def test_a_break_before_the_last_event_is_abandoned(source: str, agent: Run) -> None:
    assert chat(agent(source, **ON))["obs.response.stream_end"] == "abandoned"
