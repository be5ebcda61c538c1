"""Anthropic's scenario set."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from tests.instrumentors.anthropic.talk import SEARCH, TALK, TALKED
from tests.instrumentors.scenarios import Driver, Library, Scenario, turn_with_tools
from tests.instrumentors.trees import Node

MODEL = "claude-sonnet-5"
ASKED: dict[str, Any] = {"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": "Where to?"}]}
ANSWER = "This is the stub's answer to: Where to?"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
_NAMES = ("weather", "hotels")
TOOLS = [{"name": name, "description": f"The {name}", "input_schema": SCHEMA} for name in _NAMES]
FORM = {"output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}}}
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
USER = {"role": "user", "parts": [{"type": "text", "content": "Where to?"}]}
OLDEST, NEWEST_0, FIRST_1, TRACED = "0.40.0, oldest", "0, newest", "1.0.0", "1.14.0, traces itself"
NEWEST = "2, newest"
# The runner of the older clients sends two words more with a tool's result, and the stub counts words.
_RUNNERS_WORDS = 7 if os.environ.get("OBS_TEST_ENVIRONMENT") == NEWEST else 9


def weather(city: str) -> str:
    """Tell the weather."""
    return f"rain in {city}"


async def later_weather(city: str) -> str:
    """Tell the weather, later."""
    return weather(city)


later_weather.__name__ = "weather"


class Anthropic(Driver):
    """Anthropic's client against the stub."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        anthropic = import_module("anthropic")
        made = anthropic.Anthropic if kind == "sync" else anthropic.AsyncAnthropic
        self.client = made(base_url=stub.origin, api_key="none")

    def chat(self, **more: Any) -> Any:
        return self.run(self.client.messages.create(**{**ASKED, **more}))

    def turn(self) -> Any:
        """Run the tools that the model wants; the first one fails."""
        first = self.chat(tools=TOOLS)
        calls = [
            {"type": "tool_use", "id": block.id, "name": block.name, "input": block.input}
            for block in first.content
            if block.type == "tool_use"
        ]
        results = [{"type": "tool_result", "tool_use_id": call["id"], "content": "rain in Lisbon"} for call in calls]
        results[0]["is_error"] = True
        said = {"role": "assistant", "content": calls}
        return [
            first,
            self.chat(tools=TOOLS, messages=[*ASKED["messages"], said, {"role": "user", "content": results}]),
        ]

    def helped(self) -> Any:
        """Read a stream by the client's own helper."""
        if self.kind == "sync":
            with self.client.messages.stream(**ASKED) as stream:
                return [list(stream.text_stream), stream.get_final_message()]

        async def reading() -> list[Any]:
            async with self.client.messages.stream(**ASKED) as stream:
                return [[text async for text in stream.text_stream], await stream.get_final_message()]

        return self.run(reading())

    def raw(self, **more: Any) -> Any:
        raw = self.run(self.client.messages.with_raw_response.create(**ASKED, **more))
        parsed = raw.parse()
        return self.run(parsed) if hasattr(parsed, "__await__") else parsed

    def run_agent(self) -> Any:
        """Let the client's runner call a tool for the model, until it answers."""
        anthropic = import_module("anthropic")
        tool = anthropic.beta_tool(weather) if self.kind == "sync" else anthropic.beta_async_tool(later_weather)
        return self.run(self.client.beta.messages.tool_runner(**ASKED, tools=[tool]).until_done())

    def streaming(self, how: str, **more: Any) -> Any:
        """Use the client's response as a context manager."""
        opened = self.client.messages.with_streaming_response.create(**ASKED, **more)
        if self.kind == "sync":
            with opened as response:
                return list(response.iter_lines()) if how == "lines" else response.parse()

        async def reading() -> Any:
            async with opened as response:
                return [line async for line in response.iter_lines()] if how == "lines" else await response.parse()

        return self.run(reading())

    def close(self) -> None:
        self.run(self.client.close())
        super().close()


