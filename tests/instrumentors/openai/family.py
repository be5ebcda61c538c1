"""The scenario set of OpenAI's client and of the libraries that were made like it."""

from __future__ import annotations

import warnings
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.instrumentors.openai.drivers import LIBRARIES, numbers_tries
from tests.instrumentors.scenarios import Driver, Library, Scenario, chat_turn, turn_with_tools

if TYPE_CHECKING:
    from collections.abc import Mapping

MODEL = "gpt-5-mini"
EMBEDDER = "text-embedding-3-small"
ASKED: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "Where to?"}]}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
FORM = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA}}
_NAMES = ("weather", "hotels")
TOOLS = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in _NAMES]
USER = {"role": "user", "parts": [{"type": "text", "content": "Where to?"}]}
_TEXT = {"type": "text", "content": "This is the stub's answer to: Where to?"}


class Client(Driver):
    """A client of the family against the stub."""

    def __init__(self, library: str, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        told = LIBRARIES[library]
        self.package = import_module(told.package)
        made = getattr(self.package, told.client if kind == "sync" else f"Async{told.client}")
        self.client = made(base_url=stub.url if told.version_in_url else stub.origin, api_key="none")

    def chat(self, **more: Any) -> Any:
        return self.run(self.client.chat.completions.create(**{**ASKED, **more}))

    def turn(self) -> Any:
        first = self.chat(tools=TOOLS)
        return chat_turn(self.chat, ASKED["messages"], first, first.choices[0].message, tools=TOOLS)

    def streamed(self, **more: Any) -> Any:
        return self.read(self.client.chat.completions.create(**{**ASKED, **more}, stream=True))

    def embedded(self, **more: Any) -> Any:
        return self.run(self.client.embeddings.create(model=EMBEDDER, input=["one", "two"], **more))

    def completed(self) -> Any:
        with warnings.catch_warnings():
            # The newest clients warn of an endpoint that will go.
            warnings.simplefilter("ignore", DeprecationWarning)
            return self.run(self.client.completions.create(model=MODEL, prompt="Where to?"))

    def message(self, **more: Any) -> Any:
        """Ask in Anthropic's format, as Fireworks takes it too."""
        return self.run(self.client.messages.create(**{**ASKED, "max_tokens": 100, **more}))

    def close(self) -> None:
        self.run(self.client.close())
        super().close()


def attributes(provider: str, operation: str = "chat", **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": MODEL,
    }
    if operation == "chat":
        told |= {
            "openai.api.type": "chat_completions",
            "gen_ai.response.model": "gpt-5-mini-2025-08-07",
            "gen_ai.response.finish_reasons": ("stop",),
            "openai.response.service_tier": "default",
            "openai.response.system_fingerprint": "fp_stub",
            **_used(),
        }
    told |= {name.replace("__", "."): value for name, value in more.items()}
    return {name: value for name, value in told.items() if value is not None}


def _used(tokens: int = 10) -> dict[str, Any]:
    return {
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": tokens,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "gen_ai.usage.audio.input_tokens": 0,
        "gen_ai.usage.audio.output_tokens": 0,
        "gen_ai.usage.reasoning.output_tokens": 0,
    }


def _nothing_used() -> dict[str, Any]:
    return {name.replace(".", "__"): None for name in _used()}


def failed(provider: str, model: str, error: str) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        "openai.api.type": "chat_completions",
        "error.type": error,
    }


def answered(*parts: dict[str, Any], reason: str = "stop") -> dict[str, Any]:
    return {
        "gen_ai.input.messages": [USER],
        "gen_ai.output.messages": [{"role": "assistant", "parts": list(parts), "finish_reason": reason}],
    }


def called(_: Driver) -> dict[str, Any]:
    """Return the tools that the model asked for, under the ids that the stub gives after a reset."""
    calls = [
        {"type": "tool_call", "id": f"call_{number:06d}", "name": name, "arguments": '{"city": "Lisbon"}'}
        for number, name in enumerate(_NAMES, 1)
    ]
    definitions = [{"type": "function", "name": name, "parameters": SCHEMA} for name in _NAMES]
    return {**answered(*calls, reason="tool_call"), "gen_ai.tool.definitions": definitions}


_STREAM: dict[str, Any] = {"gen_ai__request__stream": True, "obs__usage__source": "requested"}
_ASKED_TOOLS: dict[str, Any] = {
    "gen_ai__response__finish_reasons": ("tool_call",),
    "obs__response__tool_calls": _NAMES,
    "gen_ai__usage__output_tokens": 16,
}


