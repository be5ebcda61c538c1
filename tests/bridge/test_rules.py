from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.agents import Ran, Run

    Traced = Callable[..., Ran]

HEAD = """
import logging, asyncio, threading, time
import telemetry_probe
log = logging.getLogger("goals")
log.setLevel(logging.DEBUG)
log.addHandler(logging.NullHandler())
"""
TASKS = r"""
rules:
  task:
    match: {pattern: 'Executing task (?P<task_id>\w+)(?:: (?P<what>.*))?'}
    become: start
    name: task {what}
    key: TASK_ID
    timeout: 1h
  task-done:
    match: {pattern: 'Task (?P<task_id>\w+) completed'}
    become: end
    of: task
  task-failed:
    match: {pattern: 'Task (?P<task_id>\w+) failed: (?P<reason>.*)'}
    become: failure
    of: task
  hit:
    match: {contains: Cache hit}
    become: event
"""


@pytest.fixture
def traced(agent: Run, tmp_path: Path) -> Traced:
    def run(rules: str, source: str, **environment: str) -> Ran:
        (tmp_path / "rules.yaml").write_text(dedent(rules), encoding="utf-8")
        settings = {"OBS_BRIDGE": "rules", "OBS_BRIDGE_RULES": "rules.yaml", **environment}
        return agent(HEAD + dedent(source) + "\ntelemetry_probe.show()\n", **settings)

    return run


def tree(ran: Ran) -> list[tuple[str, str | None, str]]:
    """The spans as name, name of the parent among them, status; in the order of their beginning as far as seen."""
    spans = ran.seen["spans"]
    names = {span["span"]: span["name"] for span in spans}
    return sorted((span["name"], names.get(span["parent"]), span["status"]) for span in spans)


def attributes(ran: Ran, name: str) -> dict[str, Any]:
    return dict(ran.spans()[name]["attributes"])


def test_lines_become_spans_events_and_failures(traced: Traced) -> None:
    ran = traced(
        TASKS,
        """
        def work(number):
            log.info(f"Executing task T{number}: dig{number}")
            log.info("Cache hit")
            if number == 2:
                try:
                    1 / 0
                except ZeroDivisionError as error:
                    log.error(f"Task t{number} failed: {error}")
            else:
                log.info("Task %s completed", f"t{number}")
        work(1)
        work(2)
        """,
    )
    assert tree(ran) == [("task dig1", None, "UNSET"), ("task dig2", None, "ERROR")]
    first, second = attributes(ran, "task dig1"), attributes(ran, "task dig2")
    assert first["obs.bridge.rule"] == "task"
    assert first["obs.bridge.key"] == "task_id=t1"
    assert first["obs.bridge.end"] == "line"
    assert (first["task_id"], first["what"]) == ("T1", "dig1")
    assert first["code.function.name"] == "work"
    assert first["obs.bridge.end.line"] > first["code.line.number"]
    assert (second["error.type"], second["reason"]) == ("ZeroDivisionError", "division by zero")
    assert ran.spans()["task dig2"]["description"] == "division by zero"
    assert ran.spans()["task dig1"]["events"] == ["hit"]
    logs, span = ran.logs(), ran.spans()["task dig1"]["span"]
    assert {logs[body]["span"] for body in ("Executing task T1: dig1", "Task t1 completed")} == {span}


def test_a_span_is_current_while_it_is_open(traced: Traced) -> None:
    ran = traced(
        TASKS,
        """
        from opentelemetry import trace
        log.info("Executing task 1: outer")
        with trace.get_tracer("t").start_as_current_span("inner"):
            log.info("Executing task 2: innermost")
            log.info("Task 2 completed")
        log.info("Task 1 completed")
        with trace.get_tracer("t").start_as_current_span("after"):
            pass
        """,
    )
    # Same function, another id: beside it rather than inside.
    assert tree(ran) == [
        ("after", None, "UNSET"),
        ("inner", "task outer", "UNSET"),
        ("task innermost", None, "UNSET"),
        ("task outer", None, "UNSET"),
    ]


