from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.agents import Run


def test_every_logger_is_heard_and_the_agents_output_is_its_own(agent: Run) -> None:
    source = """
    import logging
    quiet = logging.getLogger("quiet")
    quiet.propagate = False
    quiet.addHandler(logging.FileHandler("quiet.log"))
    logging.basicConfig(format="%(levelname)s %(funcName)s %(lineno)d %(message)s", level=logging.INFO)

    def work():
        logging.info("root %d", 1)
        quiet.warning("not propagated")
        logging.getLogger("later").error("late %s", "r")
        logging.debug("below the level")
        logging.LoggerAdapter(logging.getLogger("adapted"), {"request": 7}).info("adapted")
    work()
    late = logging.getLogger("late")
    late.addHandler(logging.StreamHandler())
    late.info("handler installed later")
    print(open("quiet.log").read(), end="")
    """
    plain = agent(source, start=False)
    ran = agent(source + "\n    import telemetry_probe; telemetry_probe.show()")
    logs = ran.logs()

    assert ran.err == plain.err
    assert ran.out.startswith(plain.out)
    assert set(logs) == {"root 1", "not propagated", "late r", "adapted", "handler installed later"}
    assert (logs["root 1"]["severity"], logs["root 1"]["number"], logs["root 1"]["scope"]) == ("INFO", 9, "root")
    assert logs["not propagated"]["number"] == 13
    assert logs["late r"]["number"] == 17
    assert logs["root 1"]["attributes"]["code.function.name"] == "work"
    assert logs["root 1"]["attributes"]["code.file.path"].endswith("agent.py")
    assert logs["root 1"]["attributes"]["thread.name"] == "MainThread"


def test_basic_config_still_configures(agent: Run) -> None:
    ran = agent("""
    import logging
    logging.getLogger("before").warning("before")
    logging.basicConfig(format="mine: %(message)s")
    assert len(logging.getLogger().handlers) == 1
    logging.warning("hello")
    """)
    assert ran.err.splitlines() == ["before", "mine: hello"]


def test_extras_and_errors(agent: Run) -> None:
    ran = agent("""
    import logging
    import telemetry_probe
    logging.basicConfig(handlers=[logging.NullHandler()])

    class Broken:
        def __str__(self):
            raise RuntimeError("no")

    class BrokenError(Exception):
        def __str__(self):
            raise RuntimeError("no")

    logging.raiseExceptions = False
    extra = {"user": "ada", "big": 2**70, "flag": True, "ratio": 0.5, "none": None, "list": [1], "odd": Broken(), 7: 1}
    logging.warning("extras", extra=extra)
    try:
        1 / 0
    except ZeroDivisionError:
        logging.exception("failed")
    try:
        raise BrokenError
    except BrokenError:
        logging.exception("failed strangely")
    logging.warning(Broken())
    logging.warning("%d", "not a number")
    logging.warning("half a pair: \\ud800")
    telemetry_probe.show()
    """)
    logs = ran.logs()
    extras = logs["extras"]["attributes"]

    assert {name: extras[name] for name in ("user", "big", "flag", "ratio", "list", "odd", "7")} == {
        "user": "ada",
        "big": str(2**70),
        "flag": True,
        "ratio": 0.5,
        "list": "[1]",
        "odd": "<__main__.Broken object>",
        "7": 1,
    }
    assert "none" not in extras
    assert logs["failed"]["attributes"]["exception.type"] == "ZeroDivisionError"
    assert logs["failed"]["attributes"]["exception.message"] == "division by zero"
    assert "1 / 0" in logs["failed"]["attributes"]["exception.stacktrace"]
    assert logs["failed strangely"]["attributes"]["exception.type"] == "__main__.BrokenError"
    assert {"<__main__.Broken object>", "%d", "half a pair: ?"} <= set(logs)
    assert not ran.err


