"""The scenario set of Hugging Face's inference client."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

from tests.instrumentors.scenarios import Driver, Library, Scenario, chat_turn, shown, turn_with_tools

MODEL = "HuggingFaceTB/SmolLM3-3B"
ANSWER = "This is the stub's answer to: Where to?"
ASKED: dict[str, Any] = {
    "model": MODEL,
    "messages": [{"role": "user", "content": "Where to?"}],
    "max_tokens": 50,
    "temperature": 0.5,
}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
NAMES = ("weather", "hotels")
TOOLS = [{"type": "function", "function": {"name": name, "description": name, "parameters": SCHEMA}} for name in NAMES]
FORMAT = {"type": "json_object"}
USER = {"role": "user", "parts": [{"type": "text", "content": "Where to?"}]}


class HuggingFace(Driver):
    """The inference client against the stub, as it is against an endpoint of the agent's own."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        hub = import_module("huggingface_hub")
        self.made = hub.InferenceClient if kind == "sync" else hub.AsyncInferenceClient
        self.clients: list[Any] = []
        self.client = self.at("/v1")
        self.generator = self.at("/text-generation", model=True)
        self.extractor = self.at("/feature-extraction", model=True)

    def at(self, path: str, *, model: bool = False) -> Any:
        client = self.made(**{"model" if model else "base_url": self.stub.origin + path}, api_key="stub")
        self.clients.append(client)
        return client

    def chat(self, **more: Any) -> Any:
        return self.run(self.client.chat_completion(**{**ASKED, **more}))

    def turn(self) -> Any:
        first = self.chat(tools=TOOLS)
        return chat_turn(self.chat, ASKED["messages"], first, first.choices[0].message, tools=TOOLS)

    def created(self, **more: Any) -> Any:
        return self.run(self.client.chat.completions.create(**{**ASKED, **more}))

    def stream(self, **more: Any) -> Any:
        return self.client.chat_completion(**{**ASKED, "stream": True, **more})

    def close(self) -> None:
        for client in self.clients:
            closing = getattr(client, "close", None)
            if closing is not None:
                self.run(closing())
        super().close()


def attributes(operation: str = "chat", model: str | None = MODEL, **more: Any) -> dict[str, Any]:
    told = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": "huggingface",
        "gen_ai.request.model": model,
        **{name.replace("__", "."): value for name, value in more.items()},
    }
    return {name: value for name, value in told.items() if value is not None}


def chatted(**more: Any) -> dict[str, Any]:
    told = {
        "gen_ai__request__max_tokens": 50,
        "gen_ai__request__temperature": 0.5,
        "gen_ai__response__model": MODEL,
        "gen_ai__response__finish_reasons": ("stop",),
        "gen_ai__usage__input_tokens": 3,
        "gen_ai__usage__output_tokens": 10,
    }
    return attributes(**{**told, **more})


def generated(**more: Any) -> dict[str, Any]:
    return attributes("text_completion", None, gen_ai__request__max_tokens=50, **more)


def answered(*parts: dict[str, Any], reason: str | None = "stop") -> dict[str, Any]:
    said = {"role": "assistant", "parts": list(parts), "finish_reason": reason}
    return {
        "gen_ai.input.messages": [USER],
        "gen_ai.output.messages": [{name: value for name, value in said.items() if value is not None}],
    }


def calls() -> list[dict[str, Any]]:
    return [
        {"type": "tool_call", "id": f"call_00000{number}", "name": name, "arguments": '{"city": "Lisbon"}'}
        for number, name in enumerate(NAMES, 1)
    ]


TEXT = {"type": "text", "content": ANSWER}
DEFINED = {
    "gen_ai.tool.definitions": [
        {"type": "function", "name": name, "description": name, "parameters": SCHEMA} for name in NAMES
    ]
}
STREAM: dict[str, Any] = {"gen_ai__request__stream": True}
WITH_USAGE = {"stream_options": {"include_usage": True}}
NO_USAGE = {"gen_ai__usage__input_tokens": None, "gen_ai__usage__output_tokens": None}
ASKED_TOOLS: dict[str, Any] = {
    "gen_ai__response__finish_reasons": ("tool_call",),
    "obs__response__tool_calls": NAMES,
    "gen_ai__usage__output_tokens": 16,
}
UNANSWERED: dict[str, Any] = {
    **NO_USAGE,
    "gen_ai__response__model": None,
    "gen_ai__response__finish_reasons": None,
}