def _retried(provider: str, driver: Driver) -> dict[str, Any]:
    """Return what a call tells that was tried twice."""
    assert isinstance(driver, Client)
    return attributes(
        provider,
        gen_ai__request__model="stub-429-once",
        gen_ai__response__model="stub-429-once",
        obs__request__retries=1 if numbers_tries(driver.package) else None,
    )


def chats(provider: str) -> tuple[Scenario, ...]:
    """Return the scenarios of chat completions, whole and streamed."""
    told = partial(attributes, provider)
    return (
        Scenario("chat", lambda its: its.chat(), f"chat {MODEL}", told(), answered(_TEXT)),
        Scenario("tools", lambda its: its.chat(tools=TOOLS), f"chat {MODEL}", told(**_ASKED_TOOLS), called),
        turn_with_tools(lambda its: its.turn(), f"chat {MODEL}", "call_000001"),
        Scenario(
            "structured output",
            lambda its: its.chat(response_format=FORM),
            f"chat {MODEL}",
            told(gen_ai__output__type="json", gen_ai__usage__output_tokens=5),
            answered({"type": "text", "content": '{"city": "Lisbon"}'}),
        ),
        Scenario("stream", lambda its: its.streamed(), f"chat {MODEL}", told(**_STREAM), answered(_TEXT)),
        Scenario(
            "stream of tools",
            lambda its: its.streamed(tools=TOOLS),
            f"chat {MODEL}",
            told(**_STREAM, **_ASKED_TOOLS),
            called,
        ),
        Scenario(
            "abandoned stream",
            lambda its: its.abandon(its.client.chat.completions.create(**ASKED, stream=True)),
            f"chat {MODEL}",
            told(
                gen_ai__request__stream=True,
                obs__response__stream_end="abandoned",
                gen_ai__response__finish_reasons=None,
                **_nothing_used(),
            ),
        ),
    )


def troubles(provider: str) -> tuple[Scenario, ...]:
    """Return the scenarios of calls that fail, or don't at once succeed."""
    return (
        Scenario(
            "cancelled",
            lambda its: its.cancel(its.client.chat.completions.create(**{**ASKED, "model": "stub-wait=2"})),
            "chat stub-wait=2",
            failed(provider, "stub-wait=2", "asyncio.exceptions.CancelledError"),
            error="CancelledError",
            kinds=("async",),
        ),
        Scenario(
            "error",
            lambda its: its.chat(model="stub-400"),
            "chat stub-400",
            failed(provider, "stub-400", "invalid_value"),
            error="BadRequestError",
        ),
        Scenario(
            "rate limit", lambda its: its.chat(model="stub-429-once"), "chat stub-429-once", partial(_retried, provider)
        ),
    )


def embeddings(provider: str, encoding: str | None = None, unless: tuple[str, ...] = ()) -> Scenario:
    """Return the scenario of embeddings; the family does not know ``encoding`` alike."""
    asked = {} if encoding is None else {"encoding_format": encoding}
    return Scenario(
        "embeddings",
        lambda its: its.embedded(**asked),
        f"embeddings {EMBEDDER}",
        attributes(
            provider,
            "embeddings",
            gen_ai__request__model=EMBEDDER,
            gen_ai__response__model=EMBEDDER,
            gen_ai__request__encoding_formats=None if encoding is None else (encoding,),
            gen_ai__usage__input_tokens=2,
            obs__request__input_count=2,
        ),
        unless=unless,
    )


def completions(provider: str, unless: tuple[str, ...] = ()) -> Scenario:
    """Return the scenario of legacy completions."""
    return Scenario(
        "text completion",
        lambda its: its.completed(),
        f"text_completion {MODEL}",
        attributes(
            provider,
            "text_completion",
            gen_ai__response__model="gpt-5-mini-2025-08-07",
            gen_ai__response__finish_reasons=("stop",),
            openai__response__system_fingerprint="fp_stub",
            **{name.replace(".", "__"): value for name, value in _used().items()},
        ),
        unless=unless,
    )


def library(name: str, environments: Mapping[str, tuple[str, ...]], *more: Scenario, **options: Any) -> Library:
    """Return a library of the family with what it has beside chat completions."""
    provider = LIBRARIES[name].provider
    return Library(
        name=name,
        instrumentor="obs_instrumentors.openai",
        environments=environments,
        driver=partial(Client, name),
        scenarios=(*chats(provider), *troubles(provider), *more),
        **{"more": ("../openai/test_modes.py",), **options},
    )
