"""LiteLLM's scenario set: its functions in front of OpenAI's client, and of other providers."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.instrumentors.scenarios import Driver, Library, Scenario, chat_turn, turn_with_tools

MODEL = "gpt-4o-mini"
DATED = "gpt-4o-mini-2024-07-18"
ASKED: dict[str, Any] = {"model": f"openai/{MODEL}", "messages": [{"role": "user", "content": "Where to?"}]}
ANSWER = "This is the stub's answer to: Where to?"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
_NAMES = ("weather", "hotels")
TOOLS = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in _NAMES]
FORMAT = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA}}
USER = {"role": "user", "parts": [{"type": "text", "content": "Where to?"}]}
OLD = ("1.60, oldest",)
# LiteLLM demands a newer certifi than some mirrors of the package index have.
_OVERRIDES = ("--override", str(Path(__file__).parent.joinpath("overrides.txt").relative_to(Path(__file__).parents[3])))


_LOOP = asyncio.new_event_loop()


class LiteLLM(Driver):
    """LiteLLM's functions against the stub."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.package = import_module("litellm")
        if self.loop is not None:
            # LiteLLM keeps its clients, and some of them know nothing of other loops.
            self.loop.close()
            self.loop = _LOOP
        vars(self.package)["suppress_debug_info"] = True

    def call(self, name: str, **request: Any) -> Any:
        """Call a function by its name, the async one in the async driver."""
        function = getattr(self.package, name if self.kind == "sync" else f"a{name}")
        return function(**{"api_base": self.stub.url, "api_key": "none", **request})

    def chat(self, **more: Any) -> Any:
        return self.run(self.call("completion", **{**ASKED, **more}))

    def turn(self) -> Any:
        first = self.chat(tools=TOOLS)
        return chat_turn(self.chat, ASKED["messages"], first, first.choices[0].message, tools=TOOLS)

    def stream(self, **more: Any) -> Any:
        return self.call("completion", **ASKED, stream=True, **more)

    def leave(self) -> Any:
        """Read one piece of a stream and let go of it, as LiteLLM's own threads do a little later."""
        stream = self.run(self.stream())
        first = type(next(stream) if self.kind == "sync" else self.run(stream.__anext__()))
        gone = weakref.ref(stream)
        del stream
        # Where the oldest release keeps what it saw last, the stream with it, until the next call.
        getattr(self.package, "error_logs", {}).clear()
        deadline = time.monotonic() + 60
        while gone() is not None and time.monotonic() < deadline:
            gc.collect()
            self.run(asyncio.sleep(0.02)) if self.loop else time.sleep(0.02)
        return first

    def pieces(self, stream: Any) -> list[Any]:
        """Return what the agent reads of a stream; some chunks have ids that LiteLLM makes up."""
        kind, *chunks = self.read(stream)
        plain = [piece.model_dump() if hasattr(piece, "model_dump") else piece for piece in chunks]
        return [kind, *[{**piece, "id": None, "created": None} for piece in plain]]

    def answer(self, work: Any) -> Any:
        """Return an answer without the ids and times that LiteLLM makes up."""
        return {**self.run(work).model_dump(), "id": None, "created": None, "created_at": None}

    def close(self) -> None:
        """Leave the loop to the next driver."""
        if self.kind == "sync":
            super().close()


def attributes(operation: str = "chat", **more: Any) -> dict[str, Any]:
    told = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": MODEL,
        "gen_ai.response.model": DATED,
        "gen_ai.response.finish_reasons": ("stop",),
        "openai.response.service_tier": "default",
        "openai.response.system_fingerprint": "fp_stub",
        **USAGE,
    }
    told |= {name.replace("__", "."): value for name, value in more.items()}
    return {name: value for name, value in told.items() if value is not None}


USAGE = {
    "gen_ai.usage.input_tokens": 3,
    "gen_ai.usage.output_tokens": 10,
    "gen_ai.usage.cache_read.input_tokens": 0,
    "gen_ai.usage.reasoning.output_tokens": 0,
    "gen_ai.usage.audio.input_tokens": 0,
    "gen_ai.usage.audio.output_tokens": 0,
}
NO_USAGE: dict[str, Any] = {name.replace(".", "__"): None for name in USAGE}


def other(operation: str, provider: str, model: str, **more: Any) -> dict[str, Any]:
    """Return the attributes of a call that is no chat of OpenAI's."""
    told = {"gen_ai.operation.name": operation, "gen_ai.provider.name": provider, "gen_ai.request.model": model}
    return {**told, **{name.replace("__", "."): value for name, value in more.items()}}


