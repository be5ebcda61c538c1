"""Letta's scenario set: agents that a server keeps, and their memory."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.instrumentors.scenarios import Driver, Library, Scenario, turn_with_tools
from tests.instrumentors.trees import Node

if TYPE_CHECKING:
    from collections.abc import Sequence

AGENT = "agent-1"
MODEL = "openai/gpt-5-mini"
RUN = "invoke_agent traveller"
ASKED: dict[str, Any] = {"input": "Where to?"}
ANSWER = "This is the stub's answer to: Where to?"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
NAMES = ("weather", "hotels")
CLIENT_TOOLS = {"client_tools": [{"name": name, "description": f"The {name}", "parameters": SCHEMA} for name in NAMES]}
OLDEST, NEWEST = "1.0.0, oldest", "newest"


class Letta(Driver):
    """Letta's client against the stub; it has asked for the agent, whose name and model it thus knows."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        letta = import_module("letta_client")
        made = letta.Letta if kind == "sync" else letta.AsyncLetta
        self.client = made(base_url=stub.origin, api_key="none")

    @property
    def messages(self) -> Any:
        """Those of agents, once the client knows who they are."""
        self.run(self.client.agents.retrieve(AGENT))
        return self.client.agents.messages

    def say(self, text: str = "Where to?", **more: Any) -> Any:
        return self.run(self.messages.create(AGENT, **{"input": text, **more}))

    def stream(self, text: str = "Where to?", **more: Any) -> Any:
        return self.messages.stream(AGENT, **{"input": text, **more})

    def turn(self) -> Any:
        """Run the tools that the agent leaves to the client; the first one fails."""
        first = self.say(extra_body=CLIENT_TOOLS)
        calls = first.messages[-1].tool_calls
        returns = [
            {"type": "tool", "tool_call_id": call.tool_call_id, "status": status, "tool_return": "rain in Lisbon"}
            for call, status in zip(calls, ("error", "success"), strict=True)
        ]
        answer = [{"type": "approval", "approvals": returns}]
        second = self.run(self.messages.create(AGENT, messages=answer, extra_body=CLIENT_TOOLS))
        return [first, second]

    def raw(self) -> Any:
        raw = self.run(self.messages.with_raw_response.create(AGENT, **ASKED))
        parsed = raw.parse()
        return self.run(parsed) if hasattr(parsed, "__await__") else parsed

    def lines(self) -> Any:
        """Read the lines of a stream by oneself."""
        opened = self.messages.with_streaming_response.stream(AGENT, **ASKED)
        if self.kind == "sync":
            with opened as response:
                return list(response.iter_lines())

        async def reading() -> Any:
            async with opened as response:
                return [line async for line in response.iter_lines()]

        return self.run(reading())

    def close(self) -> None:
        self.run(self.client.close())
        super().close()


def told(operation: str, **more: Any) -> dict[str, Any]:
    known = {"gen_ai.operation.name": operation, "gen_ai.provider.name": "letta"}
    known |= {name.replace("__", "."): value for name, value in more.items()}
    return {name: value for name, value in known.items() if value is not None}


def attributes(**more: Any) -> dict[str, Any]:
    return told(
        "invoke_agent",
        **{
            "gen_ai__agent__id": AGENT,
            "gen_ai__agent__name": "traveller",
            "gen_ai__request__model": MODEL,
            "gen_ai__response__finish_reasons": ("stop",),
            "gen_ai__usage__input_tokens": 30,
            "gen_ai__usage__output_tokens": 12,
            "obs__run__steps": None,
            **more,
        },
    )


