"""What spans have for viewers that show no logs, draw services, and read names of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.agents import Run

CALL = """
    import telemetry_probe
    from obs_run.core import recorder
    from obs_run.core.operations import DatabaseCall, Inference, Usage

    def call(error=None, **fields):
        recording = recorder.start(Inference("chat", "anthropic", request_model="claude-sonnet-4-5", **fields))
        with recording:
            pass
        recording.end(error)
"""


def test_a_failed_call_has_its_exception_on_its_span_and_in_a_record(agent: Run) -> None:
    ran = agent(CALL + "    call(ValueError('no such model'))\n    telemetry_probe.show()")
    span = ran.spans()["chat claude-sonnet-4-5"]

    assert (span["status"], span["events"]) == ("ERROR", ["exception"])
    event = span["event_attributes"][0]
    assert (event["exception.type"], event["exception.message"]) == ("ValueError", "no such model")
    assert "ValueError: no such model" in event["exception.stacktrace"]
    assert [log["event"] for log in ran.seen["logs"]] == ["gen_ai.client.operation.exception"]


def test_with_errors_alone_it_is_still_there_and_with_none_it_is_not(agent: Run) -> None:
    for level, events in (("critical", ["exception"]), ("off", [])):
        ran = agent(CALL + "    call(ValueError('x'))\n    telemetry_probe.show()", OBS_SPAN_EVENTS=level)
        assert ran.spans()["chat claude-sonnet-4-5"]["events"] == events


def test_what_viewers_name_otherwise_is_there_by_both_names(agent: Run) -> None:
    ran = agent(CALL + "    call(usage=Usage(10, 5, cache_write_tokens=3))\n    telemetry_probe.show()")
    attributes = ran.spans()["chat claude-sonnet-4-5"]["attributes"]

    assert attributes["gen_ai.usage.cost"] == attributes["obs.cost.total"] > 0
    assert attributes["gen_ai.usage.cache_creation.input_tokens"] == 3
    assert attributes["gen_ai.usage.cache_write.input_tokens"] == 3
    assert attributes["peer.service"] == "anthropic"


def test_a_store_is_a_service_for_graphs(agent: Run) -> None:
    ran = agent(
        CALL
        + """
    recording = recorder.start(DatabaseCall("upsert", system="chroma", collection="notes"))
    recording.end()
    telemetry_probe.show()
"""
    )
    (span,) = (span for span in ran.seen["spans"] if "db.system.name" in span["attributes"])
    assert span["attributes"]["peer.service"] == "chroma"


def test_the_ids_of_the_log_context_are_on_the_spans_in_it(agent: Run) -> None:
    ran = agent(
        CALL
        + """
    from opentelemetry import trace
    from obs_run.logging import get_distributed_logger

    log = get_distributed_logger()
    with log.context(correlation_id="c-1", request_id=7, user_id="u-1", session_id="s-1", operation="pay"):
        with trace.get_tracer("agent").start_as_current_span("inside"):
            call()
    with trace.get_tracer("agent").start_as_current_span("outside"):
        pass
    telemetry_probe.show()
"""
    )
    ids = {"correlation_id": "c-1", "request_id": "7", "user_id": "u-1", "session_id": "s-1"}
    spans = ran.spans()

    assert spans["inside"]["attributes"] == ids
    assert ids.items() <= spans["chat claude-sonnet-4-5"]["attributes"].items()
    assert spans["outside"]["attributes"] == {}


def test_a_tracers_service_is_that_of_its_spans(agent: Run) -> None:
    ran = agent(
        """
    import telemetry_probe
    from obs_run.tracing import get_tracer

    for service in ("shop", "bank"):
        with get_tracer(service).span(service):
            pass
    telemetry_probe.show()
""",
        OTEL_SERVICE_NAME="agent",
    )
    spans = ran.spans()
    assert {name: span["resource"]["service.name"] for name, span in spans.items() if name in ("shop", "bank")} == {
        "shop": "shop",
        "bank": "bank",
    }
    assert spans["shop"]["attributes"] == {}


def test_metrics_have_what_old_dashboards_ask_for_unless_the_new_names_are_chosen(agent: Run) -> None:
    source = (
        CALL
        + """
    from obs_run.core.operations import AgentRun

    run = recorder.start(AgentRun(agent_name="writer"))
    with run:
        call(usage=Usage(10, 5))
    run.end()
    telemetry_probe.show()
"""
    )
    old = agent(source).seen["metrics"]
    labels = old["gen_ai.client.token.usage"]["points"][0]["attributes"]

    assert (labels["gen_ai.system"], labels["gen_ai.agent.name"]) == ("anthropic", "writer")
    assert old["gen_ai.usage.cost"]["points"][0]["attributes"]["gen_ai.system"] == "anthropic"
    new = agent(source, OBS_METRIC_NAMES="new").seen["metrics"]
    assert "gen_ai.usage.cost" not in new
    assert all("gen_ai.system" not in point["attributes"] for metric in new.values() for point in metric["points"])
