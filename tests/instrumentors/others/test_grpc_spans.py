"""gRPC channels under OpenTelemetry's own instrumentor: spans and trace context as for HTTP."""

from __future__ import annotations

import pytest

from tests.instrumentors.agents import run_agent
from tests.instrumentors.environments import python_with

ENVIRONMENTS = {
    "newest": ("grpcio", "opentelemetry-instrumentation-grpc==0.66b1"),
    "oldest": ("grpcio", "opentelemetry-instrumentation-grpc==0.60b0"),
}
SERVER = """
import asyncio, concurrent.futures, contextlib
import grpc, grpc.aio
seen = {}
class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        seen[details.method] = dict(details.invocation_metadata)
        if details.method.endswith("Many"):
            return grpc.unary_stream_rpc_method_handler(lambda request, context: iter([b"1", b"2"]))
        return grpc.unary_unary_rpc_method_handler(lambda request, context: b"1")
server = grpc.server(concurrent.futures.ThreadPoolExecutor(2), handlers=[Handler()])
port = server.add_insecure_port("127.0.0.1:0")
server.start()
from opentelemetry import trace
from obs_run.core import recorder
from obs_run.core.operations import Inference
@contextlib.contextmanager
def within():
    recording = recorder.start(Inference("chat", provider="p", request_model="m"))
    with recording:
        yield
    recording.end()
"""
SYNC = """
channel = grpc.insecure_channel(f"127.0.0.1:{port}")
def call(name):
    list(channel.unary_stream(f"/s/{name}Many")(b""))
    channel.unary_unary(f"/s/{name}")(b"", metadata=(("own", "1"),))
with trace.get_tracer("agent").start_as_current_span("agent"):
    call("Plain")
    with within():
        call("Called")
"""
ASYNC = """
async def call(channel, name):
    async for _ in channel.unary_stream(f"/s/{name}Many")(b""):
        pass
    await channel.unary_unary(f"/s/{name}")(b"", metadata=(("own", "1"),))
async def main():
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        with trace.get_tracer("agent").start_as_current_span("agent"):
            await call(channel, "Plain")
            with within():
                await call(channel, "Called")
asyncio.run(main())
"""
END = """
server.stop(0)
for method, metadata in seen.items():
    assert metadata.get("own", "1") == "1"
    with trace.get_tracer("seen").start_as_current_span(method) as span:
        span.set_attribute("parent", metadata.get("traceparent", "none"))
"""
METHODS = ("/s/Plain", "/s/PlainMany", "/s/Called", "/s/CalledMany")

pytestmark = [pytest.mark.environments, pytest.mark.timeout(900)]  # the environment may have to be made first


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("way", [SYNC, ASYNC], ids=["sync", "async"])
@pytest.mark.parametrize("hosts", ["private", "none"])
def test_hidden_beneath_calls_and_sent_to_allowed_hosts(environment: str, way: str, hosts: str) -> None:
    recorded = run_agent(
        python_with(*ENVIRONMENTS[environment]), SERVER + way + END, OBS_PROPAGATE_HOSTS=hosts, OBS_HTTP_SPANS="hidden"
    )
    clients = {span["name"].lstrip("/"): span for span in recorded.spans if span["kind"] == "CLIENT"}
    assert set(clients) == {"s/Plain", "s/PlainMany", "chat m"}
    seen = {span["name"]: span["attributes"]["parent"] for span in recorded.spans if span["scope"] == "seen"}
    assert set(seen) == set(METHODS)
    for method in METHODS:
        expected = clients["s/" + method[3:]] if "Plain" in method else clients["chat m"]
        wanted = format(expected["id"], "016x") if hosts == "private" else None
        assert (seen[method].split("-")[2] if seen[method] != "none" else None) == wanted


def test_kept() -> None:
    python = python_with(*ENVIRONMENTS["newest"])
    recorded = run_agent(python, SERVER + SYNC + END, OBS_HTTP_SPANS="kept")
    names = {span["name"].lstrip("/") for span in recorded.spans if span["kind"] == "CLIENT"}
    assert names == {"s/Plain", "s/PlainMany", "s/Called", "s/CalledMany", "chat m"}