def test_records_carry_the_span_that_is_current_also_in_threads(agent: Run) -> None:
    ran = agent("""
    import logging
    import threading
    import telemetry_probe
    from opentelemetry import trace

    logging.basicConfig(handlers=[logging.NullHandler()], level=logging.INFO)
    logging.info("outside")
    with trace.get_tracer("t").start_as_current_span("work"):
        logging.info("inside")
        thread = threading.Thread(target=logging.info, args=("elsewhere",), name="worker")
        thread.start()
        thread.join()
    telemetry_probe.show()
    """)
    logs, span = ran.logs(), ran.spans()["work"]

    assert logs["inside"]["span"] == logs["elsewhere"]["span"] == span["span"]
    assert logs["outside"]["span"] == span["parent"], "the run span"
    assert {log["trace"] for log in logs.values()} == {span["trace"]}
    assert logs["elsewhere"]["attributes"]["thread.name"] == "worker"


def test_handlers_that_log_do_not_recur(agent: Run) -> None:
    ran = agent("""
    import logging
    import telemetry_probe

    class Talking(logging.Handler):
        def emit(self, record):
            if record.name != "talk":
                logging.getLogger("talk").info("about %s", record.getMessage())

    logging.basicConfig(handlers=[Talking()], level=logging.INFO)
    logging.info("one")
    telemetry_probe.show()
    """)
    assert sorted(ran.logs()) == ["about one", "one"]


def test_filters_and_raising_handlers_do_as_they_do_without_us(agent: Run) -> None:
    source = """
    import logging

    class Raising(logging.Handler):
        def handle(self, record):
            raise LookupError("handler")

    logging.getLogger("filtered").addFilter(lambda record: False)
    logging.getLogger("filtered").warning("filtered")
    logging.getLogger("raising").addHandler(Raising())
    try:
        logging.getLogger("raising").warning("raised")
    except LookupError:
        print("raised to the agent")
    """
    plain = agent(source, start=False)
    ran = agent(source + "\n    import telemetry_probe; telemetry_probe.show()")

    assert ran.err == plain.err
    assert ran.out.startswith(plain.out)
    assert list(ran.logs()) == ["raised"]


def test_a_handler_of_the_sdk_does_not_double_the_records(agent: Run) -> None:
    ran = agent("""
    import logging
    import telemetry_probe
    from opentelemetry import _logs
    from opentelemetry._logs import LogRecord, SeverityNumber

    class ToOtel(logging.Handler):
        def emit(self, record):
            _logs.get_logger(record.name).emit(LogRecord(body=record.getMessage(), severity_number=SeverityNumber.INFO))

    logging.basicConfig(handlers=[ToOtel()], level=logging.INFO)
    logging.info("once")
    _logs.get_logger("api").emit(LogRecord(body="by the API", severity_number=SeverityNumber.WARN))
    telemetry_probe.show()
    """)
    assert sorted(log["body"] for log in ran.seen["logs"]) == ["by the API", "once"]


def test_it_can_be_switched_off(agent: Run) -> None:
    ran = agent(
        """
        import logging
        assert type(logging.Logger.callHandlers) is type(lambda: None)
        logging.warning("said")
        """,
        OBS_LOGS="false",
        OBS_BRIDGE="off",
    )
    assert (ran.code, ran.err) == (0, "WARNING:root:said\n")


def test_a_record_loads_no_sdk_on_the_agents_thread(agent: Run) -> None:
    ran = agent(
        """
        import logging, sys, os
        logging.basicConfig(handlers=[logging.NullHandler()])
        logging.warning("said")
        assert "opentelemetry" not in sys.modules, sorted(name for name in sys.modules if "opentel" in name)
        os.write(1, b"light")
        """,
        OTEL_BSP_SCHEDULE_DELAY="60000",
    )
    assert (ran.code, ran.out, ran.err) == (0, "light", "")