def test_a_call_inside_of_a_rules_span_nests(traced: Traced) -> None:
    ran = traced(
        TASKS,
        """
        def work(number, depth):
            log.info(f"Executing task {number}: depth{depth}")
            if depth < 2:
                work(number + 1, depth + 1)
            log.info(f"Task {number} completed")
        work(1, 0)
        """,
    )
    assert tree(ran) == [
        ("task depth0", None, "UNSET"),
        ("task depth1", "task depth0", "UNSET"),
        ("task depth2", "task depth1", "UNSET"),
    ]


def test_interleaved_ids_are_kept_apart(traced: Traced) -> None:
    ran = traced(
        TASKS,
        """
        for number in (1, 2, 3):
            log.info(f"Executing task {number}: n{number}")
        for number in (2, 1, 3):
            log.info(f"Task {number} completed")
        """,
    )
    assert tree(ran) == [(f"task n{number}", None, "UNSET") for number in (1, 2, 3)]
    assert {span["attributes"]["obs.bridge.end"] for span in ran.seen["spans"]} == {"line"}


def test_another_thread_may_end_what_has_a_key(traced: Traced) -> None:
    ran = traced(
        TASKS,
        """
        log.info("Executing task 7: dig")
        thread = threading.Thread(target=lambda: log.info("Task 7 completed"))
        thread.start()
        thread.join()
        log.info("Task 9 completed")
        """,
    )
    assert tree(ran) == [("task dig", None, "UNSET")]


def test_tasks_of_asyncio_have_spans_of_their_own(traced: Traced) -> None:
    rules = """
    rules:
      step:
        match: {contains: step begins}
        become: start
        name: step
      step-end:
        match: {contains: step is over}
        become: end
        of: step
    """
    source = """
    from opentelemetry import trace
    async def work(number):
        log.info("step begins")
        await asyncio.sleep(0.01 * number)
        with trace.get_tracer("t").start_as_current_span(f"inside {number}"):
            await asyncio.sleep(0.01)
        log.info("step is over")
    async def main():
        await asyncio.gather(*map(work, range(3)))
    asyncio.run(main())
    """
    ran = traced(rules, source)
    spans = ran.seen["spans"]
    steps = {span["span"] for span in spans if span["name"] == "step"}
    assert len(steps) == 3
    assert {span["parent"] for span in spans if span["name"].startswith("inside")} == steps
    assert {span["attributes"].get("obs.bridge.end") for span in spans if span["name"] == "step"} == {"line"}


def test_the_next_of_a_loop_ends_the_one_before(traced: Traced) -> None:
    rules = """
    rules:
      message:
        match: {pattern: 'Received (?P<kind>.*)'}
        become: start
        name: "{kind}"
      load:
        match: {contains: loading}
        become: start
    """
    ran = traced(
        rules,
        """
        for kind in ("a", "b", "c"):
            log.info("Received %s", kind)
            log.info("loading")
        log.info("Received d")
        """,
    )
    assert tree(ran) == [
        ("a", None, "UNSET"),
        ("b", None, "UNSET"),
        ("c", None, "UNSET"),
        ("load", "a", "UNSET"),
        ("load", "b", "UNSET"),
        ("load", "c", "UNSET"),
    ]
    assert attributes(ran, "a")["obs.bridge.end"] == "next"
    assert attributes(ran, "load")["obs.bridge.end"] == "parent"


def test_a_finished_span_has_the_duration_of_the_text(traced: Traced) -> None:
    rules = r"""
    rules:
      load:
        match: {pattern: "Loaded (?P<model>\\w+) in (?P<duration>.*?) flat"}
        become: span
        name: load {model}
        attributes: {model: gen_ai.request.model}
      bare:
        match: {pattern: 'inference=(?P<duration>\d+)'}
        become: span
        unit: ms
      found:
        match: {contains: Dream cycle}
        become: span
    """
    ran = traced(
        rules,
        """
        log.info("Loaded whisper in 1m 3.5s flat")
        log.info("inference=250 tokens=3")
        log.info("Dream cycle completed in 3.20 seconds")
        log.info("Dream cycle, timeout: 5s")
        """,
    )
    seconds = {span["name"]: round(span["seconds"], 3) for span in ran.seen["spans"]}
    assert seconds == {"load whisper": 63.5, "bare": 0.25, "found": 3.2}
    assert attributes(ran, "load whisper")["gen_ai.request.model"] == "whisper"


