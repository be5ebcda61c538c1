"""xAI's scenario set."""

from __future__ import annotations

import contextlib
import json
from datetime import timedelta
from importlib import import_module
from typing import Any

from tests.instrumentors.scenarios import Driver, Library, Scenario, turn_with_tools
from tests.instrumentors.xai.server import Server

MODEL = "grok-4"
ANSWER = "This is the stub's answer to: Where to?"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
NAMES = ("weather", "hotels")


class XAI(Driver):
    """xAI's client against the service of ``server.py``."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        sdk = import_module("xai_sdk")
        self.stub = self.server = Server()
        self.client = self.run(self._made(sdk.Client if kind == "sync" else sdk.AsyncClient))

    def _made(self, kind: Any) -> Any:
        options: dict[str, Any] = {"api_key": "none", "api_host": self.server.address}
        if self.kind == "sync":
            return kind(**options)

        async def made() -> Any:
            # Its channel belongs to the loop that runs.
            return kind(**options)

        return made()

    def asked(self, model: str = MODEL, *, tools: bool = False, **more: Any) -> Any:
        chat = import_module("xai_sdk.chat")
        if tools:
            more["tools"] = [chat.tool(name, "", SCHEMA) for name in NAMES]
        return self.client.chat.create(model, messages=[chat.user("Where to?")], **more)

    def turn(self) -> Any:
        chat = import_module("xai_sdk.chat")
        conversation = self.asked(tools=True)
        first = self.run(conversation.sample())
        conversation.append(first)
        for call in first.tool_calls:
            conversation.append(self.result(chat, call))
        return [first, self.run(conversation.sample())]

    def result(self, chat: Any, call: Any) -> Any:
        """Return a tool's result; older releases know no ids of calls."""
        with contextlib.suppress(TypeError):
            return chat.tool_result("rain in Lisbon", tool_call_id=call.id)
        return chat.tool_result("rain in Lisbon")

    def close(self) -> None:
        channel = getattr(self.client, "_api_channel", None)
        if channel is not None:
            self.run(channel.close())
        self.server.close()
        super().close()

    def shape(self) -> Any:
        return import_module("pydantic").create_model("Place", city=(str, ...))


def attributes(model: str = MODEL, **more: Any) -> dict[str, Any]:
    told = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "x_ai",
        "gen_ai.request.model": model,
        "gen_ai.response.model": model.partition("+")[0],
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 9,
        "gen_ai.usage.text.input_tokens": 9,
        "gen_ai.usage.output_tokens": 7,
    }
    told |= {name.replace("__", "."): value for name, value in more.items()}
    return {name: value for name, value in told.items() if value is not None}


def failed(model: str, error: str) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "x_ai",
        "gen_ai.request.model": model,
        "error.type": error,
    }


def answered(*parts: dict[str, Any], reason: str = "stop", count: int = 1) -> dict[str, Any]:
    return {
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Where to?"}]}],
        "gen_ai.output.messages": [{"role": "assistant", "parts": list(parts), "finish_reason": reason}] * count,
    }


_TEXT = {"type": "text", "content": ANSWER}
_CALLS = [
    {"type": "tool_call", "id": f"call-{name}", "name": name, "arguments": '{"city": "Lisbon"}'} for name in NAMES
]
_TOOLS = {"gen_ai.tool.definitions": [{"type": "function", "name": name, "parameters": SCHEMA} for name in NAMES]}
_STREAM: dict[str, Any] = {"gen_ai__request__stream": True}
_CALLED: dict[str, Any] = {"gen_ai__response__finish_reasons": ("tool_call",), "obs__response__tool_calls": NAMES}
_TWO: dict[str, Any] = {"gen_ai__request__choice__count": 2, "gen_ai__response__finish_reasons": ("stop", "stop")}
_NO_USAGE: dict[str, Any] = {f"gen_ai__usage__{name}_tokens": None for name in ("input", "output", "text__input")}
_FULL = f"{MODEL}+cached+reasoning"

