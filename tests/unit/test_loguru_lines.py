"""What loguru writes: recorded once, read for spans, and as without us for the agent."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.agents import Run

SHOW = "\nimport telemetry_probe; telemetry_probe.show()\n"


def _without_ids(text: str) -> str:
    return re.sub(r"\(\d+\)|0x[0-9a-f]+", "(id)", text)


def test_messages_are_recorded_without_a_sink_of_ours(agent: Run) -> None:
    source = """
import sys
from loguru import logger

first = logger.add(sys.stdout, format="{level} {function} {line} {extra} {message}", level="DEBUG")
assert first == 1
assert logger.info("returns {}", "nothing") is None

def outer():
    inner()

def inner():
    logger.opt(depth=1).warning("told by the caller")
    logger.opt(lazy=True).debug("lazy {}", lambda: calls.append(1) or "value")
    with logger.contextualize(task=7):
        logger.bind(user="ada").success("bound")
    logger.trace("below every level")

calls = []
outer()
assert calls == [1]

@logger.catch(reraise=False)
def broken():
    raise ValueError("caught")

broken()
logger.remove()
logger.error("nobody listens")
"""
    plain, ran = agent(source, start=False), agent(source + SHOW)

    assert _without_ids(ran.out).startswith(_without_ids(plain.out))
    assert ran.err.count("Traceback") == plain.err.count("Traceback")
    logs = ran.logs()
    assert [log["body"] for log in ran.seen["logs"]][:4] == [
        "returns nothing",
        "told by the caller",
        "lazy value",
        "bound",
    ]
    assert logs["told by the caller"]["attributes"]["code.function.name"] == "outer"
    bound = logs["bound"]
    assert (bound["severity"], bound["number"], bound["scope"]) == ("SUCCESS", 9, "__main__")
    assert (bound["attributes"]["task"], bound["attributes"]["user"]) == (7, "ada")
    (caught,) = [log for body, log in logs.items() if "error has been caught" in body]
    assert caught["attributes"]["exception.message"] == "caught"
    assert len(ran.seen["logs"]) == 5


def test_a_message_is_recorded_once_whatever_handlers_there_are(agent: Run) -> None:
    seen = agent("""
    import logging, sys
    from loguru import logger
    from obs_run.logging.loguru_sink import add_context, sink

    class Propagate(logging.Handler):
        def emit(self, record):
            logging.getLogger(record.name).handle(record)

    logger.configure(patcher=add_context)
    logger.add(sink, level="TRACE")
    logger.add(sys.stdout)
    logger.add(Propagate(), format="{message}")
    logger.add(Propagate(), format="{message}", enqueue=True)
    logger.add(lambda message: logging.getLogger("handed").info(message))
    logging.basicConfig(level="INFO", handlers=[logging.NullHandler()])
    logger.info("everywhere")
    logger.complete()

    class Intercept(logging.Handler):
        def emit(self, record):
            logger.opt(depth=6, exception=record.exc_info).log(record.levelname, record.getMessage())

    logger.remove()
    logger.add(sys.stdout)
    logging.basicConfig(handlers=[Intercept()], level=0, force=True)
    logging.getLogger("lib").warning("intercepted")
    import telemetry_probe; telemetry_probe.show()
    """).seen

    assert Counter(log["body"] for log in seen["logs"]) == {"everywhere": 1, "intercepted": 1}


def test_nothing_is_touched_where_nothing_is_wanted(agent: Run) -> None:
    ran = agent(
        """
    from loguru import logger, _handler
    assert type(_handler.Handler.emit) is type(lambda: None)
    logger.info("said")
    import telemetry_probe; telemetry_probe.show()
    """,
        OBS_LOGS="false",
        OBS_BRIDGE="off",
    )
    assert ran.seen["logs"] == []


def test_messages_become_spans(agent: Run) -> None:
    ran = agent(
        """
    import sys
    from loguru import logger
    logger.remove()
    logger.add(sys.stderr, format="{message}")

    @logger.catch
    def load(name):
        logger.info("Loading model {}", name)
        if name == "broken":
            raise ValueError("no such model")
        logger.debug("reading weights")
        logger.success("Loaded model {} in {:.1f}s", name, 0.2)

    load("small")
    load("broken")
    import telemetry_probe; telemetry_probe.show()
    """,
        OBS_BRIDGE="automatic",
    )
    seen = ran.seen
    first, second = (span for span in seen["spans"] if "obs.bridge.rule" in span["attributes"])
    logs = ran.logs()

    assert (first["status"], second["status"]) == ("UNSET", "ERROR")
    assert logs["reading weights"]["span"] == first["span"]
    assert logs["Loaded model small in 0.2s"]["span"] == first["span"]
    assert (first["attributes"]["obs.bridge.end"], second["attributes"]["obs.bridge.end"]) == ("line", "return")
    assert second["description"] == "no such model"


def test_a_block_that_catches_is_no_statement(agent: Run) -> None:
    ran = agent(
        """
    import sys
    from loguru import logger
    logger.remove()
    logger.add(sys.stderr, format="{message}")

    def process(item):
        with logger.catch(message="Processing failed"):
            load(item)

    def load(item):
        logger.info(f"Loading {item}")
        if item == "broken":
            raise ValueError("no such item")
        logger.info(f"Loaded {item}")

    process("broken")
    process("fine")
    import telemetry_probe; telemetry_probe.show()
    """,
        OBS_BRIDGE="automatic",
    )
    first, second = (span for span in ran.seen["spans"] if "obs.bridge.rule" in span["attributes"])

    assert (first["status"], first["attributes"]["obs.bridge.end"]) == ("ERROR", "return")
    assert (second["status"], second["attributes"]["obs.bridge.end"]) == ("UNSET", "line")


def test_a_decorator_that_logs_for_what_it_wraps(agent: Run) -> None:
    ran = agent(
        """
    import functools, sys
    from loguru import logger
    logger.remove()
    logger.add(sys.stderr, format="{message}")

    def logged(function):
        @functools.wraps(function)
        def wrapped(*args):
            mine = logger.opt(depth=1)
            mine.debug("Entering '{}'", function.__name__)
            result = function(*args)
            mine.debug("Exiting '{}'", function.__name__)
            return result
        return wrapped

    @logged
    def work(number):
        logger.info("inside")

    def main(arguments):
        work(3)

    main([])
    import telemetry_probe; telemetry_probe.show()
    """,
        OBS_BRIDGE="automatic",
    )
    (span,) = (span for span in ran.seen["spans"] if "obs.bridge.rule" in span["attributes"])
    logs = ran.logs()

    assert logs["inside"]["span"] == span["span"]
    assert logs["Entering 'work'"]["attributes"]["code.function.name"] == "main"
