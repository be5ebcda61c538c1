"""What Letta's servers and clients do beside the scenario set."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.answers_server import AnswersServer
from tests.instrumentors.run_scenarios import instrumented
from tests.instrumentors.trees import Node, assert_trees

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.instrumentors.conftest import Telemetry

USED = {"message_type": "usage_statistics", "prompt_tokens": 30, "completion_tokens": 12, "step_count": 2}
STOP = {"message_type": "stop_reason", "stop_reason": "end_turn"}


@pytest.fixture(autouse=True)
def under_our_hooks(telemetry: Telemetry) -> Iterator[None]:
    assert telemetry is not None
    with instrumented():
        yield


def client_of(server: AnswersServer) -> Any:
    return import_module("letta_client").Letta(base_url=server.origin, api_key="none")


def message(kind: str, number: int = 1, **fields: Any) -> dict[str, Any]:
    told = {"id": f"message-{number}", "date": "2025-10-09T08:53:20+00:00", "run_id": "run-7"}
    return {**told, "message_type": f"{kind}_message", **fields}


def call(call_id: str | None, name: str | None, arguments: str = "{}") -> dict[str, Any]:
    return {"tool_call_id": call_id, "name": name, "arguments": arguments}


def returned(call_id: str, status: str = "success") -> dict[str, Any]:
    return message("tool_return", 3, tool_call_id=call_id, status=status, tool_return="done")


def say(*answers: Any, **more: Any) -> Any:
    with AnswersServer(*answers) as server, client_of(server) as client:
        return client.agents.messages.create("agent-7", input="Where to?", **more)


def whole(*told: Any) -> dict[str, Any]:
    return {"messages": list(told), "stop_reason": STOP, "usage": USED}


def test_servers_that_know_one_call_a_message(telemetry: Telemetry) -> None:
    say(whole(message("tool_call", tool_call=call("c1", "search")), returned("c1", "error")))
    assert_trees(
        telemetry.spans(),
        Node("invoke_agent", Node("execute_tool search", attributes={"error.type": "tool_error"})),
    )


def test_tools_are_counted_on_the_run_around_the_agent(telemetry: Telemetry) -> None:
    from obs_run.core import recorder
    from obs_run.core.operations import AgentRun

    calls = [call("c1", "search", '{"q": 1}'), call("c2", "search", '{"q": 2}')]
    with AnswersServer(whole(message("tool_call", tool_calls=calls), returned("c1"), returned("c2"))) as server:
        client = client_of(server)
        outer = recorder.start(AgentRun(agent_name="outer"))
        assert outer is not None
        with outer:
            client.agents.messages.create("agent-7", input="Where to?")
        outer.end()
    [run] = [span for span in telemetry.spans() if span.name == "invoke_agent outer"]
    counted = {name: run.attributes.get(f"obs.run.{name}") for name in ("tool_calls", "repeated_tool_calls")}
    assert counted == {"tool_calls": 2, "repeated_tool_calls": None}
    assert run.attributes["gen_ai.usage.input_tokens"] == 30


def test_what_a_tool_took_nobody_claims_to_know(telemetry: Telemetry) -> None:
    def measured() -> int:
        say(whole(message("tool_call", tool_call=call("c1", "search")), returned("c1")))
        assert len(telemetry.spans()) % 2 == 0
        return sum(point.count for point in telemetry.points("gen_ai.execute_tool.duration"))

    assert measured() == measured()


def test_returns_of_unknown_calls_and_unknown_messages_are_left_alone(telemetry: Telemetry) -> None:
    odd = (
        message("summary", summary="long ago"),
        {"message_type": "event_message"},
        message("tool_call", tool_call=None),
    )
    say(whole(*odd, returned("c9"), returned("c9")))
    assert telemetry.attributes()["gen_ai.usage.output_tokens"] == 12


def test_pieces_of_a_call_that_say_only_their_arguments(telemetry: Telemetry, with_content: None) -> None:
    assert with_content is None
    pieces = [
        message("tool_call", tool_call=call("c1", "search", '{"q":')),
        message("tool_call", tool_call=call(None, None, " 1}")),
        returned("c1"),
        message("assistant", 4, content=[{"type": "text", "text": "Here"}]),
        message("assistant", 4, content=" you are."),
        message("assistant", 5, content="Bye."),
        STOP,
        USED,
    ]
    with AnswersServer(pieces) as server, client_of(server) as client:
        assert len(list(client.agents.messages.stream("agent-7", input="Where to?"))) == len(pieces)
    tool = next(span for span in telemetry.spans() if span.name == "execute_tool search")
    assert tool.attributes["gen_ai.tool.call.arguments"] == '{"q": 1}'
    assert tool.attributes["gen_ai.tool.call.result"] == "done"
    run = next(span for span in telemetry.spans() if span.name == "invoke_agent")
    assert '"Here you are."' in run.attributes["gen_ai.output.messages"]
    assert '"Bye."' in run.attributes["gen_ai.output.messages"]
    assert run.attributes["obs.run.steps"] == 2
    assert tool.start_time >= run.start_time
    assert tool.end_time <= run.end_time


def test_tokens_of_a_run_in_the_background_are_counted_once(telemetry: Telemetry) -> None:
    begun = {"id": "run-8", "agent_id": "agent-7", "status": "created"}
    with AnswersServer(begun, USED, USED) as server, client_of(server) as client:
        client.agents.messages.create_async("agent-7", input="Where to?")
        client.runs.usage.retrieve("run-8")
        client.runs.usage.retrieve("run-8")
    counted = [span.attributes.get("gen_ai.usage.input_tokens") for span in telemetry.spans()]
    assert counted == [None, 30, None]
    assert {span.attributes["gen_ai.response.id"] for span in telemetry.spans()} == {"run-8"}


def test_a_run_that_was_told_whole_is_not_counted_again(telemetry: Telemetry) -> None:
    with AnswersServer(whole(message("assistant", content="Hi.", run_id="run-9")), USED) as server:
        client = client_of(server)
        client.agents.messages.create("agent-7", input="Where to?")
        client.runs.usage.retrieve("run-9")
    assert [span.attributes.get("gen_ai.usage.input_tokens") for span in telemetry.spans()] == [30, None]


def test_what_the_client_allows_is_no_result_of_a_tool(telemetry: Telemetry, with_content: None) -> None:
    assert with_content is None
    asked = whole(message("approval_request", tool_call=call("c1", "delete_file"))) | {
        "stop_reason": {"message_type": "stop_reason", "stop_reason": "requires_approval"}
    }
    allowed = {"type": "approval", "approve": True, "approval_request_id": "message-1"}
    with AnswersServer(asked, whole(returned("c1"), message("assistant", content="Gone."))) as server:
        client = client_of(server)
        client.agents.messages.create("agent-7", input="Delete it.")
        client.agents.messages.create("agent-7", messages=[allowed])
    assert_trees(telemetry.spans(), Node("invoke_agent"), Node("invoke_agent"))
    first, second = telemetry.spans()
    assert first.attributes["obs.outcome"] == "interrupted"
    assert "obs.response.tool_calls" not in first.attributes
    assert '"approve":true' in second.attributes["gen_ai.input.messages"]


def test_images_and_messages_of_several_roles(telemetry: Telemetry, with_content: None) -> None:
    assert with_content is None
    image = {"type": "image", "source": {"type": "url", "url": "https://example.invalid/1.png"}}
    said = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "What is it?"}, image]},
    ]
    with AnswersServer(whole(message("assistant", content="A cat."))) as server:
        client = client_of(server)
        client.agents.messages.create("agent-7", messages=said)
    told = telemetry.attributes()["gen_ai.input.messages"]
    assert '"role":"system"' in told
    assert "https://example.invalid/1.png" in told


def test_agents_that_were_listed_have_their_names(telemetry: Telemetry) -> None:
    listed = b'[{"id": "agent-77", "name": "lister", "model": "openai/gpt-5-mini"}]'
    with AnswersServer(listed, whole(message("assistant", content="Hi."))) as server:
        client = client_of(server)
        assert [agent.name for agent in client.agents.list()] == ["lister"]
        client.agents.messages.create("agent-77", input="Where to?")
    assert telemetry.span().name == "invoke_agent lister"


def test_answers_that_are_not_what_the_interface_says(telemetry: Telemetry) -> None:
    strange: list[Any] = [None, [], ["odd", {}, None]]
    for told in strange:
        say({"messages": told, "usage": None, "stop_reason": None})
    say({})
    assert [span.name for span in telemetry.spans()] == ["invoke_agent"] * 4


def test_what_else_the_client_asks_for_has_no_span(telemetry: Telemetry) -> None:
    with AnswersServer(b"[]") as server, client_of(server) as client:
        client.tools.list()
        client.agents.messages.list("agent-7")
        client.agents.tools.list("agent-7")
        client.get("/v1/health/", cast_to=object)
    assert telemetry.spans() == []
