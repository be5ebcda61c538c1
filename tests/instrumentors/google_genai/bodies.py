"""Answers in Gemini's format that are well formed and strange, through Google's own client over HTTP."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.instrumentors.answers_server import AnswersServer
from tests.instrumentors.google_genai.library import undated
from tests.instrumentors.run_scenarios import instrumented
from tests.instrumentors.strange_answers import FEW, assert_one_span_and_the_same
from tests.strange_json import changed

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = "gemini-2.5-flash"
CALL = {"functionCall": {"id": "c1", "name": "pay", "args": {"to": "Ada"}}}
USED = {
    "promptTokenCount": 1000,
    "candidatesTokenCount": 100,
    "thoughtsTokenCount": 10,
    "cachedContentTokenCount": 7,
    "totalTokenCount": 1110,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 900}, {"modality": "AUDIO", "tokenCount": 100}],
}
GROUNDING = {"webSearchQueries": ["a"], "groundingChunks": [{"web": {"uri": "u", "title": "Oslo"}}]}
WHOLE = {
    "candidates": [
        {
            "content": {"role": "model", "parts": [{"text": "hm", "thought": True}, {"text": "hi"}, CALL]},
            "finishReason": "STOP",
            "groundingMetadata": GROUNDING,
            "safetyRatings": [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "LOW"}],
        }
    ],
    "promptFeedback": {"blockReason": "OTHER"},
    "usageMetadata": USED,
    "modelVersion": MODEL,
    "responseId": "r",
}
EVENTS: list[Any] = [
    {"candidates": [{"content": {"role": "model", "parts": [{"text": "h"}]}}], "usageMetadata": USED},
    {"candidates": [{"content": {"role": "model", "parts": [{"text": "i"}]}}]},
    WHOLE,
]


@pytest.fixture(scope="module")
def server() -> Iterator[AnswersServer]:
    with AnswersServer(WHOLE) as server:
        yield server


@FEW
@given(whole=changed(WHOLE), events=changed(EVENTS), streams=st.booleans())
def test_whatever_a_body_holds_is_harmless(
    whole: Any, events: list[Any], server: AnswersServer, telemetry: Any, with_content: None, *, streams: bool
) -> None:
    assert with_content is None
    server.answers[:] = [events if streams else whole]

    def ask() -> Any:
        client = import_module("google.genai").Client(http_options={"base_url": server.origin}, api_key="none")
        asked: dict[str, Any] = {"model": MODEL, "contents": "x"}
        if streams:
            return [undated(piece) for piece in client.models.generate_content_stream(**asked)]
        return undated(client.models.generate_content(**asked))

    assert_one_span_and_the_same(ask, instrumented, telemetry)
