"""HTTP clients under OpenTelemetry's own instrumentors: which requests make spans, and who gets the trace context."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from tests.instrumentors.agents import run_agent
from tests.instrumentors.environments import python_with

if TYPE_CHECKING:
    from tests.instrumentors.agents import Recorded

VENDOR = "api.vendor.example"
FOREIGN_TRACE = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"
_CONTRIB = [
    f"opentelemetry-instrumentation-{name}" for name in ("httpx", "requests", "aiohttp-client", "urllib", "urllib3")
]
_CLIENTS = ("requests", "aiohttp", "urllib3")
ENVIRONMENTS = {
    # Newest, and the oldest of the release train that we support.
    "newest": (*_CLIENTS, "httpx<1", "httpx2", *(f"{name}==0.66b1" for name in _CONTRIB)),
    "oldest": (*_CLIENTS, "httpx<1", *(f"{name}==0.60b0" for name in _CONTRIB)),
}
# How a client sends one GET request to ``url`` with ``headers``.
CLIENTS = {
    "httpx": "import httpx\nclient = httpx.Client()\ndef get(url, headers): client.get(url, headers=headers)",
    "httpx2": "import httpx2\nclient = httpx2.Client()\ndef get(url, headers): client.get(url, headers=headers)",
    "httpx, async": """
import asyncio, httpx
async def sent(url, headers):
    async with httpx.AsyncClient() as client:
        await client.get(url, headers=headers)
def get(url, headers): asyncio.run(sent(url, headers))
""",
    "requests": "import requests\ndef get(url, headers): requests.get(url, headers=headers)",
    "aiohttp": """
import asyncio, aiohttp
async def sent(url, headers):
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers):
        pass
def get(url, headers): asyncio.run(sent(url, headers))
""",
    "urllib": """
import urllib.error, urllib.request
def get(url, headers):
    try:
        urllib.request.urlopen(urllib.request.Request(url, headers=headers)).close()
    except urllib.error.HTTPError as error:
        error.close()
""",
    "urllib3": """
import urllib3
pool = urllib3.PoolManager()
def get(url, headers): pool.request("GET", url, headers=headers)
""",
}
AGENT = (
    f"\nVENDOR, FOREIGN_TRACE = {VENDOR!r}, {FOREIGN_TRACE!r}"
    """
import contextvars, socket
from opentelemetry import trace
from obs_run.core import recorder
from obs_run.core.operations import Inference, ToolCall
resolve = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: resolve(
    "127.0.0.1" if host in (VENDOR, VENDOR.encode()) else host, *rest, **more)
THERE = URL.replace("127.0.0.1", VENDOR)
def send(tag, where=None, **headers):
    get(f"{where or URL}/{tag}", headers)
def within(operation, *sends):
    recording = recorder.start(operation)
    with recording:
        for tag, where in sends:
            send(tag, where)
        left = contextvars.copy_context()
    recording.end()
    return left
def chat():
    return Inference("chat", provider="p", request_model="m")
def work():
    send("plain", URL)
    send("plain-vendor", THERE)
    left = within(chat(), ("called", URL), ("called-vendor", THERE))
    left.run(send, "left")
    within(ToolCall(tool_name="t"), ("tool", URL))
    with trace.get_tracer("native").start_as_current_span(
            "native", kind=trace.SpanKind.CLIENT, attributes={"gen_ai.request.model": "m"}):
        send("native", URL)
    with recorder.start(chat()):
        send("own", THERE, traceparent=FOREIGN_TRACE)
