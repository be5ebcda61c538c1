"""What obs-run adds to an HTTP request that is no model call, by library: microseconds of one process's own time.

Each library's one function that all requests pass is called with what is beneath it taken away, so that next to
nothing but the wrappers is measured; the same loop without obs-run is subtracted. The least of many rounds counts. Run
it as ``python -m benchmarks.http_requests``, in an environment that has the libraries.
"""

from __future__ import annotations

import http.client
import importlib
import time
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 60
CALLS = 2000
URL = "http://127.0.0.1/orders/17?expand=items"
LIMIT = 3.0


def _nothing(*_args: Any, **_kwargs: Any) -> None:
    """Send nothing."""


async def _nothing_async(*_args: Any, **_kwargs: Any) -> None:
    """Send nothing."""


def _requests(method: str) -> Callable[[], object]:
    sessions = importlib.import_module("requests.sessions")
    session = sessions.Session()
    prepared = session.prepare_request(importlib.import_module("requests").Request(method, URL))

    def call() -> None:
        # As ``requests.get`` passes both.
        session.request(method=method, url=URL)
        session.send(prepared)

    return call


def _httpx(method: str) -> Callable[[], object]:
    httpx = importlib.import_module("httpx")
    client, request = httpx.Client(), httpx.Request(method, URL)
    return lambda: client.send(request)


def _urllib3(method: str) -> Callable[[], object]:
    urllib3 = importlib.import_module("urllib3")
    manager, pool = urllib3.PoolManager(), urllib3.HTTPConnectionPool("127.0.0.1")

    def call() -> None:
        manager.urlopen(method, URL)
        pool.urlopen(method, "/orders/17?expand=items")

    return call


def _urllib(method: str) -> Callable[[], object]:
    request = urllib.request.Request(URL, data=None if method == "GET" else b"{}")
    opener = urllib.request.OpenerDirector()

    def call() -> None:
        urllib.request.urlopen(request)
        opener.open(request)

    return call


def _http_client(method: str) -> Callable[[], object]:
    connection = http.client.HTTPConnection("127.0.0.1")

    return lambda: connection.request(method, "/orders/17?expand=items")


def _aiohttp(method: str) -> Callable[[], object]:
    kind = importlib.import_module("aiohttp.client").ClientSession

    class Bare:
        _request = kind._request  # noqa: SLF001 (what is measured)

    session = Bare()

    def call() -> None:
        session._request(method, URL).close()  # noqa: SLF001 (as above)

    return call


LIBRARIES: dict[str, tuple[Callable[[str], Callable[[], object]], tuple[tuple[str, str], ...]]] = {
    "requests": (_requests, (("requests.sessions", "Session.request"), ("requests.sessions", "Session.send"))),
    "httpx": (_httpx, (("httpx._client", "Client.send"),)),
    "urllib3": (
        _urllib3,
        (("urllib3.poolmanager", "PoolManager.urlopen"), ("urllib3.connectionpool", "HTTPConnectionPool.urlopen")),
    ),
    "urllib": (_urllib, (("urllib.request", "urlopen"), ("urllib.request", "OpenerDirector.open"))),
    "http_client": (_http_client, (("http.client", "HTTPConnection.request"),)),
    "aiohttp": (_aiohttp, (("aiohttp.client", "ClientSession._request"),)),
}
"""By library what makes the calls, and the functions that they end in."""


def _take_away(places: tuple[tuple[str, str], ...]) -> None:
    for module, name in places:
        owner: Any = importlib.import_module(module)
        *path, attribute = name.split(".")
        for part in path:
            owner = getattr(owner, part)
        setattr(owner, attribute, _nothing_async if name.endswith("_request") else _nothing)


def _least(call: Callable[[], object]) -> float:
    rounds = []
    for _ in range(ROUNDS):
        started = time.thread_time_ns()
        for _ in range(CALLS):
            call()
        rounds.append((time.thread_time_ns() - started) / CALLS / 1000)
    return min(rounds)


def main() -> None:
    """Print the table."""
    from obs_run.core import hooks

    print(f"an empty function, for comparison: {_least(_nothing):.2f} us")
    print(f"{'library':11} {'GET, us':>8} {'POST, us':>9}")
    for library, (make, places) in LIBRARIES.items():
        _take_away(places)
        plain = {method: _least(make(method)) for method in ("GET", "POST")}
        for module in dict.fromkeys(module for module, _ in places):
            hooks.instrument(f"obs_instrumentors.{library}", importlib.import_module(module))
        added = {method: _least(make(method)) - plain[method] for method in ("GET", "POST")}
        hooks.undo()
        verdict = "  too much" if max(added.values()) > LIMIT else ""
        print(f"{library:11} {added['GET']:8.2f} {added['POST']:9.2f}{verdict}")


if __name__ == "__main__":
    main()
