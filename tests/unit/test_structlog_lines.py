"""What structlog writes: recorded once, read for spans, and as without us for the agent."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.agents import Run

SHOW = "\nimport telemetry_probe; telemetry_probe.show()\n"


@pytest.mark.slow
def test_events_are_recorded_without_a_processor_of_ours(agent: Run) -> None:
    source = """
import asyncio, sys
import structlog
from structlog.contextvars import bound_contextvars
from structlog.processors import CallsiteParameter, CallsiteParameterAdder

def mask(logger, method, event):
    if "password" in event:
        event["password"] = "***"
    if event["event"] == "health check":
        raise structlog.DropEvent
    return event

structlog.configure(processors=[
    structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, mask,
    CallsiteParameterAdder([CallsiteParameter.FUNC_NAME, CallsiteParameter.LINENO]),
    structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer(sort_keys=True),
])
log = structlog.get_logger(component="agent")

def work():
    with bound_contextvars(request=7):
        assert log.info("login", password="secret") is None
    log.info("health check")
    log.info("number %d", 3)
    try:
        int("x")
    except ValueError:
        log.exception("failed")

work()

async def later():
    await log.awarning("awaited", n=1)

asyncio.run(later())
structlog.configure(logger_factory=structlog.WriteLoggerFactory())
structlog.get_logger().error("written")
structlog.configure(
    logger_factory=structlog.BytesLoggerFactory(),
    processors=[lambda _logger, _name, event: event["event"].encode()],
)
structlog.get_logger("named").info("bytes")
"""
    plain, ran = agent(source, start=False), agent(source + SHOW)

    assert ran.out.startswith(plain.out)
    assert ran.err == plain.err
    logs = ran.logs()
    assert [log["body"] for log in ran.seen["logs"]] == ["login", "number 3", "failed", "awaited", "written", "bytes"]
    login = logs["login"]["attributes"]
    assert (login["password"], login["request"], login["component"]) == ("***", 7, "agent")
    assert login["code.function.name"] == "work"
    failed, awaited = logs["failed"], logs["awaited"]
    assert (failed["number"], failed["attributes"]["exception.type"]) == (17, "ValueError")
    assert "exception" not in failed["attributes"]
    assert (awaited["number"], awaited["attributes"]["code.function.name"]) == (13, "later")
    assert logs["bytes"]["scope"] in ("named", "structlog")


def test_an_event_that_goes_on_to_the_logging_module_is_recorded_there(agent: Run) -> None:
    seen = agent("""
    import logging, sys
    import structlog
    from obs_run.logging.structlog_processors import add_context, record_event

    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
    structlog.configure(
        processors=[add_context, record_event, structlog.processors.KeyValueRenderer(key_order=["event"])],
        logger_factory=structlog.stdlib.LoggerFactory(), wrapper_class=structlog.stdlib.BoundLogger,
    )
    structlog.get_logger("std").info("rendered", n=3)
    structlog.get_logger("std").debug("below the level")
    structlog.configure(
        processors=[record_event, structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(), wrapper_class=structlog.BoundLogger,
    )
    structlog.get_logger().info("printed", n=3)
    import telemetry_probe; telemetry_probe.show()
    """).seen

    assert Counter(log["scope"] for log in seen["logs"]) == {"std": 1, "structlog": 1}


def test_events_become_spans_by_their_fields(agent: Run) -> None:
    for configure in (
        "pass",
        """structlog.configure(
            processors=[structlog.stdlib.add_log_level, structlog.processors.JSONRenderer()],
            logger_factory=structlog.stdlib.LoggerFactory(), wrapper_class=structlog.stdlib.BoundLogger)""",
    ):
        ran = agent(
            f"""
    import asyncio, logging
    import structlog
    logging.basicConfig(level=0)
    {configure}
    log = structlog.get_logger()

    async def run(name):
        log.info("task_started", task_id=name, name="ignored")
        await asyncio.sleep(0)
        log.info("inside", task_id=name)
        await asyncio.sleep(0)
        log.info("task_completed", task_id=name)

    async def main():
        await asyncio.gather(run("a"), run("b"))

    asyncio.run(main())
    import telemetry_probe; telemetry_probe.show()
    """,
            OBS_BRIDGE="automatic",
        )
        spans = [span for span in ran.seen["spans"] if "obs.bridge.rule" in span["attributes"]]

        assert [span["attributes"]["obs.bridge.key"] for span in spans] == ["task_id=a", "task_id=b"]
        assert {span["attributes"]["obs.bridge.end"] for span in spans} == {"line"}
        inside = [log["span"] for log in ran.seen["logs"] if "inside" in log["body"]]
        assert inside == [span["span"] for span in spans]


@pytest.mark.slow
@pytest.mark.parametrize("configure", ["pass", "structlog.stdlib.recreate_defaults(log_level=20)"])
def test_awaited_events_become_spans(agent: Run, configure: str) -> None:
    ran = agent(
        f"""
    import asyncio, logging
    import structlog
    {configure}
    structlog.configure(processors=[structlog.processors.JSONRenderer()])
    if {configure!r} == "pass":
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(20))
    log = structlog.get_logger("agent")

    async def load():
        await log.ainfo("Loading index", shards=3)
        log.warning("slow disk")
        await log.ainfo("Loaded index", shards=3)

    async def quiet():
        await log.adebug("Loading nothing")
        await log.adebug("Loaded nothing")

    asyncio.run(load())
    asyncio.run(quiet())
    import telemetry_probe; telemetry_probe.show()
    """,
        OBS_BRIDGE="automatic",
    )
    (span,) = (span for span in ran.seen["spans"] if "obs.bridge.rule" in span["attributes"])
    first, second, _ = (log for log in ran.seen["logs"] if "index" in log["body"] or "disk" in log["body"])

    assert (first["span"], second["span"]) == (span["span"], span["span"])
