"""What else happens to a span of somebody else on its way out: scrubbing, limits, failures, and what is left alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.examples import crossed, one_in
from tests.unit.translation.test_vocabularies import CONTENT, emitted

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.agents import Run

KEY = "sk-proj-" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5hJ7kL9nP1rT3"
LLM = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", "llm.system": "openai"}


def _leaves(folder: Path, attributes: dict[str, Any], **environment: str) -> dict[str, Any]:
    (span,) = emitted(folder, [("theirs", attributes)], environment)
    return span


@pytest.mark.parametrize(("mode", "keeps"), crossed(["NO_CONTENT", "SPAN_ONLY"], ["false", "true"]))
def test_a_secret_leaves_in_no_words(tmp_path: Path, mode: str, keeps: str) -> None:
    attributes = {
        **LLM,
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": f"my key is {KEY}",
        "input.value": json.dumps({"messages": [{"role": "user", "content": f"my key is {KEY}"}]}),
    }
    span = _leaves(tmp_path, attributes, OBS_KEEP_FOREIGN_ATTRIBUTES=keeps, **{CONTENT: mode})
    assert KEY not in str(span)
    assert "my key is [" in str(span["attributes"])


def test_long_content_is_cut_inside_of_its_parts(tmp_path: Path) -> None:
    attributes = {**LLM, "llm.input_messages.0.message.content": "x" * 100}
    span = _leaves(tmp_path, attributes, OBS_CONTENT_MAX_CHARS="10", **{CONTENT: "SPAN_ONLY"})
    (message,) = json.loads(span["attributes"]["gen_ai.input.messages"])
    assert message["parts"] == [{"type": "text", "content": "x" * 10 + "[90 characters cut]"}]


def test_content_for_events_alone_stays_in_the_words_of_its_author(tmp_path: Path) -> None:
    attributes = {**LLM, "llm.input_messages.0.message.content": "hi"}
    span = _leaves(tmp_path, attributes, **{CONTENT: "EVENT_ONLY"})
    assert span["attributes"]["llm.input_messages.0.message.content"] == "hi"
    assert "gen_ai.input.messages" not in span["attributes"]


def test_a_failure_has_its_type(agent: Run) -> None:
    ran = agent(
        """
        from opentelemetry import trace
        import telemetry_probe
        tracer = trace.get_tracer("theirs")
        try:
            with tracer.start_as_current_span("weather", attributes={"traceloop.span.kind": "tool"}):
                raise LookupError("no such town")
        except LookupError:
            pass
        with tracer.start_as_current_span("silent", attributes={"traceloop.span.kind": "tool"}) as span:
            span.set_status(trace.StatusCode.ERROR)
        telemetry_probe.show()
        """
    )
    failed = [span["attributes"].get("error.type") for span in ran.seen["spans"] if span["scope"] == "theirs"]
    assert failed == ["LookupError", "_OTHER"]


@pytest.mark.sampled
@pytest.mark.parametrize(
    "attributes",
    one_in(
        2,
        [
            {"http.request.method": "GET", "url.full": "https://x.test"},
            {"my.llm": "x", "airline": "y", "gen": 1},
            {"ai.flavour": "of the user's own", "llm.rating": 5, "gen_ai.mood": "good"},
            {"mcp.method.name": "tools/call", "gen_ai.tool.name": "weather", "gen_ai.operation.name": "execute_tool"},
            {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"},
        ],
    ),
)
def test_what_is_in_no_other_words_is_left_alone(tmp_path: Path, attributes: dict[str, Any]) -> None:
    span = _leaves(tmp_path, attributes)
    assert (span["name"], span["kind"], span["attributes"]) == ("theirs", "INTERNAL", attributes)


def test_an_mcp_call_keeps_its_name_and_kind(tmp_path: Path) -> None:
    attributes = {"mcp.method.name": "tools/call", "traceloop.span.kind": "tool", "traceloop.entity.name": "weather"}
    span = _leaves(tmp_path, attributes)
    assert (span["name"], span["attributes"]["gen_ai.tool.name"]) == ("theirs", "weather")


def test_what_the_span_says_itself_in_the_conventions_words_counts(tmp_path: Path) -> None:
    told = {"gen_ai.request.model": "gpt-4o-mini", "gen_ai.usage.input_tokens": 5}
    span = _leaves(tmp_path, {**LLM, **told, "llm.token_count.prompt": 7, "gen_ai.system": "openai"})
    left = span["attributes"]
    assert {name: left[name] for name in told} == told
    assert left["llm.token_count.prompt"] == 7, "what differs is not lost"
    assert "gen_ai.system" not in left


def test_a_vocabulary_that_cannot_be_read_costs_only_its_own_words(agent: Run) -> None:
    ran = agent(
        """
        from opentelemetry import trace
        import telemetry_probe
        from obs_run.pipeline import translated_span
        def fail(draft):
            raise RuntimeError("broken")
        translated_span._VOCABULARIES["openinference"] = fail
        tracer = trace.get_tracer("theirs")
        attributes = {"openinference.span.kind": "LLM", "gen_ai.system": "openai"}
        tracer.start_span("theirs", attributes=attributes).end()
        telemetry_probe.show()
        """
    )
    (span,) = [span for span in ran.seen["spans"] if span["scope"] == "theirs"]
    assert span["attributes"] == {"openinference.span.kind": "LLM", "gen_ai.provider.name": "openai"}
    assert "broken" in ran.err
