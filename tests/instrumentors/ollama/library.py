"""Ollama's scenario set."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tests.instrumentors.scenarios import Driver, Library, Scenario, turn_with_tools

MODEL = "llama3.2"
ASKED: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "Where to?"}]}
ANSWER = "This is the stub's answer to: Where to?"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
_NAMES = ("weather", "hotels")
TOOLS = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in _NAMES]
USER = {"role": "user", "parts": [{"type": "text", "content": "Where to?"}]}


class Ollama(Driver):
    """Ollama's client against the stub."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        ollama = import_module("ollama")
        self.client = (ollama.Client if kind == "sync" else ollama.AsyncClient)(host=stub.origin)

    def chat(self, **more: Any) -> Any:
        return self.run(self.client.chat(**{**ASKED, **more}))

    def turn(self) -> Any:
        first = self.chat(tools=TOOLS)
        said = {"role": "assistant", "content": "", "tool_calls": first["message"]["tool_calls"]}
        results = [{"role": "tool", "content": f"{weather} in Lisbon"} for weather in ("rain", "sun")]
        return [first, self.chat(tools=TOOLS, messages=[*ASKED["messages"], said, *results])]

    def close(self) -> None:
        self.run(self.client._client.close() if self.kind == "sync" else self.client._client.aclose())
        super().close()


def attributes(operation: str = "chat", **more: Any) -> dict[str, Any]:
    told = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": "ollama",
        "gen_ai.request.model": MODEL,
        "gen_ai.response.model": MODEL,
        "gen_ai.usage.input_tokens": 3,
    }
    if operation != "embeddings":
        told |= {"gen_ai.response.finish_reasons": ("stop",), "gen_ai.usage.output_tokens": 8}
    told |= {name.replace("__", "."): value for name, value in more.items()}
    return {name: value for name, value in told.items() if value is not None}


def answered(*parts: dict[str, Any], reason: str = "stop") -> dict[str, Any]:
    return {
        "gen_ai.input.messages": [USER],
        "gen_ai.output.messages": [{"role": "assistant", "parts": list(parts), "finish_reason": reason}],
    }


_TEXT = {"type": "text", "content": ANSWER}
_CALLS = [
    {"type": "tool_call", "id": None, "name": name, "arguments": {"city": "Lisbon"}} for name in ("weather", "hotels")
]
_TOOLS = {
    "gen_ai.tool.definitions": [
        {"type": "function", "name": name, "parameters": SCHEMA} for name in ("weather", "hotels")
    ]
}
_STREAM: dict[str, Any] = {"gen_ai__request__stream": True}
_ASKED_TOOLS: dict[str, Any] = {
    "gen_ai__response__finish_reasons": ("tool_call",),
    "obs__response__tool_calls": ("weather", "hotels"),
    "gen_ai__usage__output_tokens": 1,
}

LIBRARY = Library(
    name="ollama",
    instrumentor="obs_instrumentors.ollama",
    environments={"0.4.5, oldest": ("ollama==0.4.5",), "0.6, newest": ("ollama>=0.6,<1",)},
    driver=Ollama,
    more=("more.py",),
    scenarios=(
        Scenario("chat", lambda its: its.chat(), f"chat {MODEL}", attributes(), answered(_TEXT)),
        Scenario(
            "tools",
            lambda its: its.chat(tools=TOOLS),
            f"chat {MODEL}",
            attributes(**_ASKED_TOOLS),
            {**answered(*_CALLS, reason="tool_call"), **_TOOLS},
        ),
        turn_with_tools(lambda its: its.turn(), f"chat {MODEL}", arguments={"city": "Lisbon"}),
        Scenario(
            "structured output",
            lambda its: its.chat(format=SCHEMA),
            f"chat {MODEL}",
            attributes(gen_ai__output__type="json", gen_ai__usage__output_tokens=2),
            answered({"type": "text", "content": '{"city": "Lisbon"}'}),
        ),
        Scenario(
            "stream",
            lambda its: its.read(its.client.chat(**ASKED, stream=True)),
            f"chat {MODEL}",
            attributes(**_STREAM),
            answered(_TEXT),
        ),
        Scenario(
            "stream of tools",
            lambda its: its.read(its.client.chat(**ASKED, stream=True, tools=TOOLS)),
            f"chat {MODEL}",
            attributes(**_STREAM, **_ASKED_TOOLS),
            {**answered(*_CALLS, reason="tool_call"), **_TOOLS},
        ),
        Scenario(
            "abandoned stream",
            lambda its: its.abandon(its.client.chat(**ASKED, stream=True)),
            f"chat {MODEL}",
            attributes(
                **_STREAM,
                obs__response__stream_end="abandoned",
                gen_ai__response__finish_reasons=None,
                gen_ai__usage__input_tokens=None,
                gen_ai__usage__output_tokens=None,
            ),
        ),
        Scenario(
            "cancelled",
            lambda its: its.cancel(its.client.chat(**{**ASKED, "model": "stub-wait=2"})),
            "chat stub-wait=2",
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "ollama",
                "gen_ai.request.model": "stub-wait=2",
                "error.type": "asyncio.exceptions.CancelledError",
            },
            error="CancelledError",
            kinds=("async",),
        ),
        Scenario(
            "error",
            lambda its: its.chat(model="stub-400"),
            "chat stub-400",
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "ollama",
                "gen_ai.request.model": "stub-400",
                "error.type": "ollama._types.ResponseError",
            },
            error="ResponseError",
        ),
        Scenario(
            "embeddings",
            lambda its: its.run(its.client.embed(model=MODEL, input=["Where to?"])),
            f"embeddings {MODEL}",
            attributes("embeddings", obs__request__input_count=1),
        ),
    ),
)
