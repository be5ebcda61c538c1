"""Calls that a package on util-genai and ours both see: one span with what both know, tokens counted once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.agents import run_agent
from tests.instrumentors.environments import python_with

if TYPE_CHECKING:
    from pathlib import Path

    from tests.instrumentors.agents import Recorded

OFFICIAL = "opentelemetry-instrumentation-genai-openai"
CONTENT = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}
CLIENT = """
import openai
client = openai.OpenAI(base_url=URL + "/v1", api_key="k", max_retries=0)
HI = [dict(role="system", content="Be brief."), dict(role="user", content="Hi")]
def chat(**more):
    return client.chat.completions.create(model="gpt-4o", messages=HI, **more)
"""
# A framework as an official package instruments it: it knows little, the client inside knows the rest.
FRAMEWORK = (
    CLIENT
    + """
from opentelemetry.util.genai.handler import TelemetryHandler
from opentelemetry.util.genai.invocation import CLIENT_INFERENCE_CONTEXT_KEY
from opentelemetry.context import get_value
handler = TelemetryHandler()
def framework(body, capture=True):
    call = handler.inference("the-framework", request_model="asked-of-framework")
    call.temperature = 0.25
    get_value(CLIENT_INFERENCE_CONTEXT_KEY).capture_content = capture
    try:
        body()
    except openai.OpenAIError as error:
        call.fail(error)
    else:
        call.stop()
"""
)
# A framework as ours will be: a recording of ours around a call of a client that an official package instruments.
OURS = (
    CLIENT
    + """
from obs_run.core import recorder
from obs_run.core.operations import Embedding, Inference
def ours(body, operation=None):
    recording = recorder.start(operation or Inference("chat", provider="the-framework", request_model="asked"))
    with recording:
        body()
    recording.end()
"""
)

pytestmark = [pytest.mark.environments, pytest.mark.timeout(900)]  # the environment may have to be made first


@pytest.fixture(scope="module")
def python() -> Path:
    return python_with("openai>=3,<4", f"{OFFICIAL}==1.3b0")


def tokens(recorded: Recorded, kind: str) -> int:
    return sum(
        point[2]
        for point in recorded.points
        if point[0] == "gen_ai.client.token.usage" and point[1]["gen_ai.token.type"] == kind
    )


def only(recorded: Recorded) -> dict[str, Any]:
    assert len(recorded.spans) == 1, recorded.named()
    attributes: dict[str, Any] = recorded.spans[0]["attributes"]
    return attributes


def test_theirs_outside_gets_what_ours_learns(python: Path, stub: Any) -> None:
    recorded = run_agent(python, FRAMEWORK + "framework(chat)", stub.url)
    attributes = only(recorded)
    assert recorded.scopes() == ["opentelemetry.util.genai.handler"]
    assert attributes["gen_ai.provider.name"] == "the-framework"
    assert attributes["gen_ai.request.model"] == "asked-of-framework"
    assert attributes["gen_ai.request.temperature"] == 0.25
    assert attributes["gen_ai.response.id"].startswith("chatcmpl-")
    assert attributes["gen_ai.response.finish_reasons"] == ["stop"]
    assert attributes["server.address"] == "127.0.0.1"
    assert attributes["openai.api.type"] == "chat_completions"
    assert attributes["gen_ai.usage.input_tokens"] == tokens(recorded, "input") > 0
    assert attributes["gen_ai.usage.output_tokens"] == tokens(recorded, "output") > 0
    assert "gen_ai.input.messages" not in attributes


def test_theirs_outside_gets_the_stream_of_ours(python: Path, stub: Any) -> None:
    body = "framework(lambda: list(chat(stream=True, stream_options=dict(include_usage=True))))"
    attributes = only(run_agent(python, FRAMEWORK + body, stub.url))
    assert attributes["gen_ai.request.stream"] is True
    assert 0 < attributes["gen_ai.response.time_to_first_chunk"] < 10
    assert attributes["gen_ai.usage.output_tokens"] > 0


def test_theirs_outside_gets_content_where_both_want_it(python: Path, stub: Any) -> None:
    tool = {"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}
    attributes = only(run_agent(python, FRAMEWORK + f"framework(lambda: chat(tools=[{tool}]))", stub.url, **CONTENT))
    assert json.loads(attributes["gen_ai.tool.definitions"])[0]["name"] == "search"
    assert "Hi" in attributes["gen_ai.input.messages"]
    assert '"role":"assistant"' in attributes["gen_ai.output.messages"].replace(" ", "")
    attributes = only(run_agent(python, FRAMEWORK + "framework(chat, capture=False)", stub.url, **CONTENT))
    assert not {"gen_ai.input.messages", "gen_ai.output.messages"} & set(attributes)


def test_theirs_outside_fails_with_the_client(python: Path, stub: Any) -> None:
    body = "framework(lambda: chat(extra_headers={'x-stub': '500'}))"
    attributes = only(run_agent(python, FRAMEWORK + body, stub.url))
    assert attributes["error.type"].endswith("InternalServerError")


def test_a_task_left_behind_records_again(python: Path, stub: Any) -> None:
    code = """