def attributes(operation: str = "chat", reason: str | None = "end_turn", **more: Any) -> dict[str, Any]:
    told = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": MODEL,
        "gen_ai.request.max_tokens": 100,
        "gen_ai.response.model": MODEL,
    }
    if reason is not None:
        word = {"end_turn": "stop", "tool_use": "tool_call", "max_tokens": "length", "refusal": "content_filter"}[
            reason
        ]
        told |= {"gen_ai.response.finish_reasons": (word,), "anthropic.message.stop_reason": reason}
        told |= {"gen_ai.usage.input_tokens": 3, "gen_ai.usage.output_tokens": 10}
        told["anthropic.response.service_tier"] = "standard"
    told |= {name.replace("__", "."): value for name, value in more.items()}
    return {name: value for name, value in told.items() if value is not None}


def failed(model: str, error: str) -> dict[str, Any]:
    return attributes(reason=None, gen_ai__request__model=model, gen_ai__response__model=None, error__type=error)


def answered(*parts: dict[str, Any], reason: str = "stop") -> dict[str, Any]:
    return {
        "gen_ai.input.messages": [USER],
        "gen_ai.output.messages": [{"role": "assistant", "parts": list(parts), "finish_reason": reason}],
    }


def called(driver: Driver) -> dict[str, Any]:
    """The tools that the model asked for, under the ids that the stub gives after a reset."""
    assert driver.kind in ("sync", "async")
    calls = [
        {"type": "tool_call", "id": f"toolu_{number:06d}", "name": name, "arguments": {"city": "Lisbon"}}
        for number, name in enumerate(_NAMES, 1)
    ]
    definitions = [
        {"type": "function", "name": name, "description": f"The {name}", "parameters": SCHEMA} for name in _NAMES
    ]
    return {**answered(*calls, reason="tool_call"), "gen_ai.tool.definitions": definitions}


_TEXT = {"type": "text", "content": ANSWER}
_THOUGHT = {"type": "reasoning", "content": "First I think about it."}
_STREAM: dict[str, Any] = {"gen_ai__request__stream": True}
_ASKED_TOOLS: dict[str, Any] = {
    "reason": "tool_use",
    "obs__response__tool_calls": _NAMES,
    "gen_ai__usage__output_tokens": 16,
}
_SEARCHED = f"{MODEL}+search"


def searched(driver: Driver) -> dict[str, Any]:
    """What a server's tool was asked and found, and the text that cites it."""
    from examples.stub_llm.anthropic import _CITATION

    assert driver.kind in ("sync", "async")
    return answered(*SEARCH, {**_TEXT, "citations": [_CITATION]})


