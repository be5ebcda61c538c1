"""Connections that httpx and aiohttp keep open to a server of the tests."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.resilience.driving import instrumented, value

if TYPE_CHECKING:
    from collections.abc import Iterator


class Handler(BaseHTTPRequestHandler):
    """Answers, and keeps the connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving.daemon_threads = True
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    yield serving
    serving.shutdown()
    thread.join()
    serving.server_close()


class Measured:
    """What is measured of the connections to a server."""

    def __init__(self, telemetry: Any, server: ThreadingHTTPServer) -> None:
        self.telemetry = telemetry
        self.labels = {"server.address": "127.0.0.1", "server.port": server.server_port}
        self.url = f"http://127.0.0.1:{server.server_port}/"

    def read(self, metric: str, **labels: Any) -> float:
        return value(self.telemetry, metric, **self.labels, **labels)

    def states(self) -> tuple[float, float]:
        """Return how many are active and idle."""
        active, idle = (
            self.read("http.client.open_connections", **{"http.connection.state": state})
            for state in ("active", "idle")
        )
        return active, idle

    def waits(self, what: str) -> float:
        return self.read(f"obs.http.client.connection.{what}")


def test_httpx(telemetry: Any, server: ThreadingHTTPServer) -> None:
    measured = Measured(telemetry, server)
    with instrumented("httpcore"):
        httpx = import_module("httpx")
        with httpx.Client(limits=httpx.Limits(max_connections=1), timeout=60, trust_env=False) as client:
            assert [client.get(measured.url).text for _ in range(2)] == ["ok"] * 2
            assert measured.states() == (0, 1)
            with client.stream("GET", measured.url) as response:
                assert measured.states() == (1, 0)
                with pytest.raises(httpx.PoolTimeout) as caught:
                    client.get(measured.url, timeout=httpx.Timeout(60, pool=0.01))
                assert not [frame for frame in caught.traceback if "obs_run" in str(frame.path)]
                waiting = threading.Thread(target=client.get, args=(measured.url,))
                waiting.start()
                while measured.waits("pending_requests") != 1:
                    time.sleep(0.01)
                response.read()
            waiting.join()
            assert (measured.waits("wait_time"), measured.waits("timeouts")) == (1, 1)
            assert measured.waits("pending_requests") == 0
        del client, response, caught, waiting
        gc.collect()
        assert measured.states() == (0, 0)


def test_httpx_async(telemetry: Any, server: ThreadingHTTPServer) -> None:
    measured = Measured(telemetry, server)

    async def work() -> None:
        httpx = import_module("httpx")
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=2), trust_env=False) as client:
            answers = await asyncio.gather(*[client.get(measured.url) for _ in range(5)])
            assert [answer.text for answer in answers] == ["ok"] * 5
            assert measured.states() == (0, 2)

    with instrumented("httpcore"):
        asyncio.run(work())
    # Two were given a connection at once; whoever finds that another was faster to use it waits again.
    assert measured.waits("wait_time") >= 3
    assert measured.waits("pending_requests") == 0


def test_aiohttp(telemetry: Any, server: ThreadingHTTPServer) -> None:
    measured = Measured(telemetry, server)

    async def work() -> None:
        aiohttp = import_module("aiohttp")

        async def ask(session: Any) -> str:
            async with session.get(measured.url) as response:
                text: str = await response.text()
                return text

        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=2)) as session:
            assert await asyncio.gather(*[ask(session) for _ in range(5)]) == ["ok"] * 5
            assert measured.states() == (0, 2)
            async with session.get(measured.url, headers={"connection": "close"}) as response:
                assert await response.text() == "ok"
            assert measured.states()[0] == 0

    with instrumented("aiohttp_connections"):
        asyncio.run(work())
    gc.collect()
    assert measured.states() == (0, 0)
    assert (measured.waits("wait_time"), measured.waits("timeouts")) == (6, 0)