import contextvars
left = []
framework(lambda: left.append(contextvars.copy_context()))
left[0].run(chat)
"""
    recorded = run_agent(python, FRAMEWORK + code, stub.url)
    assert recorded.scopes() == ["obs_run", "opentelemetry.util.genai.handler"]


def test_another_kind_of_call_inside_is_recorded_by_itself(python: Path, stub: Any) -> None:
    code = "framework(lambda: client.embeddings.create(model='text-embedding-3-small', input='Hi'))"
    recorded = run_agent(python, FRAMEWORK + code, stub.url)
    assert recorded.scopes() == ["obs_run", "opentelemetry.util.genai.handler"]


def test_ours_outside_gets_what_theirs_learns(python: Path, stub: Any) -> None:
    recorded = run_agent(python, OURS + "ours(chat)", stub.url, OBS_PREFER="official")
    attributes = only(recorded)
    assert recorded.scopes() == ["obs_run"]
    assert recorded.outcomes == {OFFICIAL: "active"}
    assert attributes["gen_ai.provider.name"] == "the-framework"
    assert attributes["gen_ai.request.model"] == "asked"
    assert attributes["gen_ai.response.id"].startswith("chatcmpl-")
    assert attributes["gen_ai.usage.input_tokens"] == tokens(recorded, "input") > 0
    assert attributes["gen_ai.usage.output_tokens"] == tokens(recorded, "output") > 0
    assert "gen_ai.input.messages" not in attributes


def test_ours_outside_gets_their_content(python: Path, stub: Any) -> None:
    recorded = run_agent(python, OURS + "ours(chat)", stub.url, OBS_PREFER="official", **CONTENT)
    attributes = only(recorded)
    assert '{"role":"user","parts":[{"content":"Hi","type":"text"}]}' in attributes["gen_ai.input.messages"]
    assert '"finish_reason":"stop"' in attributes["gen_ai.output.messages"]


def test_ours_outside_gets_their_embedding(python: Path, stub: Any) -> None:
    code = """
ours(lambda: client.embeddings.create(model="text-embedding-3-small", input="Hi"), Embedding("embeddings"))
"""
    recorded = run_agent(python, OURS + code, stub.url, OBS_PREFER="official")
    attributes = only(recorded)
    assert attributes["gen_ai.request.model"] == "text-embedding-3-small"
    assert attributes["gen_ai.usage.input_tokens"] == tokens(recorded, "input") > 0


def test_retrievals_are_shared_both_ways(python: Path) -> None:
    code = """
from opentelemetry.util.genai.handler import TelemetryHandler
from obs_run.core import recorder
from obs_run.core.operations import Retrieval
handler = TelemetryHandler()
with handler.retrieval(data_source_id="theirs"):
    inner = recorder.start(Retrieval(data_source="ours", top_k=5))
    with inner:
        pass
    inner.end()
outer = recorder.start(Retrieval(data_source="ours"))
with outer:
    with handler.retrieval(data_source_id="theirs") as call:
        call.top_k = 7
outer.end()
"""
    theirs, ours = run_agent(python, code).spans
    assert theirs["attributes"]["gen_ai.data_source.id"] == "theirs"
    assert theirs["attributes"]["gen_ai.retrieval.top_k"] == 5
    assert ours["attributes"]["gen_ai.data_source.id"] == "ours"
    assert ours["attributes"]["gen_ai.retrieval.top_k"] == 7


def test_fetched_responses_are_shared_both_ways(python: Path, stub: Any) -> None:
    theirs = """
kept = client.responses.create(model="gpt-4o", input="Hi")
with handler.fetch_response("the-framework", response_id=kept.id):
    client.responses.retrieve(kept.id)
"""
    _, fetched = run_agent(python, FRAMEWORK + theirs, stub.url).spans
    assert fetched["attributes"]["gen_ai.provider.name"] == "the-framework"
    assert fetched["attributes"]["gen_ai.response.status"] == "completed"
    ours = """
from obs_run.core.operations import FetchedResponse
outer = recorder.start(FetchedResponse(provider="the-framework", response_id="resp_1"))
with outer:
    with TelemetryHandler().fetch_response("theirs", response_id="resp_2") as call:
        call.response_status = "completed"
outer.end()
"""
    handler = "from opentelemetry.util.genai.handler import TelemetryHandler"
    attributes = only(run_agent(python, OURS + handler + ours, stub.url))
    assert attributes["gen_ai.provider.name"] == "the-framework"
    assert attributes["gen_ai.response.id"] == "resp_1"
    assert attributes["gen_ai.response.status"] == "completed"


@pytest.mark.parametrize(
    ("key", "recorded_spans"),
    [
        ('"suppress_instrumentation"', 0),
        ("context._SUPPRESS_INSTRUMENTATION_KEY", 0),
        ('"suppress_language_model_instrumentation"', 0),
        ('"something_else"', 1),
    ],
)
def test_nothing_is_recorded_where_the_agent_wants_nothing(
    python: Path, stub: Any, key: str, recorded_spans: int
) -> None:
    code = CLIENT + f"from opentelemetry import context\ncontext.attach(context.set_value({key}, True))\nchat()"
    recorded = run_agent(python, code, stub.url)
    assert len(recorded.spans) == recorded_spans
    assert bool(tokens(recorded, "input")) == bool(recorded_spans)
