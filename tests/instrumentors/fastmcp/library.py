"""fastmcp, which is built on MCP's SDK: its server, asked by its own client and by the SDK's."""

from __future__ import annotations

from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.instrumentors.mcp import servers
from tests.instrumentors.mcp.library import CITY, Mcp, both
from tests.instrumentors.scenarios import Library, Scenario

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.instrumentors.trees import Node


class FastMcp(Mcp):
    """fastmcp's client and its server, in one process."""

    server_kind = "fastmcp"

    @asynccontextmanager
    async def connected(self, transport: str) -> AsyncIterator[Any]:
        assert transport == "memory"
        async with import_module("fastmcp").Client(servers.make_server(self.server_kind)) as client:
            yield client


def told(method: str, **more: Any) -> dict[str, Any]:
    named = {name.replace("__", "."): value for name, value in more.items()}
    return {"mcp.method.name": method, "mcp.protocol.version": "2026-07-28", "jsonrpc.request.id": "3", **named}


def tool(name: str, **more: Any) -> dict[str, Any]:
    return told("tools/call", gen_ai__operation__name="execute_tool", gen_ai__tool__name=name, **more)


def session(*asked: Node) -> tuple[Node, ...]:
    return (both("server/discover"), both("tools/list"), *asked)


SCENARIOS = (
    Scenario(
        "tools",
        lambda its: its.within(lambda client: client.call_tool("weather", CITY)),
        "tools/call weather",
        tool("weather"),
        tree=session(both("tools/call weather")),
    ),
    Scenario(
        "failing tool",
        lambda its: its.within(lambda client: client.call_tool("fail", CITY)),
        "tools/call fail",
        tool("fail", error__type="tool_error"),
        error="ToolError",
        failures=0,
        tree=session(both("tools/call fail", status="ERROR")),
    ),
    Scenario(
        "prompt",
        lambda its: its.within(lambda client: client.get_prompt("greeting", {"name": "Ann"})),
        "prompts/get greeting",
        told("prompts/get", gen_ai__prompt__name="greeting"),
        content={},
        tree=session(both("prompts/get greeting")),
    ),
    Scenario(
        "resource",
        lambda its: its.within(lambda client: client.read_resource(servers.RESOURCE)),
        "resources/read",
        told("resources/read", mcp__resource__uri=servers.RESOURCE),
        content={},
        tree=session(both("resources/read")),
    ),
    Scenario(
        "error",
        lambda its: its.within(lambda client: client.get_prompt("nothing", {})),
        "prompts/get nothing",
        told(
            "prompts/get",
            gen_ai__prompt__name="nothing",
            error__type="-32602",
            rpc__response__status_code="-32602",
        ),
        error="Error",
        failures=2,
        tree=session(both("prompts/get nothing", status="ERROR")),
    ),
)
LIBRARY = Library(
    name="fastmcp",
    instrumentor="obs_instrumentors.mcp",
    environments={"newest": ("fastmcp>=4.2",)},
    driver=FastMcp,
    kinds=("async",),
    more=("more.py",),
    traces_itself=("newest",),
    scenarios=SCENARIOS,
)
