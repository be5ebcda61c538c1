"""The client's tool runner, which releases from 0.68 on have: its run, its turns, and the tools that it calls."""

from __future__ import annotations

import asyncio
import gc
import importlib
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.anthropic.library import ASKED, MODEL
from tests.instrumentors.anthropic.more import hooked
from tests.instrumentors.trees import Node, assert_trees

if TYPE_CHECKING:
    from collections.abc import Iterator

anthropic = importlib.import_module("anthropic")
HAS_RUNNER = hasattr(anthropic, "beta_tool")
SCOPES = {"obs_run"}


@pytest.fixture
def instrumented(telemetry: Any) -> Iterator[None]:
    assert telemetry is not None
    with hooked():
        yield


def weather(city: str) -> str:
    """Tell the weather.

    Args:
        city: Where.
    """
    return f"rain in {city}"


def broken(city: str) -> str:
    """Tell nothing."""
    raise ValueError(city)


async def later(city: str) -> str:
    """Tell the weather, later."""
    return weather(city)


def _run(kind: str, function: Any, stub: Any, **more: Any) -> Any:
    options: dict[str, Any] = {"base_url": stub.origin, "api_key": "none"}
    if kind == "sync":
        tool = anthropic.beta_tool(function)
        return anthropic.Anthropic(**options).beta.messages.tool_runner(**ASKED, tools=[tool], **more).until_done()
    tool = anthropic.beta_async_tool(function)

    async def running() -> Any:
        async with anthropic.AsyncAnthropic(**options) as client:
            return await client.beta.messages.tool_runner(**ASKED, tools=[tool], **more).until_done()

    return asyncio.run(running())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("kind", "function"), [("sync", weather), ("async", later)])
def test_a_run(kind: str, function: Any, stream: Any, stub: Any, instrumented: None, telemetry: Any) -> None:
    assert instrumented is None
    if not HAS_RUNNER:
        return
    # Only asked for where it is wanted, because the first releases read the argument otherwise.
    _run(kind, function, stub, **({"stream": True} if stream else {}))
    spans = telemetry.spans()
    tool = Node(
        f"execute_tool {function.__name__}",
        kind="INTERNAL",
        attributes={"gen_ai.tool.name": function.__name__, "gen_ai.tool.type": "function"},
    )
    chat = Node(f"chat {MODEL}", kind="CLIENT")
    run = Node("invoke_agent", chat, tool, chat, kind="INTERNAL", attributes={"gen_ai.request.model": MODEL})
    assert_trees(spans, run)
    assert {span.instrumentation_scope.name for span in spans} == SCOPES


def test_content_of_a_tool(stub: Any, instrumented: None, telemetry: Any, with_content: None) -> None:
    assert (instrumented, with_content) == (None, None)
    if not HAS_RUNNER:
        return
    _run("sync", weather, stub)
    (tool,) = (span for span in telemetry.spans() if span.name.startswith("execute_tool"))
    assert tool.attributes["gen_ai.tool.call.arguments"] == '{"city":"Lisbon"}'
    assert tool.attributes["gen_ai.tool.call.result"] == "rain in Lisbon"


def test_a_tool_that_fails(stub: Any, instrumented: None, telemetry: Any) -> None:
    assert instrumented is None
    if not HAS_RUNNER:
        return
    _run("sync", broken, stub)
    (tool,) = (span for span in telemetry.spans() if span.name.startswith("execute_tool"))
    assert tool.status.status_code.name == "ERROR"
    assert tool.attributes["error.type"] in ("tool_error", "ValueError")


def test_a_run_that_is_left(stub: Any, instrumented: None, telemetry: Any) -> None:
    assert instrumented is None
    if not HAS_RUNNER:
        return
    client = anthropic.Anthropic(base_url=stub.origin, api_key="none")
    for _ in client.beta.messages.tool_runner(**ASKED, tools=[anthropic.beta_tool(weather)]):
        break
    # The runner and its loop refer to each other.
    gc.collect()
    assert_trees(telemetry.spans(), Node("invoke_agent", Node(f"chat {MODEL}")))


def test_the_agent_sees_the_same(stub: Any, telemetry: Any) -> None:
    if not HAS_RUNNER:
        return
    stub.reset()
    without = _run("sync", weather, stub).model_dump()
    telemetry.clear()
    stub.reset()
    with hooked():
        assert _run("sync", weather, stub).model_dump() == without
    assert len(telemetry.spans()) == 4