def test_an_end_alone_with_a_duration_is_a_finished_span(traced: Traced) -> None:
    rules = r"""
    rules:
      work:
        match: {contains: work begins}
        become: start
      work-end:
        match: {contains: work is over}
        become: end
        of: work
    """
    ran = traced(rules, """log.info("work is over after 2s")""")
    assert [(span["name"], round(span["seconds"], 1)) for span in ran.seen["spans"]] == [("work-end", 2.0)]


def test_groups_become_attributes_of_the_open_span(traced: Traced) -> None:
    rules = (
        TASKS
        + r"""
  model:
    match: {pattern: 'using (?P<model>\S+) and (?P<size>\d+) words'}
    become: attribute
    attributes: {model: gen_ai.request.model}
    """
    )
    ran = traced(
        rules,
        """
        log.info("Executing task 1: dig")
        log.info("using gpt-5 and 12 words")
        log.info("Task 1 completed")
        log.info("using none and 0 words")
        """,
    )
    seen = attributes(ran, "task dig")
    assert (seen["gen_ai.request.model"], seen["size"]) == ("gpt-5", "12")


def test_a_named_parent_is_the_parent(traced: Traced) -> None:
    rules = """
    rules:
      session:
        match: {pattern: 'session (?P<id>[0-9]+) opened'}
        become: start
        key: id
      session-end:
        match: {pattern: 'session (?P<id>[0-9]+) closed'}
        become: end
        of: session
      query:
        match: {pattern: 'query in session (?P<id>[0-9]+) took 5ms'}
        become: span
        parent: session
    """
    ran = traced(
        rules,
        """
        log.info("session 1 opened")
        threading.Thread(target=lambda: log.info("query in session 1 took 5ms")).start()
        time.sleep(0.1)
        log.info("session 1 closed")
        """,
    )
    assert tree(ran) == [("query", "session", "UNSET"), ("session", None, "UNSET")]


def test_the_parent_with_the_same_id_is_taken(traced: Traced) -> None:
    rules = """
    rules:
      session:
        match: {pattern: 'session (?P<session_id>[0-9]+) opened'}
        become: start
        name: session {session_id}
        key: session_id
      session-end:
        match: {pattern: 'session (?P<session_id>[0-9]+) closed'}
        become: end
        of: session
      query:
        match: {pattern: 'query in session (?P<session_id>[0-9]+) took 5ms'}
        become: span
        name: query {session_id}
        parent: session
    """
    ran = traced(
        rules,
        """
        log.info("session 1 opened")
        log.info("session 2 opened")
        for number in (1, 2):
            log.info(f"query in session {number} took 5ms")
        for number in (1, 2):
            log.info(f"session {number} closed")
        """,
    )
    assert [each for each in tree(ran) if each[0].startswith("query")] == [
        ("query 1", "session 1", "UNSET"),
        ("query 2", "session 2", "UNSET"),
    ]


def test_a_span_is_ended_by_its_timeout_when_records_come(traced: Traced) -> None:
    ran = traced(
        TASKS.replace("1h", "0.05s"),
        """
        log.info("Executing task 1: slow")
        time.sleep(0.3)
        log.info("anything")
        log.info("Task 1 completed")
        """,
    )
    assert attributes(ran, "task slow")["obs.bridge.end"] == "timeout"
    assert 0.04 < ran.spans()["task slow"]["seconds"] < 0.2
    assert ran.logs()["anything"]["span"] != ran.spans()["task slow"]["span"]


