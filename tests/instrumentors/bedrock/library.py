"""Bedrock's scenario set: boto3, and aiobotocore as its async twin."""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module
from typing import Any

from tests.instrumentors.scenarios import Driver, Library, Scenario, turn_with_tools

MODEL = "amazon.nova-lite-v1:0"
BROKEN = "amazon.nova-lite-v1+stream-error=3"
CLAUDE = "anthropic.claude-3-5-haiku-20241022-v1:0"
ANSWER = "This is the stub's answer to: Where to?"
ASKED: dict[str, Any] = {
    "modelId": MODEL,
    "messages": [{"role": "user", "content": [{"text": "Where to?"}]}],
    "inferenceConfig": {"maxTokens": 50, "temperature": 0.5, "topP": 0.75, "stopSequences": ["END"]},
}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
NAMES = ("weather", "hotels")
TOOLS = {"tools": [{"toolSpec": {"name": name, "inputSchema": {"json": SCHEMA}}} for name in NAMES]}
CLAUDE_TOOLS = [{"name": name, "input_schema": SCHEMA} for name in NAMES]
USER = {"role": "user", "parts": [{"type": "text", "content": "Where to?"}]}
WIDE = {"region_name": "us-east-1", "aws_access_key_id": "stub", "aws_secret_access_key": "stub"}
MESSAGES = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "Where to?"}],
}
AGENT = {"agentId": "AGENT12345", "agentAliasId": "ALIAS12345", "sessionId": "session-1", "inputText": "Where to?"}


