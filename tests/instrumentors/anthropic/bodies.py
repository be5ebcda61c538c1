"""Answers in Anthropic's format that are well formed and strange, through its own client over HTTP."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.instrumentors.answers_server import AnswersServer
from tests.instrumentors.anthropic.more import hooked
from tests.instrumentors.anthropic.more_wire import ASKED, message, started
from tests.instrumentors.strange_answers import FEW, assert_one_span_and_the_same
from tests.strange_json import changed

if TYPE_CHECKING:
    from collections.abc import Iterator

THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "s"}
TOOL_USE = {"type": "tool_use", "id": "t1", "name": "pay", "input": {"to": "Ada"}}
USED = {
    "input_tokens": 1000,
    "output_tokens": 100,
    "cache_read_input_tokens": 7,
    "cache_creation_input_tokens": 9,
    "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 5},
    "server_tool_use": {"web_search_requests": 1},
    "iterations": [{"type": "message", "input_tokens": 1, "output_tokens": 2}],
    "service_tier": "standard",
}
WHOLE = message(THOUGHT, {"type": "text", "text": "hi", "citations": None}, TOOL_USE, usage=USED)
EVENTS: list[Any] = [
    started(USED),
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {**TOOL_USE, "input": {}}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"to"'}},
    {"type": "content_block_stop", "index": 1},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None}, "usage": USED},
    {"type": "message_stop"},
]


@pytest.fixture(scope="module")
def server() -> Iterator[AnswersServer]:
    with AnswersServer(WHOLE) as server:
        yield server


@FEW
@given(
    whole=changed(WHOLE),
    events=changed(EVENTS),
    mode=st.sampled_from(["whole", "raw", "stream", "helper", "lines"]),
)
def test_whatever_a_body_holds_is_harmless(
    whole: Any, events: list[Any], mode: str, server: AnswersServer, telemetry: Any, with_content: None
) -> None:
    assert with_content is None
    streams = mode not in ("whole", "raw")
    server.answers[:] = [events if streams else whole]

    def ask() -> Any:
        anthropic = importlib.import_module("anthropic")
        client = anthropic.Anthropic(base_url=server.origin, api_key="none", max_retries=0)
        try:
            if mode == "raw":
                return client.messages.with_raw_response.create(**ASKED).http_response.text
            if mode == "helper":
                with client.messages.stream(**ASKED) as stream:
                    return stream.get_final_message()
            answer = client.messages.create(**ASKED, stream=streams)
            if mode == "lines":
                return list(answer.response.iter_lines())
            return list(answer) if streams else answer
        finally:
            client.close()

    assert_one_span_and_the_same(ask, hooked, telemetry)
