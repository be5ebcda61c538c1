"""Real gRPC servers under the official instrumentor: each call's trace, and that clients get what they got before."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from tests.launch import environments
from tests.launch.running import environment, run
from tests.launch.test_servers import running, soon
from tests.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver, Span

pytestmark = [pytest.mark.environments, pytest.mark.timeout(900)]  # the first time environments are made
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SERVER = """
    import asyncio, logging, sys
    from concurrent import futures
    import grpc, grpc.aio
    from opentelemetry import trace

    log = logging.getLogger("app")

    def work(name):
        with trace.get_tracer("app").start_as_current_span(name):
            log.warning("working on %s", name)

    def one(request, context):
        work("one")
        return request.upper()

    def many(request, context):
        for n in range(2):
            work("many")
            yield b"%d" % n

    def gather(requests, context):
        work("gather")
        return b"".join(requests)

    def each(requests, context):
        for request in requests:
            work("each")
            yield request.upper()

    def abort(request, context):
        context.set_trailing_metadata((("key", "value"),))
        context.abort(grpc.StatusCode.NOT_FOUND, "not here")

    def tell(request, context):
        context.set_code(grpc.StatusCode.UNAVAILABLE)
        context.set_details("away")
        return b""

    def boom(request, context):
        work("boom")
        raise ValueError("boom")

    async def async_one(request, context):
        work("one")
        return request.upper()

    async def async_many(request, context):
        for n in range(2):
            work("many")
            yield b"%d" % n

    async def async_write(request, context):
        for n in range(2):
            work("write")
            await context.write(b"%d" % n)

    async def async_gather(requests, context):
        work("gather")
        return b"".join([request async for request in requests])

    async def async_read(requests, context):
        work("read")
        parts = []
        while (request := await context.read()) is not grpc.aio.EOF:
            parts.append(request)
        return b"".join(parts)

    async def async_each(requests, context):
        async for request in requests:
            work("each")
            yield request.upper()

    async def async_abort(request, context):
        await context.abort(grpc.StatusCode.NOT_FOUND, "not here", (("key", "value"),))

    async def async_tell(request, context):
        context.set_code(grpc.StatusCode.UNAVAILABLE)
        context.set_details("away")
        return b""

    async def async_boom(request, context):
        work("boom")
        raise ValueError("boom")

    ONE, MANY = grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler
    GATHER, EACH = grpc.stream_unary_rpc_method_handler, grpc.stream_stream_rpc_method_handler
    SYNC = {"one": ONE(one), "many": MANY(many), "gather": GATHER(gather), "each": EACH(each), "abort": ONE(abort),
            "tell": ONE(tell), "boom": ONE(boom)}
    ASYNC = {"one": ONE(async_one), "many": MANY(async_many), "gather": GATHER(async_gather), "each": EACH(async_each),
             "abort": ONE(async_abort), "tell": ONE(async_tell), "boom": ONE(async_boom), "sync_one": ONE(one),
             "sync_many": MANY(many), "write": MANY(async_write), "read": GATHER(async_read)}

    def fill(server, handlers):
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("app", handlers),))
        server.add_insecure_port("127.0.0.1:" + sys.argv[1])
        return server

    async def serve():
        server = fill(grpc.aio.server(), ASYNC)
        await server.start()
        print("ready", flush=True)
        await server.wait_for_termination()

    if sys.argv[2] == "threads":
        server = fill(grpc.server(futures.ThreadPoolExecutor(2)), SYNC)
        server.start()
        print("ready", flush=True)
        server.wait_for_termination()
    asyncio.run(serve())
"""
CLIENT = """
    import json, sys
    import grpc

    channel = grpc.insecure_channel("127.0.0.1:" + sys.argv[1])
    metadata = [tuple(pair) for pair in json.loads(sys.argv[2])]

    def shown(call):
        try:
            got = call()
            return got.decode() if isinstance(got, bytes) else [part.decode() for part in got]
        except grpc.RpcError as error:
            return [error.code().name, error.details(), [list(pair) for pair in error.trailing_metadata()]]

    def ask(name):
        path, more = "/app/" + name, {"metadata": metadata, "timeout": 60, "wait_for_ready": True}
        if name in ("many", "sync_many", "write"):
            return shown(lambda: list(channel.unary_stream(path)(b"a", **more)))
        if name in ("gather", "read"):
            return shown(lambda: channel.stream_unary(path)(iter([b"a", b"b"]), **more))
        if name == "each":
            return shown(lambda: list(channel.stream_stream(path)(iter([b"a", b"b"]), **more)))
        return shown(lambda: channel.unary_unary(path)(b"a", **more))

    print(json.dumps({name: ask(name) for name in sys.argv[3:]}))
