"""Model calls by plain HTTP: the same scenarios for each HTTP library, in the wire formats that agents speak."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.instrumentors.scenarios import Driver, Scenario, chat_turn, turn_with_tools

if TYPE_CHECKING:
    from collections.abc import Sequence

MODEL = "llama3.2"
MESSAGES = [{"role": "user", "content": "Where to?"}]
ASKED: dict[str, Any] = {"model": MODEL, "messages": MESSAGES}
ANSWER = "This is the stub's answer to: Where to?"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in ("weather", "hotels")]
CHAT = "/v1/chat/completions"
GEMINI = "/v1beta/models/gemini-2.5-flash"
CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "Where to?"}]}]}
WHOLE = "whole"
WAYS: tuple[str, ...] = (WHOLE, "lines", "pieces")


class HttpDriver(Driver):
    """An HTTP library against the stub; what it gives is status and body, or the pieces of a body."""

    ways: tuple[str, ...] = WAYS
    """How the library's responses can be read."""

    def post(self, path: str, body: Any, **more: Any) -> tuple[int, bytes]:
        """Send a body as JSON and return status and body of the answer."""
        raise NotImplementedError

    def stream(self, path: str, body: Any, way: str = "lines", **more: Any) -> list[Any]:
        """Send a body and read the answer piece by piece."""
        raise NotImplementedError

    def leave(self, path: str, body: Any) -> Any:
        """Send a body, read the first piece of the answer, let go of it without closing it, and return the piece."""
        raise NotImplementedError

    def wait(self, path: str, body: Any) -> Any:
        """Return the coroutine of a request, for async libraries."""
        raise NotImplementedError

    def url(self, path: str) -> str:
        """Return the URL of a path of the stub, or of another server."""
        return path if path.startswith("http") else self.stub.origin + path

    def value(self, path: str, body: Any, **more: Any) -> Any:
        """Return status and JSON of an answer."""
        status, raw = self.post(path, body, **more)
        return status, json.loads(raw)

    def turn(self) -> list[Any]:
        """Ask, and again with the results of the tools that the model wants."""
        first = self.value(CHAT, {**ASKED, "tools": TOOLS})[1]

        def ask(**more: Any) -> Any:
            return self.value(CHAT, {**ASKED, **more})[1]

        return chat_turn(ask, MESSAGES, first, first["choices"][0]["message"], tools=TOOLS)


def attributes(operation: str = "chat", provider: str = "openai", **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": MODEL,
        "gen_ai.response.model": MODEL,
        "gen_ai.usage.input_tokens": 3,
    }
    if operation != "embeddings":
        told |= {"gen_ai.response.finish_reasons": ("stop",)}
    if provider == "openai" and operation == "chat":
        told |= {"openai.api.type": "chat_completions"}
    told |= {name.replace("__", "."): value for name, value in more.items()}
    return {name: value for name, value in told.items() if value is not None}