ENVIRONMENTS = {
    "1.0, oldest": ("xai-sdk==1.0.0",),
    "1.4, first to trace itself with outputs": ("xai-sdk==1.4.0",),
    "1.21, newest": ("xai-sdk>=1.21,<2",),
}
LIBRARY = Library(
    name="xai",
    instrumentor="obs_instrumentors.xai",
    environments=ENVIRONMENTS,
    driver=XAI,
    more=("more.py",),
    traces_itself=tuple(ENVIRONMENTS),
    scenarios=(
        Scenario("chat", lambda its: its.run(its.asked().sample()), f"chat {MODEL}", attributes(), answered(_TEXT)),
        Scenario(
            "tools",
            lambda its: its.run(its.asked(tools=True).sample()),
            f"chat {MODEL}",
            attributes(**_CALLED),
            {**answered(*_CALLS, reason="tool_call"), **_TOOLS},
        ),
        turn_with_tools(lambda its: its.turn(), f"chat {MODEL}", "call-weather"),
        Scenario(
            "structured output",
            lambda its: its.run(its.asked().parse(its.shape()))[0],
            f"chat {MODEL}",
            attributes(gen_ai__output__type="json"),
            answered({"type": "text", "content": json.dumps({"city": "Lisbon"})}),
        ),
        Scenario(
            "stream",
            lambda its: its.read(its.asked().stream()),
            f"chat {MODEL}",
            attributes(**_STREAM),
            answered(_TEXT),
        ),
        Scenario(
            "stream of tools",
            lambda its: its.read(its.asked(tools=True).stream()),
            f"chat {MODEL}",
            attributes(**_STREAM, **_CALLED),
            {**answered(*_CALLS, reason="tool_call"), **_TOOLS},
        ),
        Scenario(
            "stream of two answers",
            lambda its: its.read(its.asked().stream_batch(2)),
            f"chat {MODEL}",
            attributes(**_STREAM, **_TWO),
            answered(_TEXT, count=2),
        ),
        Scenario(
            "two answers",
            lambda its: its.run(its.asked().sample_batch(2)),
            f"chat {MODEL}",
            attributes(**_TWO),
            answered(_TEXT, count=2),
        ),
        Scenario(
            "deferred",
            lambda its: its.run(its.asked().defer(interval=timedelta(milliseconds=1))),
            f"chat {MODEL}",
            attributes(),
            answered(_TEXT),
        ),
        Scenario(
            "cached and reasoning",
            lambda its: its.run(its.asked(_FULL, temperature=0.7, max_tokens=50, seed=3, stop=["END"]).sample()),
            f"chat {_FULL}",
            attributes(
                _FULL,
                gen_ai__request__temperature=0.7,
                **{"gen_ai.request.max_tokens": 50, "gen_ai.request.stop_sequences": ("END",)},
                gen_ai__request__seed=3,
                gen_ai__usage__output_tokens=12,
                gen_ai__usage__reasoning__output_tokens=5,
                **{"gen_ai.usage.cache_read.input_tokens": 4},
            ),
            answered({"type": "reasoning", "content": "Let me think."}, _TEXT),
        ),
        Scenario(
            "stream without usage",
            lambda its: its.read(its.asked(f"{MODEL}+no-usage").stream()),
            f"chat {MODEL}+no-usage",
            attributes(f"{MODEL}+no-usage", **_STREAM, **_NO_USAGE),
        ),
        Scenario(
            "abandoned stream",
            lambda its: its.abandon(its.asked().stream()),
            f"chat {MODEL}",
            attributes(
                **_STREAM,
                **_NO_USAGE,
                obs__response__stream_end="abandoned",
                gen_ai__response__finish_reasons=None,
            ),
        ),
        Scenario(
            "cancelled",
            lambda its: its.cancel(its.asked("stub-wait=1").sample()),
            "chat stub-wait=1",
            failed("stub-wait=1", "asyncio.exceptions.CancelledError"),
            error="CancelledError",
            kinds=("async",),
        ),
        Scenario(
            "error",
            lambda its: its.run(its.asked("stub-400").sample()),
            "chat stub-400",
            failed("stub-400", "INVALID_ARGUMENT"),
            error="Error",
        ),
        Scenario(
            "error of a stream",
            lambda its: its.read(its.asked("stub-429").stream()),
            "chat stub-429",
            failed("stub-429", "RESOURCE_EXHAUSTED") | {"gen_ai.request.stream": True},
            error="",
        ),
        # The client retries what is not available, and nothing else.
        Scenario(
            "rate limit",
            lambda its: its.run(its.asked("stub-503-once").sample()),
            "chat stub-503-once",
            attributes("stub-503-once"),
        ),
    ),
)
