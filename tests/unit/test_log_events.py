"""Log records as events of the spans that they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.otlp_receiver import Receiver

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.agents import Run

SHOW = "\n    import telemetry_probe; telemetry_probe.show()\n"


def told(span: dict[str, Any]) -> list[tuple[str, str | None]]:
    attributes = [event.get("message") for event in span["event_attributes"]]
    return list(zip(span["events"], attributes, strict=True))


def test_warnings_and_errors_are_events_of_their_span(agent: Run) -> None:
    ran = agent(
        """
    import logging
    from opentelemetry import trace
    logging.basicConfig(level=0, handlers=[logging.NullHandler()])
    log = logging.getLogger("billing")
    tracer = trace.get_tracer("agent")
    with tracer.start_as_current_span("outer"):
        log.info("below")
        with tracer.start_as_current_span("inner") as span:
            log.warning("token %s", "sk-proj-" + "aB3dE5gH7jK9" * 4, extra={"invoice": 7})
            assert not span.events
        log.error("after it")
    """
        + SHOW
    )
    spans = ran.spans()
    inner = spans["inner"]

    assert told(spans["outer"]) == [("log", "after it")]
    ((name, message),) = told(inner)
    assert (name, message) == ("log", ran.seen["logs"][1]["body"])
    assert message is not None
    assert "aB3dE5gH7jK9" not in message
    event = inner["event_attributes"][0]
    assert (event["level"], event["logger"], event["invoice"]) == ("WARN", "billing", 7)
    assert event["code.file.path"].endswith("agent.py")


def test_an_exception_is_told_once(agent: Run) -> None:
    ran = agent(
        """
    import logging
    from opentelemetry import trace
    logging.basicConfig(level=0, handlers=[logging.NullHandler()])
    tracer = trace.get_tracer("agent")

    class OwnError(Exception):
        pass

    def work():
        try:
            raise OwnError("no disk")
        except OwnError:
            logging.exception("inner handler")
            raise

    with tracer.start_as_current_span("survives"):
        try:
            work()
        except OwnError:
            logging.exception("outer handler")
        try:
            1 / 0
        except ZeroDivisionError:
            logging.exception("another")
    try:
        with tracer.start_as_current_span("fails"):
            work()
    except OwnError:
        pass
    """
        + SHOW
    )
    survives, fails = ran.spans()["survives"], ran.spans()["fails"]

    assert told(survives) == [("exception", "inner handler"), ("log", "outer handler"), ("exception", "another")]
    first, second, _ = survives["event_attributes"]
    assert (first["exception.type"], first["exception.message"]) == ("__main__.OwnError", "no disk")
    assert "in work" in first["exception.stacktrace"]
    assert "exception.type" not in second
    assert told(fails) == [("log", "inner handler"), ("exception", None)]


def test_a_bridged_span_that_failed_has_its_exception(agent: Run) -> None:
    ran = agent(
        """
    import logging
    logging.basicConfig(level=0, handlers=[logging.NullHandler()])

    def load():
        logging.info("Loading model")
        try:
            raise ValueError("no such model")
        except ValueError as e:
            logging.error(f"Loading model failed: {e}")
            return
        logging.info("Loaded model")

    load()
    """
        + SHOW,
        OBS_BRIDGE="automatic",
    )
    (span,) = (span for span in ran.seen["spans"] if "obs.bridge.rule" in span["attributes"])

    assert told(span) == [("log", "Loading model failed: no such model"), ("exception", None)]


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("level", "expected"),
    [("info", ["said", "warned", "failed"]), ("error", ["failed"]), ("off", [])],
)
def test_the_level_is_a_setting(agent: Run, level: str, expected: list[str]) -> None:
    ran = agent(
        """
    import logging
    from opentelemetry import trace
    logging.basicConfig(level=0, handlers=[logging.NullHandler()])
    with trace.get_tracer("agent").start_as_current_span("work"):
        logging.info("said")
        logging.warning("warned")
        logging.error("failed")
    """
        + SHOW,
        OBS_SPAN_EVENTS=level,
    )
    assert [message for _, message in told(ran.spans()["work"])] == expected


def test_the_number_is_bounded(agent: Run) -> None:
    span = agent(
        """
    import logging
    from opentelemetry import trace
    logging.basicConfig(level=0, handlers=[logging.NullHandler()])
    with trace.get_tracer("agent").start_as_current_span("work"):
        for number in range(100):
            logging.warning("warned %d", number)
    """
        + SHOW
    ).spans()["work"]

    assert [message for _, message in told(span)] == [f"warned {number}" for number in range(32)]
    assert span["attributes"]["obs.span.events.dropped"] == 68


def test_the_run_span_has_those_of_no_other_span(agent: Run, tmp_path: Path) -> None:
    del tmp_path
    with Receiver() as receiver:
        ran = agent(
            """
    import logging
    logging.getLogger("agent").error("config is missing")
    """,
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
            OTEL_LOGS_EXPORTER="none",
        )
        assert ran.code == 0
        receiver.wait_for(lambda got: bool(got.spans))
        (run,) = receiver.spans
        assert run.events == ["log"]