class Bedrock(Driver):
    """botocore's clients against the stub."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        # What a client waits before it tries again is chance, up to a second.
        import_module("botocore.retries.standard").ExponentialBackoff.delay_amount = lambda *_: 0.01
        config = import_module("botocore.config").Config(retries={"mode": "standard", "max_attempts": 2})
        self.contexts: list[Any] = []
        more = {**WIDE, "endpoint_url": stub.origin, "config": config}
        self.client = self.made("bedrock-runtime", **more)
        self.agents = self.made("bedrock-agent-runtime", **more)

    def made(self, service: str, **more: Any) -> Any:
        if self.kind == "sync":
            return import_module("boto3").client(service, **more)
        context = session().create_client(service, **more)
        self.contexts.append(context)
        return self.run(context.__aenter__())

    def chat(self, **more: Any) -> Any:
        return plain(self.run(self.client.converse(**{**ASKED, **more})))

    def streamed(self, call: Any, name: str = "stream") -> list[Any]:
        """Return the pieces of a stream that stands in what a call returned."""
        returned = self.run(call)
        return [type(returned[name]), *self.read(returned[name])]

    def left(self, call: Any, name: str = "stream") -> Any:
        """Read one piece of a stream and let go of it."""
        return self.abandon(self.run(call)[name])

    def invoke(self, body: dict[str, Any], model: str = MODEL) -> Any:
        """Read the body of an answer; it can be read once only."""
        returned = self.run(self.client.invoke_model(modelId=model, body=json.dumps(body)))
        said = self.run(returned["body"].read())
        return type(returned["body"]), said, self.run(returned["body"].read())

    def pieces(self, body: dict[str, Any], model: str = MODEL) -> list[Any]:
        call = self.client.invoke_model_with_response_stream(modelId=model, body=json.dumps(body))
        return self.streamed(call, "body")

    def turn(self) -> Any:
        """Run the tools that the model wants; the first one fails."""
        first = self.chat(toolConfig=TOOLS)
        said = first["output"]["message"]
        calls = [block["toolUse"]["toolUseId"] for block in said["content"] if "toolUse" in block]
        results = [{"toolResult": {"toolUseId": call, "content": [{"text": "rain in Lisbon"}]}} for call in calls]
        results[0]["toolResult"]["status"] = "error"
        messages = [*ASKED["messages"], said, {"role": "user", "content": results}]
        return [first, self.chat(toolConfig=TOOLS, messages=messages)]

    def close(self) -> None:
        for context in self.contexts:
            self.run(context.__aexit__(None, None, None))
        super().close()


@cache
def session() -> Any:
    """Return a session for all tests: each reads the descriptions of the services anew."""
    return import_module("aiobotocore.session").get_session()


def plain(returned: Any) -> Any:
    """Return an answer without what differs each time."""
    return {name: value for name, value in returned.items() if name != "ResponseMetadata"}


def attributes(operation: str = "chat", model: str | None = MODEL, **more: Any) -> dict[str, Any]:
    told = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.model": model,
        **{name.replace("__", "."): value for name, value in more.items()},
    }
    return {name: value for name, value in told.items() if value is not None}


def conversed(**more: Any) -> dict[str, Any]:
    told = {
        "gen_ai__request__max_tokens": 50,
        "gen_ai__request__temperature": 0.5,
        "gen_ai__request__top_p": 0.75,
        "gen_ai__request__stop_sequences": ("END",),
        "gen_ai__response__finish_reasons": ("stop",),
        "gen_ai__usage__input_tokens": 3,
        "gen_ai__usage__output_tokens": 10,
    }
    return attributes(**{**told, **more})


def claude(**more: Any) -> dict[str, Any]:
    told = {
        "gen_ai__request__max_tokens": 50,
        "gen_ai__response__model": CLAUDE.removeprefix("anthropic."),
        "gen_ai__response__finish_reasons": ("stop",),
        "gen_ai__usage__input_tokens": 3,
        "gen_ai__usage__output_tokens": 10,
        "anthropic__message__stop_reason": "tool_use" if "obs__response__tool_calls" in more else "end_turn",
    }
    return attributes(model=CLAUDE, **{**told, **more})


def agent(**more: Any) -> dict[str, Any]:
    told = {
        "gen_ai__agent__id": AGENT["agentId"],
        "gen_ai__agent__version": AGENT["agentAliasId"],
        "gen_ai__conversation__id": AGENT["sessionId"],
        **STREAM,
    }
    return attributes("invoke_agent", None, **told, **more)


def answered(*parts: dict[str, Any], reason: str = "stop") -> dict[str, Any]:
    return {
        "gen_ai.input.messages": [USER],
        "gen_ai.output.messages": [{"role": "assistant", "parts": list(parts), "finish_reason": reason}],
    }


def calls(prefix: str) -> list[dict[str, Any]]:
    return [
        {"type": "tool_call", "id": f"{prefix}_{number}", "name": name, "arguments": {"city": "Lisbon"}}
        for number, name in enumerate(NAMES, 1)
    ]


TEXT = {"type": "text", "content": ANSWER}
DEFINED = {
    "gen_ai.tool.definitions": [{"type": "function", "name": name, "parameters": SCHEMA} for name in NAMES],
}
STREAM: dict[str, Any] = {"gen_ai__request__stream": True}
ASKED_TOOLS: dict[str, Any] = {
    "gen_ai__response__finish_reasons": ("tool_call",),
    "obs__response__tool_calls": NAMES,
    "gen_ai__usage__output_tokens": 8,
}
ABANDONED: dict[str, Any] = {
    **STREAM,
    "obs__response__stream_end": "abandoned",
    "gen_ai__response__finish_reasons": None,
    "gen_ai__usage__input_tokens": None,
    "gen_ai__usage__output_tokens": None,
}
UNANSWERED = {**ABANDONED, "gen_ai__request__stream": None, "obs__response__stream_end": None}
NOTHING_WRITTEN = {"gen_ai__usage__cache_write__input_tokens": 0}
CHECKED = {
    "guardrailIdentifier": "guard12345",
    "guardrailVersion": "1",
    "source": "INPUT",
    "content": [{"text": {"text": "Where to?"}}],
}
FORMAT = {"type": "json_schema", "structure": {"jsonSchema": {"schema": json.dumps(SCHEMA), "name": "place"}}}
OLDEST, NEWEST = "aiobotocore 2.13 (botocore 1.34.131), oldest", "aiobotocore 3, newest"

LIBRARY = Library(
    name="bedrock",
    instrumentor="obs_instrumentors.bedrock",
    environments={
        OLDEST: ("aiobotocore[boto3]==2.13.1",),
        NEWEST: ("aiobotocore>=3.10,<4", "boto3"),
    },
    driver=Bedrock,
    more=("more.py", "more_wire.py"),
    less={OLDEST: ("more_wire.py",)},
    scenarios=(
        Scenario("chat", lambda its: its.chat(), f"chat {MODEL}", conversed(), answered(TEXT)),
        Scenario(
            "tools",
            lambda its: its.chat(toolConfig=TOOLS),
            f"chat {MODEL}",
            conversed(**ASKED_TOOLS),
            {**answered(*calls("tooluse"), reason="tool_call"), **DEFINED},
        ),
        turn_with_tools(
            lambda its: its.turn(),
            f"chat {MODEL}",
            "tooluse_1",
            arguments={"city": "Lisbon"},
            error="tool_error",
        ),
        Scenario(
            "structured output",
            lambda its: its.chat(outputConfig={"textFormat": FORMAT}),
            f"chat {MODEL}",
            conversed(gen_ai__output__type="json", gen_ai__usage__output_tokens=5),
            answered({"type": "text", "content": '{"city": "Lisbon"}'}),
            unless=(OLDEST,),
        ),
        Scenario(
            "stream",
            lambda its: its.streamed(its.client.converse_stream(**ASKED)),
            f"chat {MODEL}",
            conversed(**STREAM),
            answered(TEXT),
        ),
        Scenario(
            "stream of tools",
            lambda its: its.streamed(its.client.converse_stream(**ASKED, toolConfig=TOOLS)),
            f"chat {MODEL}",
            conversed(**STREAM, **ASKED_TOOLS),
            {**answered(*calls("tooluse"), reason="tool_call"), **DEFINED},
        ),
        Scenario(
            "abandoned stream",
            lambda its: its.left(its.client.converse_stream(**ASKED)),
            f"chat {MODEL}",
            conversed(**ABANDONED),
        ),
        Scenario(
            "cancelled",
            lambda its: its.cancel(its.client.converse(**{**ASKED, "modelId": "stub-wait=2"})),
            "chat stub-wait=2",
            conversed(**UNANSWERED, model="stub-wait=2", error__type="asyncio.exceptions.CancelledError"),
            error="CancelledError",
            kinds=("async",),
        ),
        Scenario(
            "error",
            lambda its: its.chat(modelId="stub-400"),
            "chat stub-400",
            conversed(**UNANSWERED, model="stub-400", error__type="ValidationException"),
            error="ValidationException",
        ),
        Scenario(
            "rate limit",
            lambda its: its.chat(modelId="stub-429-once"),
            "chat stub-429-once",
            conversed(model="stub-429-once", obs__request__retries=1),
            answered(TEXT),
        ),
        Scenario(
            "cached tokens",
            lambda its: its.chat(modelId="m+cached"),
            "chat m+cached",
            conversed(model="m+cached", gen_ai__usage__cache_read__input_tokens=1, **NOTHING_WRITTEN),
            unless=(OLDEST,),
        ),
        Scenario(
            "reasoning",
            lambda its: its.streamed(its.client.converse_stream(**{**ASKED, "modelId": "m+reasoning"})),
            "chat m+reasoning",
            conversed(model="m+reasoning", **STREAM),
            answered({"type": "reasoning", "content": "First I think about it."}, TEXT),
            unless=(OLDEST,),
        ),
        Scenario(
            "guardrail",
            lambda its: plain(its.run(its.client.apply_guardrail(**CHECKED))),
            "moderation",
            attributes("moderation", None, aws__bedrock__guardrail__id="guard12345"),
            unless=(OLDEST,),
        ),
        Scenario(
            "error amid a stream",
            lambda its: its.streamed(
                its.client.converse_stream(**{**ASKED, "modelId": f"{MODEL[:-2]}+stream-error=3"})
            ),
            f"chat {MODEL[:-2]}+stream-error=3",
            conversed(
                **{**UNANSWERED, **STREAM},
                model=BROKEN,
                error__type="throttlingException",
            ),
            error="EventStreamError",
        ),
        Scenario(
            "body",
            lambda its: its.invoke(MESSAGES, CLAUDE),
            f"chat {CLAUDE}",
            claude(),
            answered(TEXT),
        ),
        Scenario(
            "body with tools",
            lambda its: its.invoke({**MESSAGES, "tools": CLAUDE_TOOLS}, CLAUDE),
            f"chat {CLAUDE}",
            claude(**{**ASKED_TOOLS, "gen_ai__usage__output_tokens": 10}),
            {**answered(*calls("toolu"), reason="tool_call"), **DEFINED},
        ),
        Scenario(
            "stream of bodies",
            lambda its: its.pieces(MESSAGES, CLAUDE),
            f"chat {CLAUDE}",
            claude(**STREAM),
            answered(TEXT),
        ),
        Scenario(
            "stream of bodies with tools",
            lambda its: its.pieces({**MESSAGES, "tools": CLAUDE_TOOLS}, CLAUDE),
            f"chat {CLAUDE}",
            claude(**STREAM, **{**ASKED_TOOLS, "gen_ai__usage__output_tokens": 10}),
            {**answered(*calls("toolu"), reason="tool_call"), **DEFINED},
        ),
        Scenario(
            "embeddings",
            lambda its: its.invoke({"inputText": "Where to?", "dimensions": 256}, "amazon.titan-embed-text-v2:0"),
            "embeddings amazon.titan-embed-text-v2:0",
            attributes(
                "embeddings",
                "amazon.titan-embed-text-v2:0",
                gen_ai__embeddings__dimension__count=256,
                gen_ai__usage__input_tokens=3,
                obs__request__input_count=1,
            ),
        ),
        Scenario(
            "rerank",
            lambda its: its.invoke({"query": "Where to?", "documents": ["a", "b"], "top_n": 2}, "cohere.rerank-v3-5:0"),
            "rerank cohere.rerank-v3-5:0",
            attributes(
                "rerank",
                "cohere.rerank-v3-5:0",
                gen_ai__retrieval__top_k=2,
                gen_ai__usage__input_tokens=1,
                obs__request__input_count=2,
                obs__retrieval__scores=(1.0, 0.5),
            ),
            {
                "gen_ai.retrieval.query.text": "Where to?",
                "gen_ai.retrieval.documents": [
                    {"id": "0", "score": 1.0, "content": "a"},
                    {"id": "1", "score": 0.5, "content": "b"},
                ],
            },
        ),
        Scenario(
            "retrieval",
            lambda its: plain(
                its.run(
                    its.agents.retrieve(
                        knowledgeBaseId="GUIDE12345",
                        retrievalQuery={"text": "Where to?"},
                        retrievalConfiguration={"vectorSearchConfiguration": {"numberOfResults": 2}},
                    )
                )
            ),
            "retrieval GUIDE12345",
            attributes(
                "retrieval",
                None,
                aws__bedrock__knowledge_base__id="GUIDE12345",
                gen_ai__data_source__id="GUIDE12345",
                gen_ai__retrieval__top_k=2,
                obs__retrieval__scores=(0.75, 0.5),
            ),
            {
                "gen_ai.retrieval.query.text": "Where to?",
                "gen_ai.retrieval.documents": [
                    {"id": "s3://guide/lisbon.txt", "score": 0.75, "content": "Lisbon is worth a journey."},
                    {"id": "s3://guide/porto.txt", "score": 0.5, "content": "Porto is worth a journey."},
                ],
            },
        ),
        Scenario(
            "agent",
            lambda its: its.streamed(its.agents.invoke_agent(**AGENT), "completion"),
            "invoke_agent",
            agent(),
            answered(TEXT),
        ),
        Scenario(
            "agent with traces",
            lambda its: its.streamed(its.agents.invoke_agent(**AGENT, enableTrace=True), "completion"),
            "invoke_agent",
            agent(gen_ai__usage__input_tokens=3, gen_ai__usage__output_tokens=10),
            answered(TEXT),
            unless=(OLDEST,),
        ),
    ),
)
