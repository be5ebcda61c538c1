"""Mistral's scenario set."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Any

from tests.instrumentors.scenarios import Driver, Library, Scenario, chat_turn, turn_with_tools

MODEL = "mistral-small-latest"
SPAN = f"chat {MODEL}"
# Some releases have values of their own for these.
SAMPLING = {"temperature": 0.5, "top_p": 0.75}
ASKED: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "Where to?"}], **SAMPLING}
ANSWER = "This is the stub's answer to: Where to?"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
_NAMES = ("weather", "hotels")
TOOLS = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in _NAMES]
USER = {"role": "user", "parts": [{"type": "text", "content": "Where to?"}]}


class Mistral(Driver):
    """Mistral's client against the stub."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        root = "mistralai" if version("mistralai").startswith("1.") else "mistralai.client"
        utils = import_module(f"{root}.utils")
        retries = utils.RetryConfig("backoff", utils.BackoffStrategy(1, 2, 1.1, 500), retry_connection_errors=False)
        made = import_module(root).Mistral
        self.client = made(api_key="stub", server_url=f"{stub.origin}/mistral", retry_config=retries)

    def call(self, resource: Any, method: str, **arguments: Any) -> Any:
        """Return what a method returns, under its sync or async name."""
        return getattr(resource, method if self.kind == "sync" else f"{method}_async")(**arguments)

    def chat(self, **more: Any) -> Any:
        return self.run(self.call(self.client.chat, "complete", **{**ASKED, **more}))

    def turn(self) -> Any:
        first = self.chat(tools=TOOLS)
        return chat_turn(self.chat, ASKED["messages"], first, first.choices[0].message, tools=TOOLS)

    def stream(self, **more: Any) -> Any:
        return self.call(self.client.chat, "stream", **{**ASKED, **more})


_SAMPLED = {f"gen_ai.request.{name}": value for name, value in SAMPLING.items()}


def attributes(operation: str = "chat", **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.request.model": MODEL,
        "gen_ai.response.model": MODEL,
        "gen_ai.usage.input_tokens": 3,
    }
    if operation != "embeddings":
        told |= _SAMPLED
        told |= {"gen_ai.response.finish_reasons": ("stop",), "gen_ai.usage.output_tokens": 10}
    told |= {name.replace("__", "."): value for name, value in more.items()}
    return {name: value for name, value in told.items() if value is not None}


def failed(model: str, error: str) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.request.model": model,
        "error.type": error,
        **_SAMPLED,
    }


def answered(*parts: dict[str, Any], reason: str = "stop") -> dict[str, Any]:
    return {
        "gen_ai.input.messages": [USER],
        "gen_ai.output.messages": [{"role": "assistant", "parts": list(parts), "finish_reason": reason}],
    }


_TEXT = {"type": "text", "content": ANSWER}
_CALLS = [
    {"type": "tool_call", "id": f"call_00000{number}", "name": name, "arguments": '{"city": "Lisbon"}'}
    for number, name in enumerate(_NAMES, 1)
]
_TOOLS = {"gen_ai.tool.definitions": [{"type": "function", "name": name, "parameters": SCHEMA} for name in _NAMES]}
_STREAM: dict[str, Any] = {"gen_ai__request__stream": True}
_ASKED_TOOLS: dict[str, Any] = {
    "gen_ai__response__finish_reasons": ("tool_call",),
    "obs__response__tool_calls": _NAMES,
    "gen_ai__usage__output_tokens": 16,
}

LIBRARY = Library(
    name="mistralai",
    instrumentor="obs_instrumentors.mistralai",
    environments={
        "1.5, oldest": ("mistralai==1.5.2",),
        "1": ("mistralai>=1,<2",),
        "2.0": ("mistralai==2.0.0",),
        "2": ("mistralai>=2,<3",),
        "3, newest": ("mistralai>=3,<4",),
    },
    traces_itself=("1", "2.0"),
    driver=Mistral,
    more=("more.py",),
    scenarios=(
        Scenario("chat", lambda its: its.chat(), SPAN, attributes(), answered(_TEXT)),
        Scenario(
            "tools",
            lambda its: its.chat(tools=TOOLS),
            SPAN,
            attributes(**_ASKED_TOOLS),
            {**answered(*_CALLS, reason="tool_call"), **_TOOLS},
        ),
        turn_with_tools(lambda its: its.turn(), SPAN, "call_000001"),
        Scenario(
            "structured output",
            lambda its: its.chat(response_format={"type": "json_object"}),
            SPAN,
            attributes(gen_ai__output__type="json", gen_ai__usage__output_tokens=14),
            answered({"type": "text", "content": f'{{"answer": "{ANSWER}"}}'}),
        ),
        Scenario("stream", lambda its: its.read(its.stream()), SPAN, attributes(**_STREAM), answered(_TEXT)),
        Scenario(
            "stream of tools",
            lambda its: its.read(its.stream(tools=TOOLS)),
            SPAN,
            attributes(**_STREAM, **_ASKED_TOOLS),
            {**answered(*_CALLS, reason="tool_call"), **_TOOLS},
        ),
        Scenario(
            "abandoned stream",
            lambda its: its.abandon(its.stream()),
            SPAN,
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
            lambda its: its.cancel(its.client.chat.complete_async(**{**ASKED, "model": "stub-wait=2"})),
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
            error="SDKError",
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
            answered(_TEXT),
        ),
        Scenario(
            "embeddings",
            lambda its: its.run(its.call(its.client.embeddings, "create", model=MODEL, inputs=["Where to?"])),
            f"embeddings {MODEL}",
            attributes("embeddings", obs__request__input_count=1),
        ),
        Scenario(
            "fill in the middle",
            lambda its: its.run(
                its.call(its.client.fim, "complete", model=MODEL, prompt="Where", suffix=" to?", **SAMPLING)
            ),
            f"text_completion {MODEL}",
            attributes("text_completion", gen_ai__usage__input_tokens=2, gen_ai__usage__output_tokens=9),
            {
                "gen_ai.input.messages": [
                    {
                        "role": "user",
                        "parts": [{"type": "text", "content": "Where"}, {"type": "text", "content": " to?"}],
                    }
                ],
                "gen_ai.output.messages": [
                    {
                        "role": "assistant",
                        "parts": [{"type": "text", "content": "This is the stub's answer to: Where"}],
                        "finish_reason": "stop",
                    }
                ],
            },
        ),
        Scenario(
            "agent",
            lambda its: its.run(its.call(its.client.agents, "complete", agent_id="ag_1", messages=ASKED["messages"])),
            "chat",
            attributes(
                gen_ai__request__model=None,
                gen_ai__request__temperature=None,
                gen_ai__request__top_p=None,
                gen_ai__response__model="stub",
                gen_ai__agent__id="ag_1",
            ),
            answered(_TEXT),
        ),
    ),
)
