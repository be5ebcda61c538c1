"""Whatever of ours raises while a server handles requests, one function after the other: the answers stay the same."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from tests import faults
from tests.instrumentors.resilience.driving import instrumented

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LIBRARIES = ("aiohttp_server", "flask", "gunicorn", "http_server", "hypercorn", "uvicorn")
REQUESTS = [
    f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Request-ID: request-9\r\n"
    f"traceparent: 00-{'a' * 32}-{'b' * 16}-01\r\n\r\n".encode()
    for path in ("/items/4?a=b", "/stream", "/nothere", "/boom")
]
_CHANGING = re.compile(rb"(?im)^(date|x-request-id): .*\r\n")


def _without_changes(answer: bytes) -> bytes:
    """Return an answer without the time, and the id that is answered only as long as nothing fails."""
    return _CHANGING.sub(b"", answer)


def _ask(address: tuple[str, int], request: bytes) -> bytes:
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(request)
        return _without_changes(b"".join(iter(lambda: connection.recv(65536), b"")))


async def _ask_async(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return _without_changes(answer)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/boom":
            raise ValueError(self.path)
        self.send_response(404 if self.path == "/nothere" else 200)
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        pass


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def _served(server: Any) -> list[bytes]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        return [_ask(server.server_address, request) for request in REQUESTS]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def plain() -> list[bytes]:
    return _served(_Server(("127.0.0.1", 0), _Handler))


def _flask_application() -> Any:
    flask = import_module("flask")
    application = flask.Flask("application")
    application.logger.disabled = True

    def item(number: int) -> str:
        return str(number)

    def stream() -> Any:
        return flask.Response(iter(["a", "b"]))

    def boom() -> Any:
        raise ValueError

    application.add_url_rule("/items/<int:number>", "item", item)
    application.add_url_rule("/stream", "stream", stream)
    application.add_url_rule("/boom", "boom", boom)
    return application


def wsgi() -> list[bytes]:
    return _served(make_server("127.0.0.1", 0, _flask_application(), handler_class=_QuietHandler))


def gunicorn() -> list[bytes]:
    sync, config, logging = (import_module(f"gunicorn.{name}") for name in ("workers.sync", "config", "glogging"))
    settings = config.Config()
    log = logging.Logger(settings)
    log.error_log.disabled = log.access_log.disabled = True
    worker = sync.SyncWorker(1, 1, [], None, 30, settings, log)
    worker.wsgi = _flask_application()
    answers = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for request in REQUESTS:
            with socket.create_connection(listener.getsockname(), timeout=60) as client:
                client.sendall(request)
                accepted, address = listener.accept()
                worker.handle(listener, accepted, address)
                answers.append(_without_changes(b"".join(iter(lambda: client.recv(65536), b""))))
    worker.tmp.close()
    return answers


def _asgi_application() -> Any:
    applications, routing, responses = (
        import_module(f"starlette.{name}") for name in ("applications", "routing", "responses")
    )

    async def item(request: Any) -> Any:
        return responses.PlainTextResponse(request.path_params["number"])

    async def stream(_: Any) -> Any:
        return responses.StreamingResponse(iter(["a", "b"]))

    async def boom(_: Any) -> Any:
        raise ValueError

    routes = [routing.Route("/items/{number}", item), routing.Route("/stream", stream), routing.Route("/boom", boom)]
    return applications.Starlette(routes=routes)


async def _uvicorn() -> list[bytes]:
    library = import_module("uvicorn")
    server = library.Server(library.Config(_asgi_application(), port=0, log_config=None, lifespan="off", http="h11"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 (it has no event for that)
        await asyncio.sleep(0.001)
    port = server.servers[0].sockets[0].getsockname()[1]
    answers = [await _ask_async(port, request) for request in REQUESTS]
    server.should_exit = True
    await serving
    return answers


async def _hypercorn() -> list[bytes]:
    config, serving = import_module("hypercorn.config"), import_module("hypercorn.asyncio")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        settings = config.Config()
        settings.bind, settings.errorlog, settings.accesslog = [f"fd://{listener.detach()}"], None, None
    over = asyncio.Event()
    task = asyncio.create_task(serving.serve(_asgi_application(), settings, shutdown_trigger=over.wait))
    answers = [await _ask_async(port, request) for request in REQUESTS]
    over.set()
    await task
    return answers


async def _aiohttp() -> list[bytes]:
    web = import_module("aiohttp.web")

    async def item(request: Any) -> Any:
        return web.Response(text=request.match_info["number"])

    async def stream(request: Any) -> Any:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"a")
        return response

    async def boom(_: Any) -> Any:
        raise ValueError

    application = web.Application()
    application.add_routes([web.get("/items/{number}", item), web.get("/stream", stream), web.get("/boom", boom)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    answers = [await _ask_async(runner.addresses[0][1], request) for request in REQUESTS]
    await runner.cleanup()
    return answers


def _in_loop(serve: Callable[[], Awaitable[list[bytes]]]) -> Callable[[], list[bytes]]:
    async def main() -> list[bytes]:
        return await serve()

    return lambda: asyncio.run(main())


WORKS: dict[str, Callable[[], list[bytes]]] = {
    "plain": plain,
    "wsgi": wsgi,
    "gunicorn": gunicorn,
    "uvicorn": _in_loop(_uvicorn),
    "hypercorn": _in_loop(_hypercorn),
    "aiohttp": _in_loop(_aiohttp),
}


def test_faults_of_ours(telemetry: Any) -> None:
    telemetry.may_fail = True
    without = {name: work() for name, work in WORKS.items()}
    assert all(b"200" in answers[0].partition(b"\r\n")[0] for answers in without.values())
    faults.assert_none_changes(WORKS, without, partial(instrumented, *LIBRARIES), least=20)
