from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from obs_run.core import content, messages
from obs_run.core.operations import Inference
from obs_run.core.sink import OperationRecord, Timing
from obs_run.pipeline import redact, span_builder
from obs_run.pipeline.redact import Redaction
from tests.unit.scrubbers import Failing, Small

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _on_spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
        "SPAN_ONLY",
    )
    content.forget()
    yield
    content.forget()


def _asked(*texts: str) -> Inference:
    said = [messages.message("user", messages.text(text)) for text in texts]
    answer = [messages.message("assistant", messages.text("fine"), finish_reason="stop")]
    return Inference("chat", input_messages=said, output_messages=answer)


def _content_attributes(operation: Inference, redaction: Redaction) -> dict[str, Any]:
    record = OperationRecord("Inference", {}, operation.content(), Timing(1), {})
    return span_builder.as_json(span_builder.limit_content(record, redaction))


def _texts(attribute: Any) -> list[str]:
    return [message["parts"][0]["content"] for message in json.loads(attribute)]


def test_messages_are_scrubbed_and_stay_messages() -> None:
    told = _content_attributes(_asked("it is SECRET1", "fine"), Redaction(Small()))
    assert _texts(told["gen_ai.input.messages"]) == ["it is [secret]", "fine"]
    assert _texts(told["gen_ai.output.messages"]) == ["fine"]


def test_a_piece_that_comes_again_is_looked_at_once() -> None:
    scrubber = Small()
    redaction = Redaction(scrubber)
    _content_attributes(_asked("the same"), redaction)
    _content_attributes(_asked("the same", "and a new one SECRET7"), redaction)
    told = _content_attributes(_asked("the same", "and a new one SECRET7"), redaction)
    assert _texts(told["gen_ai.input.messages"]) == ["the same", "and a new one [secret]"]
    assert scrubber.asked.count("the same") == 1


def test_content_that_cannot_be_scrubbed_is_left_out_and_marked() -> None:
    told = _content_attributes(_asked("unlucky"), Redaction(Failing()))
    assert set(told) == {"obs.privacy.withheld", "gen_ai.output.messages"}
    assert told["obs.privacy.withheld"] is True


@pytest.mark.parametrize(("redaction", "expected"), [(None, "it is SECRET1"), (Redaction(Small()), "it is [secret]")])
def test_what_others_are_told_is_scrubbed_if_anything_is(
    redaction: Redaction | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redact, "_shared", redaction)
    monkeypatch.setattr(redact, "_is_loaded", True)
    assert redact.limited("gen_ai.system_instructions", [messages.text("it is SECRET1")]) == [messages.text(expected)]
