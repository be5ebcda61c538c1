"""fastmcp, which is built on MCP's SDK: its server, asked by its own client and by the SDK's."""

from __future__ import annotations

from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.instrumentors.mcp import servers
from tests.instrumentors.mcp.library import CITY, Mcp, both
from tests.instrumentors.scenarios import Library, Scenario

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.instrumentors.trees import Node


OLDEST = "3"


class FastMcp(Mcp):
    """fastmcp's client and its server, in one process."""

    server_kind = "fastmcp"

    @asynccontextmanager
    async def connected(self, transport: str) -> AsyncIterator[Any]:
        assert transport == "memory"
        async with import_module("fastmcp").Client(servers.make_server(self.server_kind)) as client:
            yield client


def told(method: str, **more: Any) -> Callable[[Any], dict[str, Any]]:
    def attributes(its: Any) -> dict[str, Any]:
        assert its
        return {
            "mcp.method.name": method,
            "mcp.protocol.version": "2025-11-25" if servers.is_first() else "2026-07-28",
            "jsonrpc.request.id": "2" if servers.is_first() else "3",
            **{name.replace("__", "."): value for name, value in more.items()},
        }

    return attributes


def tool(name: str, **more: Any) -> Callable[[Any], dict[str, Any]]:
    return told("tools/call", gen_ai__operation__name="execute_tool", gen_ai__tool__name=name, **more)


HANDSHAKE = (both("initialize"), both("notifications/initialized"), both("tools/list"))
DISCOVERY = (both("server/discover"), both("tools/list"))


def scenarios(line: str, opening: tuple[Node, ...], code: str, unless: str) -> tuple[Scenario, ...]:
    """Return what a client does that opens its session in one of two ways; ``code`` is that of what is not there."""
    return (
        Scenario(
            f"{line}: tools",
            lambda its: its.within(lambda client: client.call_tool("weather", CITY)),
            "tools/call weather",
            tool("weather"),
            tree=(*opening, both("tools/call weather")),
            unless=(unless,),
        ),
        Scenario(
            f"{line}: failing tool",
            lambda its: its.within(lambda client: client.call_tool("fail", CITY)),
            "tools/call fail",
            tool("fail", error__type="tool_error"),
            error="ToolError",
            failures=0,
            tree=(*opening, both("tools/call fail", status="ERROR")),
            unless=(unless,),
        ),
        Scenario(
            f"{line}: prompt",
            lambda its: its.within(lambda client: client.get_prompt("greeting", {"name": "Ann"})),
            "prompts/get greeting",
            told("prompts/get", gen_ai__prompt__name="greeting"),
            content={},
            tree=(*opening, both("prompts/get greeting")),
            unless=(unless,),
        ),
        Scenario(
            f"{line}: resource",
            lambda its: its.within(lambda client: client.read_resource(servers.RESOURCE)),
            "resources/read",
            told("resources/read", mcp__resource__uri=servers.RESOURCE),
            content={},
            tree=(*opening, both("resources/read")),
            unless=(unless,),
        ),
        Scenario(
            f"{line}: error",
            lambda its: its.within(lambda client: client.get_prompt("nothing", {})),
            "prompts/get nothing",
            told(
                "prompts/get",
                gen_ai__prompt__name="nothing",
                error__type=code,
                rpc__response__status_code=code,
            ),
            error="Error",
            failures=1 if code == "0" else 2,
            tree=(*opening, both("prompts/get nothing", status="ERROR")),
            unless=(unless,),
        ),
    )


LIBRARY = Library(
    name="fastmcp",
    instrumentor="obs_instrumentors.mcp",
    environments={OLDEST: ("fastmcp>=3,<4",), "newest": ("fastmcp>=4.2",)},
    driver=FastMcp,
    kinds=("async",),
    more=("more.py", "past.py"),
    traces_itself=(OLDEST, "newest"),
    scenarios=(*scenarios("handshake", HANDSHAKE, "0", "newest"), *scenarios("discovery", DISCOVERY, "-32602", OLDEST)),
    less={OLDEST: ("past.py",)},
)
