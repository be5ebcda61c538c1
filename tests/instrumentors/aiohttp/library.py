"""The scenario set of aiohttp."""

from __future__ import annotations

import asyncio
import gc
from importlib import import_module
from typing import Any

from tests.instrumentors.plain_http.scenarios import WHOLE, HttpDriver, scenarios
from tests.instrumentors.scenarios import Library

_KINDS = ("async",)


class Aiohttp(HttpDriver):
    """A session of aiohttp against the stub."""

    ways = (WHOLE, "lines", "pieces", "any", "chunks", "text", "read")

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.aiohttp = import_module("aiohttp")

        async def session() -> Any:
            return self.aiohttp.ClientSession()

        self.session = self.run(session())

    def post(self, path: str, body: Any, **more: Any) -> tuple[int, bytes]:
        status, raw = self.run(self.wait(path, body, **more))
        return int(status), bytes(raw)

    async def wait(self, path: str, body: Any, **more: Any) -> Any:
        async with self.session.post(self.url(path), json=body, **more) as response:
            return response.status, await response.read()

    def stream(self, path: str, body: Any, way: str = "lines", **more: Any) -> list[Any]:
        # How much comes in at once the network says.
        pieces = self.run(self._stream(path, body, way, **more))
        return pieces if way in ("lines", "text") else [b"".join(pieces)]

    async def _stream(self, path: str, body: Any, way: str, **more: Any) -> list[Any]:
        async with self.session.post(self.url(path), json=body, **more) as response:
            if way in (WHOLE, "text"):
                return [await response.read() if way == WHOLE else await response.text()]
            content = response.content
            if way == "lines":
                return [line async for line in content]
            if way == "any":
                return [piece async for piece in content.iter_any()]
            if way == "chunks":
                return [piece async for piece, _ in content.iter_chunks()]
            if way == "pieces":
                return [piece async for piece in content.iter_chunked(5)]
            pieces = []
            while piece := await content.read(6):
                pieces.append(piece)
            return pieces

    def leave(self, path: str, body: Any) -> Any:
        async def leaving() -> Any:
            response = await self.session.post(self.url(path), json=body)
            first = await response.content.read(1)
            response.close()
            del response
            gc.collect()
            await asyncio.sleep(0.05)
            return first

        return self.run(leaving())

    def close(self) -> None:
        self.run(self.session.close())
        super().close()


LIBRARY = Library(
    name="aiohttp",
    instrumentor="obs_instrumentors.aiohttp",
    environments={
        "3.8, oldest": ("aiohttp==3.8.6", "hypothesis", "aioresponses"),
        "3, newest": ("aiohttp>=3.12,<4", "hypothesis"),
    },
    driver=Aiohttp,
    kinds=_KINDS,
    more=("../plain_http/more.py", "more.py", "mocks.py"),
    less={"3, newest": ("mocks.py",)},
    scenarios=scenarios(_KINDS, reads_ahead=True),
)
