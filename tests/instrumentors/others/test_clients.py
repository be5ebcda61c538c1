"""Model clients over real HTTP: no span beneath the call's own, and no trace context to a vendor, whoever writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.agents import run_agent
from tests.instrumentors.environments import python_with

if TYPE_CHECKING:
    from pathlib import Path

HTTPX = "opentelemetry-instrumentation-httpx==0.66b1"
REQUEST = 'model="gpt-4o", messages=[dict(role="user", content="Hi")]'
OPENAI = """
import asyncio, openai
sync = openai.OpenAI(base_url=URL, api_key="k", max_retries=0)
async def work():
    async with openai.AsyncOpenAI(base_url=URL, api_key="k", max_retries=0) as client:
        await client.chat.completions.create(%s)
        async for _ in await client.chat.completions.create(stream=True, %s):
            pass
sync.chat.completions.create(%s)
list(sync.chat.completions.create(stream=True, %s))
asyncio.run(work())
""" % ((REQUEST,) * 4)
ANTHROPIC = """
import anthropic
client = anthropic.Anthropic(base_url=URL.removesuffix("/v1"), api_key="k", max_retries=0)
try:
    client.messages.create(model="claude-x", max_tokens=9, messages=[dict(role="user", content="Hi")])
except anthropic.NotFoundError:
    pass
"""

pytestmark = [pytest.mark.environments, pytest.mark.timeout(900)]  # the environment may have to be made first


@pytest.fixture(scope="module", params=["openai>=3,<4", "openai>=2,<3"])
def python(request: pytest.FixtureRequest) -> Path:
    return python_with(request.param, HTTPX, "opentelemetry-util-genai==1.3b0")


def test_openai_makes_one_span_a_call(python: Path, stub: Any) -> None:
    stub.reset()
    recorded = run_agent(python, OPENAI, stub.url)
    assert recorded.named() == ["chat gpt-4o"] * 4
    parents = {request["headers"]["traceparent"].split("-")[2] for request in stub.requests}
    assert parents == {format(span["id"], "016x") for span in recorded.spans}


def test_openai_s_requests_are_seen_where_the_user_keeps_them(python: Path, stub: Any) -> None:
    stub.reset()
    recorded = run_agent(python, OPENAI, stub.url, OBS_HTTP_SPANS="kept", OBS_PROPAGATE_HOSTS="none")
    assert recorded.named("obs_run") == ["chat gpt-4o"] * 4
    assert recorded.named("opentelemetry.instrumentation") == ["POST"] * 4
    assert ["traceparent" in request["headers"] for request in stub.requests] == [False] * 4


@pytest.mark.parametrize("hosts", ["private", "none"])
@pytest.mark.parametrize("more", [(), (HTTPX,)], ids=["alone", "with httpx"])
def test_what_anthropic_writes_itself_stays_too(stub: Any, hosts: str, more: tuple[str, ...]) -> None:
    stub.reset()
    recorded = run_agent(python_with("anthropic>=2,<3", *more), ANTHROPIC, stub.url, OBS_PROPAGATE_HOSTS=hosts)
    assert len(recorded.spans) == 1
    contexts = [request["headers"].get("traceparent") for request in stub.requests]
    expected = format(recorded.spans[0]["id"], "016x")
    assert [context and context.split("-")[2] for context in contexts] == [expected if hosts == "private" else None]
