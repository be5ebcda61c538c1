"""MCP's SDK, both sides: a client's session with a server in this process, and with one that knows nothing of us."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.instrumentors.mcp import servers
from tests.instrumentors.scenarios import Driver, Library, Scenario
from tests.instrumentors.trees import Node

if TYPE_CHECKING:
    from collections.abc import Callable

OLDEST = "1.9"
LAST_OF_FIRST = "1.30"
CITY = {"city": "Lisbon"}
CANCELLED = "notifications/cancelled"
RESULT = {"result": "It rains in Lisbon."}
PROGRAM = str(Path(servers.__file__).resolve())


class Mcp(Driver):
    """A client that opens a session for each thing that it does."""

    server_kind = "mcp"

    def within(self, work: Callable[[Any], Any], transport: str = "memory") -> Any:
        """Return what ``work(session)`` gives, in a session whose tools are known."""

        async def working() -> Any:
            async with self.connected(transport) as session:
                await session.list_tools()
                try:
                    return await work(session)
                except BaseException as error:  # noqa: BLE001 (on its way out it would become one of a group)
                    caught = error
            raise caught

        return self.run(working())

    def connected(self, transport: str) -> Any:
        if transport == "stdio":
            return servers.over_stdio([sys.executable, PROGRAM, self.server_kind])
        return servers.in_memory(servers.make_server(self.server_kind))

    def timeout(self, seconds: float) -> Any:
        """Return a time as the release wants it."""
        return timedelta(seconds=seconds) if servers.is_first() else seconds


def cancelled(session: Any) -> Any:
    async def cancelling() -> Any:
        task = asyncio.ensure_future(session.call_tool("wait", CITY))
        await asyncio.sleep(0.1)
        task.cancel()
        return await task

    return cancelling()


def version(driver: Any) -> str:
    assert driver
    return "2025-03-26" if servers.is_oldest() else "2025-11-25"


def request_id(number: int) -> str:
    """Return the id of a session's request; those of release 2 begin at one."""
    return str(number if servers.is_first() else number + 1)


def told(method: str, number: int = 2, **more: Any) -> Callable[[Any], dict[str, Any]]:
    def attributes(driver: Any) -> dict[str, Any]:
        return {
            "mcp.method.name": method,
            "mcp.protocol.version": version(driver),
            "jsonrpc.request.id": request_id(number),
            **{name.replace("__", "."): value for name, value in more.items()},
        }

    return attributes


def tool(name: str, **more: Any) -> Callable[[Any], dict[str, Any]]:
    return told("tools/call", gen_ai__operation__name="execute_tool", gen_ai__tool__name=name, **more)


def both(name: str, *inside: Node, status: str | None = "UNSET") -> Node:
    """Return a message as both sides see it."""
    server = Node(name, *inside, kind="SERVER", status=status)
    return Node(name, server, kind="CLIENT", status=status)


def client(name: str, status: str | None = "UNSET") -> Node:
    return Node(name, kind="CLIENT", status=status)


def session(message: Callable[..., Node], *asked: Node) -> tuple[Node, ...]:
    return (message("initialize"), message("notifications/initialized"), message("tools/list"), *asked)


def result(driver: Any) -> dict[str, Any]:
    assert driver
    told = {"content": [{"type": "text", "text": "It rains in Lisbon."}], "isError": False}
    return told if servers.is_oldest() else {**told, "structuredContent": RESULT}


def tool_content(driver: Any) -> dict[str, Any]:
    return {"gen_ai.tool.call.arguments": CITY, "gen_ai.tool.call.result": result(driver)}


