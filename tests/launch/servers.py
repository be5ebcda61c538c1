"""The servers that the launcher is tried with, and MCP servers that agents start: one row each in docs/launcher.md."""

from __future__ import annotations

from dataclasses import dataclass

APP = """\
from opentelemetry import trace

def span():
    return trace.get_tracer("case").start_as_current_span("request")

async def asgi(scope, receive, send):
    if scope["type"] == "http":
        with span():
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"hello"})

def wsgi(environ, start_response):
    with span():
        start_response("200 OK", [("Content-Length", "5")])
        return [b"hello"]
"""

TASKS = """\
import os
from celery import Celery
from opentelemetry import trace

app = Celery("tasks", broker="filesystem://")
app.conf.broker_transport_options = {
    "data_folder_in": "queue", "data_folder_out": "queue", "control_folder": "control",
}

@app.task
def work(n):
    with trace.get_tracer("case").start_as_current_span("request"):
        open(f"done-{n}", "w").close()
"""


@dataclass(frozen=True)
class Server:
    """A server, how it is stopped, and what must come of the requests made to it."""

    name: str
    happens: str
    command: tuple[str, ...]
    packages: str = "web"
    send: int = 15
    processes: int = 1
    """From how many processes spans arrive at least."""


_ARRIVE = "the last request's span arrives; each request begins a trace"
_UVICORN = ("uvicorn", "app:asgi", "--port", "{port}")
_GUNICORN = ("gunicorn", "app:wsgi", "--bind", "127.0.0.1:{port}")

SERVERS = (
    Server("uvicorn, SIGTERM", _ARRIVE, _UVICORN),
    Server("uvicorn, SIGINT", _ARRIVE, _UVICORN, send=2),
    Server("python -m uvicorn, SIGTERM", _ARRIVE, ("python", "-m", *_UVICORN)),
    Server("uvicorn --workers 2, SIGTERM", _ARRIVE, (*_UVICORN, "--workers", "2")),
    Server("uvicorn --reload, SIGTERM", _ARRIVE, (*_UVICORN, "--reload")),
    Server("gunicorn --workers 2, SIGTERM", _ARRIVE, (*_GUNICORN, "--workers", "2")),
    Server("gunicorn --workers 2 --preload, SIGTERM", _ARRIVE, (*_GUNICORN, "--workers", "2", "--preload")),
    Server("gunicorn --max-requests 2, SIGTERM", _ARRIVE + ", from each worker",
           (*_GUNICORN, "--max-requests", "2"), processes=2),
)  # fmt: skip

CELERY = Server(
    "celery worker (prefork), SIGTERM soon after the task",
    "the task's span arrives; each task begins a trace",
    ("celery", "-A", "tasks", "worker", "--concurrency", "2", "--loglevel", "ERROR"),
    "celery",
)

CLIENT = """\
import asyncio, sys
from opentelemetry import trace
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

async def main():
    server = StdioServerParameters(command=sys.executable, args=["server.py"])
    with trace.get_tracer("case").start_as_current_span("work"):
        async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
            await session.initialize()
            print((await session.call_tool("double", {"n": 21})).content[0].text)

asyncio.run(main())
"""

MCP_SERVER = """\
import json, os
from opentelemetry import trace
try:
    from mcp.server.fastmcp import FastMCP as Server
except ImportError:
    from mcp.server import MCPServer as Server

app = Server("numbers")

@app.tool()
def double(n: int) -> int:
    with trace.get_tracer("case").start_as_current_span("child"):
        with open("environment.json", "w") as file:
            json.dump(dict(os.environ), file)
        return 2 * n

app.run()
"""


@dataclass(frozen=True)
class Mcp:
    """An agent that starts an MCP server over stdio, and the messages that the two exchange."""

    name: str
    happens: str
    packages: str
    messages: tuple[str, ...]


_BOTH_SIDES = "the server is traced, in the agent's trace: each message as the client sees it and as the server does"
_MESSAGES = ("initialize", "notifications/initialized", "tools/call double", "tools/list")
MCP = (
    Mcp("MCP server over stdio, mcp 1", _BOTH_SIDES, "mcp 1", _MESSAGES),
    Mcp("MCP server over stdio, mcp 2", _BOTH_SIDES, "mcp 2", _MESSAGES),
)
