"""Cohere's scenario set: the second version of its API, and the calls of the first."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any

from tests.instrumentors.scenarios import Driver, Library, Scenario, chat_turn, turn_with_tools

MODEL = "command-a-03-2025"
ASKED: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "Where to?"}]}
SAID: dict[str, Any] = {"model": MODEL, "message": "Where to?"}
ANSWER = "This is the stub's answer to: Where to?"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
_NAMES = ("weather", "hotels")
TOOLS = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in _NAMES]
CITY = {"city": {"type": "str", "description": "Where", "required": True}}
OLD_TOOLS = [{"name": name, "description": name, "parameter_definitions": CITY} for name in _NAMES]
USER = {"role": "user", "parts": [{"type": "text", "content": "Where to?"}]}


class Cohere(Driver):
    """Cohere's clients against the stub, each made when it is used: they keep their methods as they were then."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        httpx = import_module("httpx")
        # A second of waiting would be one for every fault that the tests inject.
        vars(import_module("cohere.core.http_client"))["INITIAL_RETRY_DELAY_SECONDS"] = 0.001
        self.http = httpx.Client() if kind == "sync" else httpx.AsyncClient()

    @property
    def v1(self) -> Any:
        return self._client("Client")

    @property
    def v2(self) -> Any:
        return self._client("ClientV2")

    def retrying(self) -> dict[str, Any]:
        return {"request_options": {"max_retries": 2}}

    def _client(self, name: str) -> Any:
        made = getattr(import_module("cohere"), name if self.kind == "sync" else f"Async{name}")
        return made("none", base_url=f"{self.stub.origin}/cohere", httpx_client=self.http)

    def turn(self) -> Any:
        def ask(**more: Any) -> Any:
            return self.run(self.v2.chat(**{**ASKED, **more}))

        first = ask(tools=TOOLS)
        return chat_turn(ask, ASKED["messages"], first, first.message, tools=TOOLS)

    def old_turn(self) -> Any:
        """Do the same in the first version, where results name what was called."""
        first = self.run(self.v1.chat(**SAID, tools=OLD_TOOLS))
        results = [
            {"call": {"name": call.name, "parameters": call.parameters}, "outputs": [{"sky": "rain"}]}
            for call in first.tool_calls
        ]
        again = self.run(self.v1.chat(**SAID, tools=OLD_TOOLS, tool_results=results, force_single_step=True))
        return [first, again]

    def close(self) -> None:
        self.run(self.http.close() if self.kind == "sync" else self.http.aclose())
        super().close()


def attributes(operation: str = "chat", **more: Any) -> dict[str, Any]:
    told = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": "cohere",
        "gen_ai.request.model": MODEL,
        "gen_ai.usage.input_tokens": 3,
    }
    if operation in ("chat", "text_completion"):
        told |= {"gen_ai.response.finish_reasons": ("stop",), "gen_ai.usage.output_tokens": 8}
    told |= {name.replace("__", "."): value for name, value in more.items()}
    return {name: value for name, value in told.items() if value is not None}


def answered(*parts: dict[str, Any], reason: str | None = "stop") -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "parts": list(parts)}
    told = message if reason is None else {**message, "finish_reason": reason}
    return {"gen_ai.input.messages": [USER], "gen_ai.output.messages": [told]}


def calls(*ids: str | None) -> list[dict[str, Any]]:
    return [
        # The older version has objects where the newer one has text, and no ids.
        {
            "type": "tool_call",
            "id": call_id,
            "name": name,
            "arguments": {"city": "Lisbon"} if call_id is None else '{"city": "Lisbon"}',
        }
        for call_id, name in zip(ids, _NAMES, strict=True)
    ]


