"""A server as each release of MCP's SDK, or fastmcp, makes one; as a program it serves by standard input and output.

Nothing of the library is imported before somebody asks.
"""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

RESOURCE = "notes://today"


def is_first() -> bool:
    """Whether release 1 is installed."""
    version: str = import_module("importlib.metadata").version("mcp")
    return version.startswith("1.")


def is_oldest() -> bool:
    """Whether it is the oldest that is supported."""
    version: str = import_module("importlib.metadata").version("mcp")
    return version.startswith("1.9.")


def uri() -> Any:
    """Return the resource's address as the release wants it."""
    return import_module("pydantic").AnyUrl(RESOURCE) if is_first() else RESOURCE


def _empty_server(kind: str) -> Any:
    if kind == "fastmcp":
        return import_module("fastmcp").FastMCP("weather")
    if is_first():
        return import_module("mcp.server.fastmcp").FastMCP("weather")
    return import_module("mcp.server").MCPServer("weather")


def make_server(kind: str = "mcp", *only: str) -> Any:
    """Return a server with tools, of which only some may be wanted, a prompt and a resource."""
    server = _empty_server(kind)

    def weather(city: str) -> str:
        """Tell the weather."""
        return f"It rains in {city}."

    def fail(city: str) -> str:
        """Fail."""
        raise ValueError(city)

    async def wait(city: str) -> str:
        """Take long."""
        await asyncio.sleep(20)
        return city

    def greeting(name: str) -> str:
        """Greet."""
        return f"Greet {name}."

    def today() -> str:
        """Tell what is noted."""
        return "nothing"

    async def think(city: str, ctx: Any) -> str:
        """Ask the client's model."""
        types = import_module("mcp.types")
        said = types.SamplingMessage(role="user", content=types.TextContent(type="text", text=city))
        await ctx.session.create_message(messages=[said], max_tokens=9)
        return city

    async def work(city: str, ctx: Any) -> str:
        """Tell of progress."""
        for done in range(3):
            await ctx.report_progress(done, 3)
        return city

    for asking in (think, work):
        asking.__annotations__["ctx"] = context_type(kind)
    for function in (weather, fail, wait, think, work):
        if not only or function.__name__ in only:
            server.tool()(function)
    server.prompt()(greeting)
    server.resource(RESOURCE)(today)
    return server


def context_type(kind: str) -> Any:
    """Return the class of what a tool is given of the request that it runs for."""
    if kind == "fastmcp":
        return import_module("fastmcp").Context
    return import_module("mcp.server.fastmcp" if is_first() else "mcp.server.mcpserver").Context


def http_app(server: Any) -> Any:
    """Return the application that serves streamable HTTP at /mcp."""
    return server.http_app() if hasattr(server, "http_app") else server.streamable_http_app()


def over_http(url: str) -> AbstractAsyncContextManager[Any]:
    """Give a session with a server at an address."""
    from contextlib import asynccontextmanager

    http = import_module("mcp.client.streamable_http")
    connect = getattr(http, "streamablehttp_client", None) or http.streamable_http_client
    session_type = import_module("mcp.client.session").ClientSession

    @asynccontextmanager
    async def connected() -> AsyncIterator[Any]:
        async with connect(url) as (read, write, *_), session_type(read, write) as session:
            await session.initialize()
            yield session

    return connected()


def in_memory(server: Any, **options: Any) -> AbstractAsyncContextManager[Any]:
    """Give a session with a server in this process, over streams of messages."""
    from contextlib import asynccontextmanager

    low = getattr(server, "_mcp_server", None) or server._lowlevel_server
    memory = import_module("mcp.shared.memory")
    session_type = import_module("mcp.client.session").ClientSession

    @asynccontextmanager
    async def connected() -> AsyncIterator[Any]:
        async with memory.create_client_server_memory_streams() as (client, other):
            serving = asyncio.create_task(low.run(*other, low.create_initialization_options()))
            try:
                async with session_type(*client, **options) as session:
                    await session.initialize()
                    yield session
            finally:
                serving.cancel()
                await asyncio.gather(serving, return_exceptions=True)

    return connected()


def over_stdio(command: list[str]) -> AbstractAsyncContextManager[Any]:
    """Give a session with a program that is started for it."""
    from contextlib import asynccontextmanager

    stdio = import_module("mcp.client.stdio")
    session_type = import_module("mcp.client.session").ClientSession

    @asynccontextmanager
    async def connected() -> AsyncIterator[Any]:
        program = stdio.StdioServerParameters(command=command[0], args=command[1:])
        async with stdio.stdio_client(program) as streams, session_type(*streams) as session:
            await session.initialize()
            yield session

    return connected()


def main() -> None:
    """Serve by standard input and output."""
    kind, *only = sys.argv[1:]
    make_server(kind, *only).run(transport="stdio")


if __name__ == "__main__":
    main()
