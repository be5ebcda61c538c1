"""What the newest instrumentors of others emit for a call is told as ours tells the same call."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.agents import run_agent
from tests.instrumentors.environments import python_with
from tests.semconv import conformance

if TYPE_CHECKING:
    from pathlib import Path

    from tests.instrumentors.agents import Recorded

CONTENT = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}
CALLS = """
import openai
client = openai.OpenAI(base_url=URL + "/v1", api_key="k", max_retries=0)
weather = {"type": "object", "properties": {"town": {"type": "string"}}}
function = dict(name="weather", description="the sky", parameters=weather)
client.chat.completions.create(
    model="gpt-4o", temperature=0.5, max_tokens=99, tools=[dict(type="function", function=function)],
    messages=[
        dict(role="system", content="be kind"),
        dict(role="user", content=[
            dict(type="text", text="hi"), dict(type="image_url", image_url=dict(url="https://x.test/a.png")),
        ]),
        dict(role="assistant", content=None, tool_calls=[
            dict(id="call_0", type="function", function=dict(name="weather", arguments='{"town": "Oslo"}')),
        ]),
        dict(role="tool", tool_call_id="call_0", content="sunny"),
    ],
)
client.embeddings.create(model="text-embedding-3-small", input=["a", "b"])
"""
SAME = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.request.temperature",
    "gen_ai.request.max_tokens",
    "gen_ai.response.model",
    "gen_ai.response.finish_reasons",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.reasoning.output_tokens",
    "obs.cost.total",
)

pytestmark = [pytest.mark.environments, pytest.mark.timeout(900)]  # the environment may have to be made first


@pytest.fixture(scope="module")
def python() -> Path:
    # As test_choice has it.
    names = ("opentelemetry-instrumentation-openai", "openinference-instrumentation-openai")
    return python_with("openai>=3,<4", "opentelemetry-instrumentation-genai-openai==1.3b0", *names)


def _spans(recorded: Recorded) -> dict[str, dict[str, Any]]:
    return {span["attributes"].get("gen_ai.operation.name", span["name"]): span for span in recorded.spans}


@pytest.fixture(scope="module")
def ours(python: Path, stub: Any) -> dict[str, dict[str, Any]]:
    return _spans(run_agent(python, CALLS, stub.url, **CONTENT))


@pytest.fixture(scope="module", params=["openinference", "openllmetry"])
def theirs(request: pytest.FixtureRequest, python: Path, stub: Any) -> dict[str, dict[str, Any]]:
    spans = _spans(run_agent(python, CALLS, stub.url, OBS_PREFER=request.param, **CONTENT))
    assert all("obs_run" not in span["scope"] for span in spans.values())
    return spans


@pytest.mark.parametrize("operation", ["chat", "embeddings"])
def test_the_same_is_told(ours: dict[str, dict[str, Any]], theirs: dict[str, dict[str, Any]], operation: str) -> None:
    mine, span = ours[operation], theirs[operation]
    assert (span["name"], span["kind"]) == (mine["name"], mine["kind"])
    told, expected = span["attributes"], mine["attributes"]
    differing = {name for name in SAME if told.get(name, expected.get(name)) != expected.get(name)}
    # What is not there is 0 for some, and not said by others.
    assert {name for name in differing if told[name]} == set()
    assert told["gen_ai.usage.input_tokens"] == expected["gen_ai.usage.input_tokens"]
    assert told["obs.cost.total"] == pytest.approx(expected["obs.cost.total"])


@pytest.mark.parametrize("name", ["gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.definitions"])
def test_the_same_content_is_told(
    ours: dict[str, dict[str, Any]], theirs: dict[str, dict[str, Any]], name: str
) -> None:
    expected, told = ours["chat"]["attributes"][name], theirs["chat"]["attributes"][name]
    assert _bare(json.loads(told)) == _bare(json.loads(expected))


def _bare(value: Any) -> Any:
    """Return content without what is nothing, and what not everybody says."""
    if isinstance(value, dict):
        return {key: _bare(item) for key, item in value.items() if item is not None and key != "finish_reason"}
    if isinstance(value, str) and value.startswith("{"):
        return json.loads(value)  # arguments, which may be told as an object or as its JSON
    return [_bare(item) for item in value] if isinstance(value, list) else value


def test_nothing_of_their_own_words_is_left(theirs: dict[str, dict[str, Any]]) -> None:
    own_words = ("llm.", "openinference.", "traceloop.", "input.", "output.")
    left = [name for name in theirs["chat"]["attributes"] if name.startswith(own_words)]
    assert left == []


def test_it_keeps_to_the_conventions(theirs: dict[str, dict[str, Any]]) -> None:
    spans = [
        SimpleNamespace(
            name=span["name"],
            kind=SimpleNamespace(name=span["kind"]),
            status=SimpleNamespace(status_code=SimpleNamespace(name="UNSET")),
            attributes=span["attributes"],
            events=(),
        )
        for span in theirs.values()
    ]
    assert conformance.findings(spans, [], []) == []
