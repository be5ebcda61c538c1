"""The scenario set of Google's client for Gemini."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tests.instrumentors.scenarios import Driver, Library, Scenario, turn_with_tools

MODEL = "gemini-2.5-flash"
EMBEDDER = "gemini-embedding-001"
SPAN = f"generate_content {MODEL}"
ASKED: dict[str, Any] = {"model": MODEL, "contents": "Where to?"}
ANSWER = "This is the stub's answer to: Where to?"
SCHEMA = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}}
_NAMES = ("weather", "hotels")
TOOLS = [{"function_declarations": [{"name": name, "parameters": SCHEMA} for name in _NAMES]}]
USER = {"role": "user", "parts": [{"type": "text", "content": "Where to?"}]}


class Gemini(Driver):
    """Google's client against the stub; two attempts, as an agent's settings would have it."""

    def __init__(self, kind: str, stub: Any, **more: Any) -> None:
        super().__init__(kind, stub)
        genai = import_module("google.genai")
        retries = {"attempts": 2, "initial_delay": 0.001, "max_delay": 0.002, "jitter": 0.001}
        options = {"base_url": stub.origin, "retry_options": retries}
        self.owner = genai.Client(http_options=options, **(more or {"api_key": "stub"}))
        self.client = self.owner if kind == "sync" else self.owner.aio

    def run(self, work: Any) -> Any:
        return undated(super().run(work))

    def read(self, stream: Any) -> list[Any]:
        return [undated(piece) for piece in super().read(stream)]

    def abandon(self, stream: Any) -> Any:
        return undated(super().abandon(stream))

    def generate(self, **more: Any) -> Any:
        return self.run(self.client.models.generate_content(**{**ASKED, **more}))

    def turn(self) -> Any:
        """Run the tools that the model wants; the first one fails."""
        first = self.generate(config={"tools": TOOLS})
        said = first.candidates[0].content
        parts = [
            {"function_response": {"name": call.name, "response": {"output": "rain"}}} for call in first.function_calls
        ]
        parts[0]["function_response"]["response"] = {"error": "no weather"}
        asked = [{"role": "user", "parts": [{"text": "Where to?"}]}, said, {"role": "user", "parts": parts}]
        return [first, self.generate(contents=asked, config={"tools": TOOLS})]

    def stream(self, **more: Any) -> Any:
        return self.client.models.generate_content_stream(**{**ASKED, **more})

    def close(self) -> None:
        closing = getattr(self.client, "close" if self.kind == "sync" else "aclose", None)
        if closing is not None:
            self.run(closing())
        super().close()


def undated(answer: Any) -> Any:
    """Return an answer without the date at which the stub gave it, so that two can be compared."""
    response = getattr(answer, "sdk_http_response", None)
    if response is not None:
        response.headers = {key: value for key, value in response.headers.items() if key.lower() != "date"}
    return answer


def attributes(operation: str = "generate_content", **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.request.model": MODEL,
    }
    if operation == "generate_content":
        told |= {
            "gen_ai.response.model": MODEL,
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.usage.input_tokens": 3,
            "gen_ai.usage.output_tokens": 6,
        }
    told |= {name.replace("__", "."): value for name, value in more.items()}
    return {name: value for name, value in told.items() if value is not None}


def answered(*parts: dict[str, Any], reason: str = "stop") -> dict[str, Any]:
    return {
        "gen_ai.input.messages": [USER],
        "gen_ai.output.messages": [{"role": "assistant", "parts": list(parts), "finish_reason": reason}],
    }


def failed(model: str, error: str, **more: Any) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.request.model": model,
        "error.type": error,
        **more,
    }


_TEXT = {"type": "text", "content": ANSWER}
_CALLS = [{"type": "tool_call", "id": None, "name": name, "arguments": {"city": "Lisbon"}} for name in _NAMES]
_TOOLS = {"gen_ai.tool.definitions": [{"type": "function", "name": name, "parameters": SCHEMA} for name in _NAMES]}
_STREAM: dict[str, Any] = {"gen_ai__request__stream": True}
_ASKED_TOOLS: dict[str, Any] = {
    "gen_ai__response__finish_reasons": ("tool_call",),
    "obs__response__tool_calls": _NAMES,
    "gen_ai__usage__output_tokens": 16,
}

_WITHOUT_INTERACTIONS = ("1.32, oldest",)

LIBRARY = Library(
    name="google_genai",
    instrumentor="obs_instrumentors.google_genai",
    environments={
        "1.32, oldest": ("google-genai==1.32.0", "hypothesis"),
        "2": ("google-genai>=2,<3",),
        "3, newest": ("google-genai>=3,<4", "hypothesis"),
        "3 on aiohttp": ("google-genai[aiohttp]>=3,<4",),
    },
    driver=Gemini,
    more=("more.py", "interactions.py", "more_wire.py", "live.py", "bodies.py"),
    less={"1.32, oldest": ("more_wire.py",), "2": ("bodies.py",), "3 on aiohttp": ("bodies.py",)},
    scenarios=(
        Scenario("chat", lambda its: its.generate(), SPAN, attributes(), answered(_TEXT)),
        Scenario(
            "tools",
            lambda its: its.generate(config={"tools": TOOLS}),
            SPAN,
            attributes(**_ASKED_TOOLS),
            {**answered(*_CALLS, reason="tool_call"), **_TOOLS},
        ),
        turn_with_tools(
            lambda its: its.turn(),
            SPAN,
            arguments={"city": "Lisbon"},
            result={"error": "no weather"},
            error="tool_error",
        ),
        Scenario(
            "structured output",
            lambda its: its.generate(
                config={"response_mime_type": "application/json", "response_schema": SCHEMA, "top_k": 3}
            ),
            SPAN,
            attributes(gen_ai__output__type="json", gen_ai__usage__output_tokens=4, gen_ai__request__top_k=3),
            answered({"type": "text", "content": '{"city": "Lisbon"}'}),
        ),
        Scenario("stream", lambda its: its.read(its.stream()), SPAN, attributes(**_STREAM), answered(_TEXT)),
        Scenario(
            "stream of tools",
            lambda its: its.read(its.stream(config={"tools": TOOLS})),
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
                gen_ai__usage__output_tokens=1,
            ),
        ),
        Scenario(
            "cancelled",
            lambda its: its.cancel(its.client.models.generate_content(**{**ASKED, "model": "stub-wait=2"})),
            "generate_content stub-wait=2",
            failed("stub-wait=2", "asyncio.exceptions.CancelledError"),
            error="CancelledError",
            kinds=("async",),
        ),
        Scenario(
            "error",
            lambda its: its.generate(model="stub-400"),
            "generate_content stub-400",
            failed("stub-400", "INVALID_ARGUMENT"),
            error="ClientError",
        ),
        Scenario(
            "rate limit",
            lambda its: its.generate(model="stub-429-once"),
            "generate_content stub-429-once",
            attributes(
                gen_ai__request__model="stub-429-once",
                gen_ai__response__model="stub-429-once",
                obs__request__retries=1,
            ),
            answered(_TEXT),
        ),
        Scenario(
            "embeddings",
            lambda its: its.run(
                its.client.models.embed_content(
                    model=EMBEDDER, contents=["Where to?", "And when?"], config={"output_dimensionality": 3}
                )
            ),
            f"embeddings {EMBEDDER}",
            attributes(
                "embeddings",
                gen_ai__request__model=EMBEDDER,
                obs__request__input_count=2,
                gen_ai__embeddings__dimension__count=3,
            ),
        ),
        Scenario(
            "interaction",
            lambda its: its.run(its.client.interactions.create(model=MODEL, input="Where to?")),
            SPAN,
            attributes(gen_ai__response__status="completed"),
            answered(_TEXT),
            unless=_WITHOUT_INTERACTIONS,
        ),
        Scenario(
            "stream of an interaction",
            lambda its: its.read(its.client.interactions.create(model=MODEL, input="Where to?", stream=True)),
            SPAN,
            attributes(gen_ai__response__status="completed", **_STREAM),
            answered(_TEXT),
            unless=_WITHOUT_INTERACTIONS,
        ),
    ),
)