def failed(error: str, model: str, provider: str = "openai", **more: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {
        "gen_ai__request__model": model,
        "gen_ai__response__model": None,
        "gen_ai__usage__input_tokens": None,
        "gen_ai__response__finish_reasons": None,
        "error__type": error,
    }
    return attributes(provider=provider, **{**nothing, **more})


_STREAM: dict[str, Any] = {"gen_ai__request__stream": True}
_USER = {"role": "user", "parts": [{"type": "text", "content": "Where to?"}]}
_TEXT = {"type": "text", "content": ANSWER}
_CONTENT = {
    "gen_ai.input.messages": [_USER],
    "gen_ai.output.messages": [{"role": "assistant", "parts": [_TEXT], "finish_reason": "stop"}],
}
_TOKENS: dict[str, Any] = {"gen_ai__usage__output_tokens": 10}
_ANTHROPIC: dict[str, Any] = {
    "anthropic__message__stop_reason": "end_turn",
    "anthropic__response__service_tier": "standard",
    **_TOKENS,
}
_STUB: dict[str, Any] = {"openai__response__service_tier": "default", "openai__response__system_fingerprint": "fp_stub"}
_DETAILS: dict[str, Any] = {
    "gen_ai__usage__cache_read__input_tokens": 0,
    "gen_ai__usage__reasoning__output_tokens": 0,
    "gen_ai__usage__audio__input_tokens": 0,
    "gen_ai__usage__audio__output_tokens": 0,
    **_STUB,
}
_COHERE: dict[str, Any] = {"gen_ai__response__model": None, "gen_ai__usage__output_tokens": 8}
_OLLAMA: dict[str, Any] = {"provider": "ollama", "gen_ai__usage__output_tokens": 8}


def scenarios(
    kinds: tuple[str, ...], *, error_of_status: str | None = None, reads_ahead: bool = False
) -> tuple[Scenario, ...]:
    """Return the scenarios; ``error_of_status`` is the exception of a library that raises what others return.

    With ``reads_ahead`` the first event of a stream has come in whole when the agent reads the first byte of it.
    """
    error = error_of_status
    return (
        Scenario(
            "chat", lambda its: its.value(CHAT, ASKED), f"chat {MODEL}", attributes(**_TOKENS, **_DETAILS), _CONTENT
        ),
        Scenario(
            "ollama",
            lambda its: its.value("/api/chat", {**ASKED, "stream": False}),
            f"chat {MODEL}",
            attributes(**_OLLAMA),
            _CONTENT,
        ),
        Scenario(
            "ollama stream",
            lambda its: its.stream("/api/chat", ASKED),
            f"chat {MODEL}",
            attributes(**_OLLAMA, **_STREAM),
            _CONTENT,
        ),
        Scenario(
            "anthropic",
            lambda its: its.value("/v1/messages", {**ASKED, "max_tokens": 9}),
            f"chat {MODEL}",
            attributes(provider="anthropic", gen_ai__request__max_tokens=9, **_ANTHROPIC),
            _CONTENT,
        ),
        Scenario(
            "anthropic stream",
            lambda its: its.stream("/v1/messages", {**ASKED, "max_tokens": 9, "stream": True}),
            f"chat {MODEL}",
            attributes(provider="anthropic", gen_ai__request__max_tokens=9, **_ANTHROPIC, **_STREAM),
            _CONTENT,
        ),
        Scenario(
            "gemini",
            lambda its: its.value(f"{GEMINI}:generateContent", CONTENTS),
            "generate_content gemini-2.5-flash",
            _gemini(),
            _CONTENT,
        ),
        Scenario(
            "gemini stream",
            lambda its: its.stream(f"{GEMINI}:streamGenerateContent?alt=sse", CONTENTS),
            "generate_content gemini-2.5-flash",
            _gemini(**_STREAM),
            _CONTENT,
        ),
        Scenario(
            "stream",
            lambda its: its.stream(CHAT, {**ASKED, "stream": True, "stream_options": {"include_usage": True}}),
            f"chat {MODEL}",
            attributes(**_TOKENS, **_STREAM, **_DETAILS),
            _CONTENT,
        ),
        Scenario(
            "stream of tools",
            lambda its: its.stream(CHAT, {**ASKED, "stream": True, "tools": TOOLS}, "pieces"),
            f"chat {MODEL}",
            attributes(
                **_STREAM,
                gen_ai__response__finish_reasons=("tool_call",),
                gen_ai__usage__input_tokens=None,
                obs__response__tool_calls=("weather", "hotels"),
                **_STUB,
            ),
        ),
        Scenario(
            "tools",
            lambda its: its.value(CHAT, {**ASKED, "tools": TOOLS})[0],
            f"chat {MODEL}",
            attributes(
                gen_ai__response__finish_reasons=("tool_call",),
                obs__response__tool_calls=("weather", "hotels"),
                **{**_DETAILS, "gen_ai__usage__output_tokens": 16},
            ),
        ),
        turn_with_tools(lambda its: its.turn(), f"chat {MODEL}", "call_000001"),
        Scenario(
            "abandoned stream",
            lambda its: its.leave(CHAT, {**ASKED, "model": f"{MODEL}+slow=0.1", "stream": True}),
            f"chat {MODEL}+slow=0.1",
            attributes(
                **_STREAM,
                gen_ai__request__model=f"{MODEL}+slow=0.1",
                gen_ai__response__finish_reasons=None,
                gen_ai__usage__input_tokens=None,
                obs__response__stream_end="abandoned",
                **(_STUB if reads_ahead else {"gen_ai__response__model": None}),
            ),
        ),
        Scenario(
            "cancelled",
            lambda its: its.cancel(its.wait("/api/chat", {**ASKED, "model": "stub-wait=2"})),
            "chat stub-wait=2",
            failed("asyncio.exceptions.CancelledError", "stub-wait=2", "ollama", **_STREAM),
            error="CancelledError",
            kinds=tuple(kind for kind in kinds if kind == "async"),
        ),
        Scenario(
            "error",
            lambda its: its.value(CHAT, {**ASKED, "model": "stub-400"}),
            "chat stub-400",
            failed("400" if error else "invalid_value", "stub-400"),
            error=error,
            kinds=kinds,
        ),
        Scenario(
            "rate limit",
            lambda its: its.value("/api/chat", {**ASKED, "model": "stub-429", "stream": False}),
            "chat stub-429",
            failed("429", "stub-429", "ollama"),
            error=error,
            kinds=kinds,
        ),
        Scenario(
            "embeddings",
            lambda its: its.value("/v1/embeddings", {"model": MODEL, "input": ["Where", "to?"]}),
            f"embeddings {MODEL}",
            attributes("embeddings", obs__request__input_count=2, gen_ai__usage__input_tokens=3),
        ),
        Scenario(
            "ollama embeddings",
            lambda its: its.value("/api/embed", {"model": MODEL, "input": ["Where to?"]}),
            f"embeddings {MODEL}",
            attributes("embeddings", "ollama", obs__request__input_count=1),
        ),
        Scenario(
            "cohere",
            lambda its: its.value("/v2/chat", ASKED),
            f"chat {MODEL}",
            attributes(provider="cohere", **_COHERE),
            _CONTENT,
        ),
        Scenario(
            "cohere stream",
            lambda its: its.stream("/v2/chat", {**ASKED, "stream": True}),
            f"chat {MODEL}",
            attributes(provider="cohere", **_COHERE, **_STREAM),
            _CONTENT,
        ),
        Scenario(
            "cohere embeddings",
            lambda its: its.value("/v2/embed", {"model": MODEL, "texts": ["Where to?"], "embedding_types": ["int8"]}),
            f"embeddings {MODEL}",
            attributes(
                "embeddings",
                "cohere",
                gen_ai__response__model=None,
                gen_ai__request__encoding_formats=("int8",),
                obs__request__input_count=1,
            ),
        ),
        Scenario(
            "rerank",
            lambda its: its.value("/v2/rerank", {"model": MODEL, "query": "Where to?", "documents": ["a", "b"]}),
            f"rerank {MODEL}",
            attributes(
                "rerank",
                "cohere",
                gen_ai__response__model=None,
                gen_ai__response__finish_reasons=None,
                gen_ai__usage__input_tokens=None,
                obs__request__input_count=2,
                obs__retrieval__scores=(0.9, 0.45),
                obs__usage__search_units=1,
            ),
        ),
        Scenario(
            "responses stream",
            lambda its: its.stream("/v1/responses", {"model": MODEL, "input": "Where to?", "stream": True}, WHOLE),
            f"chat {MODEL}",
            attributes(
                **_STREAM,
                openai__api__type="responses",
                openai__response__service_tier="default",
                gen_ai__usage__output_tokens=10,
                gen_ai__response__status="completed",
                gen_ai__usage__cache_read__input_tokens=0,
                gen_ai__usage__cache_write__input_tokens=0,
                gen_ai__usage__reasoning__output_tokens=0,
            ),
        ),
    )


def _gemini(**more: Any) -> dict[str, Any]:
    model = "gemini-2.5-flash"
    return attributes(
        "generate_content",
        "gcp.gemini",
        gen_ai__request__model=model,
        gen_ai__response__model=model,
        gen_ai__usage__output_tokens=6,
        **more,
    )


def joined(pieces: Sequence[bytes | str]) -> bytes:
    """Return what pieces of a body are together."""
    return b"".join(piece.encode() if isinstance(piece, str) else piece for piece in pieces)