def answered(*parts: dict[str, Any], reason: str = "stop") -> dict[str, Any]:
    return {
        "gen_ai.input.messages": [USER],
        "gen_ai.output.messages": [{"role": "assistant", "parts": list(parts), "finish_reason": reason}],
    }


def calls() -> list[dict[str, Any]]:
    return [
        {"type": "tool_call", "id": f"call_{number:06d}", "name": name, "arguments": '{"city": "Lisbon"}'}
        for number, name in enumerate(_NAMES, 1)
    ]


_TEXT = {"type": "text", "content": ANSWER}
_TOOLS = {"gen_ai.tool.definitions": [{"type": "function", "name": name, "parameters": SCHEMA} for name in _NAMES]}
_STREAM: dict[str, Any] = {"gen_ai__request__stream": True}
# The oldest release hands on the fingerprint of a stream's chunks, but not their tier.
_STREAMED: dict[str, Any] = {**_STREAM, **NO_USAGE}
_ASKED_TOOLS: dict[str, Any] = {
    "gen_ai__response__finish_reasons": ("tool_call",),
    "obs__response__tool_calls": _NAMES,
}


def streamed(**more: Any) -> Any:
    """Return the attributes of a stream, whose tier only newer releases hand on."""

    def of(driver: LiteLLM) -> dict[str, Any]:
        newer = hasattr(driver.package, "responses")
        tier = {} if newer else {"openai__response__service_tier": None}
        return attributes(**{**_STREAMED, **tier, **more})

    return of


