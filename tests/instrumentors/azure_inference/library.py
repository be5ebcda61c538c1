"""Azure AI Inference's scenario set."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

from tests.instrumentors.scenarios import Driver, Library, Scenario, chat_turn, turn_with_tools

MODEL = "Phi-4-mini-instruct"
ANSWER = "This is the stub's answer to: Where to?"
ASKED: dict[str, Any] = {
    "messages": [{"role": "user", "content": "Where to?"}],
    "max_tokens": 50,
    "temperature": 0.5,
}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
NAMES = ("weather", "hotels")
TOOLS = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in NAMES]
USER = {"role": "user", "parts": [{"type": "text", "content": "Where to?"}]}
_KINDS = ("audio__input", "audio__output", "cache_read__input", "reasoning__output")
DETAILS = {f"gen_ai__usage__{name}_tokens": 0 for name in _KINDS}


class Azure(Driver):
    """The clients against the stub; the model is the client's own setting in each."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.package = import_module("azure.ai.inference" + (".aio" if kind == "async" else ""))
        self.key = import_module("azure.core.credentials").AzureKeyCredential("stub")
        self.made: list[Any] = []
        self.client = self.client_of("ChatCompletionsClient")

    def client_of(self, name: str) -> Any:
        self.made.append(getattr(self.package, name)(endpoint=self.stub.url, credential=self.key))
        return self.made[-1]

    def asked(self, **more: Any) -> Any:
        extras = {"model": MODEL, **more.pop("extras", {})}
        return self.client.complete(**{**ASKED, "model_extras": extras, **more})

    def chat(self, **more: Any) -> Any:
        return plain(self.run(self.asked(**more)))

    def turn(self) -> Any:
        first = self.chat(extras={"tools": TOOLS})
        message = first[1]["choices"][0]["message"]
        return chat_turn(self.chat, ASKED["messages"], first, message, extras={"tools": TOOLS})

    def stream(self, **more: Any) -> list[Any]:
        kind, *pieces = self.read(self.asked(stream=True, **more))
        return [kind, *map(plain, pieces)]

    def embed(self, name: str, given: Any) -> Any:
        return plain(self.run(self.client_of(name).embed(input=given, model_extras={"model": MODEL})))

    def close(self) -> None:
        for client in self.made:
            self.run(client.close())
        super().close()


def plain(returned: Any) -> Any:
    """Return a model of the library as plain objects, with its type."""
    return type(returned), returned.as_dict()


def attributes(operation: str = "chat", model: str = MODEL, **more: Any) -> dict[str, Any]:
    told = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": "azure.ai.inference",
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
        **DETAILS,
    }
    return attributes(**{**told, **more})


def answered(*parts: dict[str, Any], reason: str = "stop") -> dict[str, Any]:
    return {
        "gen_ai.input.messages": [USER],
        "gen_ai.output.messages": [{"role": "assistant", "parts": list(parts), "finish_reason": reason}],
    }


def calls() -> list[dict[str, Any]]:
    return [
        {"type": "tool_call", "id": f"call_00000{number}", "name": name, "arguments": '{"city": "Lisbon"}'}
        for number, name in enumerate(NAMES, 1)
    ]


TEXT = {"type": "text", "content": ANSWER}
DEFINED = {"gen_ai.tool.definitions": [{"type": "function", "name": name, "parameters": SCHEMA} for name in NAMES]}
STREAM: dict[str, Any] = {"gen_ai__request__stream": True}
WITH_USAGE = {"extras": {"stream_options": {"include_usage": True}}}
NO_USAGE = {
    "gen_ai__usage__input_tokens": None,
    "gen_ai__usage__output_tokens": None,
    **dict.fromkeys(DETAILS),
}
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
    name="azure-ai-inference",
    instrumentor="obs_instrumentors.azure_inference",
    environments={
        "1.0.0b1, oldest": ("azure-ai-inference==1.0.0b1", "aiohttp"),
        "1.0.0b9, newest": ("azure-ai-inference==1.0.0b9", "aiohttp", "azure-core-tracing-opentelemetry"),
    },
    driver=Azure,
    more=("more.py",),
    scenarios=(
        Scenario("chat", lambda its: its.chat(), f"chat {MODEL}", chatted(), answered(TEXT)),
        Scenario(
            "tools",
            lambda its: its.chat(extras={"tools": TOOLS}),
            f"chat {MODEL}",
            chatted(**ASKED_TOOLS),
            {**answered(*calls(), reason="tool_call"), **DEFINED},
        ),
        turn_with_tools(lambda its: its.turn(), f"chat {MODEL}", "call_000001"),
        Scenario(
            "structured output",
            lambda its: its.chat(extras={"response_format": {"type": "json_object"}}),
            f"chat {MODEL}",
            chatted(gen_ai__output__type="json", gen_ai__usage__output_tokens=14),
            answered({"type": "text", "content": json.dumps({"answer": ANSWER})}),
        ),
        Scenario(
            "stream",
            lambda its: its.stream(**WITH_USAGE),
            f"chat {MODEL}",
            chatted(**STREAM),
            answered(TEXT),
        ),
        Scenario(
            "stream without usage",
            lambda its: its.stream(),
            f"chat {MODEL}",
            chatted(**STREAM, **NO_USAGE),
            answered(TEXT),
        ),
        Scenario(
            "stream of tools",
            lambda its: its.stream(extras={"tools": TOOLS, **WITH_USAGE["extras"]}),
            f"chat {MODEL}",
            chatted(**STREAM, **ASKED_TOOLS),
            {**answered(*calls(), reason="tool_call"), **DEFINED},
        ),
        Scenario(
            "abandoned stream",
            lambda its: plain(its.abandon(its.asked(stream=True, extras={"model": f"{MODEL}+slow=0.05"}))),
            f"chat {MODEL}+slow=0.05",
            chatted(
                **{**STREAM, **NO_USAGE},
                model=f"{MODEL}+slow=0.05",
                obs__response__stream_end="abandoned",
                gen_ai__response__finish_reasons=None,
            ),
        ),
        Scenario(
            "cancelled",
            lambda its: its.cancel(its.asked(extras={"model": "stub-wait=2"})),
            "chat stub-wait=2",
            chatted(**UNANSWERED, model="stub-wait=2", error__type="asyncio.exceptions.CancelledError"),
            error="CancelledError",
            kinds=("async",),
        ),
        Scenario(
            "error",
            lambda its: its.chat(extras={"model": "stub-400"}),
            "chat stub-400",
            chatted(**UNANSWERED, model="stub-400", error__type="invalid_value"),
            error="HttpResponseError",
        ),
        Scenario(
            "rate limit",
            lambda its: its.chat(extras={"model": "stub-429-once"}),
            "chat stub-429-once",
            chatted(model="stub-429-once", gen_ai__response__model="stub-429-once"),
            answered(TEXT),
        ),
        Scenario(
            "embeddings",
            lambda its: its.embed("EmbeddingsClient", ["Where to?"]),
            f"embeddings {MODEL}",
            attributes(
                "embeddings",
                gen_ai__response__model=MODEL,
                gen_ai__usage__input_tokens=3,
                obs__request__input_count=1,
            ),
        ),
    ),
)
