"""The scenario set of urllib3."""

from __future__ import annotations

import gc
import json
from importlib import import_module
from typing import Any

from tests.instrumentors.plain_http.scenarios import WHOLE, HttpDriver, scenarios
from tests.instrumentors.scenarios import Library

_KINDS = ("sync",)


class Urllib3(HttpDriver):
    """A manager of pools against the stub."""

    ways = (WHOLE, "lines", "pieces", "stream", "chunked", "data", "pool")

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.urllib3 = import_module("urllib3")
        self.manager = self.urllib3.PoolManager()

    def open(self, path: str, body: Any, headers: dict[str, str] | None = None, **more: Any) -> Any:
        headers = {"content-type": "application/json", **(headers or {})}
        return self.manager.request("POST", self.url(path), body=json.dumps(body).encode(), headers=headers, **more)

    def post(self, path: str, body: Any, **more: Any) -> tuple[int, bytes]:
        response = self.open(path, body, **more)
        return response.status, response.data

    def stream(self, path: str, body: Any, way: str = "lines", **more: Any) -> list[Any]:
        if way == "pool":
            host, _, path = self.url(path).partition("//")[2].partition("/")
            pool = self.urllib3.connection_from_url(f"http://{host}")
            headers = {"content-type": "application/json", **more.pop("headers", {})}
            raw = json.dumps(body).encode()
            response = pool.urlopen("POST", f"/{path}", raw, headers, preload_content=False, **more)
        else:
            response = self.open(path, body, preload_content=False, **more)
        pieces = list(self._read(response, way))
        response.release_conn()
        return pieces

    @staticmethod
    def _read(response: Any, way: str) -> Any:
        if way == WHOLE:
            return [response.read()]
        if way == "data":
            return [response.data]
        if way == "lines":
            return iter(response)
        if way == "chunked" and response.chunked:
            return response.read_chunked(6)
        return response.stream(5) if way in ("stream", "chunked", "pool") else _read_to_the_end(response, 4)

    def leave(self, path: str, body: Any) -> Any:
        response = self.open(path, body, preload_content=False)
        first = next(response.stream(1))
        del response
        gc.collect()
        return first

    def close(self) -> None:
        self.manager.clear()
        super().close()


def _read_to_the_end(raw: Any, size: int) -> Any:
    # Before 2 a piece of what is compressed may give nothing, which is not the end.
    while not raw.closed:
        yield raw.read(size, decode_content=True)


LIBRARY = Library(
    name="urllib3",
    instrumentor="obs_instrumentors.urllib3",
    environments={"1.26, oldest": ("urllib3==1.26.5", "hypothesis"), "2, newest": ("urllib3>=2.5,<3", "hypothesis")},
    driver=Urllib3,
    kinds=_KINDS,
    more=("../plain_http/more.py",),
    scenarios=scenarios(_KINDS),
)