_TEXT = {"type": "text", "content": ANSWER}
_PLAN = {"type": "reasoning", "content": "I will look it up."}
_IDS = ("weather_000001", "hotels_000001")
_TOOLS = {"gen_ai.tool.definitions": [{"type": "function", "name": name, "parameters": SCHEMA} for name in _NAMES]}
_OLD_TOOLS = {
    "gen_ai.tool.definitions": [
        {"type": "function", "name": name, "description": name, "parameters": CITY} for name in _NAMES
    ]
}
_STREAM: dict[str, Any] = {"gen_ai__request__stream": True}
_ASKED_TOOLS: dict[str, Any] = {
    "gen_ai__response__finish_reasons": ("tool_call",),
    "obs__response__tool_calls": _NAMES,
}
_RERANKED: dict[str, Any] = {
    "gen_ai__usage__input_tokens": None,
    "gen_ai__retrieval__top_k": 2,
    "obs__request__input_count": 3,
    "obs__retrieval__scores": (0.9, 0.45),
    "obs__usage__search_units": 1,
}
_RANKED = {
    "gen_ai.retrieval.query.text": "Where to?",
    "gen_ai.retrieval.documents": [
        {"content": "Kyoto", "id": "2", "score": 0.9},
        {"content": "Oslo", "id": "1", "score": 0.45},
    ],
}
_TO_RANK: dict[str, Any] = {
    "model": MODEL,
    "query": "Where to?",
    "documents": ["Lisbon", "Oslo", "Kyoto"],
    "top_n": 2,
}
_UNKNOWN: dict[str, Any] = {
    "gen_ai__response__finish_reasons": None,
    "gen_ai__usage__input_tokens": None,
    "gen_ai__usage__output_tokens": None,
}


def abandoned(name: str, call: Any, operation: str = "chat") -> Scenario:
    told = attributes(operation, **_STREAM, **_UNKNOWN, obs__response__stream_end="abandoned")
    return Scenario(name, call, f"{operation} {MODEL}", told)


