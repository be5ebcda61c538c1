"""Scrubbing as agents meet it: in a process of their own, by settings alone."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from obs_run.pipeline.redact import Redaction
from obs_run.privacy import scrubber

if TYPE_CHECKING:
    from tests.unit.agents import Run

SHOW = "telemetry_probe.show()"
KEY = "ghp_" + "a1B2c3D4e5F6" * 3

SPANS = dedent(f"""
    import logging
    from opentelemetry import metrics, trace
    import telemetry_probe
    KEY = "{KEY}"
    with trace.get_tracer("agent").start_as_current_span("call " + KEY) as span:
        span.set_attribute("note", "it is " + KEY)
        span.set_attribute("fine", "nothing")
        span.add_event("exception", {{"exception.message": KEY}})
        logging.getLogger("agent").warning("it is " + KEY)
        jobs = metrics.get_meter("agent").create_counter("jobs")
        jobs.add(1, {{"key": KEY}})
        jobs.add(2, {{"key": KEY[:-1] + "x"}})
    telemetry_probe.show()
""")


def test_secrets_are_taken_out_without_any_setting(agent: Run) -> None:
    ran = agent(SPANS)
    span = ran.spans()["call [github_token]"]
    assert (span["attributes"]["note"], span["attributes"]["fine"]) == ("it is [github_token]", "nothing")
    assert "it is [github_token]" in ran.logs()
    assert [(point["attributes"], point["value"]) for point in ran.seen["metrics"]["jobs"]["points"]] == [
        ({"key": "[github_token]"}, 3)
    ]
    assert KEY not in ran.out


def test_nothing_is_taken_out_where_nothing_is_wanted(agent: Run) -> None:
    ran = agent(SPANS, OBS_PRIVACY="none")
    assert ran.spans()[f"call {KEY}"]["attributes"]["note"] == f"it is {KEY}"
    assert f"it is {KEY}" in ran.logs()
    assert len(ran.seen["metrics"]["jobs"]["points"]) == 2


def test_the_engine_is_not_loaded_where_nothing_is_wanted(agent: Run) -> None:
    source = SPANS.replace(SHOW, f"import sys; telemetry_probe.collected(); {SHOW[:-1]}loaded=sorted(sys.modules))")
    assert "obs_run.privacy" in agent(source).seen["loaded"]
    assert "obs_run.privacy" not in agent(source, OBS_PRIVACY="none").seen["loaded"]


def test_without_an_engine_nothing_leaves_but_the_skeleton(agent: Run) -> None:
    ran = agent("import sys; sys.modules['obs_run.privacy'] = None\n" + SPANS)
    assert KEY not in ran.out
    assert [line for line in ran.err.splitlines() if KEY in line] == [f"it is {KEY}"], "the agent's own output"
    [span] = [span for span in ran.seen["spans"] if span["attributes"].get("obs.privacy.withheld")]
    assert (span["name"], set(span["events"])) == ("[withheld]", {"[withheld]"})
    assert [log["body"] for log in ran.seen["logs"] if log["attributes"]["obs.privacy.withheld"]]
    assert all(log["body"] == "[withheld]" for log in ran.seen["logs"])
    assert "OBS_PRIVACY: the rules cannot be loaded (ModuleNotFoundError: " in ran.err
    assert ran.err.count("OBS_PRIVACY: scrubbing a span failed") == 1


CONTENT = """
    import json
    from opentelemetry import _logs, trace
    from opentelemetry._logs import LogRecord
    import telemetry_probe
    told = {
        "gen_ai.tool.call.arguments": "{}", "gen_ai.tool.call.result": "sunny", "gen_ai.operation.name": "execute_tool",
        "gen_ai.input.messages": "[]", "gen_ai.usage.input_tokens": 5, "gen_ai.prompt.0.content": "kept",
        "input.value": "kept", "traceloop.entity.input": "kept",
    }
    with trace.get_tracer("native").start_as_current_span("execute_tool weather", attributes=told) as span:
        span.add_event("gen_ai.content.prompt", {"gen_ai.prompt": "what", "other": 1})
        _logs.get_logger("native").emit(LogRecord(body="b", attributes=told))
    telemetry_probe.show(events=[dict(event.attributes) for event in span.events])