"""
    'with trace.get_tracer("agent").start_as_current_span("agent"):\n    work()\n'
)
NAMES = ("plain", "plain-vendor", "called", "called-vendor", "left", "tool", "native", "own")

pytestmark = [pytest.mark.environments, pytest.mark.timeout(900)]  # the environment may have to be made first


class Sent:
    """What the server got, by the last part of the path."""

    def __init__(self, stub: Any, recorded: Recorded) -> None:
        self.recorded = recorded
        self.headers = {request["path"].rpartition("/")[2]: request["headers"] for request in stub.requests}

    def parent(self, tag: str) -> str | None:
        """Return the name of the span that the request names as its parent, None where it names none."""
        traceparent = self.headers[tag].get("traceparent")
        if traceparent is None:
            return None
        _, trace, span_id, flags = traceparent.split("-")
        found = next((span for span in self.recorded.spans if format(span["id"], "016x") == span_id), None)
        assert found is None or (found["trace"] == trace and int(flags, 16) & 1)
        return "another trace" if found is None else found["name"]

    def with_span(self) -> list[str]:
        urls = [
            span["attributes"].get("http.url") or span["attributes"]["url.full"]
            for span in self.recorded.spans
            if "http" in str(span["attributes"])
        ]
        return sorted(url.rpartition("/")[2] for url in urls)


def send(stub: Any, client: str, environment: str = "newest", agent: str = AGENT, **variables: str) -> Sent:
    stub.reset()
    python = python_with(*ENVIRONMENTS[environment])
    return Sent(stub, run_agent(python, CLIENTS[client] + agent, stub.url, **variables))


@pytest.mark.parametrize("client", CLIENTS)
def test_hidden_beneath_calls_and_sent_to_private_hosts(stub: Any, client: str) -> None:
    sent = send(stub, client)
    assert sent.with_span() == sorted(["plain", "plain-vendor", "left", "tool"])
    parents = {tag: sent.parent(tag) for tag in NAMES}
    assert parents == {
        "plain": "GET",
        "plain-vendor": None,
        "called": "chat m",
        "called-vendor": None,
        "left": "GET",
        "tool": "GET",
        "native": "native",
        "own": "another trace",
    }


@pytest.mark.parametrize("client", CLIENTS)
def test_kept(stub: Any, client: str) -> None:
    sent = send(stub, client, OBS_HTTP_SPANS="kept")
    assert sent.with_span() == sorted(NAMES)
    assert sent.parent("called") == "GET"
    assert sent.parent("called-vendor") is None


@pytest.mark.parametrize("client", ["httpx", "requests", "aiohttp", "urllib", "urllib3"])
def test_oldest_instrumentors(stub: Any, client: str) -> None:
    sent = send(stub, client, "oldest")
    assert sent.with_span() == sorted(["plain", "plain-vendor", "left", "tool"])
    assert [sent.parent(tag) for tag in ("plain", "plain-vendor", "called", "called-vendor")] == [
        "GET",
        None,
        "chat m",
        None,
    ]


@pytest.mark.parametrize(
    ("hosts", "plain", "vendor"),
    [
        ("none", False, False),
        ("*", True, True),
        (VENDOR, False, True),
        ("*.vendor.example", False, True),
        ("127.0.0.0/8", True, False),
        ("private, .example", True, True),
    ],
)
def test_the_user_says_which_hosts(stub: Any, hosts: str, plain: bool, vendor: bool) -> None:  # noqa: FBT001
    sent = send(stub, "requests", OBS_PROPAGATE_HOSTS=hosts)
    for tags, allowed in ((("plain", "called"), plain), (("plain-vendor", "called-vendor"), vendor)):
        assert [sent.parent(tag) is not None for tag in tags] == [allowed, allowed]


def test_baggage_and_unsampled_traces_stay_too(stub: Any) -> None:
    agent = AGENT + "from opentelemetry import baggage, context\n"
    agent += 'context.attach(baggage.set_baggage("user", "anna"))\nwork()\n'
    sent = send(stub, "httpx", agent=agent, OTEL_TRACES_SAMPLER="always_off")
    for tag in NAMES:
        assert ("baggage" in sent.headers[tag]) == (tag not in ("plain-vendor", "called-vendor", "own")), tag
        if tag != "own":
            assert ("traceparent" in sent.headers[tag]) == ("baggage" in sent.headers[tag])
            assert not int(sent.headers[tag].get("traceparent", "00")[-2:], 16) & 1


class _Redirecting(BaseHTTPRequestHandler):
    """Sends each request to the path that its query names, at the other name of this server."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("traceparent")))
        self.send_response(302 if self.path == "/from" else 200)
        if self.path == "/from":
            self.send_header("location", f"http://{VENDOR}:{self.headers['host'].rpartition(':')[2]}/to")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("client", "spans"), [*((client, "kept") for client in CLIENTS), ("httpx", "hidden"), ("aiohttp", "hidden")]
)
def test_a_redirect_elsewhere_takes_no_context_along(client: str, spans: str) -> None:
    code = CLIENTS[client].replace("httpx.Client()", "httpx.Client(follow_redirects=True)")
    code = code.replace("httpx2.Client()", "httpx2.Client(follow_redirects=True)")
    code = code.replace("httpx.AsyncClient()", "httpx.AsyncClient(follow_redirects=True)")
    agent = AGENT.replace("    work()\n", '    within(chat(), ("from", URL))\n')
    _Redirecting.seen.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Redirecting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        run_agent(python_with(*ENVIRONMENTS["newest"]), code + agent, url, OBS_HTTP_SPANS=spans)
        server.shutdown()
    assert [(path, context is not None) for path, context in _Redirecting.seen] == [("/from", True), ("/to", False)]


LAZY = """
from obs_run.core import streams
from obs_run.core.outcomes import Reader
def begin(call):
    return chat(), Reader(lambda *_: None, lazy=True)
def answer():
    for tag in ("first", "second"):
        send(tag)
        yield tag
stream = streams.wrap_call(begin)(answer, None, (), {})
send("between")
assert next(stream) == "first"
send("between-too")
assert list(stream) == ["second"]
"""


def test_requests_while_a_stream_is_read_are_beneath_its_call(stub: Any) -> None:
    sent = send(stub, "httpx", agent=AGENT + LAZY)
    seen = {"first", "second", "between", "between-too"}
    assert seen & set(sent.with_span()) == {"between", "between-too"}
    assert [sent.parent(tag) for tag in ("first", "second", "between-too")] == ["chat m", "chat m", "GET"]
