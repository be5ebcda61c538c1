"""What Bedrock answers in the shapes that no stub thinks of, with botocore over HTTP."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.answers_server import AnswersServer
from tests.instrumentors.bedrock.library import WIDE
from tests.instrumentors.run_scenarios import instrumented

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def hooked(telemetry: Any) -> Iterator[None]:
    assert telemetry is not None
    with instrumented():
        yield


def _client(server: AnswersServer) -> Any:
    return import_module("boto3").client("bedrock-runtime", **WIDE, endpoint_url=server.origin)


def test_counting_uses_no_tokens(hooked: None, telemetry: Any) -> None:
    assert hooked is None
    messages = [{"role": "user", "content": [{"text": "x"}]}]
    with AnswersServer({"inputTokens": 11}) as server:
        client = _client(server)
        assert client.count_tokens(modelId="a-model", input={"converse": {"messages": messages}})["inputTokens"] == 11
    span = telemetry.span()
    assert span.name == "count_tokens a-model"
    assert span.attributes["gen_ai.provider.name"] == "aws.bedrock"
    assert not [name for name in span.attributes if ".usage." in name]
