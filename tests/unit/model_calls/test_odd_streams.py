"""Streams as gateways send them: compressed, in pieces of any size, with any ends of lines, or no streams at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.examples import crossed, one_in

if TYPE_CHECKING:
    from tests.unit.agents import Ran, Run

ON = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}
SERVED = """
import gc, http.server, os, sys, threading, zlib
from fake_models import *
def served(body, encoding="", size=10**6, kind="text/event-stream", asks=False):
    class Model(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            events = HELLO
            if "stream_options" in asked: events = [dict(each, usage=None) for each in HELLO] + [usage_chunk()]
            told = (sse(events) if body is None else body).replace(b"\\n", END)
            self.send_response(200)
            self.send_header("content-type", kind)
            if encoding: self.send_header("content-encoding", encoding)
            self.end_headers()
            # Of gzip, or of zlib, which "deflate" means.
            packer = zlib.compressobj(wbits={"gzip": 31, "deflate": 15}.get(encoding, 15))
            for at in range(0, len(told), size):
                piece = told[at:at + size]
                if encoding in ("gzip", "deflate"): piece = packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH)
                self.wfile.write(piece)
            if encoding in ("gzip", "deflate"): self.wfile.write(packer.flush())
        def log_message(self, *_): pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    if asks and "obs_run" in sys.modules:
        os.environ["OBS_STREAM_USAGE_HOSTS"] = f"127.0.0.1:{server.server_port}"
        from obs_run import settings
        getattr(settings, "forget", lambda: None)()
    return openai.OpenAI(api_key="k", base_url=f"http://127.0.0.1:{server.server_port}/v1", max_retries=0)
def read(way, c):
    create = c.chat.completions.create
    if way == "stream": return [each.model_dump_json(exclude_unset=True) for each in create(**QUESTION, stream=True)]
    if way == "lines": return list(create(**QUESTION, stream=True).response.iter_lines())
    if way == "body": return [create(**QUESTION, stream=True).response.read().decode()]
    if way == "raw": return [str(len(b"".join(create(**QUESTION, stream=True).response.iter_raw())))]
    with c.chat.completions.with_streaming_response.create(**QUESTION, stream=True) as r: return list(r.iter_lines())
def shown(*calls):
    seen = []
    for way, args, more in calls:
        try: seen.append(read(way, served(*args, **more)))
        except Exception as error: seen.append([type(error).__name__])
    # What nobody read to its end is over when it is collected.
    gc.collect()
    if "obs_run" in sys.modules:
        from telemetry_probe import show
        show(seen=seen)
    else:
        print(json.dumps({"seen": seen}))
"""
WAYS = ("stream", "lines", "body", "streaming response")


def chats(ran: Ran) -> list[dict[str, Any]]:
    return [span["attributes"] for span in ran.seen["spans"] if span["name"].startswith("chat")]


def ask(agent: Run, calls: list[str], end: str = r"\n", *, start: bool = True) -> Ran:
    return agent(f"END = b'{end}'\n{SERVED}\nshown({', '.join(calls)})", start=start, **ON)


def assert_hello(ran: Ran, *, asks: bool) -> None:
    """Assert that each way was recorded whole, and that the agent saw nothing that it did not ask for."""
    assert "usage" not in json.dumps(ran.seen["seen"])
    assert all("lo" in "".join(seen) for seen in ran.seen["seen"])
    for way, attributes in zip(WAYS, chats(ran), strict=True):
        # Nobody could take it out of what the agent reads by itself there.
        is_asked = asks and way != "streaming response"
        assert attributes.get("gen_ai.usage.input_tokens") == (10 if is_asked else None), way
        assert attributes["gen_ai.response.finish_reasons"] == ["stop"], way
        assert "obs.response.stream_end" not in attributes, way
        assert json.loads(attributes["gen_ai.output.messages"])[0]["parts"][0]["content"] == "Hello", way


@pytest.mark.parametrize(("encoding", "asks"), crossed(["gzip", "deflate"], [False, True]))
def test_a_compressed_stream_is_recorded_and_nothing_of_ours_is_seen(encoding: str, agent: Run, *, asks: bool) -> None:
    calls = [f"({way!r}, (None, {encoding!r}, 50), dict(asks={asks}))" for way in WAYS]
    assert_hello(ask(agent, calls), asks=asks)


def test_a_compressed_stream_may_be_read_as_it_is(agent: Run) -> None:
    (attributes,) = chats(ask(agent, ["('raw', (None, 'gzip', 50), {})"]))
    assert "error.type" not in attributes


@pytest.mark.parametrize(("end", "size"), one_in(2, [(r"\r\n", 1), (r"\r", 7), (r"\n", 1), (r"\r\n", 10**6)]))
def test_pieces_and_lines_of_any_kind(end: str, size: int, agent: Run) -> None:
    calls = [f"({way!r}, (None,), dict(size={size}, asks=True))" for way in WAYS]
    assert_hello(ask(agent, calls, end), asks=True)


NO_STREAMS = {
    "a page": "(b'<html>busy</html>',), dict(kind='text/html', asks=True)",
    "a page as events": "(b'<html>busy</html>',), dict(asks=True)",
    "half of JSON": """(b'data: {"id": "c", "choices": [',), dict(asks=True)""",
    "no objects": r"(b'data: 7\n\ndata: [1]\n\ndata: null\n\n',), dict(asks=True)",
    "other objects": r"""(b'data: {"choices": [{"delta": []}], "usage": "x"}\n\n',), dict(asks=True)""",
    "nothing": "(b'',), dict(asks=True)",
    "no text": "(bytes(range(256)),), dict(kind='application/octet-stream', asks=True)",
    "not compressed": r"(b'data: {}\n\n', 'zstd'), dict(asks=True)",
    "compressed otherwise": r"(zlib.compress(b'data: {}\n\n'), 'identity, x-gzip'), dict(asks=True)",
    "cut off": r"(zlib.compress(b'data: {}\n\n' * 9)[:-9], 'br, DEFLATE'), dict(asks=True)",
}


@pytest.mark.slow
def test_what_is_no_stream_reaches_the_agent_as_without_us(agent: Run) -> None:
    calls = [f"({way!r}, {told})" for told in NO_STREAMS.values() for way in ("stream", "lines", "body")]
    ran = ask(agent, calls)
    assert ran.seen["seen"] == ask(agent, calls, start=False).seen["seen"]
    recorded = chats(ran)
    assert len(recorded) == len(calls)
    assert not [attributes for attributes in recorded if "gen_ai.usage.input_tokens" in attributes]