SCENARIOS = (
    Scenario(
        "tools",
        lambda its: its.within(lambda session: session.call_tool("weather", CITY)),
        "tools/call weather",
        tool("weather"),
        content=tool_content,
        tree=session(both, both("tools/call weather")),
    ),
    Scenario(
        "failing tool",
        lambda its: its.within(lambda session: session.call_tool("fail", CITY)),
        "tools/call fail",
        tool("fail", error__type="tool_error"),
        tree=session(both, both("tools/call fail", status="ERROR")),
    ),
    Scenario(
        "prompt",
        lambda its: its.within(lambda session: session.get_prompt("greeting", {"name": "Ann"})),
        "prompts/get greeting",
        told("prompts/get", gen_ai__prompt__name="greeting"),
        content={},
        tree=session(both, both("prompts/get greeting")),
    ),
    Scenario(
        "resource",
        lambda its: its.within(lambda session: session.read_resource(servers.uri())),
        "resources/read",
        told("resources/read", mcp__resource__uri=servers.RESOURCE),
        content={},
        tree=session(both, both("resources/read")),
    ),
    Scenario(
        "error",
        lambda its: its.within(lambda session: session.get_prompt("greeting", {})),
        "prompts/get greeting",
        told(
            "prompts/get",
            gen_ai__prompt__name="greeting",
            error__type="0",
            rpc__response__status_code="0",
        ),
        error="Error",
        tree=session(both, both("prompts/get greeting", status="ERROR")),
        unless=("2.0", "newest"),
    ),
    Scenario(
        "error in a server of release 2",
        lambda its: its.within(lambda session: session.get_prompt("greeting", {})),
        "prompts/get greeting",
        told(
            "prompts/get",
            gen_ai__prompt__name="greeting",
            error__type="0",
            rpc__response__status_code="0",
        ),
        error="Error",
        failures=2,
        tree=session(both, both("prompts/get greeting", status="ERROR")),
        unless=(OLDEST, LAST_OF_FIRST),
    ),
    Scenario(
        "cancelled",
        lambda its: its.within(cancelled),
        "tools/call wait",
        tool("wait", obs__outcome="cancelled"),
        error="CancelledError",
        failures=0,
        tree=session(both, both("tools/call wait")),
        unless=("2.0", "newest"),
    ),
    Scenario(
        "cancelled with word to the server",
        lambda its: its.within(cancelled),
        "tools/call wait",
        tool("wait", obs__outcome="cancelled"),
        error="CancelledError",
        failures=0,
        tree=session(both, Node("tools/call wait", Node("tools/call wait", kind="SERVER"), both(CANCELLED))),
        unless=(OLDEST, LAST_OF_FIRST),
    ),
    Scenario(
        "timeout",
        lambda its: its.within(lambda session: session.call_tool("wait", CITY, read_timeout_seconds=its.timeout(0.1))),
        "tools/call wait",
        tool("wait", error__type="timeout"),
        error="Error",
        failures=1,
        tree=session(
            both, Node("tools/call wait", Node("tools/call wait", kind="SERVER"), kind="CLIENT", status="ERROR")
        ),
        unless=("2.0", "newest"),
    ),
    Scenario(
        "timeout with word to the server",
        lambda its: its.within(lambda session: session.call_tool("wait", CITY, read_timeout_seconds=its.timeout(0.1))),
        "tools/call wait",
        tool("wait", error__type="timeout"),
        error="Error",
        failures=1,
        tree=session(both, Node("tools/call wait", Node("tools/call wait", kind="SERVER"), both(CANCELLED))),
        unless=(OLDEST, LAST_OF_FIRST),
    ),
    Scenario(
        "tools of a server that knows nothing of us",
        lambda its: its.within(lambda session: session.call_tool("weather", CITY), "stdio"),
        "tools/call weather",
        tool("weather", network__transport="pipe"),
        content=tool_content,
        tree=session(client, client("tools/call weather")),
    ),
)
LIBRARY = Library(
    name="mcp",
    instrumentor="obs_instrumentors.mcp",
    environments={
        OLDEST: ("mcp==1.9.0", "pydantic<2.12"),
        LAST_OF_FIRST: ("mcp>=1.30,<2",),
        "2.0": ("mcp==2.0.0",),
        "newest": ("mcp>=2.3,<3",),
    },
    driver=Mcp,
    kinds=("async",),
    traces_itself=("2.0", "newest"),
    more=("more.py",),
    scenarios=SCENARIOS,
)
