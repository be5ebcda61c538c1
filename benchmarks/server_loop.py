"""Requests to a server in this thread, sent by another one; prints the microseconds of each. Run by messages.py."""

from __future__ import annotations

import asyncio
import http.server
import socket
import sys
import threading
import time
from importlib import import_module
from typing import Any

CASE, COUNT = sys.argv[1], int(sys.argv[2])
WARM = 200
HOST = "127.0.0.1"
BODY = b'{"status": "success"}'
_ASKED = (
    b"POST /orders?expand=items HTTP/1.1\r\nHost: localhost\r\nContent-Length: 22\r\n\r\n" + b'{"action": "forecast"}'
)


class Times:
    """When the requests that count began, and when they were all answered."""

    def __init__(self) -> None:
        self._answered = 0
        self._begun = self._over = (0.0, 0.0)

    def note(self) -> bool:
        """Note that a request is at work; return whether all that are to come have come."""
        self._answered += 1
        now = time.thread_time(), time.perf_counter()
        if self._answered == WARM:
            self._begun = now
        if self._answered == WARM + COUNT:
            self._over = now
        return self._answered > WARM + COUNT

    def show(self) -> None:
        """Print what a request took."""
        cpu, wall = ((over - begun) / COUNT * 1e6 for over, begun in zip(self._over, self._begun, strict=True))
        print(cpu, wall)


times = Times()


def ask(port: int) -> None:
    """Send one request after the other by one connection, and another one that ends it."""
    with socket.create_connection((HOST, port)) as connection:
        for _ in range(WARM + COUNT + 1):
            connection.sendall(_ASKED)
            received = b""
            while not received.endswith(BODY):
                received += connection.recv(65536)


def asked(port: int) -> threading.Thread:
    thread = threading.Thread(target=ask, args=(port,))
    thread.start()
    return thread


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers all alike."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self) -> None:
        """Answer."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)
        self.close_connection = times.note()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def serve_http_server() -> None:
    with http.server.HTTPServer((HOST, 0), Handler) as server:
        thread = asked(server.server_port)
        server.handle_request()
        thread.join()


async def serve_uvicorn() -> None:
    uvicorn: Any = import_module("uvicorn")

    async def application(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        server.should_exit = times.note()
        length = [(b"content-length", str(len(BODY)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": BODY})

    class Server(uvicorn.Server):  # type: ignore[misc] # it is imported where it is measured
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            asked(self.servers[0].sockets[0].getsockname()[1])

    settings = {"lifespan": "off", "loop": "asyncio", "http": "h11"}
    server = Server(uvicorn.Config(application, HOST, 0, log_level="warning", **settings))
    await server.serve()


async def serve_aiohttp() -> None:
    web: Any = import_module("aiohttp.web")
    over = asyncio.Event()

    async def handle(request: Any) -> Any:
        await request.read()
        if times.note():
            over.set()
        return web.Response(body=BODY)

    application = web.Application()
    application.router.add_post("/orders", handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    thread = asked(runner.addresses[0][1])
    await over.wait()
    await asyncio.to_thread(thread.join)
    await runner.cleanup()


def main() -> None:
    if CASE == "http.server":
        serve_http_server()
    else:
        asyncio.run(serve_uvicorn() if CASE == "uvicorn" else serve_aiohttp())
    times.show()


main()
