"""Real servers with real requests: each one's trace, and that the servers answer and say what they do without us."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import re
from dataclasses import dataclass, field
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from tests.launch import environments
from tests.launch.running import environment
from tests.launch.test_servers import Running, running, soon
from tests.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.launch.environments import Environment
    from tests.otlp_receiver import Receiver, Span

pytestmark = [pytest.mark.environments, pytest.mark.timeout(900)]  # the first time environments are made
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
IDS = {"X-Trace-ID": "1" * 32, "X-Correlation-ID": "order-7", "X-Request-ID": "request-9"}
HEAD = """
    import logging, sys
    from opentelemetry import trace
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    log = logging.getLogger("app")

    def work(name):
        with trace.get_tracer("app").start_as_current_span(name):
            log.warning("working on %s", name)
"""
PLAIN = """
    from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            work(self.path)
            if self.path == "/boom":
                raise ValueError("boom")
            if self.path == "/nothere":
                self.send_error(404)
                return
            parts = [b"data: 0\\n\\n", b"data: 1\\n\\n"] if self.path == "/stream" else [b"hello"]
            self.send_response(200)
            self.send_header("Content-Length", str(len(b"".join(parts))))
            self.end_headers()
            for part in parts:
                work("part")
                self.wfile.write(part)

    if __name__ == "__main__":
        kinds = {"one": HTTPServer, "threads": ThreadingHTTPServer}
        kinds[sys.argv[2]](("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
WSGI = """
    def app(environ, start_response):
        path = environ["PATH_INFO"]
        work(path)
        if path == "/boom":
            raise ValueError("boom")
        if path == "/nothere":
            start_response("404 Not Found", [("Content-Length", "0")])
            return []
        start_response("200 OK", [("Content-Type", "text/plain")])
        return stream() if path == "/stream" else [b"hello"]

    def stream():
        for n in range(2):
            work("part")
            yield b"data: %d\\n\\n" % n

    if __name__ == "__main__":
        from wsgiref.simple_server import make_server
        make_server("127.0.0.1", int(sys.argv[1]), app).serve_forever()
"""
FLASK = """
    from flask import Flask, Response

    app = Flask("app")

    @app.get("/items/<int:number>")
    def item(number):
        work("/items/4")
        return "hello"

    @app.get("/stream")
    def stream():
        def parts():
            for n in range(2):
                work("part")
                yield f"data: {n}\\n\\n"
        work("/stream")
        return Response(parts(), mimetype="text/event-stream")

    @app.get("/boom")
    def boom():
        work("/boom")
        raise ValueError("boom")

    if __name__ == "__main__":
        app.run(port=int(sys.argv[1]))
"""
STARLETTE = """
    import asyncio
    from starlette.applications import Starlette
    from starlette.background import BackgroundTask
    from starlette.responses import PlainTextResponse, StreamingResponse
    from starlette.routing import Mount, Route, WebSocketRoute

    async def item(request):
        work("/items/4")
        return PlainTextResponse("hello", background=BackgroundTask(work, "background"))

    async def stream(request):
        async def parts():
            for n in range(2):
                work("part")
                yield f"data: {n}\\n\\n"
                await asyncio.sleep(0)
        work("/stream")
        return StreamingResponse(parts(), media_type="text/event-stream")

    async def boom(request):
        work("/boom")
        raise ValueError("boom")

    async def socket(socket):
        await socket.accept()
        work("socket")
        await socket.send_text((await socket.receive_text()).upper())
        await socket.close()

    routes = [Route("/items/{number}", item), Route("/stream", stream), Route("/boom", boom),
              WebSocketRoute("/socket", socket), Mount("/under", routes=[Route("/{name}", item)])]
    app = Starlette(routes=routes)

    if __name__ == "__main__":
        import uvicorn
        uvicorn.run(app, port=int(sys.argv[1]))
"""
FASTAPI = """
    import asyncio
    from fastapi import BackgroundTasks, FastAPI, WebSocket
    from fastapi.responses import PlainTextResponse, StreamingResponse

    app = FastAPI()

    @app.get("/items/{number}", response_class=PlainTextResponse)
    async def item(number: int, tasks: BackgroundTasks):
        work("/items/4")
        tasks.add_task(work, "background")
        return "hello"

    @app.get("/stream")
    async def stream():
        async def parts():
            for n in range(2):
                work("part")
                yield f"data: {n}\\n\\n"
        work("/stream")
        return StreamingResponse(parts(), media_type="text/event-stream")

    @app.get("/boom")
    async def boom():
        work("/boom")
        raise ValueError("boom")

    if __name__ == "__main__":
        import uvicorn
        uvicorn.run(app, port=int(sys.argv[1]))
"""
AIOHTTP = """
    from aiohttp import web

    async def item(request):
        work("/items/4")
        return web.Response(text="hello")

    async def stream(request):
        work("/stream")
        response = web.StreamResponse()
        await response.prepare(request)
        for n in range(2):
            work("part")
            await response.write(b"data: %d\\n\\n" % n)
        await response.write_eof()
        return response

    async def boom(request):
        work("/boom")
        raise ValueError("boom")

    app = web.Application()
    app.add_routes([web.get("/items/{number}", item), web.get("/stream", stream), web.get("/boom", boom)])

    if __name__ == "__main__":
        web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]))
"""


@dataclass(frozen=True)
class Case:
    """A server, and what of its requests differs from the others'."""

    name: str
    source: str
    command: tuple[str, ...]
    packages: str = "servers"
    route: str | None = None
    """Of ``/items/4``, where the framework has routes."""
    failure: str | None = "500"
    """The error of a handler that raises."""
    has_own_frames: bool = False
    """Whether somebody else's instrumentor is seen in tracebacks."""
    is_program: bool = True
    """Whether it is a script, which has a run span; servers that are commands have none."""
    inside: tuple[str, ...] = field(default=())
    """Spans of the framework's own between request and handler."""


_FLASK, _STARLETTE, _AIOHTTP = "/items/<int:number>", "/items/{number}", "/items/{number}"
CASES = (
    Case("http.server", PLAIN, ("python", "app.py", "{port}", "one"), "bare", failure="ValueError"),
    Case("http.server, threads", PLAIN, ("python", "app.py", "{port}", "threads"), "bare", failure="ValueError"),
    Case("wsgiref", WSGI, ("python", "app.py", "{port}"), "bare"),
    Case("Flask", FLASK, ("python", "app.py", "{port}"), route=_FLASK),
    Case("Flask, contrib", FLASK, ("python", "app.py", "{port}"), "servers, contrib", _FLASK, has_own_frames=True),
    Case("gunicorn", WSGI, ("gunicorn", "-w", "2", "-b", "127.0.0.1:{port}", "app:app"), failure="ValueError",
         is_program=False),
    Case("gunicorn, threads, Flask", FLASK, ("gunicorn", "--threads", "2", "-b", "127.0.0.1:{port}", "app:app"),
         route=_FLASK, is_program=False),
    Case("gunicorn, preloaded, Flask, contrib", FLASK,
         ("gunicorn", "--preload", "-w", "2", "-b", "127.0.0.1:{port}", "app:app"), "servers, contrib", _FLASK,
         has_own_frames=True, is_program=False),
    Case("uvicorn", STARLETTE, ("python", "app.py", "{port}"), route=_STARLETTE),
    Case("uvicorn, workers", STARLETTE, ("uvicorn", "--workers", "2", "--port", "{port}", "app:app"),
         route=_STARLETTE, is_program=False),
    Case("uvicorn, contrib", STARLETTE, ("python", "app.py", "{port}"), "servers, contrib", _STARLETTE, failure=None,
         has_own_frames=True),
    Case("uvicorn under gunicorn", STARLETTE,
         ("gunicorn", "-k", "uvicorn.workers.UvicornWorker", "-b", "127.0.0.1:{port}", "app:app"), route=_STARLETTE,
         is_program=False),
    Case("hypercorn", STARLETTE, ("hypercorn", "-b", "127.0.0.1:{port}", "app:app"), route=_STARLETTE,
         is_program=False),
    Case("FastAPI, traced by itself", FASTAPI, ("python", "app.py", "{port}"), route=_STARLETTE, failure="ValueError",
         has_own_frames=True, inside=("fastapi.endpoint", "fastapi.background_task")),
    Case("FastAPI of before", FASTAPI, ("python", "app.py", "{port}"), "servers of before", route=_STARLETTE),
    Case("FastAPI, contrib", FASTAPI, ("python", "app.py", "{port}"), "servers, contrib", _STARLETTE,
         has_own_frames=True),
    Case("Flask of before", FLASK, ("python", "app.py", "{port}"), "servers of before", _FLASK),
    Case("gunicorn of before", FLASK, ("gunicorn", "--threads", "2", "-b", "127.0.0.1:{port}", "app:app"),
         "servers of before", _FLASK, is_program=False),
    Case("hypercorn of before", STARLETTE, ("hypercorn", "-b", "127.0.0.1:{port}", "app:app"), "servers of before",
         _STARLETTE, is_program=False),
    Case("aiohttp of before", AIOHTTP, ("python", "app.py", "{port}"), "servers of before", _AIOHTTP),
    Case("aiohttp", AIOHTTP, ("python", "app.py", "{port}"), route=_AIOHTTP),
    Case("aiohttp, contrib", AIOHTTP, ("python", "app.py", "{port}"), "servers, contrib", _AIOHTTP, has_own_frames=True,
         failure="ValueError"),
)  # fmt: skip
PATHS = ("/items/4", "/stream", "/boom", "/nothere")


def ask(port: int, path: str, headers: dict[str, str]) -> tuple[Any, ...]:
    """Return what comes back, without what differs each time."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=100)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        heads = [(name, value) for name, value in response.getheaders() if name.lower() != "date"]
        return response.status, heads, response.read()
    except (OSError, http.client.HTTPException) as error:
        return (type(error).__name__,)
    finally:
        connection.close()


def listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=100)
        connection.connect()
        connection.close()
        return True
    return False


def start(case: Case, place: Environment, folder: Path, env: dict[str, str], *, launched: bool) -> Any:
    port = free_port()
    words = [word.replace("{port}", str(port)) for word in case.command]
    if launched:
        words = ["obs-run", *words]
    return port, running(words, place, folder, env)


def stop(started: Running, case: Case) -> tuple[int, list[str]]:
    code = started.stop(15)
    lines = re.sub(r"[\d:.]+|\r|at 0x\w+", "#", started.said()).splitlines()
    hidden = "  " if case.has_own_frames else "\0"
    return code, sorted({line for line in lines if "Control socket" not in line and not line.startswith(hidden)})


def serve(case: Case, folder: Path, env: dict[str, str], *, launched: bool) -> tuple[Any, ...]:
    """Run the server, and return all that can be seen of it from outside."""
    place = environments.environment(case.packages)
    port, server = start(case, place, folder, env, launched=launched)
    with server as started:
        assert soon(lambda: listens(port)), started.said()
        answers = [ask(port, path, {}) for path in PATHS]
        answers += [ask(port, "/items/4", TRACEPARENT)]
        with_ids = ask(port, "/items/4", IDS)
        return answers, with_ids, *stop(started, case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_requests_are_traces(case: Case, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(dedent(HEAD) + dedent(case.source))
    env = environment(receiver.endpoint, tmp_path, environments.environment(case.packages).scripts)
    plain = serve(case, tmp_path, env, launched=False)
    launched = serve(case, tmp_path, env, launched=True)
    assert [launched[0], *launched[2:]] == [plain[0], *plain[2:]]
    assert_answered(launched[1], plain[1])
    requests = [span for span in receiver.spans if "http.request.method" in span.attributes]
    assert len(requests) == len(PATHS) + 2, [span.name for span in receiver.spans]
    by_path = {(span.attributes.get("url.path"), span.trace_id): span for span in requests}
    item, stream, boom, nothere = (
        next(span for (at, trace_id), span in by_path.items() if at == path and trace_id not in (TRACE, "1" * 32))
        for path in PATHS
    )
    called, identified = by_path["/items/4", TRACE], by_path["/items/4", "1" * 32]
    assert (called.parent_id, called.links) == (SPAN, [])
    assert_identified(identified, receiver)
    runs = [span.trace_id for span in receiver.spans if "obs.run.kind" in span.attributes]
    assert len(runs) == case.is_program
    for span in (item, stream, boom, nothere):
        assert (span.parent_id, span.links) == ("", runs)
    assert {span.attributes.get("http.route") for span in (item, called, identified)} == {case.route}
    assert item.name == ("GET" if case.route is None else f"GET {case.route}")
    assert [span.attributes.get("http.response.status_code") for span in (item, stream, nothere)] == [200, 200, 404]
    assert [span.status for span in (item, stream, nothere, boom)] == [0, 0, 0, 2]
    assert boom.attributes.get("error.type") == case.failure
    assert_inside(receiver, item, "/items/4", case)
    assert_inside(receiver, called, "/items/4", case)
    assert_inside(receiver, stream, "/stream", case)
    assert_inside(receiver, stream, "part", case, count=2)
    assert_inside(receiver, boom, "/boom", case)
    assert {point["http.request.method"] for metric in receiver.metrics if metric.name == "http.server.request.duration"
            for point in metric.points} == {"GET"}  # fmt: skip


def assert_answered(with_us: tuple[Any, ...], without: tuple[Any, ...]) -> None:
    """The ids come back; all else is as it was."""
    status, headers, body = with_us
    names = {name.lower() for name in IDS}
    assert {name.lower(): value for name, value in headers if name.lower() in names} == {
        name.lower(): value for name, value in IDS.items()
    }
    assert (status, [each for each in headers if each[0].lower() not in names], body) == without


def assert_identified(span: Span, receiver: Receiver) -> None:
    assert {name: span.attributes[f"http.request.header.{name.lower()}"] for name in IDS} == {
        name: [value] for name, value in IDS.items()
    }
    lines = [log for log in receiver.logs if log.trace_id == span.trace_id and log.body == "working on /items/4"]
    assert [log.attributes["correlation_id"] for log in lines] == ["order-7"]


def assert_inside(receiver: Receiver, request: Span, name: str, case: Case, count: int = 1) -> None:
    """What the handler does is beneath the request, and what it says as well."""
    by_id = {span.span_id: span for span in receiver.spans}
    found = [span for span in receiver.named(name) if span.trace_id == request.trace_id]
    assert len(found) == count
    for span in found:
        parent = by_id[span.parent_id]
        while parent.name in case.inside:
            parent = by_id[parent.parent_id]
        assert parent is request
        assert [log.body for log in receiver.logs if log.span_id == span.span_id] == [f"working on {name}"]


@pytest.mark.parametrize("packages", ["servers", "servers of before", "servers, contrib"])
def test_a_websocket_is_one_span(packages: str, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(dedent(HEAD) + dedent(STARLETTE))
    case = Case("uvicorn", STARLETTE, ("python", "app.py", "{port}"), packages)
    place = environments.environment(packages)
    env = environment(receiver.endpoint, tmp_path, place.scripts)
    port, server = start(case, place, tmp_path, env, launched=True)
    with server as started:
        assert soon(lambda: listens(port)), started.said()
        assert asyncio.run(talk(port)) == "HELLO"
        stop(started, case)
    (request,) = [span for span in receiver.spans if span.attributes.get("http.route") == "/socket"]
    (work,) = receiver.named("socket")
    assert (request.trace_id, request.parent_id, work.parent_id) == (TRACE, SPAN, request.span_id)
    assert [span for span in receiver.spans if span.trace_id == TRACE and span not in (request, work)] == []


async def talk(port: int) -> str:
    """Say one word over a websocket, with nothing but a socket."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"GET /socket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        + f"traceparent: {TRACEPARENT['traceparent']}\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    word, mask = b"hello", b"\1\2\3\4"
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(word))
    writer.write(bytes((0x81, 0x80 | len(word))) + mask + masked)
    head = await reader.readexactly(2)
    answer = await reader.readexactly(head[1])
    writer.close()
    return answer.decode()


def test_urls_can_be_excluded(receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(dedent(HEAD) + dedent(PLAIN))
    case = CASES[1]
    place = environments.environment("bare")
    env = environment(receiver.endpoint, tmp_path, place.scripts, OTEL_PYTHON_EXCLUDED_URLS="healthz,/stre.m$")
    port, server = start(case, place, tmp_path, env, launched=True)
    with server as started:
        assert soon(lambda: listens(port)), started.said()
        assert [ask(port, path, {})[0] for path in ("/healthz", "/stream", "/items/4")] == [200] * 3
        stop(started, case)
    paths = [span.attributes["url.path"] for span in receiver.spans if "url.path" in span.attributes]
    assert paths == ["/items/4"]


def test_a_client_that_goes_away_ends_the_request(receiver: Receiver, tmp_path: Path) -> None:
    source = """
        import asyncio

        async def app(scope, receive, send):
            if scope["type"] != "http":
                return
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"first", "more_body": True})
            await receive()
            assert (await receive())["type"] == "http.disconnect"
            work("left alone")
            print("left", flush=True)

        if __name__ == "__main__":
            import uvicorn
            uvicorn.run(app, port=int(sys.argv[1]))
    """
    (tmp_path / "app.py").write_text(dedent(HEAD) + dedent(source))
    case = Case("uvicorn", source, ("python", "app.py", "{port}"))
    place = environments.environment(case.packages)
    env = environment(receiver.endpoint, tmp_path, place.scripts)
    port, server = start(case, place, tmp_path, env, launched=True)
    with server as started:
        assert soon(lambda: listens(port)), started.said()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=100)
        connection.request("GET", "/left", headers=TRACEPARENT)
        assert connection.getresponse().read(5) == b"first"
        connection.close()
        assert soon(lambda: "left\n" in started.said()), started.said()
        stop(started, case)
    (request,) = [span for span in receiver.spans if "url.path" in span.attributes]
    (work,) = receiver.named("left alone")
    assert (request.trace_id, work.parent_id, request.status) == (TRACE, request.span_id, 0)
    assert "obs.span.unfinished" not in request.attributes


def test_no_header_is_taken_or_answered_where_none_is_wished(receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(dedent(HEAD) + dedent(PLAIN))
    place = environments.environment("bare")
    env = environment(receiver.endpoint, tmp_path, place.scripts, OTEL_PROPAGATORS="none")
    case = CASES[0]
    port, server = start(case, place, tmp_path, env, launched=True)
    with server as started:
        assert soon(lambda: listens(port)), started.said()
        _, headers, _ = ask(port, "/items/4", {**IDS, **TRACEPARENT})
        stop(started, case)
    assert json.dumps(headers).lower().count("x-") == 0
    (request,) = [span for span in receiver.spans if "url.path" in span.attributes]
    assert request.trace_id not in (TRACE, "1" * 32)
    assert not any(name.startswith("http.request.header") for name in request.attributes)
