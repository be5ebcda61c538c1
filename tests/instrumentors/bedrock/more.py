"""What Bedrock's scenarios leave out: every maker's bodies, ways to read a body, usage in detail, other services."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.bedrock.library import ANSWER, ASKED, CLAUDE, MESSAGES, MODEL, Bedrock
from tests.instrumentors.run_scenarios import instrumented

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOLD = {"gen_ai.usage.input_tokens": 3, "gen_ai.usage.output_tokens": 10}
NOVA = {"schemaVersion": "messages-v1", "messages": ASKED["messages"], "inferenceConfig": {"max_new_tokens": 9}}
BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "nova": ("chat", NOVA),
    "titan": ("text_completion", {"inputText": "Where to?", "textGenerationConfig": {"maxTokenCount": 9}}),
    "llama": ("text_completion", {"prompt": "Where to?", "max_gen_len": 9}),
    "mistral": ("text_completion", {"prompt": "Where to?", "max_tokens": 9}),
    "mistral chat": ("chat", {"messages": [{"role": "user", "content": "Where to?"}], "max_tokens": 9}),
    "cohere": ("chat", {"message": "Where to?", "max_tokens": 9}),
    "claude": ("chat", {**MESSAGES, "max_tokens": 9}),
}


@pytest.fixture(params=("sync", "async"))
def client(request: pytest.FixtureRequest, stub: Any, telemetry: Any) -> Iterator[Bedrock]:
    assert telemetry is not None
    driver = Bedrock(request.param, stub)
    stub.reset()
    with instrumented():
        yield driver
    driver.close()


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("maker", BODIES)
def test_bodies(maker: str, streamed: bool, client: Bedrock, telemetry: Any, with_content: None) -> None:  # noqa: FBT001
    assert with_content is None
    operation, body = BODIES[maker]
    (client.pieces if streamed else client.invoke)(body)
    span = telemetry.span()
    told = span.attributes
    assert span.name == f"{operation} {MODEL}"
    assert told["gen_ai.response.finish_reasons"] == ("stop",)
    assert told["gen_ai.request.max_tokens"] == 9
    assert {name: told.get(name) for name in TOLD} == TOLD
    assert ("gen_ai.response.time_to_first_chunk" in told) is streamed
    (message,) = json.loads(told["gen_ai.output.messages"])
    assert message["parts"] == [{"type": "text", "content": ANSWER}]


READS: dict[str, Callable[[Any], Any]] = {
    "in pieces": lambda body: list(iter(lambda: body.read(16), b"")),
    "iter_chunks": lambda body: list(body.iter_chunks(16)),
    "iter_lines": lambda body: list(body.iter_lines()),
    "readlines": lambda body: body.readlines(),
    "load": json.load,
}


@pytest.mark.parametrize("read", READS)
def test_ways_to_read_a_body(read: str, stub: Any, telemetry: Any) -> None:
    client = Bedrock("sync", stub)
    plain = READS[read](client.client.invoke_model(modelId=CLAUDE, body=json.dumps(MESSAGES))["body"])
    with instrumented():
        returned = client.client.invoke_model(modelId=CLAUDE, body=json.dumps(MESSAGES))
        assert telemetry.spans() == []
        assert READS[read](returned["body"]) == plain
        told = telemetry.attributes()
    assert told["gen_ai.response.finish_reasons"] == ("stop",)
    assert "obs.response.stream_end" not in told
    client.close()


def test_a_body_read_past_us_keeps_what_the_headers_tell(stub: Any, telemetry: Any) -> None:
    client = Bedrock("sync", stub)
    with instrumented():
        with client.client.invoke_model(modelId=CLAUDE, body=json.dumps(MESSAGES))["body"] as raw:
            assert json.loads(raw.read())["role"] == "assistant"
        told = telemetry.attributes()
    assert {name: told[name] for name in TOLD} == TOLD
    assert "gen_ai.response.finish_reasons" not in told
    assert "obs.response.stream_end" not in told
    client.close()


def test_an_async_body_as_context(stub: Any, telemetry: Any) -> None:
    client = Bedrock("async", stub)

    async def read() -> Any:
        returned = await client.client.invoke_model(modelId=CLAUDE, body=json.dumps(MESSAGES))
        async with returned["body"] as body:
            return json.loads(await body.read())

    with instrumented():
        assert client.run(read())["role"] == "assistant"
        assert telemetry.attributes()["gen_ai.response.finish_reasons"] == ("stop",)
    client.close()


def test_a_body_that_nobody_reads(client: Bedrock, telemetry: Any) -> None:
    returned = client.run(client.client.invoke_model(modelId=CLAUDE, body=json.dumps(MESSAGES)))
    assert telemetry.spans() == []
    del returned
    told = telemetry.attributes()
    assert told["obs.response.stream_end"] == "abandoned"
    assert {name: told[name] for name in TOLD} == TOLD


def test_cached_tokens_are_part_of_the_input(client: Bedrock, telemetry: Any) -> None:
    client.invoke(MESSAGES, "anthropic.claude-v1+cached")
    told = telemetry.attributes()
    assert told["gen_ai.usage.input_tokens"] == 113
    assert told["gen_ai.usage.cache_read.input_tokens"] == 100
    assert told["gen_ai.usage.cache_write.input_tokens"] == 10


@pytest.mark.parametrize("maker", BODIES)
def test_no_usage_stays_without(maker: str, client: Bedrock, telemetry: Any) -> None:
    for ask in (client.invoke, client.pieces):
        telemetry.clear()
        ask(BODIES[maker][1], "m+no-usage")
        told = telemetry.attributes()
        # Titan and Llama tell it in the body whatever the headers say.
        assert maker in ("titan", "llama") or not any("usage" in name for name in told)


def test_retrieve_and_generate(client: Bedrock, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    base = {"knowledgeBaseId": "GUIDE12345", "modelArn": "arn:aws:bedrock:us-east-1::foundation-model/nova"}
    settings = {"type": "KNOWLEDGE_BASE", "knowledgeBaseConfiguration": base}
    asked = {"input": {"text": "Where to?"}, "retrieveAndGenerateConfiguration": settings}
    client.run(client.agents.retrieve_and_generate(**asked))
    told = telemetry.attributes()
    assert told["gen_ai.conversation.id"] == "session-1"
    assert told["aws.bedrock.knowledge_base.id"] == "GUIDE12345"
    (message,) = json.loads(told["gen_ai.output.messages"])
    assert message["parts"] == [{"type": "text", "content": ANSWER}]


def test_a_stream_that_is_closed_early(stub: Any, telemetry: Any) -> None:
    client = Bedrock("sync", stub)
    with instrumented():
        stream = client.client.converse_stream(**ASKED)["stream"]
        next(iter(stream))
        stream.close()
        assert telemetry.attributes()["obs.response.stream_end"] == "abandoned"
    client.close()


def test_other_services_are_left_alone(client: Bedrock, telemetry: Any) -> None:
    storage = client.made("s3", endpoint_url=client.stub.origin, aws_access_key_id="x", aws_secret_access_key="x")
    with pytest.raises(Exception, match=r"NoSuchKey|404|Not Found|Unable to parse"):
        client.run(storage.get_object(Bucket="travel", Key="guide.txt"))
    assert telemetry.spans() == []