LIBRARY = Library(
    name="litellm",
    instrumentor="obs_instrumentors.litellm",
    environments={
        "1.60, oldest": ("litellm==1.60.0", "openai<1.62"),
        "1.109, newest": ("litellm>=1.109,<2", "tenacity", *_OVERRIDES),
    },
    driver=LiteLLM,
    more=("more.py", "more_hooks.py"),
    less={"1.60, oldest": ("more_hooks.py",)},
    variables={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    scenarios=(
        Scenario(
            "chat",
            lambda its: its.chat(temperature=0.5, max_tokens=9),
            f"chat {MODEL}",
            attributes(gen_ai__request__temperature=0.5, gen_ai__request__max_tokens=9),
            answered(_TEXT),
        ),
        Scenario(
            "tools",
            lambda its: its.chat(tools=TOOLS),
            f"chat {MODEL}",
            attributes(**_ASKED_TOOLS, gen_ai__usage__output_tokens=16),
            {**answered(*calls(), reason="tool_call"), **_TOOLS},
        ),
        turn_with_tools(lambda its: its.turn(), f"chat {MODEL}", "call_000001"),
        Scenario(
            "structured output",
            lambda its: its.chat(response_format=FORMAT),
            f"chat {MODEL}",
            attributes(gen_ai__output__type="json", gen_ai__usage__output_tokens=5),
            answered({"type": "text", "content": '{"city": "Lisbon"}'}),
        ),
        Scenario("stream", lambda its: its.pieces(its.stream()), f"chat {MODEL}", streamed(), answered(_TEXT)),
        Scenario(
            "stream with usage",
            lambda its: its.pieces(its.stream(stream_options={"include_usage": True})),
            f"chat {MODEL}",
            streamed(**{name.replace(".", "__"): value for name, value in USAGE.items()}),
        ),
        Scenario(
            "stream of tools",
            lambda its: its.pieces(its.stream(tools=TOOLS)),
            f"chat {MODEL}",
            streamed(**_ASKED_TOOLS),
            {**answered(*calls(), reason="tool_call"), **_TOOLS},
        ),
        Scenario(
            "abandoned stream",
            lambda its: its.leave(),
            f"chat {MODEL}",
            streamed(obs__response__stream_end="abandoned", gen_ai__response__finish_reasons=None),
        ),
        Scenario(
            "cancelled",
            lambda its: its.cancel(its.call("completion", **{**ASKED, "model": "openai/stub-wait=2"}), after=0.5),
            "chat stub-wait=2",
            other("chat", "openai", "stub-wait=2", error__type="asyncio.exceptions.CancelledError"),
            error="CancelledError",
            kinds=("async",),
        ),
        Scenario(
            "error",
            lambda its: its.chat(model="openai/stub-400"),
            "chat stub-400",
            other("chat", "openai", "stub-400", error__type="litellm.exceptions.BadRequestError"),
            error="BadRequestError",
        ),
        Scenario(
            "rate limit",
            lambda its: its.chat(model=f"openai/{MODEL}+429-once"),
            f"chat {MODEL}+429-once",
            attributes(gen_ai__request__model=f"{MODEL}+429-once"),
            answered(_TEXT),
        ),
        Scenario(
            "completion",
            lambda its: its.answer(its.call("text_completion", model=f"openai/{MODEL}", prompt="Where to?")),
            f"text_completion {MODEL}",
            attributes(
                "text_completion",
                openai__response__service_tier=None,
                openai__response__system_fingerprint=None,
            ),
            answered(_TEXT),
        ),
        Scenario(
            "embeddings",
            lambda its: its.run(its.call("embedding", model="openai/text-embedding-3-small", input=["Where to?"])),
            "embeddings text-embedding-3-small",
            other(
                "embeddings",
                "openai",
                "text-embedding-3-small",
                gen_ai__response__model="text-embedding-3-small",
                gen_ai__usage__input_tokens=3,
                obs__request__input_count=1,
            ),
        ),
        Scenario(
            "rerank",
            lambda its: (
                its.run(
                    its.call(
                        "rerank",
                        model="cohere/rerank-v3.5",
                        query="Where to?",
                        documents=["Lisbon", "Oslo", "Kyoto"],
                        top_n=2,
                        api_base=f"{its.stub.origin}/cohere",
                    )
                ).results
            ),
            "rerank rerank-v3.5",
            other(
                "rerank",
                "cohere",
                "rerank-v3.5",
                gen_ai__retrieval__top_k=2,
                obs__request__input_count=3,
                obs__retrieval__scores=(0.9, 0.45),
                obs__usage__search_units=1,
            ),
            {
                "gen_ai.retrieval.query.text": "Where to?",
                "gen_ai.retrieval.documents": [
                    {"content": "Kyoto", "id": "2", "score": 0.9},
                    {"content": "Oslo", "id": "1", "score": 0.45},
                ],
            },
        ),
        Scenario(
            "another provider",
            lambda its: its.answer(
                its.call("completion", **{**ASKED, "model": "ollama_chat/llama3.2", "api_base": its.stub.origin})
            ),
            "chat llama3.2",
            other(
                "chat",
                "ollama",
                "llama3.2",
                gen_ai__response__model="llama3.2",
                gen_ai__response__finish_reasons=("stop",),
                gen_ai__usage__input_tokens=3,
                gen_ai__usage__output_tokens=8,
            ),
            answered(_TEXT),
        ),
        Scenario(
            "response",
            lambda its: its.answer(its.call("responses", model=f"openai/{MODEL}", input="Where to?")),
            f"chat {MODEL}",
            attributes(
                gen_ai__response__status="completed",
                gen_ai__usage__cache_write__input_tokens=0,
                gen_ai__usage__audio__input_tokens=None,
                gen_ai__usage__audio__output_tokens=None,
                openai__response__system_fingerprint=None,
            ),
            answered(_TEXT),
            unless=OLD,
        ),
        Scenario(
            "stream of a response",
            lambda its: len(its.read(its.call("responses", model=f"openai/{MODEL}", input="Where to?", stream=True))),
            f"chat {MODEL}",
            attributes(
                **_STREAM,
                gen_ai__response__status="completed",
                gen_ai__usage__cache_write__input_tokens=0,
                gen_ai__usage__audio__input_tokens=None,
                gen_ai__usage__audio__output_tokens=None,
                openai__response__system_fingerprint=None,
            ),
            answered(_TEXT),
            unless=OLD,
        ),
        Scenario(
            "image",
            lambda its: its.run(its.call("image_generation", model="openai/gpt-image-1", prompt="Where to?")).usage,
            "image_generation gpt-image-1",
            other(
                "image_generation",
                "openai",
                "gpt-image-1",
                gen_ai__output__type="image",
                gen_ai__usage__input_tokens=3,
                gen_ai__usage__output_tokens=272,
                gen_ai__usage__text__input_tokens=3,
                gen_ai__usage__image__input_tokens=0,
                gen_ai__usage__text__output_tokens=0,
                gen_ai__usage__image__output_tokens=272,
            ),
            unless=OLD,
        ),
    ),
)
