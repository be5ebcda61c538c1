"""What AutoGen can do besides the story: teams of all kinds, people, code, memory, a real client, and hygiene."""

from __future__ import annotations

import asyncio
import contextlib
from importlib import import_module
from typing import Any

import pytest

from tests.instrumentors.autogen import core_agents
from tests.instrumentors.frameworks import story
from tests.instrumentors.frameworks.agent_tests import AgentTests
from tests.instrumentors.frameworks.answers import ANSWER, MODEL
from tests.instrumentors.frameworks.drivers import driver, driver_fixture
from tests.instrumentors.frameworks.hygiene import assert_leave_nothing, ways_of
from tests.instrumentors.trees import Node, assert_trees

RUNTIME_TRACING = "AUTOGEN_DISABLE_RUNTIME_TRACING"
FAILED_CODE = "The script ran, then exited with an error (POSIX exit code: 1)\nIts output was:\n2"
CHAT = Node(f"chat {MODEL}", kind="CLIENT", status="UNSET")


its = driver_fixture("async")


def team(*members: Node, **attributes: Any) -> Node:
    told = {each.replace("__", "."): value for each, value in attributes.items()}
    return Node("invoke_workflow", *members, kind="INTERNAL", status="UNSET", attributes=told)


def member(name: str, *children: Node) -> Node:
    return Node(f"invoke_agent {name}", *(children or (CHAT,)), status="UNSET")


class TestAgents(AgentTests):
    def agent_for(self, way: str, its: Any) -> Any:
        return its.named(story.AGENT, story.weather, model_client_stream=way == "stream")


def test_a_round_of_agents_is_one_conversation(its: Any, telemetry: Any) -> None:
    group = its.teams.RoundRobinGroupChat([its.named("a"), its.named("b")], max_turns=3)
    its.ask(group)
    its.ask(group)
    told = team(member("a"), member("b"), member("a"), obs__usage__input_tokens=36)
    assert_trees(telemetry.spans(), told, team(member("b"), member("a"), member("b")))
    conversations = {span.attributes["gen_ai.conversation.id"] for span in telemetry.spans() if "tool" not in span.name}
    assert len(conversations) == 1


def test_a_selector_asks_a_model_inside_of_the_team(its: Any, telemetry: Any) -> None:
    class Choosing(type(its.model())):  # type: ignore[misc]  # a class of the library's
        def _answer(self, said: Any, tools: Any) -> Any:
            answer = super()._answer(said, tools)
            answer.content = "b"
            return answer

    chooser = Choosing(model=MODEL, api_key="none", model_info=its.model().model_info)
    group = its.teams.SelectorGroupChat([its.named("a"), its.named("b")], model_client=chooser, max_turns=1)
    its.ask(group)
    assert_trees(telemetry.spans(), team(CHAT, member("b")))


def test_a_graph_runs_its_agents_side_by_side(its: Any, telemetry: Any) -> None:
    first, left, right = its.named("a"), its.named("b"), its.named("c")
    graph = its.teams.DiGraphBuilder()
    for each in (first, left, right):
        graph.add_node(each)
    graph.add_edge(first, left).add_edge(first, right)
    its.ask(its.teams.GraphFlow([first, left, right], graph=graph.build()))
    (root,) = [span for span in telemetry.spans() if span.parent is None]
    assert root.name == "invoke_workflow"
    agents = [span for span in telemetry.spans() if span.name.startswith("invoke_agent")]
    assert sorted(span.name[-1] for span in agents) == ["a", "b", "c"]
    assert {span.parent.span_id for span in agents} == {root.context.span_id}


def test_a_runtime_that_was_started_before(its: Any, telemetry: Any) -> None:
    runtime_kind = import_module("autogen_core").SingleThreadedAgentRuntime

    async def ask() -> None:
        runtime = runtime_kind()
        runtime.start()
        groups = [its.teams.RoundRobinGroupChat([its.named("a")], max_turns=1, runtime=runtime) for _ in range(2)]
        await asyncio.gather(*[group.run(task=story.PROMPT) for group in groups])
        await runtime.stop_when_idle()

    its.run(ask())
    assert_trees(telemetry.spans(), team(member("a")), team(member("a")))