def failed(error: str | None, **more: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(
        ("gen_ai__response__finish_reasons", "gen_ai__usage__input_tokens", "gen_ai__usage__output_tokens")
    )
    return attributes(**{**nothing, "error__type": error, **more})


def answered(*parts: dict[str, Any], prompt: str = "Where to?", reason: str = "stop") -> dict[str, Any]:
    thought = {"type": "reasoning", "content": "First I think about it."}
    said = {"role": "assistant", "parts": [thought, *parts], "finish_reason": reason}
    return {
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": prompt}]}],
        "gen_ai.output.messages": [said],
    }


def text(content: str = ANSWER) -> dict[str, Any]:
    return {"type": "text", "content": content}


def handed_back(driver: Driver) -> dict[str, Any]:
    """The tools that the agent leaves to the client, under the ids that the stub gives after a reset."""
    assert driver.kind in ("sync", "async")
    calls: Sequence[dict[str, Any]] = [
        {"type": "tool_call", "id": f"call_{number:06d}", "name": name, "arguments": '{"city": "Lisbon"}'}
        for number, name in enumerate(NAMES, 1)
    ]
    definitions = [
        {"type": "function", "name": name, "description": f"The {name}", "parameters": SCHEMA} for name in NAMES
    ]
    return {**answered(*calls, reason="tool_call"), "gen_ai.tool.definitions": definitions}


def tool(name: str, number: int, **more: Any) -> Node:
    known = {"gen_ai.tool.name": name, "gen_ai.tool.call.id": f"call_{number:06d}", "gen_ai.agent.name": "traveller"}
    known |= {key.replace("__", "."): value for key, value in more.items()}
    return Node(f"execute_tool {name}", kind="INTERNAL", attributes=known)


_STREAM: dict[str, Any] = {"gen_ai__request__stream": True}
_TOOLS = "[stub:tools] Where to?"
_WITH_TOOLS = Node(
    RUN, tool("weather", 1, error__type=None), tool("hotels", 2, error__type="tool_error"), kind="CLIENT"
)
_TOLD = answered(text(f"This is the stub's answer to: {_TOOLS}"), prompt=_TOOLS)


def _memory(name: str, call: Any, operation: str, unless: tuple[str, ...] = (), **more: Any) -> Scenario:
    wanted = {f"gen_ai__memory__{part}": value for part, value in {"record__count": 1, **more}.items()}
    return Scenario(name, call, operation, told(operation, **wanted), unless=unless)


LIBRARY = Library(
    name="letta",
    instrumentor="obs_instrumentors.letta",
    environments={OLDEST: ("letta-client==1.0.0",), NEWEST: ("letta-client>=1,<2",)},
    driver=Letta,
    more=("more.py",),
    scenarios=(
        Scenario("chat", lambda its: its.say(), RUN, attributes(), answered(text())),
        Scenario("tools", lambda its: its.say(_TOOLS), RUN, attributes(), _TOLD, tree=(_WITH_TOOLS,)),
        turn_with_tools(lambda its: its.turn(), RUN, "call_000001", error="tool_error", agent="traveller"),
        Scenario(
            "tools of the client",
            lambda its: its.say(extra_body=CLIENT_TOOLS),
            RUN,
            attributes(
                gen_ai__response__finish_reasons=("tool_call",),
                obs__response__tool_calls=NAMES,
                obs__outcome="interrupted",
            ),
            handed_back,
        ),
        Scenario(
            "stream",
            lambda its: its.read(its.stream(stream_tokens=True)),
            RUN,
            attributes(**_STREAM),
            answered(text()),
        ),
        Scenario(
            "stream of steps",
            lambda its: its.read(its.messages.create(AGENT, **ASKED, streaming=True)),
            RUN,
            attributes(**_STREAM),
            answered(text()),
        ),
        Scenario(
            "stream of tools",
            lambda its: its.read(its.stream(_TOOLS, stream_tokens=True)),
            RUN,
            attributes(**_STREAM),
            _TOLD,
            tree=(_WITH_TOOLS,),
        ),
        Scenario(
            "stream of a conversation",
            lambda its: its.read(its.client.conversations.messages.create("conv-1", **ASKED)),
            "invoke_agent",
            attributes(
                **_STREAM,
                gen_ai__conversation__id="conv-1",
                gen_ai__agent__id=None,
                gen_ai__agent__name=None,
                gen_ai__request__model=None,
            ),
            answered(text()),
            unless=(OLDEST,),
        ),
        Scenario(
            "abandoned stream",
            lambda its: its.abandon(its.stream()),
            RUN,
            attributes(
                **_STREAM,
                gen_ai__response__finish_reasons=None,
                gen_ai__usage__input_tokens=None,
                gen_ai__usage__output_tokens=None,
                obs__response__stream_end="abandoned",
            ),
        ),
        Scenario(
            "cancelled",
            lambda its: its.cancel(its.client.agents.messages.create("agent-2", input="[stub:wait=2] Where to?")),
            "invoke_agent",
            failed(
                "asyncio.exceptions.CancelledError",
                gen_ai__agent__id="agent-2",
                gen_ai__agent__name=None,
                gen_ai__request__model=None,
            ),
            error="CancelledError",
            kinds=("async",),
        ),
        Scenario(
            "cancelled at the server",
            lambda its: its.say("[stub:stop=cancelled] Where to?"),
            RUN,
            attributes(gen_ai__response__finish_reasons=("cancelled",), obs__outcome="cancelled"),
        ),
        Scenario(
            "error",
            lambda its: its.say("[stub:400] Where to?"),
            RUN,
            failed("letta_client.BadRequestError"),
            error="BadRequestError",
        ),
        Scenario(
            "error amid a stream",
            lambda its: its.read(its.stream("[stub:failing] Where to?")),
            RUN,
            failed("llm_timeout", gen_ai__response__finish_reasons=("error",), **_STREAM),
        ),
        Scenario(
            "rate limit",
            lambda its: its.say("[stub:429-once] Where to?"),
            RUN,
            attributes(obs__request__retries=1),
        ),
        Scenario(
            "cached tokens",
            lambda its: its.say("[stub:cached] Where to?"),
            RUN,
            attributes(
                gen_ai__usage__cache_read__input_tokens=20,
                gen_ai__usage__cache_write__input_tokens=5,
                gen_ai__usage__reasoning__output_tokens=4,
            ),
        ),
        Scenario("raw", lambda its: its.raw(), RUN, attributes(), answered(text())),
        Scenario(
            "streaming response, by lines",
            lambda its: its.lines(),
            RUN,
            attributes(**_STREAM),
            answered(text()),
        ),
        Scenario(
            "in the background",
            lambda its: its.run(its.messages.create_async(AGENT, **ASKED)),
            RUN,
            failed(None),
        ),
        Scenario(
            "stream of a run in the background",
            lambda its: its.read(its.client.runs.messages.stream(f"run-{uuid4()}")),
            "fetch_response",
            told(
                "fetch_response",
                gen_ai__response__finish_reasons=("stop",),
                gen_ai__usage__input_tokens=30,
                gen_ai__usage__output_tokens=12,
                obs__usage__source="fetched",
            ),
        ),
        Scenario(
            "new agent",
            lambda its: its.run(
                its.client.agents.create(name="guide", description="Guides.", model=MODEL, system="Be brief.")
            ),
            "create_agent guide",
            told(
                "create_agent",
                gen_ai__agent__id="agent-000001",
                gen_ai__agent__name="guide",
                gen_ai__agent__description="Guides.",
                gen_ai__request__model=MODEL,
            ),
            {"gen_ai.system_instructions": [text("Be brief.")]},
        ),
        Scenario(
            "tool of the server",
            lambda its: its.run(its.client.agents.tools.run("weather", agent_id=AGENT, args={"city": "Lisbon"})),
            "execute_tool weather",
            told("execute_tool", gen_ai__tool__name="weather"),
            {"gen_ai.tool.call.arguments": {"city": "Lisbon"}, "gen_ai.tool.call.result": "rain in Lisbon"},
            unless=(OLDEST,),
        ),
        _memory(
            "block of memory",
            lambda its: its.run(its.client.agents.blocks.retrieve("human", agent_id=AGENT)),
            "search_memory",
            store__id=AGENT,
            record__id="human",
        ),
        _memory(
            "change of a block",
            lambda its: its.run(its.client.agents.blocks.update("human", agent_id=AGENT, value="likes sun")),
            "update_memory",
            store__id=AGENT,
            record__id="human",
        ),
        _memory(
            "new block",
            lambda its: its.run(its.client.blocks.create(label="human", value="likes sun")),
            "create_memory",
            record__id="block-000001",
        ),
        _memory(
            "new passage",
            lambda its: its.run(its.client.archives.passages.create("archive-1", text="It rains.")),
            "create_memory",
            store__id="archive-1",
            record__id="passage-000001",
        ),
        _memory(
            "search of an agent's memory",
            lambda its: its.run(its.client.agents.passages.search(AGENT, query="rain")),
            "search_memory",
            store__id=AGENT,
            unless=(OLDEST,),
        ),
        _memory(
            "end of a passage",
            lambda its: its.run(its.client.agents.passages.delete("passage-1", agent_id=AGENT)),
            "delete_memory",
            store__id=AGENT,
            record__id="passage-1",
            unless=(OLDEST,),
        ),
        Scenario(
            "retrieval",
            lambda its: its.run(its.client.passages.search(query="rain", archive_id="archive-1", limit=3)),
            "retrieval archive-1",
            told(
                "retrieval",
                gen_ai__data_source__id="archive-1",
                gen_ai__retrieval__top_k=3,
                db__response__returned_rows=1,
                obs__retrieval__scores=(0.5,),
            ),
            {
                "gen_ai.retrieval.query.text": "rain",
                "gen_ai.retrieval.documents": [{"id": "passage-1", "content": "It rains in Lisbon.", "score": 0.5}],
            },
            unless=(OLDEST,),
        ),
    ),
)