def test_capturing_compiles_no_text_at_start(agent: Run) -> None:
    # The first compilation in a process builds the classes of the syntax tree: ten million instructions.
    ran = agent(
        """
        import sys

        def compiled_text(event, arguments):
            # Modules come from files, and named tuples evaluate a lambda, which needs no syntax tree.
            if event == "compile" and arguments[1] == "<string>" and not arguments[0].startswith(b"lambda"):
                print("compiled", arguments)

        sys.addaudithook(compiled_text)
        import logging
        assert type(logging.Logger.callHandlers) is not type(lambda: None)
        """
    )
    assert (ran.code, ran.out) == (0, ""), ran.err


def test_a_record_with_an_odd_exc_info_is_kept(agent: Run) -> None:
    ran = agent(
        """
        import logging
        logger = logging.getLogger("agent")
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
        logger.error("odd", exc_info=(1, 2))
        logger.error("short", exc_info=(None, None, None))
        import telemetry_probe
        telemetry_probe.show()
        """
    )
    assert (set(ran.logs()), ran.err) == ({"odd", "short"}, "")


def test_no_code_of_the_agent_runs_for_what_its_handlers_leave_alone(agent: Run) -> None:
    ran = agent(
        """
        import collections.abc, datetime, decimal, enum, logging, uuid
        import telemetry_probe
        logging.basicConfig(handlers=[logging.NullHandler()], level=logging.INFO)

        class Query:
            def __str__(self):
                print("a query has run")
                raise SystemExit(3)
            __repr__ = __len__ = __iter__ = __bool__ = __eq__ = __format__ = __str__
            __hash__ = None

        class Rows(collections.abc.Mapping):
            def __getitem__(self, name):
                print("a row was read")
            __len__ = __iter__ = __repr__ = __getitem__

        class Numbers(list):
            def __iter__(self):
                print("counted")
                return super().__iter__()
            __str__ = __repr__ = __len__ = __iter__

        class Colour(enum.Enum):
            RED = 1
            def __str__(self):
                raise SystemExit(3)

        class Long(str):
            def __str__(self):
                raise SystemExit(3)

        extra = {
            "query": Query(), "rows": Rows(), "numbers": Numbers([1, 2]), "colour": Colour.RED, "type": Query,
            "within": [Query()], "deep": {"a": {"b": Query()}}, "text": Long("text"),
            "day": datetime.date(2026, 1, 2), "price": decimal.Decimal("1.50"), "id": uuid.UUID(int=1),
            "pair": (1, "two"), "error": ValueError("bad"),
        }
        logging.info("extras", extra=extra)
        logging.info("arguments %s %r %d %.1f %s", Query(), [Query()], 3, decimal.Decimal("1.50"), Colour.RED)
        logging.info("by name %(query)s %(day)s", {"query": Query(), "day": datetime.date(2026, 1, 2)})
        logging.info("wrong %d", Query())
        logging.info(Query())
        telemetry_probe.show()
        """
    )
    assert ran.code == 0, ran.err
    assert "\n" not in ran.out.strip(), ran.out
    logs = ran.logs()
    extras = logs["extras"]["attributes"]
    names = ("query", "rows", "numbers", "colour", "within", "deep", "text", "day", "price", "pair", "error")
    assert {name: extras[name] for name in names} == {
        "query": "<__main__.Query object>",
        "rows": "<__main__.Rows object>",
        "numbers": "[1,2]",
        "colour": "Colour.RED",
        "within": '["<__main__.Query object>"]',
        "deep": '{"a":{"b":"<__main__.Query object>"}}',
        "text": "text",
        "day": "2026-01-02",
        "price": "1.50",
        "pair": '[1,"two"]',
        "error": "bad",
    }
    assert set(logs) == {
        "extras",
        "arguments <__main__.Query object> [<__main__.Query object>] 3 1.5 Colour.RED",
        "by name <__main__.Query object> 2026-01-02",
        "wrong %d",
        "<__main__.Query object>",
    }


