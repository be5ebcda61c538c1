"""What AG2's classic agents do besides the story: groups, nested chats, threads, code, caches, a real client."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.ag2_classic import library
from tests.instrumentors.ag2_classic.library import ANSWER, CLIENTS_MODEL, LIBRARY, MODEL, SYSTEM, USER, chat, user
from tests.instrumentors.frameworks import story
from tests.instrumentors.frameworks.hygiene import assert_leave_nothing
from tests.instrumentors.run_scenarios import instrumented
from tests.instrumentors.trees import Node, assert_trees

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHAT = Node(f"chat {MODEL}", kind="CLIENT", status="UNSET")
TRAVELLER = story.agent(CHAT)


@pytest.fixture(params=["sync", "async"])
def its(request: pytest.FixtureRequest, stub: Any, telemetry: Any) -> Iterator[Any]:
    assert telemetry is not None
    stub.reset()
    driver: Any = LIBRARY.driver(request.param, stub)
    with instrumented():
        yield driver
    driver.close()


def speaker(name: str, *inside: Node) -> Node:
    return Node(f"invoke_agent {name}", *(inside or (CHAT,)), status="UNSET")


def grouped(its: Any, *members: Any, method: Any = "round_robin", rounds: int = 3) -> Any:
    told = {"select_speaker_auto_llm_config": its.model(), "select_speaker_auto_model_client_cls": library.faked_kind()}
    group = its.library.GroupChat(agents=list(members), max_round=rounds, speaker_selection_method=method, **told)
    return its.library.GroupChatManager(groupchat=group, llm_config=False)


def test_a_budget_stops_a_chat(its: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from obs_run.core import budgets

    telemetry.may_fail = True  # it says that it stops
    agents = its.agent(story.weather)
    monkeypatch.setenv("OBS_BUDGET_TOKENS", "1")
    monkeypatch.setenv("OBS_BUDGET_ACTION", "stop")
    budgets.forget()
    try:
        with pytest.raises(budgets.BudgetExceeded):
            its.ask(agents)
    finally:
        monkeypatch.undo()
        budgets.forget()
    names = [span.name for span in telemetry.spans()]
    assert names.count(f"chat {MODEL}") == 1
    assert "invoke_workflow" in names


def test_the_client_tells_each_call_once(its: Any, telemetry: Any) -> None:
    assert_told_once_by_the_client(its, telemetry)


def assert_told_once_by_the_client(its: Any, telemetry: Any, **more: Any) -> None:
    its.using(is_faked=False)
    its.ask((its.user(story.weather), its.named(story.AGENT, story.weather, llm_config=its.model(**more))))
    chats = [span for span in telemetry.spans() if span.name == f"chat {CLIENTS_MODEL}"]
    assert {span.attributes["openai.api.type"] for span in chats} == {"chat_completions"}
    assert {span.attributes["gen_ai.response.model"] for span in chats} == {f"{CLIENTS_MODEL}-2025-08-07"}
    assert {span.attributes.get("gen_ai.request.stream") for span in chats} == {more.get("stream")}
    (root,) = [span for span in telemetry.spans() if span.parent is None]
    tokens = [span.attributes["gen_ai.usage.input_tokens"] for span in chats]
    assert root.attributes["obs.usage.input_tokens"] == sum(tokens)


def test_an_answer_that_was_kept_used_nothing(its: Any, telemetry: Any, tmp_path: Path) -> None:
    cache = import_module("autogen.cache").Cache
    with cache.disk(cache_seed=7, cache_path_root=str(tmp_path)) as kept:
        for _ in range(2):
            its.run(its.asking(its.agent(), cache=kept))
    first, second = [span for span in telemetry.spans() if span.name == f"chat {MODEL}"]
    assert first.attributes["gen_ai.usage.input_tokens"] == library.INPUT_TOKENS
    assert not [name for name in second.attributes if "usage" in name]
    assert second.attributes["gen_ai.response.model"] == f"{MODEL}-today"


def test_a_group_takes_turns(its: Any, telemetry: Any) -> None:
    manager = grouped(its, its.named("a"), its.named("b"))
    its.run(its.asking((its.user(), manager), max_turns=1))
    assert_trees(telemetry.spans(), chat(speaker("a"), speaker("b")))


def test_a_group_asks_a_model_who_is_next(its: Any, telemetry: Any) -> None:
    members = its.named("a"), its.named("b"), its.named("c")
    its.run(its.asking((its.user(), grouped(its, *members, method="auto", rounds=2)), max_turns=1))
    (root,) = [span for span in telemetry.spans() if span.parent is None]
    names = [span.name for span in telemetry.spans()]
    assert root.name == "invoke_workflow"
    assert names.count("step select_speaker") == 1
    assert names.count("invoke_workflow") == 1
    (step,) = [span for span in telemetry.spans() if span.name.startswith("step")]
    # The model names nobody, and is asked again.
    inside = [span for span in telemetry.spans() if span.parent and span.parent.span_id == step.context.span_id]
    assert {span.name for span in inside} == {"invoke_agent speaker_selection_agent"}


def test_a_manager_that_is_asked_for_a_reply(its: Any, telemetry: Any) -> None:
    manager = grouped(its, its.named("a"), its.named("b"), rounds=2)
    said = [{"role": "user", "content": story.PROMPT}]
    asker = its.user()
    if its.loop is None:
        manager.generate_reply(messages=said, sender=asker)
    else:
        its.run(manager.a_generate_reply(messages=said, sender=asker))
    assert_trees(telemetry.spans(), chat(speaker("a")))


def test_a_nested_chat_is_inside_of_the_agent(its: Any, telemetry: Any) -> None:
    inner = its.named("inner")
    outer = its.named(story.AGENT, llm_config=False)
    asker = its.user()
    nested = [{"recipient": inner, "message": "And you?", "max_turns": 1, "summary_method": "last_msg"}]
    if its.loop is not None:
        nested[0]["chat_id"] = 1
    outer.register_nested_chats(nested, trigger=asker, use_async=its.loop is not None)
    its.run(its.asking((asker, outer), max_turns=1))
    assert_trees(telemetry.spans(), chat(story.agent(chat(speaker("inner")))))


def test_what_tools_of_a_group_return_hands_over(its: Any, telemetry: Any) -> None:
    group = import_module("autogen.agentchat.group")
    patterns = import_module("autogen.agentchat.group.patterns")
    second = its.named(story.SECOND)

    def look() -> Any:
        """Look who is there."""
        return group.ReplyResult(message="found", target=group.AgentTarget(second))

    kind = library.agent_kind()
    first = kind(story.AGENT, llm_config=its.model(), system_message=SYSTEM, functions=[look])
    pattern = patterns.DefaultPattern(
        initial_agent=first, agents=[first, second], group_after_work=group.TerminateTarget()
    )
    its.ask((None, pattern))
    tool = story.tool("look", gen_ai__agent__name=story.AGENT)
    handed = Node(f"handoff {story.SECOND}", attributes={"gen_ai.agent.name": story.AGENT})
    assert_trees(telemetry.spans(), chat(TRAVELLER, tool, handed, speaker(story.SECOND)))


def test_what_follows_the_work_of_an_agent(its: Any, telemetry: Any) -> None:
    group = import_module("autogen.agentchat.group")
    patterns = import_module("autogen.agentchat.group.patterns")
    first, second = its.named(story.AGENT), its.named(story.SECOND)
    first.handoffs.set_after_work(group.AgentTarget(second))
    pattern = patterns.DefaultPattern(
        initial_agent=first, agents=[first, second], group_after_work=group.TerminateTarget()
    )
    its.ask((None, pattern))
    handed = Node(f"handoff {story.SECOND}", attributes={"gen_ai.agent.name": story.AGENT})
    assert_trees(telemetry.spans(), chat(TRAVELLER, handed, speaker(story.SECOND)))


def test_a_run_goes_on_in_a_thread(its: Any, telemetry: Any) -> None:
    agent = its.named(story.AGENT, story.weather, is_termination_msg=lambda _: False)
    if its.loop is None:
        agent.run(message=story.PROMPT, tools=agent.tools, max_turns=3, user_input=False).process()
    else:

        async def run() -> None:
            response = await agent.a_run(message=story.PROMPT, tools=agent.tools, max_turns=3, user_input=False)
            await response.process()

        its.run(run())
    (root,) = [span for span in telemetry.spans() if span.parent is None]
    names = [span.name for span in telemetry.spans()]
    assert root.name == "invoke_workflow"
    assert names.count("execute_tool weather") == 1
    assert names.count(f"chat {MODEL}") == 2


def test_an_async_tool_of_a_sync_chat(its: Any, telemetry: Any) -> None:
    async def weather(city: str) -> str:
        """Tell the weather of a city."""
        await asyncio.sleep(0)
        return f"rain in {city}"

    its.ask(its.agent(weather))
    replies = story.agent(CHAT), user(story.tool("weather")), story.agent(CHAT), user()
    assert_trees(telemetry.spans(), chat(*replies))


def test_agents_of_a_derived_class_reply_once(its: Any, telemetry: Any) -> None:
    class Mine(library.agent_kind()):  # type: ignore[misc]  # a class of the library's
        def generate_reply(self, *args: Any, **kwargs: Any) -> Any:
            return super().generate_reply(*args, **kwargs)

        async def a_generate_reply(self, *args: Any, **kwargs: Any) -> Any:
            return await super().a_generate_reply(*args, **kwargs)

    mine = Mine(story.AGENT, llm_config=its.model(), human_input_mode="NEVER")
    its.ask((its.user(), mine))
    assert_trees(telemetry.spans(), chat(TRAVELLER, user()))


@pytest.mark.usefixtures("with_content")
def test_code_that_an_agent_runs_is_a_tool(its: Any, telemetry: Any, tmp_path: Path) -> None:
    coding = import_module("autogen.coding")
    executor = coding.LocalCommandLineCodeExecutor(work_dir=tmp_path)
    runner = its.user(code_execution_config={"executor": executor}, is_termination_msg=None)
    writer = its.named(story.AGENT, llm_config=False, default_auto_reply="```python\nprint(1 + 1)\n```")
    its.run(its.asking((runner, writer), max_turns=2))
    (tool,) = [span for span in telemetry.spans() if span.name == "execute_tool execute_code"]
    assert "print(1 + 1)" in tool.attributes["gen_ai.tool.call.arguments"]
    assert tool.attributes["gen_ai.tool.call.result"].strip() == "2"
    assert tool.status.status_code.name == "UNSET"


@pytest.mark.usefixtures("with_content")
def test_what_is_said_in_a_chat(its: Any, telemetry: Any) -> None:
    its.ask(its.agent(story.weather))
    (root,) = [span for span in telemetry.spans() if span.parent is None]
    assert story.PROMPT in root.attributes["gen_ai.input.messages"]
    assert ANSWER in root.attributes["gen_ai.output.messages"]
    (tool,) = [span for span in telemetry.spans() if span.name == "execute_tool weather"]
    assert tool.attributes["gen_ai.tool.call.arguments"] == '{"city": "Lisbon"}'
    assert tool.attributes["gen_ai.tool.call.result"] == "rain in Lisbon"
    last = [span for span in telemetry.spans() if span.name == f"invoke_agent {story.AGENT}"][-1]
    assert '"type":"tool_call_response","id":"call_weather_' in last.attributes["gen_ai.input.messages"]


def test_instructions_are_no_description(its: Any, telemetry: Any) -> None:
    its.ask((its.user(), its.named(story.AGENT, description=None)))
    assert not [span.name for span in telemetry.spans() if SYSTEM in str(dict(span.attributes))]


def test_a_model_that_fails_fails_the_chat(its: Any, telemetry: Any) -> None:
    kind = library.faked_kind()

    class Failing(kind):  # type: ignore[misc, valid-type]  # a class of the library's
        def create(self, _: Any) -> Any:
            raise ValueError("busy")

    agent = its.library.ConversableAgent(
        story.AGENT,
        llm_config={"config_list": [{"model": MODEL, "model_client_cls": "Failing"}], "cache_seed": None},
        human_input_mode="NEVER",
    )
    agent.register_model_client(Failing)
    with pytest.raises(ValueError, match="busy"):
        its.ask((its.user(), agent))
    failed = {"error.type": "ValueError"}
    asked = Node(f"chat {MODEL}", status="ERROR", attributes=failed)
    reply = Node(f"invoke_agent {story.AGENT}", asked, status="ERROR", attributes=failed)
    assert_trees(telemetry.spans(), Node("invoke_workflow", reply, status="ERROR", attributes=failed))


@pytest.mark.filterwarnings("ignore")  # pytest would keep each
def test_runs_of_all_kinds_leave_nothing(stub: Any, telemetry: Any) -> None:
    its: Any = LIBRARY.driver("async", stub)
    sync: Any = LIBRARY.driver("sync", stub)

    def cancel() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            its.ask_and_cancel()

    ways = [
        lambda: its.ask(its.agent(story.weather)),
        lambda: sync.ask(sync.agent(story.weather, story.population)),
        lambda: sync.ask(sync.agent(story.broken)),
        lambda: sync.ask(sync.team()),
        its.ask_twice_at_once,
        sync.ask_twice_at_once,
        cancel,
    ]
    assert_leave_nothing(ways, (), telemetry, times=100, library_grows=True)
    its.close()


def test_a_user_is_an_agent(its: Any, telemetry: Any) -> None:
    its.ask(its.agent())
    assert [span.name for span in telemetry.spans()].count(f"invoke_agent {USER}") == 1


@pytest.mark.parametrize("mode", ["NO_CONTENT", "SPAN_ONLY"])
def test_what_the_library_prints_is_content(
    mode: str, its: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from obs_run.capture import log_capture
    from obs_run.core import content
    from obs_run.pipeline import memory

    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", mode)
    content.forget()
    # To be taken back.
    monkeypatch.setattr(logging.Logger, "callHandlers", logging.Logger.callHandlers)
    log_capture.install(logging)
    its.run(its.asking(its.agent(story.weather), silent=False))
    logging.getLogger("mine").warning("heard")
    telemetry.flush()
    bodies = [str(item.log_record.body) for item in memory.exporter("logs").items]
    assert "heard" in bodies
    said = [body for body in bodies if story.PROMPT in body]
    # Older releases print it.
    is_logged = hasattr(import_module("autogen.logger.logger_utils"), "event_print")
    assert bool(said) is (is_logged and mode == "SPAN_ONLY")
