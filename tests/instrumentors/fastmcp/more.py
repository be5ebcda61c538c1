"""What fastmcp does besides: streamable HTTP."""

from __future__ import annotations

import threading
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.fastmcp.library import LIBRARY
from tests.instrumentors.mcp import servers
from tests.instrumentors.mcp.library import CITY
from tests.instrumentors.run_scenarios import instrumented
from tests.instrumentors.trees import Node, assert_trees
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def its(stub: Any, telemetry: Any) -> Iterator[Any]:
    assert telemetry is not None
    driver: Any = LIBRARY.driver("async", stub)
    with instrumented():
        yield driver
    driver.close()


def named(telemetry: Any, name: str) -> list[Any]:
    return [span for span in telemetry.spans() if span.name == name]


def test_both_sides_over_streamable_http(its: Any, telemetry: Any) -> None:
    uvicorn = import_module("uvicorn")
    port = free_port()
    app = servers.http_app(servers.make_server(its.server_kind))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)

    async def asking() -> None:
        async with import_module("fastmcp").Client(f"http://127.0.0.1:{port}/mcp") as client:
            await client.call_tool("weather", CITY)

    its.run(asking())
    server.should_exit = True
    thread.join()
    found = named(telemetry, "tools/call weather")
    assert_trees(found, Node("tools/call weather", Node("tools/call weather", kind="SERVER"), kind="CLIENT"))
    for span in found:
        assert span.attributes["network.transport"] == "tcp"
        assert span.instrumentation_scope.name == "obs_run"
