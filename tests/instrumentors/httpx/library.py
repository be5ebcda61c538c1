"""The scenario set of httpx."""

from __future__ import annotations

import gc
from importlib import import_module
from typing import Any

from tests.instrumentors.plain_http.scenarios import WHOLE, HttpDriver, scenarios
from tests.instrumentors.scenarios import Library

_KINDS = ("sync", "async")


class Httpx(HttpDriver):
    """A client of httpx against the stub."""

    ways = (WHOLE, "lines", "pieces", "text", "raw")

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.httpx = import_module("httpx")
        self.client = (self.httpx.Client if kind == "sync" else self.httpx.AsyncClient)(timeout=60)

    def post(self, path: str, body: Any, **more: Any) -> tuple[int, bytes]:
        response = self.run(self.wait(path, body, **more))
        return response.status_code, response.content

    def wait(self, path: str, body: Any, **more: Any) -> Any:
        return self.client.post(self.url(path), json=body, **more)

    def stream(self, path: str, body: Any, way: str = "lines", **more: Any) -> list[Any]:
        if self.kind == "async":
            return list(self.run(self._stream(path, body, way, **more)))
        with self.client.stream("POST", self.url(path), json=body, **more) as response:
            if way in (WHOLE, "text"):
                response.read()
                return [response.text if way == "text" else response.content]
            if way == "raw":
                return list(response.iter_raw(5))
            return list(response.iter_lines() if way == "lines" else response.iter_bytes(3))

    async def _stream(self, path: str, body: Any, way: str, **more: Any) -> list[Any]:
        async with self.client.stream("POST", self.url(path), json=body, **more) as response:
            if way in (WHOLE, "text"):
                await response.aread()
                return [response.text if way == "text" else response.content]
            if way == "raw":
                return [piece async for piece in response.aiter_raw(5)]
            pieces = response.aiter_lines() if way == "lines" else response.aiter_bytes(3)
            return [piece async for piece in pieces]

    def leave(self, path: str, body: Any) -> Any:
        request = self.client.build_request("POST", self.url(path), json=body)
        if self.kind == "async":
            return self.run(self._leave(request))
        response = self.client.send(request, stream=True)
        first = next(response.iter_bytes(1))
        response.close()
        return first

    async def _leave(self, request: Any) -> Any:
        response = await self.client.send(request, stream=True)
        first = await response.aiter_bytes(1).__anext__()
        await response.aclose()
        return first

    def close(self) -> None:
        self.run(self.client.close() if self.kind == "sync" else self.client.aclose())
        gc.collect()
        super().close()


LIBRARY = Library(
    name="httpx",
    instrumentor="obs_instrumentors.httpx",
    environments={
        "0.24, oldest": ("httpx==0.24.1", "hypothesis"),
        "0, newest": ("httpx>=0.28,<1", "hypothesis", "respx", "openai", "httpx2"),
    },
    driver=Httpx,
    kinds=_KINDS,
    more=("../plain_http/more.py", "mocks.py", "clients.py", "second.py"),
    less={"0.24, oldest": ("mocks.py", "clients.py", "second.py")},
    scenarios=scenarios(_KINDS, reads_ahead=True),
)
