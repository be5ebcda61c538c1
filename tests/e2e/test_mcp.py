"""An agent and an MCP server in processes of their own, each under obs-run: one trace in the real Jaeger."""

from __future__ import annotations

import os
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.e2e.backends import waiting
from tests.launch import environments
from tests.ports import HOST, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.backends.records import Span
    from tests.e2e.backends.servers import Backends

pytestmark = [pytest.mark.environments, pytest.mark.timeout(900)]  # the environment may have to be made first
SERVER = """\
import sys
try:
    from fastmcp import FastMCP as Server
except ImportError:
    try:
        from mcp.server.fastmcp import FastMCP as Server
    except ImportError:
        from mcp.server import MCPServer as Server

app = Server("numbers")

@app.tool()
def double(n: int) -> int:
    return 2 * n

if sys.argv[1:]:
    import uvicorn
    made = app.http_app() if hasattr(app, "http_app") else app.streamable_http_app()
    uvicorn.run(made, port=int(sys.argv[1]), log_level="error")
else:
    app.run()
"""
CLIENT = """\
import asyncio, sys
from contextlib import asynccontextmanager
from opentelemetry import trace

@asynccontextmanager
async def connected():
    try:
        from fastmcp import Client
    except ImportError:
        from mcp import ClientSession, StdioServerParameters
        if sys.argv[1:]:
            from mcp.client import streamable_http as http
            connect = getattr(http, "streamablehttp_client", None) or http.streamable_http_client
            opened = connect(sys.argv[1])
        else:
            from mcp.client.stdio import stdio_client
            opened = stdio_client(StdioServerParameters(command="obs-run", args=["python", "server.py"]))
        async with opened as (read, write, *_), ClientSession(read, write) as session:
            await session.initialize()
            yield session
    else:
        from fastmcp.client.transports import StdioTransport
        server = sys.argv[1] if sys.argv[1:] else StdioTransport("obs-run", ["python", "server.py"])
        async with Client(server) as session:
            yield session

async def main():
    with trace.get_tracer("agent").start_as_current_span("work") as span:
        async with connected() as session:
            print((await session.call_tool("double", {"n": 21})).content[0].text)
        print(f"{span.get_span_context().trace_id:032x}")

asyncio.run(main())
"""


@pytest.fixture
def url(place: environments.Environment, environ: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """Run the server as a program that waits for requests over HTTP."""
    port = free_port()
    command = [place.command("obs-run"), "python", "server.py", str(port)]
    with subprocess.Popen(command, cwd=tmp_path, env={**environ, "OTEL_SERVICE_NAME": "server"}) as process:
        try:
            waiting.until(lambda: _listens(port), "the MCP server listens", 60)
            yield f"http://{HOST}:{port}/mcp"
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@pytest.fixture(params=["mcp 1", "mcp 2", "fastmcp"])
def place(request: pytest.FixtureRequest) -> environments.Environment:
    return environments.environment(request.param)


@pytest.fixture
def environ(place: environments.Environment, backends: Backends, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "server.py").write_text(SERVER)
    (tmp_path / "agent.py").write_text(CLIENT)
    return {
        "PATH": f"{place.scripts}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "OTEL_EXPORTER_OTLP_ENDPOINT": backends.collector.otlp_http,
    }


def asked(place: environments.Environment, environ: dict[str, str], folder: Path, *arguments: str) -> str:
    """Have the agent ask the server; return the id of the trace."""
    done = subprocess.run(
        [place.command("obs-run"), "python", "agent.py", *arguments],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    answer, trace_id = done.stdout.splitlines()
    assert answer == "42"
    return trace_id


def assert_both_sides_are_one_tree(backends: Backends, trace_id: str) -> None:
    def both() -> list[Span] | None:
        found = backends.jaeger.trace(trace_id)
        names = [span.name for span in found]
        return found if names.count("tools/call double") == 2 and "agent" in names else None

    found = waiting.until(both, "both sides of the call in Jaeger", 60)
    spans = {span.span_id: span for span in found}
    call, handled = sorted((span for span in found if span.name == "tools/call double"), key=lambda each: each.kind)
    assert (call.kind, handled.kind) == ("CLIENT", "SERVER")
    assert handled.parent_span_id == call.span_id
    assert {call.resource["service.name"], handled.resource["service.name"]} == {"agent", "server"}
    assert spans[call.parent_span_id].name == "work"
    assert [span.name for span in found if not span.parent_span_id] == ["agent"]
    assert all(span.parent_span_id in spans for span in found if span.parent_span_id)


def test_over_stdio(
    place: environments.Environment, environ: dict[str, str], backends: Backends, tmp_path: Path
) -> None:
    assert_both_sides_are_one_tree(backends, asked(place, environ, tmp_path))


def test_over_http(
    place: environments.Environment, environ: dict[str, str], url: str, backends: Backends, tmp_path: Path
) -> None:
    assert_both_sides_are_one_tree(backends, asked(place, environ, tmp_path, url))
