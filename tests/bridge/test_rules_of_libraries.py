"""Lines of loguru, structlog, our own logger and print pass the rules, each once, with their fields."""

from __future__ import annotations

from textwrap import dedent, indent
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.agents import Ran, Run

RULES = r"""
rules:
  task:
    match: {pattern: '^(?:task started|task_started|Task \w+ started)', fields: task_id}
    become: start
    name: task {task_id}
    key: task_id
  done: {match: {contains: done, level: info, fields: task_id}, become: end, of: task}
  hit: {match: {contains: cache hit}, become: event}
  count: {match: {contains: counted}, become: metric, metric: counter}
"""
LIBRARIES = {
    "loguru": """
        import sys
        from loguru import logger
        logger.remove()
        logger.add(sys.stderr, format="{message}")
        # Propagated, too.
        class Propagate(logging.Handler):
            def emit(self, record):
                logging.getLogger(record.name).handle(record)
        logger.add(Propagate(), format="{message}")
        say = lambda text, **fields: logger.bind(**fields).info(text)
    """,
    "structlog": """
        import structlog
        structlog.configure(processors=[structlog.processors.KeyValueRenderer()])
        say = structlog.get_logger().info
    """,
    "structlog to logging": """
        import structlog
        structlog.configure(
            processors=[structlog.stdlib.add_log_level, structlog.processors.JSONRenderer()],
            logger_factory=structlog.stdlib.LoggerFactory(), wrapper_class=structlog.stdlib.BoundLogger)
        say = structlog.get_logger("std").info
    """,
    "logging": """
        say = lambda text, **fields: logging.getLogger("own").info(text, extra=fields)
    """,
    "our own": """
        from obs_run.logging import DistributedLogger
        say = DistributedLogger("own").info
    """,
}


def ruled(agent: Run, tmp_path: Path, source: str, **environment: str) -> Ran:
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    head = "import logging\nlogging.basicConfig(level=0, handlers=[logging.NullHandler()])\n"
    shown = head + dedent(source) + "\nimport telemetry_probe; telemetry_probe.show()\n"
    return agent(shown, OBS_BRIDGE="rules", OBS_BRIDGE_RULES="rules.yaml", **environment)


@pytest.mark.sampled
@pytest.mark.parametrize("library", LIBRARIES)
def test_lines_of_a_library_pass_the_rules_once(agent: Run, tmp_path: Path, library: str) -> None:
    work = """
        def begin(number):
            say("task started", task_id=number)

        begin(4)
        begin(5)
        say("a cache hit", task_id=5)
        say("counted", task_id=5)
        say("task is done", task_id=5)
        say("task is done", task_id=4)
    """
    ran = ruled(agent, tmp_path, dedent(LIBRARIES[library]) + dedent(work))

    assert [span["name"] for span in ran.seen["spans"]] == ["task 5", "task 4"]
    spans = ran.spans()
    assert {span["attributes"]["obs.bridge.end"] for span in spans.values()} == {"line"}
    assert spans["task 5"]["attributes"]["obs.bridge.key"] == "task_id=5"
    assert spans["task 5"]["attributes"]["code.file.path"].endswith("agent.py")
    assert spans["task 5"]["events"] == ["hit"]
    assert spans["task 4"]["events"] == []
    (point,) = ran.seen["metrics"]["obs.log.count"]["points"]
    assert point["value"] == 1


def test_printed_lines_pass_the_rules(agent: Run, tmp_path: Path) -> None:
    rules = RULES.replace(", fields: task_id", "").replace("    key: task_id\n", "").replace(" {task_id}", "")
    (tmp_path / "rules.yaml").write_text(rules, encoding="utf-8")
    source = """
        import sys
        def work():
            print("task", "started")
            print("a cache hit")
            sys.stdout.write("it is done\\n")
        def early():
            print("task", "started")
        work()
        early()
        import telemetry_probe; telemetry_probe.show()
    """
    settings = {"OBS_BRIDGE": "rules", "OBS_BRIDGE_RULES": "rules.yaml", "OBS_BRIDGE_STDOUT": "true"}
    ran = agent(indent(dedent(source), ""), **settings)

    told = [(span["attributes"]["obs.bridge.end"], span["events"]) for span in ran.seen["spans"]]
    assert told == [("line", ["hit"]), ("return", [])]


def test_a_message_of_loguru_that_has_caught_an_exception_ends_what_it_left(agent: Run, tmp_path: Path) -> None:
    ran = ruled(
        agent,
        tmp_path,
        """
        import sys
        from loguru import logger
        logger.remove()
        logger.add(sys.stderr, format="{message}")
        @logger.catch
        def work():
            logger.bind(task_id=1).info("task started")
            raise ValueError("no such model")
        work()
        """,
    )
    (span,) = ran.seen["spans"]
    assert (span["status"], span["description"]) == ("ERROR", "no such model")
    assert span["attributes"]["obs.bridge.end"] == "return"


def test_what_a_field_is_is_not_asked_of_the_agents_code(agent: Run, tmp_path: Path) -> None:
    ran = ruled(
        agent,
        tmp_path,
        """
        class Task:
            def __str__(self):
                raise SystemExit("the agent's own code ran")
        logging.getLogger("own").info("task started", extra={"task_id": Task()})
        logging.getLogger("own").info("task is done", extra={"task_id": Task()})
        """,
    )
    assert len(ran.seen["spans"]) == 1