def test_a_hand_off_to_a_person_is_an_interruption_and_the_answer_goes_on(its: Any, telemetry: Any) -> None:
    first = its.named(story.AGENT, handoffs=["user"], reflect_on_tool_use=False)
    until = its.conditions.HandoffTermination("user") | its.conditions.TextMentionTermination("rains")
    group = its.teams.Swarm([first], termination_condition=until)
    its.run(group.run(task=story.PROMPT))
    answer = its.messages.HandoffMessage(source="user", target=story.AGENT, content="Yes.")
    its.run(group.run(task=answer))
    transfer = Node("execute_tool transfer_to_user", Node("handoff user"))
    asking = Node(f"invoke_agent {story.AGENT}", CHAT, transfer, status="UNSET", attributes={"obs.outcome": "handoff"})
    assert_trees(
        telemetry.spans(),
        team(asking, obs__outcome="interrupted", obs__resumed=None),
        team(member(story.AGENT), obs__outcome=None, obs__resumed=True),
    )


def test_a_person_in_the_team_is_an_agent(its: Any, telemetry: Any) -> None:
    person = its.agents.UserProxyAgent("person", input_func=lambda _: "APPROVE")
    its.ask(its.teams.RoundRobinGroupChat([its.named("a"), person], max_turns=2))
    assert_trees(telemetry.spans(), team(member("a"), Node("invoke_agent person", status="UNSET")))


def test_a_person_hands_back(its: Any, telemetry: Any) -> None:
    first = its.named(story.AGENT, handoffs=["person"], reflect_on_tool_use=False)
    person = its.agents.UserProxyAgent("person", input_func=lambda _: "Yes.")
    its.ask(its.teams.Swarm([first, person], termination_condition=its.conditions.MaxMessageTermination(3)))
    transfer = Node("execute_tool transfer_to_person", Node("handoff person"))
    back = Node("invoke_agent person", Node(f"handoff {story.AGENT}"), attributes={"obs.outcome": "handoff"})
    assert_trees(telemetry.spans(), team(Node(f"invoke_agent {story.AGENT}", CHAT, transfer), back))


def test_a_token_that_is_cancelled_stops_a_team(its: Any, telemetry: Any) -> None:
    waiting = story.Waiting()
    group = its.teams.RoundRobinGroupChat([its.named("a", waiting.tool())], max_turns=1)

    async def ask() -> None:
        token = import_module("autogen_core").CancellationToken()
        task = asyncio.ensure_future(group.run(task=story.PROMPT, cancellation_token=token))
        await asyncio.wait_for(waiting.has_started.wait(), story.TIMEOUT)
        token.cancel()
        asyncio.get_running_loop().call_later(0.05, lambda: [each.cancel() for each in asyncio.all_tasks()])
        with contextlib.suppress(asyncio.CancelledError):
            await task

    with contextlib.suppress(asyncio.CancelledError):
        its.run(ask())
    outcomes = {span.name: span.attributes.get("obs.outcome") for span in telemetry.spans()}
    assert outcomes["invoke_workflow"] == "cancelled"
    assert {span.status.status_code.name for span in telemetry.spans()} == {"UNSET"}


def test_a_member_that_fails_fails_the_team(its: Any, telemetry: Any) -> None:
    class Failing(its.agents.BaseChatAgent):  # type: ignore[misc]  # a class of the library's
        produced_message_types = ()

        async def on_messages(self, *_: Any) -> Any:
            raise ValueError("nobody knows")

        async def on_reset(self, *_: Any) -> None:
            pass

    with pytest.raises(RuntimeError, match="nobody knows"):
        its.ask(its.teams.RoundRobinGroupChat([Failing("a", "Fails.")], max_turns=1))
    failed = Node("invoke_agent a", status="ERROR", attributes={"error.type": "ValueError"})
    assert_trees(telemetry.spans(), Node("invoke_workflow", failed, status="ERROR"))


def test_agents_asked_by_tools_are_inside_of_them(its: Any, telemetry: Any) -> None:
    tools = import_module("autogen_agentchat.tools")
    inner = tools.AgentTool(its.named("inner"))
    its.ask(its.named(story.AGENT, inner))
    tool = Node("execute_tool inner", member("inner"), status="UNSET")
    assert_trees(telemetry.spans(), story.agent(CHAT, tool, CHAT))