LIBRARY = Library(
    name="huggingface_hub",
    instrumentor="obs_instrumentors.huggingface",
    environments={
        "0.28, oldest": ("huggingface_hub==0.28.1", "aiohttp", "numpy"),
        "1": ("huggingface_hub>=1.33,<2", "numpy"),
        "2, newest": ("huggingface_hub>=2,<3", "numpy"),
    },
    driver=HuggingFace,
    scenarios=(
        Scenario("chat", lambda its: its.chat(), f"chat {MODEL}", chatted(), answered(TEXT)),
        Scenario("chat.completions.create", lambda its: its.created(), f"chat {MODEL}", chatted(), answered(TEXT)),
        Scenario(
            "tools",
            lambda its: its.chat(tools=TOOLS),
            f"chat {MODEL}",
            chatted(**ASKED_TOOLS),
            {**answered(*calls(), reason="tool_call"), **DEFINED},
        ),
        turn_with_tools(lambda its: its.turn(), f"chat {MODEL}", "call_000001"),
        Scenario(
            "structured output",
            lambda its: its.chat(response_format=FORMAT),
            f"chat {MODEL}",
            chatted(gen_ai__output__type="json", gen_ai__usage__output_tokens=14),
            answered({"type": "text", "content": json.dumps({"answer": ANSWER})}),
        ),
        Scenario(
            "stream",
            lambda its: its.read(its.stream(**WITH_USAGE)),
            f"chat {MODEL}",
            chatted(**STREAM),
            answered(TEXT),
        ),
        Scenario(
            "stream without usage",
            lambda its: its.read(its.stream()),
            f"chat {MODEL}",
            chatted(**STREAM, **NO_USAGE),
            answered(TEXT),
        ),
        Scenario(
            "stream of tools",
            lambda its: its.read(its.stream(**WITH_USAGE, tools=TOOLS)),
            f"chat {MODEL}",
            chatted(**STREAM, **ASKED_TOOLS),
            {**answered(*calls(), reason="tool_call"), **DEFINED},
        ),
        Scenario(
            "abandoned stream",
            lambda its: its.abandon(its.stream()),
            f"chat {MODEL}",
            chatted(
                **{**STREAM, **NO_USAGE},
                obs__response__stream_end="abandoned",
                gen_ai__response__finish_reasons=None,
            ),
        ),
        Scenario(
            "cancelled",
            lambda its: its.cancel(its.client.chat_completion(**{**ASKED, "model": "stub-wait=2"})),
            "chat stub-wait=2",
            chatted(**UNANSWERED, model="stub-wait=2", error__type="asyncio.exceptions.CancelledError"),
            error="CancelledError",
            kinds=("async",),
        ),
        Scenario(
            "error",
            lambda its: its.chat(model="stub-400"),
            "chat stub-400",
            lambda its: chatted(**UNANSWERED, model="stub-400", error__type=error_of(its)),
            error="Error",
        ),
        Scenario(
            "text generation",
            lambda its: its.run(its.generator.text_generation("Where to?", max_new_tokens=50)),
            "text_completion",
            generated(),
            answered(TEXT, reason=None),
        ),
        Scenario(
            "text generation with details",
            lambda its: shown(its.run(its.generator.text_generation("Where to?", max_new_tokens=50, details=True))),
            "text_completion",
            generated(gen_ai__response__finish_reasons=("stop",), gen_ai__usage__output_tokens=8),
            answered(TEXT),
        ),
        Scenario(
            "stream of text generation",
            lambda its: its.read(
                its.generator.text_generation("Where to?", max_new_tokens=50, details=True, stream=True)
            ),
            "text_completion",
            generated(
                **STREAM,
                gen_ai__response__finish_reasons=("stop",),
                gen_ai__usage__input_tokens=3,
                gen_ai__usage__output_tokens=8,
            ),
            answered(TEXT),
        ),
        Scenario(
            "embeddings",
            lambda its: its.run(its.extractor.feature_extraction("Where to?")).tolist(),
            "embeddings",
            attributes("embeddings", None, obs__request__input_count=1),
        ),
    ),
)


def error_of(driver: Driver) -> str:
    """Return the class of an HTTP error, which each release line and kind of client has from elsewhere."""
    hub = import_module("huggingface_hub")
    if hub.__version__.startswith("0.") and driver.kind == "async":
        return "aiohttp.client_exceptions.ClientResponseError"
    return f"{hub.errors.BadRequestError.__module__}.BadRequestError"