def test_a_span_is_ended_by_its_timeout_at_the_end(agent: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(TASKS.replace("1h", "0.05s"))
    source = """
    log.info("Executing task 1: slow")
    log.info("Executing task 2: quick")
    time.sleep(0.2)
    import atexit
    def show():
        from obs_run.core.open_recordings import Ending, open_recordings
        open_recordings.end_all(Ending("exit"))
        telemetry_probe.show()
    show()
    """
    ran = agent(HEAD + dedent(source), OBS_BRIDGE="rules", OBS_BRIDGE_RULES="rules.yaml")
    assert {span["attributes"]["obs.bridge.end"] for span in ran.seen["spans"]} == {"timeout"}
    assert all(span["seconds"] < 0.15 for span in ran.seen["spans"])


@pytest.mark.slow
def test_open_spans_are_bounded(traced: Traced) -> None:
    ran = traced(
        TASKS,
        """
        for number in range(1_500):
            log.info(f"Executing task {number}: n")
        """,
    )
    spans = ran.seen["spans"]
    assert len(spans) == 500
    assert {span["attributes"]["obs.span.ended_by"] for span in spans} == {"too many open"}


def test_places_and_levels_choose(traced: Traced) -> None:
    rules = """
    rules:
      by-logger: {match: {logger: "zmq.*|goals.io", contains: line}, become: event, continue: true}
      by-level: {match: {level: error, contains: line}, become: event, continue: true}
      by-function: {match: {function: "re*", contains: line}, become: event, continue: true}
      by-file: {match: {file: "*/agent.py", equals: the line}, become: event, continue: true}
      by-other-file: {match: {file: "*/other.py", contains: line}, become: event, continue: true}
      by-field: {match: {fields: request_id}, become: event, name: "request {request_id}", continue: true}
      work: {match: {contains: begin}, become: start}
      end: {match: {contains: over}, become: end, of: work}
    """
    ran = traced(
        rules,
        """
        def receive():
            log.info("the line")
        log.info("begin")
        logging.getLogger("goals.io").info("a line")
        log.error("a line")
        receive()
        log.info("other", extra={"request_id": "r7"})
        log.info("over")
        """,
    )
    events = [name for name in ran.spans()["work"]["events"] if name != "log"]
    assert events == ["by-logger", "by-level", "by-function", "by-file", "request r7"]


def test_a_line_may_end_one_and_begin_the_next(traced: Traced) -> None:
    rules = """
    rules:
      start-up: {match: {contains: Initializing}, become: start}
      initialized: {match: {contains: "initialized, starting"}, become: end, of: start-up, continue: true}
      main: {match: {contains: "starting main loop"}, become: start}
      stopped: {match: {contains: stopped}, become: end, of: main}
    """
    ran = traced(
        rules,
        """
        log.info("Initializing")
        log.info("initialized, starting main loop")
        log.info("stopped")
        """,
    )
    assert tree(ran) == [("main", None, "UNSET"), ("start-up", None, "UNSET")]


def test_a_generators_reader_is_not_inside_of_its_span(traced: Traced) -> None:
    ran = traced(
        TASKS,
        """
        from opentelemetry import trace
        def pieces():
            log.info("Executing task 1: stream")
            yield 1
            log.info("Task 1 completed")
        for piece in pieces():
            with trace.get_tracer("t").start_as_current_span("reader"):
                pass
        """,
    )
    assert tree(ran) == [("reader", None, "UNSET"), ("task stream", None, "UNSET")]


def test_rules_and_the_automatic_part_do_not_make_two_of_one(traced: Traced) -> None:
    rules = """
    rules:
      load: {match: {contains: Loading model}, become: start, name: by rule}
      loaded: {match: {contains: Loaded model}, become: end, of: load}
      quiet: {match: {contains: warm-up}, become: nothing}
    """
    ran = traced(
        rules,
        """
        def load():
            log.info("Loading model")
            log.info("Loaded model")
        def warm():
            log.info("Starting warm-up")
            log.info("Finished warm-up")
        load()
        warm()
        """,
        OBS_BRIDGE="automatic",
    )
    assert tree(ran) == [("by rule", None, "UNSET")]


def test_off_is_off(traced: Traced) -> None:
    ran = traced(TASKS, 'log.info("Executing task 1: a"); log.info("Task 1 completed")', OBS_BRIDGE="off")
    assert ran.seen["spans"] == []


def test_a_forked_child_leaves_open_spans_to_its_parent(traced: Traced) -> None:
    ran = traced(
        TASKS,
        """
        import os
        log.info("Executing task 1: parents")
        if os.fork() == 0:
            log.info("Task 1 completed")
            os._exit(0)
        os.wait()
        log.info("Task 1 completed")
        """,
    )
    assert [name for name, _, _ in tree(ran)].count("task parents") == 1


def test_structlogs_events_are_read_with_their_fields(traced: Traced) -> None:
    rules = """
    rules:
      task: {match: {equals: task_started, fields: task_id}, become: start, name: "task {task_id}", key: task_id}
      task-end: {match: {equals: task_done, fields: task_id}, become: end, of: task}
    """
    ran = traced(
        rules,
        """
        import structlog
        structlog.configure(
            processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
            logger_factory=structlog.stdlib.LoggerFactory(),
            wrapper_class=structlog.stdlib.BoundLogger,
        )
        events = structlog.get_logger("goals")
        events.info("task_started", task_id=4)
        events.info("task_started", task_id=5)
        events.info("task_done", task_id=4)
        """,
    )
    assert tree(ran) == [("task 4", None, "UNSET")]


def test_lines_become_metrics(traced: Traced) -> None:
    rules = r"""
    rules:
      inference: {match: {pattern: "inference took (?P<duration>.*)$"}, become: metric, metric: histogram}
      tokens: {match: {pattern: 'used (?P<value>[\d,.-]+) words'}, become: metric, metric: histogram}
      hits: {match: {contains: cache hit}, become: metric, metric: counter}
      sent: {match: {pattern: 'sent (?P<value>\d+) messages'}, become: metric, metric: counter}
    """
    ran = traced(
        rules,
        """
        for line in ("inference took 250ms", "inference took long", "used 12 words", "used -3 words",
                     "cache hit", "cache hit", "sent 5 messages"):
            log.info(line)
        """,
    )
    metrics = ran.seen["metrics"]
    seen = {
        (name, point["attributes"]["obs.bridge.rule"]): point["value"]
        if point["count"] is None
        else (point["count"], point["sum"])
        for name in ("obs.log.duration", "obs.log.value", "obs.log.count")
        for point in metrics[name]["points"]
    }
    assert seen == {
        ("obs.log.duration", "inference"): (1, 0.25),
        ("obs.log.value", "tokens"): (1, 12.0),
        ("obs.log.count", "hits"): 2,
        ("obs.log.count", "sent"): 5,
    }


EVENTS = """
rules:
  work: {match: {contains: work begins}, become: start}
  hit: {match: {contains: Cache hit}, become: event}
  over: {match: {contains: work is over}, become: end, of: work}
"""


def test_events_of_lines_are_bounded_and_say_which_rule_made_them(traced: Traced) -> None:
    ran = traced(
        EVENTS,
        """
        def work():
            log.info("work begins")
            log.info("Pages indexed")
            for number in range(300):
                log.warning("slow")
                log.info("Cache hit")
            log.info("work is over")
            log.info("work is over")
        work()
        """,
        OBS_BRIDGE="automatic",
        OTEL_SPAN_EVENT_COUNT_LIMIT="200",
    )
    (span,) = ran.seen["spans"]
    made = [attributes.get("obs.bridge.rule") for attributes in span["event_attributes"]]
    assert (made.count("hit"), made.count(None)) == (200, 32)
    assert span["attributes"]["obs.span.events.dropped"] == 268


def test_an_end_of_nothing_is_an_event_of_the_automatic_part(traced: Traced) -> None:
    ran = traced(
        EVENTS,
        """
        def work():
            log.info("work begins")
            log.info("Pages indexed")
            log.info("work is over")
        work()
        """,
        OBS_BRIDGE="automatic",
    )
    (span,) = ran.seen["spans"]
    assert span["events"] == ["Pages indexed"]
    assert span["event_attributes"][0]["obs.bridge.rule"] == "automatic"