def test_what_an_agent_is_asked_for_by_its_messages(its: Any, telemetry: Any) -> None:
    token = import_module("autogen_core").CancellationToken()
    said = [its.messages.TextMessage(content=story.PROMPT, source="user")]

    async def stream() -> None:
        async with contextlib.aclosing(its.agent().on_messages_stream(said, token)) as events:
            async for event in events:
                if type(event).__name__ == "Response":
                    break

    its.run(its.agent().on_messages(said, token))
    its.run(stream())
    asked = story.agent(CHAT, obs__outcome=None)
    assert_trees(telemetry.spans(), asked, asked)


def test_a_client_that_is_asked_without_an_agent(its: Any, telemetry: Any) -> None:
    replay = import_module("autogen_ext.models.replay").ReplayChatCompletionClient
    models = import_module("autogen_core.models")
    said = [models.UserMessage(content=story.PROMPT, source="user")]
    its.run(replay([ANSWER]).create(said))
    its.read(replay([ANSWER]).create_stream(said))
    assert [span.name for span in telemetry.spans()] == ["chat", "chat"]
    # It says that what it replays is cached: nothing is used.
    assert not [name for span in telemetry.spans() for name in span.attributes if "usage" in name]


@pytest.mark.usefixtures("with_content")
def test_memory_is_searched_and_written(its: Any, telemetry: Any) -> None:
    library = import_module("autogen_core.memory")
    memory = library.ListMemory(name="notes")
    its.run(memory.add(library.MemoryContent(content="It rained.", mime_type="text/plain")))
    its.run(memory.query("rain"))
    its.ask(its.named(story.AGENT, memory=[memory]))
    told = {
        "gen_ai.memory.store.id": "notes",
        "gen_ai.memory.record.count": 1,
        "gen_ai.memory.records": '[{"content":"It rained."}]',
    }
    search = Node("search_memory", attributes=told)
    assert_trees(telemetry.spans(), Node("upsert_memory", attributes=told), search, story.agent(search, CHAT))


@pytest.mark.usefixtures("with_content")
@pytest.mark.parametrize(("exit_code", "result"), [(0, "2"), (1, FAILED_CODE)])
def test_code_that_an_agent_runs_is_a_tool(exit_code: int, result: str, its: Any, telemetry: Any) -> None:
    library = import_module("autogen_core.code_executor")

    class Executor(library.CodeExecutor):  # type: ignore[misc, name-defined]  # a class of the library's
        async def execute_code_blocks(self, *_: Any, **__: Any) -> Any:
            return library.CodeResult(exit_code=exit_code, output="2")

        async def start(self) -> None:
            pass

        async def stop(self) -> None:
            pass

        async def restart(self) -> None:
            pass

    agent = its.agents.CodeExecutorAgent("coder", code_executor=Executor(), **_approval(its))
    its.run(agent.run(task="```python\nprint(1 + 1)\n```"))
    told = {
        "gen_ai.tool.call.arguments": '[{"code":"print(1 + 1)\\n","language":"python"}]',
        "gen_ai.tool.call.result": result,
        "error.type": "tool_error" if exit_code else None,
    }
    assert_trees(telemetry.spans(), Node("invoke_agent coder", Node("execute_tool execute_code", attributes=told)))


def _approval(its: Any) -> dict[str, Any]:
    """Return what lets code run in releases that warn where nobody is asked."""
    approval = getattr(its.agents, "ApprovalResponse", None)
    return {} if approval is None else {"approval_func": lambda _: approval(approved=True, reason="")}