"""
KEPT = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.usage.input_tokens": 5,
    "gen_ai.prompt.0.content": "kept",
    "input.value": "kept",
    "traceloop.entity.input": "kept",
}


@pytest.mark.parametrize("privacy", ["none", "secrets"])
def test_content_that_libraries_wrote_themselves_stays_off(agent: Run, privacy: str) -> None:
    ran = agent(CONTENT, OBS_PRIVACY=privacy)
    assert ran.spans()["execute_tool weather"]["attributes"] == KEPT
    assert ran.logs()["b"]["attributes"] == KEPT
    assert ran.seen["events"] == [{"gen_ai.prompt": "what", "other": 1}], "the agent's own span stays as it was"


def test_content_that_libraries_wrote_is_kept_where_content_is_wanted(agent: Run) -> None:
    ran = agent(CONTENT, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
    assert ran.spans()["execute_tool weather"]["attributes"]["gen_ai.tool.call.result"] == "sunny"


MESSAGES = """
    from opentelemetry import _logs, trace
    from opentelemetry._logs import LogRecord
    import telemetry_probe
    said = {"role": "user", "content": "sunny", "message": "sunny", "tool.result": "sunny", "tool_calls": "sunny"}
    words = {"gcp.vertex.agent.llm_request": "sunny", "gcp.vertex.agent.event_id": "e-1"}
    with trace.get_tracer("native").start_as_current_span("chat", attributes=words) as span:
        span.add_event("gen_ai.user.message", said)
        span.add_event("gen_ai.choice", {"finish_reason": "stop", "message": "sunny"})
        span.add_event("of the agent", {"content": "rain"})
        logger = _logs.get_logger("native")
        logger.emit(LogRecord(event_name="gen_ai.choice", body={"index": 0, "message": {"content": "sunny"}}))
        logger.emit(LogRecord(body="sunny", attributes={"event.name": "gen_ai.user.message"}))
    telemetry_probe.show()
"""


def test_messages_that_libraries_wrote_as_events_stay_off(agent: Run) -> None:
    ran = agent(MESSAGES)
    span = ran.spans()["chat"]
    assert span["attributes"] == {"gcp.vertex.agent.event_id": "e-1"}
    assert span["event_attributes"] == [{"role": "user"}, {"finish_reason": "stop"}, {"content": "rain"}]
    assert [log["body"] for log in ran.seen["logs"]] == [{"index": 0}, None]


def test_messages_that_libraries_wrote_as_events_are_kept_where_content_is_wanted(agent: Run) -> None:
    ran = agent(MESSAGES, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
    assert str(ran.seen["logs"]).count("sunny") == 2
    assert str(ran.spans()["chat"]).count("sunny") == 6


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("a.py", "--password", "hunter2", "go"), ("a.py", "--password", "[password]", "go")),
        (("a.py", "--api-key=abcdefgh1234"), ("a.py", "--api-key=[api_key]")),
        (("a.py", "-x", KEY, "--city", "Lisbon"), ("a.py", "-x", "[github_token]", "--city", "Lisbon")),
        (("a.py", f"--note={KEY}", "DB_PASSWORD=x1y2z3"), ("a.py", "--note=[github_token]", "DB_PASSWORD=[password]")),
    ],
)
def test_arguments_are_scrubbed_by_their_options(given: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert Redaction(scrubber()).attributes({"process.command_args": given}) == {"process.command_args": expected}


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("url.full", "https://ada:hunter2@host.example/a?b=c", "https://ada:[url_credentials]@host.example/a?b=c"),
        ("http.url", "https://host.example/a?api_key=abcdefgh1234&b=c", "https://host.example/a?api_key=[api_key]&b=c"),
        ("db.connection_string", "postgresql://ada:hunter2@db:5432/shop", "[connection_string]"),
        ("db.query.text", "SELECT 1 FROM t WHERE a = 'hunter2'", "SELECT 1 FROM t WHERE a = ?"),
    ],
)
def test_addresses_and_queries_are_scrubbed(name: str, given: str, expected: str) -> None:
    assert Redaction(scrubber()).attributes({name: given}) == {name: expected}
