"""Clients of the OpenAI family, sync and async behind the same methods."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Coroutine


class Library(NamedTuple):
    package: str
    client: str
    provider: str
    version_in_url: bool
    reads_ahead: bool = False
    """Whether an asynchronous stream may have come in whole when the agent leaves it at the first chunk."""


LIBRARIES = {
    "openai": Library("openai", "OpenAI", "openai", version_in_url=True),
    "groq": Library("groq", "Groq", "groq", version_in_url=False),
    "together": Library("together", "Together", "together_ai", version_in_url=False),
    "cerebras": Library("cerebras.cloud.sdk", "Cerebras", "cerebras", version_in_url=False),
    "fireworks": Library("fireworks", "Fireworks", "fireworks_ai", version_in_url=False, reads_ahead=True),
}
_HELPERS = (
    "openai.lib.streaming.chat._completions",
    "openai.lib.streaming.responses._responses",
    "openai.lib.responses_websocket._session",
    "openai.resources.beta.realtime.realtime",
    "openai.resources.beta.responses.responses",
    "openai.resources.realtime.realtime",
    "openai.resources.responses.responses",
)


def instrument(library: Library) -> None:
    from obs_instrumentors import TABLE

    from obs_run.core import hooks

    if library.package == "openai":
        for helper in _HELPERS:
            # The oldest versions have none.
            with contextlib.suppress(ImportError):
                importlib.import_module(helper)
    for module, instrumentor in TABLE.items():
        if module.startswith(library.package) and module in sys.modules:
            hooks.instrument(instrumentor, sys.modules[module])


def numbers_tries(package: Any) -> bool:
    """Whether the client tells in its requests how often it tried; the first releases did not."""
    return (package.__name__, package.__version__) not in (("openai", "1.26.0"), ("cerebras.cloud.sdk", "1.0.0"))


class Sync:
    """Calls of the sync client."""

    kind = "sync"

    def __init__(self, client: Any) -> None:
        self.client = client
        self.chat = client.chat.completions

    def run(self, work: Any) -> Any:
        """Return a result that the async driver would have to wait for."""
        return work

    def read(self, stream: Any) -> list[Any]:
        return list(stream)

    def streamed(self, **request: Any) -> list[Any]:
        return list(self.chat.create(stream=True, **request))

    def raw(self, **request: Any) -> Any:
        return self.chat.with_raw_response.create(**request)

    def parsed(self, raw: Any) -> Any:
        parsed = raw.parse()
        return list(parsed) if hasattr(parsed, "response") else parsed

    def streaming(self, how: str, **request: Any) -> Any:
        with self.chat.with_streaming_response.create(**request) as response:
            if how == "unread":
                return None
            if how == "lines":
                return list(response.iter_lines())
            parsed = response.parse()
            return list(parsed) if request.get("stream") else parsed

    def abandoned(self, **request: Any) -> None:
        stream = self.chat.create(stream=True, **request)
        next(stream)
        del stream
        gc.collect()

    def left(self, **request: Any) -> Any:
        with self.chat.create(stream=True, **request) as stream:
            next(stream)
        return stream

    def close(self) -> None:
        self.client.close()


class Async:
    """Calls of the async client, each run to its end on one event loop."""

    kind = "async"

    def __init__(self, client: Any) -> None:
        self.client = client
        self.chat = client.chat.completions
        self.loop = asyncio.new_event_loop()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def read(self, stream: Any) -> list[Any]:
        async def reading() -> list[Any]:
            return [chunk async for chunk in stream]

        return list(self.run(reading()))

    def streamed(self, **request: Any) -> list[Any]:
        async def reading() -> list[Any]:
            return [chunk async for chunk in await self.chat.create(stream=True, **request)]

        return list(self.run(reading()))

    def raw(self, **request: Any) -> Any:
        return self.run(self.chat.with_raw_response.create(**request))

    def parsed(self, raw: Any) -> Any:
        parsed = raw.parse()
        if asyncio.iscoroutine(parsed):
            parsed = self.run(parsed)
        return self.read(parsed) if hasattr(parsed, "response") else parsed

    def streaming(self, how: str, **request: Any) -> Any:
        async def reading() -> Any:
            async with self.chat.with_streaming_response.create(**request) as response:
                if how == "unread":
                    return None
                if how == "lines":
                    return [line async for line in response.iter_lines()]
                parsed = await response.parse()
                return [chunk async for chunk in parsed] if request.get("stream") else parsed

        return self.run(reading())

    def abandoned(self, **request: Any) -> None:
        async def reading() -> None:
            stream = await self.chat.create(stream=True, **request)
            await stream.__anext__()
            del stream
            gc.collect()
            await asyncio.sleep(0.05)

        self.run(reading())
        gc.collect()

    def left(self, **request: Any) -> Any:
        async def reading() -> Any:
            async with await self.chat.create(stream=True, **request) as stream:
                await stream.__anext__()
            return stream

        return self.run(reading())

    def close(self) -> None:
        self.run(self.client.close())
        self.run(self.loop.shutdown_asyncgens())
        self.loop.close()


def driver(kind: str, library: Library, package: Any, stub: Any, **options: Any) -> Any:
    options = {"base_url": stub.url if library.version_in_url else stub.origin, "api_key": "none", **options}
    if kind == "sync":
        return Sync(getattr(package, library.client)(**options))
    return Async(getattr(package, f"Async{library.client}")(**options))