LIBRARY = Library(
    name="cohere",
    instrumentor="obs_instrumentors.cohere",
    environments={
        "5.11, oldest": ("cohere==5.11.0",),
        "5, newest": ("cohere>=5,<6",),
        "6, newest": ("cohere>=6,<7",),
        "7, newest": ("cohere>=7,<8",),
    },
    driver=Cohere,
    more=("more.py",),
    scenarios=(
        Scenario(
            "chat",
            lambda its: its.run(its.v2.chat(**ASKED, p=0.9, k=5, temperature=0.5, max_tokens=9, seed=7)),
            f"chat {MODEL}",
            attributes(
                gen_ai__request__top_p=0.9,
                gen_ai__request__top_k=5,
                gen_ai__request__temperature=0.5,
                gen_ai__request__max_tokens=9,
                gen_ai__request__seed=7,
            ),
            answered(_TEXT),
        ),
        Scenario(
            "tools",
            lambda its: its.run(its.v2.chat(**ASKED, tools=TOOLS)),
            f"chat {MODEL}",
            attributes(**_ASKED_TOOLS),
            {**answered(_PLAN, *calls(*_IDS), reason="tool_call"), **_TOOLS},
        ),
        turn_with_tools(lambda its: its.turn(), f"chat {MODEL}", "weather_000001"),
        Scenario(
            "structured output",
            lambda its: its.run(its.v2.chat(**ASKED, response_format={"type": "json_object", "json_schema": SCHEMA})),
            f"chat {MODEL}",
            attributes(gen_ai__output__type="json", gen_ai__usage__output_tokens=2),
            answered({"type": "text", "content": '{"city": "Lisbon"}'}),
        ),
        Scenario(
            "stream",
            lambda its: its.read(its.v2.chat_stream(**ASKED)),
            f"chat {MODEL}",
            attributes(**_STREAM),
            answered(_TEXT),
        ),
        Scenario(
            "stream of tools",
            lambda its: its.read(its.v2.chat_stream(**ASKED, tools=TOOLS)),
            f"chat {MODEL}",
            attributes(**_STREAM, **_ASKED_TOOLS),
            {**answered(_PLAN, *calls(*_IDS), reason="tool_call"), **_TOOLS},
        ),
        abandoned("abandoned stream", lambda its: its.abandon(its.v2.chat_stream(**ASKED))),
        Scenario(
            "cancelled",
            lambda its: its.cancel(its.v2.chat(**{**ASKED, "model": "stub-wait=2"})),
            "chat stub-wait=2",
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "cohere",
                "gen_ai.request.model": "stub-wait=2",
                "error.type": "asyncio.exceptions.CancelledError",
            },
            error="CancelledError",
            kinds=("async",),
        ),
        Scenario(
            "error",
            lambda its: its.run(its.v2.chat(**{**ASKED, "model": "stub-400"})),
            "chat stub-400",
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "cohere",
                "gen_ai.request.model": "stub-400",
                "error.type": "cohere.errors.bad_request_error.BadRequestError",
            },
            error="BadRequestError",
        ),
        Scenario(
            "rate limit",
            lambda its: its.run(its.v2.chat(**{**ASKED, "model": f"{MODEL}+429-once"}, **its.retrying())),
            f"chat {MODEL}+429-once",
            attributes(gen_ai__request__model=f"{MODEL}+429-once", obs__request__retries=1),
            answered(_TEXT),
        ),
        Scenario(
            "embeddings",
            lambda its: its.run(
                its.v2.embed(model=MODEL, input_type="search_query", texts=["Where to?"], embedding_types=["float"])
            ),
            f"embeddings {MODEL}",
            attributes("embeddings", obs__request__input_count=1, gen_ai__request__encoding_formats=("float",)),
        ),
        Scenario(
            "rerank",
            lambda its: its.run(its.v2.rerank(**_TO_RANK)),
            f"rerank {MODEL}",
            attributes("rerank", **_RERANKED),
            _RANKED,
        ),
        Scenario(
            "v1 chat",
            lambda its: its.run(its.v1.chat(**SAID, preamble="Be brief.", conversation_id="trip")),
            f"chat {MODEL}",
            attributes(gen_ai__conversation__id="trip"),
            {**answered(_TEXT), "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}]},
        ),
        Scenario(
            "v1 tools",
            lambda its: its.run(its.v1.chat(**SAID, tools=OLD_TOOLS)),
            f"chat {MODEL}",
            attributes(**_ASKED_TOOLS, gen_ai__usage__output_tokens=0),
            {**answered(*calls(None, None), reason="tool_call"), **_OLD_TOOLS},
        ),
        replace(
            turn_with_tools(
                lambda its: its.old_turn(),
                f"chat {MODEL}",
                arguments={"city": "Lisbon"},
                result=[{"sky": "rain"}],
            ),
            name="v1 turn with tools",
        ),
        Scenario(
            "v1 stream",
            lambda its: its.read(its.v1.chat_stream(**SAID)),
            f"chat {MODEL}",
            attributes(**_STREAM),
            answered(_TEXT),
        ),
        abandoned("v1 abandoned stream", lambda its: its.abandon(its.v1.chat_stream(**SAID))),
        Scenario(
            "v1 completion",
            lambda its: its.run(its.v1.generate(model=MODEL, prompt="Where to?", end_sequences=["."])),
            f"text_completion {MODEL}",
            attributes("text_completion", gen_ai__request__stop_sequences=(".",)),
            answered(_TEXT),
        ),
        Scenario(
            "v1 stream of a completion",
            lambda its: its.read(its.v1.generate_stream(model=MODEL, prompt="Where to?")),
            f"text_completion {MODEL}",
            attributes(
                "text_completion", **_STREAM, gen_ai__usage__input_tokens=None, gen_ai__usage__output_tokens=None
            ),
            answered(_TEXT),
        ),
        Scenario(
            "v1 embeddings",
            lambda its: its.run(its.v1.embed(model=MODEL, input_type="search_query", texts=["Where to?"] * 200)),
            f"embeddings {MODEL}",
            attributes("embeddings", obs__request__input_count=200, gen_ai__usage__input_tokens=450),
        ),
        Scenario(
            "v1 rerank",
            lambda its: its.run(its.v1.rerank(**_TO_RANK)),
            f"rerank {MODEL}",
            attributes("rerank", **_RERANKED),
            _RANKED,
        ),
        Scenario(
            "v1 classification",
            lambda its: its.run(
                its.v1.classify(
                    model=MODEL,
                    inputs=["Lisbon", "Kyoto"],
                    examples=[{"text": "Porto", "label": "near"}, {"text": "Oslo", "label": "far"}],
                )
            ),
            f"classification {MODEL}",
            attributes("classification", gen_ai__usage__input_tokens=None, obs__request__input_count=2),
        ),
    ),
)
