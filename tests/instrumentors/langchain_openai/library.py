"""LangChain's chat models over OpenAI's client: the client reports the call, once."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tests.instrumentors.scenarios import Driver, Library, Scenario

MODEL = "gpt-5-mini"
PROMPT = "Where to?"
SCHEMA = {"title": "answer", "type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "weather", "description": "Tell it.", "parameters": SCHEMA}}


class LangChain(Driver):
    """``ChatOpenAI`` and ``OpenAIEmbeddings`` against the stub."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.package = import_module("langchain_openai")
        openai = import_module("openai")
        # Otherwise the models of all drivers share one client, and the event loop of the first.
        self.http = openai.DefaultHttpxClient() if kind == "sync" else openai.DefaultAsyncHttpxClient()
        name = "http_client" if kind == "sync" else "http_async_client"
        self.options = {"base_url": stub.url, "api_key": "none", name: self.http}

    def model(self, name: str = MODEL, **more: Any) -> Any:
        return self.package.ChatOpenAI(model=name, max_retries=1, **self.options, **more)

    def invoke(self, model: Any) -> Any:
        return self.run(model.invoke(PROMPT) if self.kind == "sync" else model.ainvoke(PROMPT))

    def stream(self) -> Any:
        return self.model().stream(PROMPT) if self.kind == "sync" else self.model().astream(PROMPT)

    def embed(self) -> Any:
        model = self.package.OpenAIEmbeddings(model=MODEL, check_embedding_ctx_length=False, **self.options)
        return self.run(model.embed_query(PROMPT) if self.kind == "sync" else model.aembed_query(PROMPT))

    def close(self) -> None:
        self.run(self.http.close() if self.kind == "sync" else self.http.aclose())
        super().close()


def attributes(operation: str = "chat", **more: Any) -> dict[str, Any]:
    told = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": MODEL,
        "gen_ai.response.model": f"{MODEL}-2025-08-07",
        "gen_ai.usage.input_tokens": 3,
    }
    if operation == "chat":
        told |= {
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.usage.output_tokens": 10,
            "gen_ai.usage.cache_read.input_tokens": 0,
            "gen_ai.usage.reasoning.output_tokens": 0,
            "gen_ai.usage.audio.input_tokens": 0,
            "gen_ai.usage.audio.output_tokens": 0,
            "openai.api.type": "chat_completions",
            "openai.response.service_tier": "default",
            "openai.response.system_fingerprint": "fp_stub",
        }
    told |= {name.replace("__", "."): value for name, value in more.items()}
    return {name: value for name, value in told.items() if value is not None}


CONTENT = {
    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": PROMPT}]}],
    "gen_ai.output.messages": [
        {
            "role": "assistant",
            "parts": [{"type": "text", "content": f"This is the stub's answer to: {PROMPT}"}],
            "finish_reason": "stop",
        }
    ],
}
LIBRARY = Library(
    name="openai",
    instrumentor="obs_instrumentors.openai",
    environments={"under langchain-openai 1": ("langchain-openai>=1", "openai")},
    driver=LangChain,
    scenarios=(
        Scenario("chat", lambda its: its.invoke(its.model()), f"chat {MODEL}", attributes(), CONTENT),
        Scenario(
            "tools",
            lambda its: its.invoke(its.model().bind_tools([TOOL])),
            f"chat {MODEL}",
            attributes(
                gen_ai__response__finish_reasons=("tool_call",),
                obs__response__tool_calls=("weather",),
                gen_ai__usage__output_tokens=8,
            ),
        ),
        Scenario(
            "stream",
            lambda its: its.read(its.stream()),
            f"chat {MODEL}",
            attributes(gen_ai__request__stream=True, obs__usage__source="requested"),
        ),
        Scenario(
            "rate limit",
            lambda its: its.invoke(its.model(f"{MODEL}+429-once")),
            f"chat {MODEL}+429-once",
            attributes(gen_ai__request__model=f"{MODEL}+429-once", obs__request__retries=1),
        ),
        Scenario(
            "embeddings",
            lambda its: its.embed(),
            f"embeddings {MODEL}",
            attributes("embeddings", obs__request__input_count=1, gen_ai__request__encoding_formats=("base64",)),
        ),
    ),
)