"""
THREADS = {"one": ("one", 1), "many": ("many", 2), "gather": ("gather", 1), "each": ("each", 2), "abort": None,
           "tell": None, "boom": ("boom", 1)}  # fmt: skip
ASYNCIO = {**THREADS, "sync_one": ("one", 1), "sync_many": ("many", 2), "write": ("write", 2), "read": ("read", 1)}
"""The methods, and the spans that their handlers make."""


def serve(kind: str, names: list[str], folder: Path, env: dict[str, str], metadata: Any, *, launched: bool) -> Any:
    place = environments.environment("servers, contrib")
    port = str(free_port())
    words = ["python", "server.py", port, kind]
    with running(["obs-run", *words] if launched else words, place, folder, env) as server:
        assert soon(lambda: "ready\n" in server.said()), server.said()
        asked = run([place.python, "client.py", port, json.dumps(metadata), *names], folder, env)
        assert (asked.code, asked.err) == (0, "")
        server.stop(15)
    return json.loads(asked.out)


@pytest.mark.parametrize(("kind", "methods"), [("threads", THREADS), ("asyncio", ASYNCIO)], ids=["threads", "asyncio"])
@pytest.mark.parametrize("is_called", [True, False], ids=["called", "alone"])
def test_calls_are_traces(kind: str, methods: Any, is_called: bool, receiver: Receiver, tmp_path: Path) -> None:  # noqa: FBT001 (as pytest calls it)
    (tmp_path / "server.py").write_text(dedent(SERVER))
    (tmp_path / "client.py").write_text(dedent(CLIENT))
    env = environment(receiver.endpoint, tmp_path, environments.environment("servers, contrib").scripts)
    metadata = [("x-request-id", "request-9")]
    if is_called:
        metadata.append(("traceparent", f"00-{TRACE}-{SPAN}-01"))
    plain = serve(kind, list(methods), tmp_path, env, metadata, launched=False)
    assert serve(kind, list(methods), tmp_path, env, metadata, launched=True) == plain
    requests = {span.name: span for span in receiver.spans if "rpc.method" in span.attributes}
    assert {*requests} == {f"/app/{name}" for name in methods}
    (run_span,) = [span for span in receiver.spans if "obs.run.kind" in span.attributes]
    for name, inside in methods.items():
        request = requests[f"/app/{name}"]
        if is_called:
            assert (request.trace_id, request.parent_id, request.links) == (TRACE, SPAN, [])
        else:
            assert (request.parent_id, request.links) == ("", [run_span.trace_id])
        assert request.attributes["http.request.header.x-request-id"] == ["request-9"]
        if inside is not None:
            assert_inside(receiver, request, *inside)
    statuses = {name: requests[f"/app/{name}"].status for name in ("one", "many", "abort", "tell", "boom")}
    assert statuses == {"one": 0, "many": 0, "abort": 0, "tell": 2, "boom": 2}
    boom = requests["/app/boom"]
    assert (boom.attributes["rpc.grpc.status_code"], boom.attributes["error.type"]) == (2, "ValueError")
    assert boom.events.count("exception") == 1
    assert requests["/app/abort"].attributes["rpc.grpc.status_code"] == 5


def assert_inside(receiver: Receiver, request: Span, name: str, count: int) -> None:
    found = [span for span in receiver.named(name) if span.parent_id == request.span_id]
    assert [span.trace_id for span in found] == [request.trace_id] * count
    for span in found:
        lines = [log for log in receiver.logs if log.span_id == span.span_id]
        assert [(log.body, log.attributes["correlation_id"]) for log in lines] == [(f"working on {name}", "request-9")]
