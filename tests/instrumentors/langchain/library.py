"""LangChain's and LangGraph's agents: the story of ``frameworks``, with faked models and with OpenAI's client."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.instrumentors.frameworks import story
from tests.instrumentors.langchain import fakes
from tests.instrumentors.scenarios import Library

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL = "gpt-5-mini"
CONFIG = {"configurable": {"thread_id": story.CONVERSATION}}
OLDEST = "langchain-core 0.3, langgraph 0.6"


class LangGraph(story.Teller):
    """Agents by either function that makes them, with either model."""

    creates = "create_react_agent"
    faked = True

    def using(self, creates: str, *, faked: bool) -> LangGraph:
        """Return the driver for agents of one kind, and with one kind of models."""
        self.creates, self.faked = creates, faked
        return self

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.graph = import_module("langgraph.graph")
        self.types = import_module("langgraph.types")

    @cached_property
    def http(self) -> Any:
        # Otherwise the models of all drivers share one client, and the event loop of the first.
        openai = import_module("openai")
        return openai.DefaultHttpxClient() if self.kind == "sync" else openai.DefaultAsyncHttpxClient()

    def model(self) -> Any:
        if self.faked:
            return fakes.chat_model()
        name = "http_client" if self.kind == "sync" else "http_async_client"
        options = {"base_url": self.stub.url, "api_key": "none", name: self.http}
        return import_module("langchain_openai").ChatOpenAI(model=MODEL, max_retries=0, **options)

    def named(self, name: str, tools: list[Any], *, handles_errors: bool = True, **more: Any) -> Any:
        if self.creates == "create_agent":
            middleware = [fakes.error_handler()] if handles_errors else []
            create = import_module("langchain.agents").create_agent
            return create(self.model(), tools, name=name, middleware=middleware, **more)
        prebuilt = import_module("langgraph.prebuilt")
        node = prebuilt.ToolNode(tools, handle_tool_errors=handles_errors) if tools else []
        return prebuilt.create_react_agent(self.model(), node, name=name, **more)

    def agent(self, *tools: Callable[..., Any], handles_errors: bool = True) -> Any:
        return self.named(story.AGENT, [fakes.tool(each) for each in tools], handles_errors=handles_errors)

    def team(self) -> Any:
        graph = self.graph.StateGraph(self.graph.MessagesState)
        first = self.named(story.AGENT, [fakes.transfer(story.SECOND)])
        graph.add_node(story.AGENT, first, destinations=(story.SECOND,))
        graph.add_node(story.SECOND, self.named(story.SECOND, []))
        graph.add_edge(self.graph.START, story.AGENT)
        return graph.compile(name="team")

    def asking(self, agent: Any, said: Any = None) -> Any:
        asked = {"messages": [("user", story.PROMPT)]} if said is None else said
        return agent.invoke(asked, CONFIG) if self.kind == "sync" else agent.ainvoke(asked, CONFIG)

    def stream(self, agent: Any) -> Any:
        asked = {"messages": [("user", story.PROMPT)]}
        return agent.stream(asked, CONFIG) if self.kind == "sync" else agent.astream(asked, CONFIG)

    def asking_first(self) -> tuple[Callable[[], Any], Callable[[], Any]]:
        saver = import_module("langgraph.checkpoint.memory").InMemorySaver()

        def book(city: str) -> str:
            """Book a journey."""
            return f"{city}: {self.types.interrupt('may I?')}"

        agent = self.named(story.AGENT, [fakes.tool(book)], handles_errors=False, checkpointer=saver)
        return lambda: self.asking(agent), lambda: self.asking(agent, self.types.Command(resume="yes"))

    def close(self) -> None:
        if "http" in vars(self):
            self.run(self.http.close() if self.kind == "sync" else self.http.aclose())
        super().close()


def attributes(calls: int, **others: Any) -> dict[str, Any]:
    """Return what an agent's span has whose model answered so often."""
    return {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": story.AGENT,
        "gen_ai.conversation.id": story.CONVERSATION,
        "gen_ai.usage.input_tokens": calls * fakes.INPUT_TOKENS,
        "gen_ai.usage.output_tokens": calls * fakes.OUTPUT_TOKENS,
        **others,
    }


CONTENT = {
    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": story.PROMPT}]}],
    "gen_ai.output.messages": [
        {
            "role": "assistant",
            "parts": [{"type": "text", "content": "It rains."}],
            "finish_reason": "stop",
            "name": story.AGENT,
        }
    ],
}
LIBRARY = Library(
    name="langchain",
    instrumentor="obs_instrumentors.langchain",
    beside=("obs_instrumentors.openai",),
    environments={
        OLDEST: ("langchain-core==0.3.79", "langchain==0.3.27", "langgraph==0.6.10", "langchain-openai==0.3.35"),
        "newest": ("langchain>=1.2", "langgraph>=1.2", "langchain-openai>=1", "langchain-classic>=1"),
    },
    driver=LangGraph,
    more=("more.py", "hygiene.py"),
    less={OLDEST: ("hygiene.py",)},
    scenarios=(
        *story.stories(
            "",
            attributes,
            prepare=lambda its: its.using("create_react_agent", faked=True),
            content=CONTENT,
        ),
        *story.stories(
            "create_agent: ",
            attributes,
            prepare=lambda its: its.using("create_agent", faked=True),
            content=CONTENT,
            unless=(OLDEST,),
        ),
    ),
)