LIBRARY = Library(
    name="anthropic",
    instrumentor="obs_instrumentors.anthropic",
    environments={
        OLDEST: ("anthropic==0.40.0", "httpx<0.28", "hypothesis"),
        NEWEST_0: ("anthropic<1",),
        FIRST_1: ("anthropic==1.0.0",),
        TRACED: ("anthropic==1.14.0",),
        NEWEST: ("anthropic>=2,<3", "hypothesis"),
    },
    driver=Anthropic,
    traces_itself=(TRACED, NEWEST),
    more=("more.py", "more_tools.py", "more_wire.py", "bodies.py"),
    less=dict.fromkeys((NEWEST_0, FIRST_1, TRACED), ("bodies.py",)),
    scenarios=(
        Scenario("chat", lambda its: its.chat(), f"chat {MODEL}", attributes(), answered(_TEXT)),
        Scenario("tools", lambda its: its.chat(tools=TOOLS), f"chat {MODEL}", attributes(**_ASKED_TOOLS), called),
        turn_with_tools(
            lambda its: its.turn(),
            f"chat {MODEL}",
            "toolu_000001",
            arguments={"city": "Lisbon"},
            error="tool_error",
        ),
        Scenario(
            "structured output",
            lambda its: its.chat(extra_body=FORM),
            f"chat {MODEL}",
            attributes(
                gen_ai__output__type="json", gen_ai__request__reasoning__level="low", gen_ai__usage__output_tokens=5
            ),
            answered({"type": "text", "content": '{"city": "Lisbon"}'}),
        ),
        Scenario(
            "stream",
            lambda its: its.read(its.client.messages.create(**ASKED, stream=True)),
            f"chat {MODEL}",
            attributes(**_STREAM),
            answered(_TEXT),
        ),
        Scenario(
            "stream of tools",
            lambda its: its.read(its.client.messages.create(**ASKED, stream=True, tools=TOOLS)),
            f"chat {MODEL}",
            attributes(**_STREAM, **_ASKED_TOOLS),
            called,
        ),
        Scenario("stream helper", lambda its: its.helped(), f"chat {MODEL}", attributes(**_STREAM), answered(_TEXT)),
        Scenario(
            "abandoned stream",
            lambda its: its.abandon(its.client.messages.create(**ASKED, stream=True)),
            f"chat {MODEL}",
            attributes(
                reason=None,
                **_STREAM,
                obs__response__stream_end="abandoned",
                # The first event has told it; what comes out is not known yet.
                gen_ai__usage__input_tokens=3,
                anthropic__response__service_tier="standard",
            ),
        ),
        Scenario(
            "cancelled",
            lambda its: its.cancel(its.client.messages.create(**{**ASKED, "model": "stub-wait=2"})),
            "chat stub-wait=2",
            failed("stub-wait=2", "asyncio.exceptions.CancelledError"),
            error="CancelledError",
            kinds=("async",),
        ),
        Scenario(
            "error",
            lambda its: its.chat(model="stub-400"),
            "chat stub-400",
            failed("stub-400", "invalid_request_error"),
            error="BadRequestError",
        ),
        Scenario(
            "rate limit",
            lambda its: its.chat(model="stub-429-once"),
            "chat stub-429-once",
            attributes(
                gen_ai__request__model="stub-429-once",
                gen_ai__response__model="stub-429-once",
                obs__request__retries=1,
            ),
        ),
        Scenario("raw", lambda its: its.raw(), f"chat {MODEL}", attributes(), answered(_TEXT)),
        Scenario(
            "raw stream",
            lambda its: its.read(its.raw(stream=True)),
            f"chat {MODEL}",
            attributes(**_STREAM),
            answered(_TEXT),
        ),
        Scenario("streaming response", lambda its: its.streaming("parsed"), f"chat {MODEL}", attributes()),
        Scenario(
            "streaming response, by lines",
            lambda its: its.streaming("lines"),
            f"chat {MODEL}",
            attributes(reason=None, gen_ai__response__model=None),
        ),
        Scenario(
            "thinking",
            lambda its: its.chat(extra_body=THINKING, model=f"{MODEL}+reasoning"),
            f"chat {MODEL}+reasoning",
            attributes(
                gen_ai__request__model=f"{MODEL}+reasoning",
                gen_ai__usage__output_tokens=74,
                gen_ai__usage__reasoning__output_tokens=64,
            ),
            answered(_THOUGHT, _TEXT),
        ),
        Scenario(
            "stream of thinking",
            lambda its: its.read(
                its.client.messages.create(**{**ASKED, "model": f"{MODEL}+reasoning"}, extra_body=THINKING, stream=True)
            ),
            f"chat {MODEL}+reasoning",
            attributes(
                **_STREAM,
                gen_ai__request__model=f"{MODEL}+reasoning",
                gen_ai__usage__output_tokens=74,
                gen_ai__usage__reasoning__output_tokens=64,
            ),
            answered(_THOUGHT, _TEXT),
        ),
        Scenario(
            "cached tokens",
            lambda its: its.chat(model=f"{MODEL}+cached"),
            f"chat {MODEL}+cached",
            attributes(
                gen_ai__request__model=f"{MODEL}+cached",
                gen_ai__usage__input_tokens=33,
                gen_ai__usage__cache_read__input_tokens=20,
                gen_ai__usage__cache_write__input_tokens=10,
            ),
        ),
        Scenario(
            "server's tools and citations",
            lambda its: its.chat(model=_SEARCHED),
            f"chat {_SEARCHED}",
            attributes(gen_ai__request__model=_SEARCHED),
            searched,
        ),
        Scenario(
            "stream of server's tools and citations",
            lambda its: its.read(its.client.messages.create(**{**ASKED, "model": _SEARCHED}, stream=True)),
            f"chat {_SEARCHED}",
            attributes(gen_ai__request__model=_SEARCHED, **_STREAM),
            searched,
        ),
        Scenario(
            "images, documents, results of tools",
            lambda its: its.chat(messages=TALK, system=[{"type": "text", "text": "Be brief."}]),
            f"chat {MODEL}",
            attributes(gen_ai__usage__input_tokens=7, gen_ai__usage__output_tokens=6),
            TALKED,
        ),
        Scenario(
            "text completion",
            lambda its: its.run(
                its.client.completions.create(model="claude-2.1", prompt="Where to?", max_tokens_to_sample=100)
            ),
            "text_completion claude-2.1",
            {
                "gen_ai.operation.name": "text_completion",
                "gen_ai.provider.name": "anthropic",
                "gen_ai.request.model": "claude-2.1",
                "gen_ai.request.max_tokens": 100,
                "gen_ai.response.model": "claude-2.1",
                "gen_ai.response.finish_reasons": ("stop",),
            },
            answered(_TEXT),
            unless=(FIRST_1, TRACED, NEWEST),
        ),
        Scenario(
            "stream of a text completion",
            lambda its: its.read(
                its.client.completions.create(
                    model="claude-2.1", prompt="Where to?", max_tokens_to_sample=100, stream=True
                )
            ),
            "text_completion claude-2.1",
            {
                "gen_ai.operation.name": "text_completion",
                "gen_ai.provider.name": "anthropic",
                "gen_ai.request.model": "claude-2.1",
                "gen_ai.request.stream": True,
                "gen_ai.request.max_tokens": 100,
                "gen_ai.response.model": "claude-2.1",
                "gen_ai.response.finish_reasons": ("stop",),
            },
            answered(_TEXT),
            unless=(FIRST_1, TRACED, NEWEST),
        ),
        Scenario(
            "count of tokens",
            lambda its: its.run(its.client.messages.count_tokens(model=MODEL, messages=ASKED["messages"])),
            f"count_tokens {MODEL}",
            attributes("count_tokens", None, gen_ai__request__max_tokens=None, gen_ai__response__model=None),
            unless=(OLDEST,),
        ),
        Scenario(
            "batch",
            lambda its: its.run(
                its.client.messages.batches.create(
                    requests=[{"custom_id": name, "params": ASKED} for name in ("first", "second")]
                )
            ),
            f"create_batch {MODEL}",
            attributes(
                "create_batch",
                None,
                gen_ai__request__max_tokens=None,
                gen_ai__response__model=None,
                obs__request__input_count=2,
            ),
            unless=(OLDEST,),
        ),
        Scenario(
            "beta",
            lambda its: its.run(its.client.beta.messages.create(**ASKED)),
            f"chat {MODEL}",
            attributes(),
            answered(_TEXT),
        ),
        Scenario(
            "run of an agent",
            lambda its: its.run_agent(),
            "invoke_agent",
            {
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.request.model": MODEL,
                # Of the calls inside.
                "gen_ai.usage.input_tokens": _RUNNERS_WORDS,
                "gen_ai.usage.output_tokens": 17,
            },
            tree=(
                Node(
                    "invoke_agent",
                    Node(f"chat {MODEL}", kind="CLIENT", attributes={"obs.response.tool_calls": ("weather",)}),
                    Node(
                        "execute_tool weather",
                        kind="INTERNAL",
                        status="UNSET",
                        attributes={"gen_ai.tool.type": "function", "gen_ai.tool.call.arguments": None},
                    ),
                    Node(f"chat {MODEL}", attributes={"gen_ai.response.finish_reasons": ("stop",)}),
                    kind="INTERNAL",
                ),
            ),
            unless=(OLDEST,),
        ),
    ),
)
