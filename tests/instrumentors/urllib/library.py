"""The scenario set of Python's own client."""

from __future__ import annotations

import gc
import json
import urllib.request
from typing import Any

from tests.instrumentors.plain_http.scenarios import WHOLE, HttpDriver, scenarios
from tests.instrumentors.scenarios import Library

_KINDS = ("sync",)
WAYS = (WHOLE, "lines", "pieces", "read1", "readinto", "iteration")
"""How a response of ``http.client`` can be read."""


class Urllib(HttpDriver):
    """``urllib.request`` against the stub."""

    ways = WAYS

    def open(self, path: str, body: Any, headers: dict[str, str] | None = None, **more: Any) -> Any:
        headers = {"content-type": "application/json", **(headers or {})}
        data = json.dumps(body).encode()
        return urllib.request.urlopen(urllib.request.Request(self.url(path), data, headers), **more)

    def post(self, path: str, body: Any, **more: Any) -> tuple[int, bytes]:
        with self.open(path, body, **more) as response:
            return response.status, response.read()

    def stream(self, path: str, body: Any, way: str = "lines", **more: Any) -> list[Any]:
        with self.open(path, body, **more) as response:
            return list(pieces_of(response, way))

    def leave(self, path: str, body: Any) -> Any:
        response = self.open(path, body)
        first = response.read(1)
        del response
        gc.collect()
        return first


def pieces_of(response: Any, way: str) -> Any:
    """Return what gives the pieces of a response's body, as they are read in one of the ways."""
    if way == WHOLE:
        return [response.read()]
    if way == "lines":
        return response.readlines()
    if way == "read1":
        return iter(lambda: response.read1(9), b"")
    if way == "readinto":
        return _filled(response)
    return response if way == "iteration" else iter(lambda: response.read(4), b"")


def _filled(response: Any) -> Any:
    place = bytearray(6)
    while count := response.readinto(place):
        yield bytes(place[:count])


LIBRARY = Library(
    name="urllib",
    instrumentor="obs_instrumentors.urllib",
    environments={"Python's own": ("hypothesis",)},
    driver=Urllib,
    kinds=_KINDS,
    more=("../plain_http/more.py",),
    scenarios=scenarios(_KINDS, error_of_status="urllib.error.HTTPError"),
)
