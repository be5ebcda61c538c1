"""What the two sides of MCP do besides: streamable HTTP, a server in the same task, tools of frameworks, wild peers."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.mcp import servers
from tests.instrumentors.mcp.library import CITY, LIBRARY, OLDEST, both, client, session, version
from tests.instrumentors.run_scenarios import ENVIRONMENT, instrumented
from tests.instrumentors.trees import Node, assert_trees
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

SIDES = ("client", "server")


@pytest.fixture
def its(stub: Any, telemetry: Any) -> Iterator[Any]:
    assert telemetry is not None
    driver: Any = LIBRARY.driver("async", stub)
    with instrumented():
        yield driver
    driver.close()


@pytest.fixture
def url(its: Any) -> Iterator[str]:
    """Where a server of this process listens."""
    uvicorn = import_module("uvicorn")
    port = free_port()
    app = servers.http_app(servers.make_server(its.server_kind))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}/mcp"
    server.should_exit = True
    thread.join()


def sums(telemetry: Any, metric: str, **labels: Any) -> int:
    from obs_run.pipeline import memory

    telemetry.flush()
    if not memory.exporter("metrics").items:
        return 0
    named = {name.replace("__", "."): value for name, value in labels.items()}
    return sum(point.count for point in telemetry.points(metric, **named))


def test_both_sides_over_streamable_http(its: Any, url: str, telemetry: Any) -> None:
    async def asking() -> None:
        async with servers.over_http(url) as asked:
            await asked.list_tools()
            await asked.call_tool("weather", CITY)

    its.run(asking())
    time.sleep(0.2)
    calls = {span.kind.name: span for span in telemetry.spans() if span.name == "tools/call weather"}
    assert calls["SERVER"].parent.span_id == calls["CLIENT"].context.span_id
    asked, served = calls["CLIENT"].attributes, calls["SERVER"].attributes
    for told in (asked,) if ENVIRONMENT == OLDEST else (asked, served):
        assert told["network.transport"] == "tcp"
        assert told["network.protocol.name"] == "http"
        assert len(told["mcp.session.id"]) > 8
        assert told["mcp.protocol.version"] == version(its)
    assert (asked["server.address"], f":{asked['server.port']}/" in url) == ("127.0.0.1", True)
    if ENVIRONMENT != OLDEST:
        assert served["mcp.session.id"] == asked["mcp.session.id"]
        assert served["client.address"] == "127.0.0.1"
        assert served["client.port"] > 0


def test_a_host_that_must_not_have_the_trace_does_not_get_it(
    its: Any, url: str, telemetry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OBS_PROPAGATE_HOSTS", "none")

    async def asking() -> None:
        async with servers.over_http(url) as asked:
            await asked.call_tool("weather", CITY)

    its.run(asking())
    time.sleep(0.2)
    calls = {span.kind.name: span for span in telemetry.spans() if span.name == "tools/call weather"}
    assert calls["SERVER"].context.trace_id != calls["CLIENT"].context.trace_id


def test_messages_and_sessions_are_measured(its: Any, telemetry: Any) -> None:
    labels = {"mcp.method.name": "tools/call", "gen_ai.tool.name": "weather"}
    names = [f"mcp.{side}.{what}.duration" for side in SIDES for what in ("operation", "session")]

    def counted() -> list[int]:
        telemetry.flush()
        return [sums(telemetry, name, **(labels if "operation" in name else {})) for name in names]

    its.within(lambda asked: asked.call_tool("weather", CITY))
    before = counted()
    its.within(lambda asked: asked.call_tool("weather", CITY))
    assert [after - earlier for earlier, after in zip(before, counted(), strict=True)] == [1, 1, 1, 1]


@pytest.mark.parametrize("name", ["weather", "town_weather"])
def test_a_tool_that_a_framework_runs_has_one_span(name: str, its: Any, telemetry: Any) -> None:
    from obs_run.core import recorder
    from obs_run.core.operations import ToolCall

    async def running(asked: Any) -> None:
        recording = recorder.start(ToolCall(tool_name=name))
        assert recording is not None
        with recording:
            await asked.call_tool("weather", CITY)
            await asked.call_tool("fail", CITY)
        recording.end()

    before = sums(telemetry, "mcp.client.operation.duration", gen_ai__tool__name="weather")
    its.within(running)
    served = Node("tools/call weather", kind="SERVER")
    told = {"mcp.method.name": "tools/call", "mcp.protocol.version": version(its), "gen_ai.tool.name": name}
    tool = Node(f"execute_tool {name}", served, both("tools/call fail", status="ERROR"), attributes=told)
    assert_trees(telemetry.spans(), *session(both, tool))
    assert sums(telemetry, "mcp.client.operation.duration", gen_ai__tool__name="weather") == before + 1


def test_a_failing_tool_that_a_framework_runs_has_the_error(its: Any, telemetry: Any) -> None:
    from obs_run.core import recorder
    from obs_run.core.operations import ToolCall

    async def running(asked: Any) -> None:
        recording = recorder.start(ToolCall(tool_name="fail"))
        assert recording is not None
        with recording:
            await asked.call_tool("fail", CITY)
        recording.end()

    its.within(running)
    tool = next(span for span in telemetry.spans() if span.name == "execute_tool fail")
    assert tool.attributes["error.type"] == "tool_error"


def test_a_server_asks_its_client_too(its: Any, telemetry: Any) -> None:
    types = import_module("mcp.types")

    async def answer(*_: Any) -> Any:
        return types.CreateMessageResult(
            role="assistant", content=types.TextContent(type="text", text="Hm."), model="faked"
        )

    async def asking() -> Any:
        async with servers.in_memory(servers.make_server(its.server_kind), sampling_callback=answer) as asked:
            return await asked.call_tool("think", CITY)

    its.run(asking())
    asked = Node("sampling/createMessage", Node("sampling/createMessage", kind="SERVER"), kind="CLIENT")
    called = Node("tools/call think", Node("tools/call think", asked, kind="SERVER"), kind="CLIENT", status="UNSET")
    roots = [both("initialize"), both("notifications/initialized"), called]
    found = [span for span in telemetry.spans() if span.name != "tools/list"]
    assert_trees(found, *roots)


def test_the_description_of_an_error_is_what_the_server_says(its: Any, telemetry: Any) -> None:
    with pytest.raises(Exception, match="nothing"):
        its.within(lambda asked: asked.get_prompt("nothing"))
    told = [span for span in telemetry.spans() if span.name == "prompts/get nothing"]
    assert [span.status.description for span in told] == ["Unknown prompt: nothing"] * 2


def test_progress_makes_no_spans(its: Any, telemetry: Any) -> None:
    heard: list[Any] = []

    async def hear(*progress: Any) -> None:
        heard.append(progress)

    its.within(lambda asked: asked.call_tool("work", CITY, progress_callback=hear), "memory")
    assert len(heard) == 3
    assert_trees(telemetry.spans(), *session(both, both("tools/call work")))


@pytest.mark.parametrize("field", ["traceparent", "baggage"])
def test_meta_that_is_no_trace_does_no_harm(field: str, its: Any, telemetry: Any) -> None:
    types = import_module("mcp.types")

    async def sending(asked: Any) -> Any:
        params = types.CallToolRequestParams(name="weather", arguments=CITY, _meta={field: ["x" * 9999, {}]})
        request = types.CallToolRequest(method="tools/call", params=params)
        wrapped = types.ClientRequest(request) if servers.is_first() else request
        return await asked.send_request(wrapped, types.CallToolResult)

    its.within(sending)
    assert_trees(telemetry.spans(), *session(both, both("tools/call weather")))


def test_the_trace_that_the_agent_sends_itself_stays(its: Any, telemetry: Any) -> None:
    types = import_module("mcp.types")
    other = "0af7651916cd43dd8448eb211c80319c"

    async def sending(asked: Any) -> Any:
        meta = {"traceparent": f"00-{other}-b7ad6b7169203331-01"}
        params = types.CallToolRequestParams(name="weather", arguments=CITY, _meta=meta)
        request = types.CallToolRequest(method="tools/call", params=params)
        wrapped = types.ClientRequest(request) if servers.is_first() else request
        return await asked.send_request(wrapped, types.CallToolResult)

    its.within(sending)
    served = [span for span in telemetry.spans() if (span.name, span.kind.name) == ("tools/call weather", "SERVER")]
    assert [f"{span.context.trace_id:032x}" for span in served] == [other]


def test_a_session_over_stdio_knows_its_transport(its: Any, telemetry: Any) -> None:
    before = sums(telemetry, "mcp.client.session.duration", network__transport="pipe")
    its.within(lambda asked: asked.send_ping(), "stdio")
    assert_trees(telemetry.spans(), *session(client, client("ping")))
    assert sums(telemetry, "mcp.client.session.duration", network__transport="pipe") == before + 1
    assert sys.executable


def test_a_server_in_the_same_task_has_both_sides(its: Any, telemetry: Any) -> None:
    if servers.is_first():
        with contextlib.suppress(ImportError):
            import_module("mcp.client.client")
            raise AssertionError
        return

    async def asking() -> None:
        async with import_module("mcp.client.client").Client(servers.make_server()) as asked:
            await asked.call_tool("weather", CITY)
            await asyncio.sleep(0)

    its.run(asking())
    found = [span for span in telemetry.spans() if span.name == "tools/call weather"]
    assert_trees(found, both("tools/call weather"))