def test_what_a_handler_has_formatted_is_recorded_as_it_said(agent: Run) -> None:
    ran = agent(
        """
        import logging, sys
        import telemetry_probe
        logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")

        class Person:
            times = 0
            def __str__(self):
                Person.times += 1
                return f"Ada {Person.times}"

        logging.info("hello %s", Person())
        telemetry_probe.show()
        """
    )
    assert ran.err == "hello Ada 1\n"
    assert set(ran.logs()) == {"hello Ada 1"}


@pytest.mark.slow
def test_a_large_value_costs_no_more_than_its_beginning(agent: Run) -> None:
    ran = agent(
        """
        import logging
        import telemetry_probe
        logging.basicConfig(handlers=[logging.NullHandler()], level=logging.INFO)
        numbers = list(range(3_000_000))
        logging.info("many", extra={"numbers": numbers, "named": dict.fromkeys(numbers)})
        logging.info("many %s", numbers)
        telemetry_probe.show()
        """
    )
    longest = max(len(body) for body in ran.logs())
    assert longest < 100_000
    assert len(ran.logs()["many"]["attributes"]["numbers"]) < 100_000


@pytest.mark.parametrize("logs", ["true", "false"])
def test_formats_may_name_the_ids_of_the_span(agent: Run, logs: str) -> None:
    ran = agent(
        """
        import logging, sys
        import telemetry_probe
        from opentelemetry import trace
        names = "otelTraceID otelSpanID otelTraceSampled otelServiceName message".split()
        logging.basicConfig(format=" ".join(f"%({name})s" for name in names))
        with trace.get_tracer("t").start_as_current_span("work"):
            logging.getLogger("x").warning("inside")
        logging.warning("outside")
        telemetry_probe.show()
        """,
        OTEL_PYTHON_LOG_CORRELATION="true",
        OBS_LOGS=logs,
        OTEL_SERVICE_NAME="service",
    )
    span = ran.spans()["work"]
    inside, outside = ran.err.splitlines()
    assert inside == f"{span['trace']} {span['span']} True service inside"
    assert outside.startswith(span["trace"])
    assert outside.endswith(" True service outside")
    records = ran.logs()
    assert set(records) == ({"inside", "outside"} if logs == "true" else set())
    assert not any(name.startswith("otel") for record in records.values() for name in record["attributes"])


def test_structured_values_are_json(agent: Run) -> None:
    ran = agent("""
    import collections, logging
    import telemetry_probe
    class Other:
        def __str__(self):
            return "other"
    circle = []
    circle.append(circle)
    extra = {"d": {"q": 1, "o": Other()}, "l": [1, None], "t": (True,), "c": collections.Counter("aa"), "o": Other()}
    logging.getLogger("x").warning("extras", extra={**extra, "circle": circle})
    logging.getLogger("x").critical({"q": [1]})
    logging.addLevelName(35, "NOTICE")
    logging.getLogger("x").log(35, "own level")
    telemetry_probe.show()
    """)
    logs = ran.logs()
    attributes = logs["extras"]["attributes"]
    told = {name: attributes[name] for name in ("d", "l", "t", "c", "o", "circle")}
    assert told == {
        "d": '{"q":1,"o":"<__main__.Other object>"}',
        "l": "[1,null]",
        "t": "[true]",
        "c": '{"a":2}',
        "o": "<__main__.Other object>",
        "circle": '["[contains itself]"]',
    }
    assert logs["extras"]["severity"] == "WARN"
    assert logs['{"q":[1]}']["severity"] == "FATAL"
    assert logs["own level"]["severity"] == "NOTICE"


def test_records_that_are_only_read_are_not_exported(agent: Run) -> None:
    ran = agent(
        """
        import logging
        import telemetry_probe
        logging.basicConfig(level=0, handlers=[logging.NullHandler()])

        def load():
            logging.info("Loading model")
            logging.info("Loaded model")

        load()
        telemetry_probe.show()
        """,
        OBS_LOGS="false",
        OBS_BRIDGE="automatic",
    )
    assert ran.seen["logs"] == []
    assert [span["attributes"]["obs.bridge.end"] for span in ran.seen["spans"]] == ["line"]