@pytest.mark.parametrize("wish", [None, "true", "false"])
def test_messages_of_the_runtime_are_told_only_where_they_are_wanted(
    wish: str | None, its: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if wish is None:
        monkeypatch.delenv(RUNTIME_TRACING, raising=False)
    else:
        monkeypatch.setenv(RUNTIME_TRACING, wish)
        # Their attributes are the library's own.
        telemetry.may_fail = wish == "false"
    its.ask(its.teams.RoundRobinGroupChat([its.named("a")], max_turns=1))
    told = [span for span in telemetry.spans() if span.name.startswith("autogen ")]
    assert bool(told) is (wish == "false")
    assert not [span.name for span in told if story.PROMPT in str(dict(span.attributes))]
    assert not [span.name for span in told if "message" in span.attributes]
    assert [span.name for span in telemetry.spans() if span.parent is None] == ["invoke_workflow"]


@pytest.mark.usefixtures("its")
def test_what_agents_of_the_users_trace_by_the_librarys_functions(telemetry: Any) -> None:
    core = import_module("autogen_core")
    with core.trace_invoke_agent_span("mine"), core.trace_tool_span("look", tool_call_id="call_1"):
        pass
    tool = Node("execute_tool look", attributes={"gen_ai.tool.call.id": "call_1", "gen_ai.system": None})
    assert_trees(telemetry.spans(), Node("invoke_agent mine", tool, kind="INTERNAL"))


def test_what_happens_before_a_tool_is_none_of_the_next_calls(its: Any, telemetry: Any) -> None:
    """As a workbench that asks its server for its tools, before each call of one."""
    from opentelemetry import trace

    tools = import_module("autogen_core.tools")

    class Workbench(tools.StaticWorkbench):  # type: ignore[misc, name-defined]  # a class of the library's
        async def list_tools(self) -> Any:
            with trace.get_tracer("mine").start_as_current_span("list"):
                return await super().list_tools()

    workbench = Workbench([tools.FunctionTool(story.weather, description="Tells the weather.")])
    its.ask(its.named(story.AGENT, workbench=workbench))
    (agent,) = [span for span in telemetry.spans() if span.name.startswith("invoke_agent")]
    around = {span.parent.span_id for span in telemetry.spans() if span.name.startswith("chat")}
    assert around == {agent.context.span_id}


def test_nothing_is_current_where_a_stream_is_read(its: Any, telemetry: Any) -> None:
    from opentelemetry import trace

    async def read() -> None:
        async for _ in its.team().run_stream(task=story.PROMPT):
            assert not trace.get_current_span().get_span_context().is_valid
        async for _ in its.agent(story.weather).run_stream(task=story.PROMPT):
            assert not trace.get_current_span().get_span_context().is_valid
        assert not trace.get_current_span().get_span_context().is_valid

    its.run(read())
    assert len([span for span in telemetry.spans() if span.parent is None]) == 2


@pytest.mark.filterwarnings("ignore")  # pytest would keep each
def test_runs_of_all_kinds_leave_nothing(stub: Any, telemetry: Any) -> None:
    with driver("async", stub) as its:

        def fail() -> None:
            agent = its.named(story.AGENT)
            agent._model_client = None
            with contextlib.suppress(AttributeError):
                its.ask(agent)

        more = [
            lambda: its.ask(its.team()),
            lambda: its.abandon(its.team().run_stream(task=story.PROMPT)),
            fail,
        ]
        # The last one ends what the library leaves running.
        assert_leave_nothing([*more, *ways_of(its)], (), telemetry, times=200, library_grows=True)


@pytest.mark.usefixtures("its")
def test_agents_of_the_core_are_inside_of_who_sent_them_a_message(telemetry: Any) -> None:
    assert asyncio.run(core_agents.ask("a", "b")) == ["A", "B"]

    def told() -> Node:
        reading = Node("invoke_agent reading", status="UNSET")
        inner = Node("invoke_agent inner", reading, status="UNSET", attributes={"gen_ai.agent.id": "inner/one"})
        return Node(
            "invoke_agent outer", inner, status="UNSET", attributes={"gen_ai.agent.description": "the outer one"}
        )

    assert_trees(telemetry.spans(), told(), told())


@pytest.mark.usefixtures("its")
def test_an_error_of_an_agent_of_the_core_is_that_of_who_asked_it(telemetry: Any) -> None:
    [error] = asyncio.run(core_agents.ask("bad"))
    assert isinstance(error, ValueError)
    inner = Node("invoke_agent inner", status="ERROR")
    assert_trees(telemetry.spans(), Node("invoke_agent outer", inner, status="ERROR"))
