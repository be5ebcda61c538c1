"""Messages, wherever and however they were recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from obs_run.analysis.messages import Content, content, text_of
from obs_run.telemetry.records import Event, LogLine
from tests.unit.analysis import drawing, soups

HI = {"role": "user", "parts": [{"type": "text", "content": "hi"}]}
YES = {"role": "assistant", "parts": [{"type": "text", "content": "yes"}], "finish_reason": "stop"}
RULES = [{"type": "text", "content": "be brief"}]
ATTRIBUTES = {
    "gen_ai.system_instructions": json.dumps(RULES),
    "gen_ai.input.messages": json.dumps([HI]),
    "gen_ai.output.messages": [YES],
}
ALL = Content([{"role": "system", "parts": RULES}], [HI], [YES])


def test_messages_on_the_span() -> None:
    assert content(drawing.span("a", 0, 1, attributes=ATTRIBUTES)) == ALL


@pytest.mark.parametrize("where", ["attributes", "body"])
def test_messages_on_a_log_event(where: str) -> None:
    fields: dict[str, Any] = {"body": None, where: ATTRIBUTES}
    event = LogLine(
        time_ns=1, severity=9, severity_text=None, event_name="gen_ai.client.inference.operation.details",
        trace_id="1" * 32, span_id="a", service="agent", **fields,
    )  # fmt: skip
    assert content(drawing.span("a", 0, 1), [event]) == ALL
    assert content(drawing.span("b", 0, 1), [event]) == Content([], [], [])


def test_messages_in_events_of_older_conventions() -> None:
    events = (
        Event("gen_ai.system.message", 1, {"content": "be brief"}),
        Event("gen_ai.user.message", 2, {"content": "hi"}),
        Event("gen_ai.choice", 3, {"message": '{"role": "assistant", "content": "yes"}'}),
        Event("exception", 4, {}),
    )
    told = content(drawing.span("a", 0, 1, events=events))
    assert [[text_of(message) for message in side] for side in told] == [["be brief"], ["hi"], ["yes"]]
    assert [[message["role"] for message in side] for side in told] == [["system"], ["user"], ["assistant"]]


@pytest.mark.parametrize(
    "told", ["plain text", "[not json", ["plain text"], [{"role": "user", "content": "plain text"}]]
)
def test_what_is_no_list_of_messages_is_shown_all_the_same(told: Any) -> None:
    found = content(drawing.span("a", 0, 1, attributes={"gen_ai.input.messages": told}))
    assert [text_of(message) for message in found.input] == ["[not json" if told == "[not json" else "plain text"]


@given(soups.values)
def test_any_value_has_messages(told: Any) -> None:
    found = content(drawing.span("a", 0, 1, attributes={"gen_ai.input.messages": told}))
    for message in found.input:
        assert isinstance(message["role"], str)
        assert all(isinstance(part, dict) for part in message["parts"])
        text_of(message)
