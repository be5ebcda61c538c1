"""The scenario set of IBM watsonx.ai."""

from __future__ import annotations

import base64
import json
from importlib import import_module
from typing import Any

from tests.instrumentors.scenarios import Driver, Library, Scenario, chat_turn, turn_with_tools

MODEL = "ibm/granite-4-h-small"
ANSWER = "This is the stub's answer to: Where to?"
SAID = [{"role": "user", "content": "Where to?"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
NAMES = ("weather", "hotels")
TOOLS = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in NAMES]
USER = {"role": "user", "parts": [{"type": "text", "content": "Where to?"}]}
CHAT = {"max_tokens": 50, "temperature": 0.5}
TEXT_PARAMS = {"max_new_tokens": 50, "top_k": 5}


class Watsonx(Driver):
    """The library against the stub; a token spares it the way to IAM, and the project is known."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        library = import_module("ibm_watsonx_ai")
        self.models = import_module("ibm_watsonx_ai.foundation_models")
        # The library takes no address without TLS; what it makes requests to is told to it later.
        self.api = library.APIClient(library.Credentials(url="https://us-south.ml.cloud.ibm.com", token=_token()))
        self.api.credentials.url = self.api._href_definitions.url = stub.origin
        self.api.default_project_id = "4a2f4f3c-0000-4000-8000-000000000000"

        self.made: dict[str, Any] = {}

    def model(self, name: str = MODEL, **more: Any) -> Any:
        key = f"{name} {more}"
        if key not in self.made:
            self.made[key] = self.models.ModelInference(model_id=name, api_client=self.api, validate=False, **more)
        return self.made[key]

    def turn(self) -> Any:
        def ask(messages: Any = SAID) -> Any:
            model = self.model()
            asking = model.chat if self.kind == "sync" else model.achat
            return self.run(asking(messages, CHAT, tools=TOOLS))

        first = ask()
        return chat_turn(ask, SAID, first, first["choices"][0]["message"])

    def chat(self, name: str = MODEL, params: Any = None, **more: Any) -> Any:
        model = self.model(name)
        asking = model.chat if self.kind == "sync" else model.achat
        return self.run(asking(SAID, params or CHAT, **more))

    def stream(self, name: str = MODEL, **more: Any) -> Any:
        model = self.model(name)
        return (model.chat_stream if self.kind == "sync" else model.achat_stream)(SAID, CHAT, **more)

    def text(self) -> Any:
        model = self.model(params=TEXT_PARAMS)
        return self.run((model.generate if self.kind == "sync" else model.agenerate)("Where to?"))

    def texts(self, **more: Any) -> Any:
        model = self.model(params=TEXT_PARAMS)
        asking = model.generate_text_stream if self.kind == "sync" else model.agenerate_stream
        return asking("Where to?", **more)

    def embed(self) -> Any:
        model = self.models.Embeddings(model_id=MODEL, api_client=self.api)
        return self.run((model.generate if self.kind == "sync" else model.agenerate)(["Where to?", "When?"]))

    def rank(self) -> Any:
        model = self.models.Rerank(model_id=MODEL, api_client=self.api)
        return model.generate("Where to?", ["a", "b"], {"return_options": {"top_n": 2}})


def _token() -> str:
    parts = ({"alg": "none"}, {"iat": 1_760_000_000, "exp": 4_102_444_800})
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "x"]
    )


def attributes(operation: str = "chat", model: str = MODEL, **more: Any) -> dict[str, Any]:
    told = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": "ibm.watsonx.ai",
        "gen_ai.request.model": model,
        "gen_ai.response.model": model,
        **{name.replace("__", "."): value for name, value in more.items()},
    }
    return {name: value for name, value in told.items() if value is not None}


def chatted(**more: Any) -> dict[str, Any]:
    told = {
        "gen_ai__request__max_tokens": 50,
        "gen_ai__request__temperature": 0.5,
        "gen_ai__response__finish_reasons": ("stop",),
        "gen_ai__usage__input_tokens": 3,
        "gen_ai__usage__output_tokens": 10,
        **DETAILS,
    }
    return attributes(**{**told, **more})


def continued(**more: Any) -> dict[str, Any]:
    told = {
        "gen_ai__request__max_tokens": 50,
        "gen_ai__request__top_k": 5,
        "gen_ai__response__finish_reasons": ("stop",),
        "gen_ai__usage__input_tokens": 3,
        "gen_ai__usage__output_tokens": 10,
    }
    return attributes("text_completion", **{**told, **more})


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


_KINDS = ("audio__input", "audio__output", "cache_read__input", "reasoning__output")
DETAILS = {f"gen_ai__usage__{name}_tokens": 0 for name in _KINDS}
TEXT = {"type": "text", "content": ANSWER}
DEFINED = {"gen_ai.tool.definitions": [{"type": "function", "name": name, "parameters": SCHEMA} for name in NAMES]}
STREAM: dict[str, Any] = {"gen_ai__request__stream": True}
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
    name="ibm-watsonx-ai",
    instrumentor="obs_instrumentors.watsonx",
    environments={
        "1.3.42, oldest": ("ibm-watsonx-ai==1.3.42",),
        "1.8, newest": ("ibm-watsonx-ai>=1.8,<2",),
    },
    driver=Watsonx,
    python="3.11",
    more=("more.py",),
    scenarios=(
        Scenario("chat", lambda its: its.chat(), f"chat {MODEL}", chatted(), answered(TEXT)),
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
            lambda its: its.chat(params={**CHAT, "response_format": {"type": "json_object"}}),
            f"chat {MODEL}",
            chatted(gen_ai__output__type="json", gen_ai__usage__output_tokens=14),
            answered({"type": "text", "content": json.dumps({"answer": ANSWER})}),
        ),
        Scenario("stream", lambda its: its.read(its.stream()), f"chat {MODEL}", chatted(**STREAM), answered(TEXT)),
        Scenario(
            "stream without usage",
            lambda its: its.read(its.stream(f"{MODEL}+no-usage")),
            f"chat {MODEL}+no-usage",
            chatted(**STREAM, **NO_USAGE, model=f"{MODEL}+no-usage", gen_ai__response__model=MODEL),
            answered(TEXT),
        ),
        Scenario(
            "stream of tools",
            lambda its: its.read(its.stream(tools=TOOLS)),
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
            lambda its: its.cancel(its.model("stub-wait=2").achat(SAID, CHAT)),
            "chat stub-wait=2",
            chatted(**UNANSWERED, model="stub-wait=2", error__type="asyncio.exceptions.CancelledError"),
            error="CancelledError",
            kinds=("async",),
        ),
        Scenario(
            "error",
            lambda its: its.chat("stub-400"),
            "chat stub-400",
            chatted(**UNANSWERED, model="stub-400", error__type="invalid_value"),
            error="ApiRequestFailure",
        ),
        Scenario(
            "rate limit",
            lambda its: its.chat("stub-429-once"),
            "chat stub-429-once",
            chatted(model="stub-429-once"),
            answered(TEXT),
            # The async client of 1.8 fails by itself where it would have to try again.
            kinds=("sync",),
        ),
        Scenario(
            "text generation",
            lambda its: its.text(),
            f"text_completion {MODEL}",
            continued(),
            answered(TEXT),
        ),
        Scenario(
            "stream of text generation",
            lambda its: its.read(its.texts()),
            f"text_completion {MODEL}",
            continued(**STREAM, gen_ai__usage__output_tokens=8),
            answered(TEXT),
        ),
        Scenario(
            "embeddings",
            lambda its: its.embed(),
            f"embeddings {MODEL}",
            attributes("embeddings", gen_ai__usage__input_tokens=4, obs__request__input_count=2),
        ),
        Scenario(
            "rerank",
            lambda its: its.rank(),
            f"rerank {MODEL}",
            attributes(
                "rerank",
                gen_ai__retrieval__top_k=2,
                gen_ai__usage__input_tokens=1,
                obs__request__input_count=2,
                obs__retrieval__scores=(1.0, 0.5),
            ),
            {
                "gen_ai.retrieval.query.text": "Where to?",
                "gen_ai.retrieval.documents": [
                    {"id": "1", "score": 1.0, "content": "b"},
                    {"id": "0", "score": 0.5, "content": "a"},
                ],
            },
            kinds=("sync",),
        ),
    ),
)
