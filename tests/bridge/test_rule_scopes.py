"""How far the spans of rules reach, and which begin traces of their own."""

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
import asyncio, contextlib, logging, threading
import telemetry_probe
log = logging.getLogger("agent")
log.setLevel(logging.DEBUG)
log.addHandler(logging.NullHandler())
"""
WORK = r"""
rules:
  work: {match: {pattern: 'work (?P<what>\w+) begins'}, become: start, name: '{what}'}
  over: {match: {contains: work is over}, become: end, of: work}
  failed: {match: {contains: work has failed}, become: failure, of: work}
"""


@pytest.fixture
def traced(agent: Run, tmp_path: Path) -> Traced:
    def run(rules: str, source: str, **environment: str) -> Ran:
        (tmp_path / "rules.yaml").write_text(dedent(rules), encoding="utf-8")
        settings = {"OBS_BRIDGE": "rules", "OBS_BRIDGE_RULES": "rules.yaml", **environment}
        return agent(HEAD + dedent(source) + "\ntelemetry_probe.show()\n", **settings)

    return run


def ends(ran: Ran) -> dict[str, tuple[str, str, str | None]]:
    """How the end of each span is known, its status, and the exception."""
    return {span["name"]: (_end(span["attributes"]), span["status"], _error(span)) for span in ran.seen["spans"]}


def _end(attributes: dict[str, Any]) -> str:
    return "unfinished" if "obs.span.unfinished" in attributes else str(attributes["obs.bridge.end"])


def _error(span: dict[str, Any]) -> str | None:
    error = span["attributes"].get("error.type")
    return None if error is None else f"{error}: {span['description']}"


def test_a_span_without_a_key_ends_with_the_function_that_began_it(traced: Traced) -> None:
    ran = traced(
        WORK,
        """
        def run(what):
            log.info(f"work {what} begins")
            if what == "early":
                return
            if what == "broken":
                raise ValueError("no tools")
            log.info("work is over")

        def told(what):
            try:
                run(what)
            except ValueError as error:
                log.error("something else went wrong")

        async def task(what):
            log.info(f"work {what} begins")
            await asyncio.sleep(0.01)

        @contextlib.contextmanager
        def block(what):
            log.info(f"work {what} begins")
            yield

        def pieces(what):
            log.info(f"work {what} begins")
            yield 1
            yield 2

        async def main():
            await asyncio.gather(task("task"))
            await task("awaited")

        run("whole")
        run("early")
        told("broken")
        asyncio.run(main())
        with block("block"):
            log.info("in the block")
        for piece in pieces("pieces"):
            break
        del piece
        log.info("after")
        """,
    )
    assert ends(ran) == {
        "whole": ("line", "UNSET", None),
        "early": ("return", "UNSET", None),
        "broken": ("return", "ERROR", "ValueError: no tools"),
        "task": ("return", "UNSET", None),
        "awaited": ("return", "UNSET", None),
        "block": ("return", "UNSET", None),
        "pieces": ("return", "UNSET", None),
    }
    logs, spans = ran.logs(), ran.spans()
    assert logs["something else went wrong"]["span"] != spans["broken"]["span"]
    assert logs["after"]["span"] not in {span["span"] for span in ran.seen["spans"]}


def test_an_exception_that_no_line_tells_of_is_a_failure(traced: Traced) -> None:
    ran = traced(
        WORK,
        """
        def run():
            log.info("work silent begins")
            raise ValueError("nobody tells")
        try:
            run()
        except ValueError:
            pass
        log.info("after")
        """,
    )
    assert ends(ran) == {"silent": ("return", "ERROR", "failure: left by an exception")}


def test_a_line_of_failure_tells_more_than_the_function(traced: Traced) -> None:
    ran = traced(
        WORK,
        """
        def run():
            log.info("work told begins")
            raise ValueError("no tools")
        try:
            run()
        except ValueError:
            log.error("work has failed")
        """,
    )
    assert ends(ran) == {"told": ("line", "ERROR", "ValueError: no tools")}
    assert ran.spans()["told"]["attributes"]["obs.bridge.end.line"] > 0


def test_an_end_in_another_function_of_the_file_is_waited_for(traced: Traced) -> None:
    ran = traced(
        WORK,
        """
        class Recorder:
            def start(self):
                log.info("work recording begins")

            def finish(self):
                log.info("work is over")

        recorder = Recorder()
        recorder.start()
        log.info("inside")
        thread = threading.Thread(target=recorder.finish)
        recorder.finish()
        """,
    )
    assert ends(ran) == {"recording": ("line", "UNSET", None)}
    assert ran.logs()["inside"]["span"] == ran.spans()["recording"]["span"]


CALLBACK = """
def start({what}):
    log.info("work nested begins")
    def done():
        log.info("work is over")
    return done
start("x")()
"""


def test_an_end_in_a_function_inside_is_waited_for(traced: Traced) -> None:
    assert ends(traced(WORK, CALLBACK.format(what="name"))) == {"nested": ("line", "UNSET", None)}


def test_a_function_that_writes_what_it_is_given_is_not_the_one_that_works(traced: Traced) -> None:
    ran = traced(
        WORK,
        """
        def say(text, *values):
            log.info(text, *values)

        def run():
            say("work %s begins", "helped")
            log.info("inside")
            say("work is over")
        run()
        """,
    )
    assert ends(ran) == {"helped": ("line", "UNSET", None)}
    assert ran.logs()["inside"]["span"] == ran.spans()["helped"]["span"]


KEYED = r"""
rules:
  work: {match: {pattern: 'work (?P<what>\w+) begins'}, become: start, name: '{what}', key: what, scope: SCOPE}
  over: {match: {pattern: 'work (?P<what>\w+) is over'}, become: end, of: work}
"""


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("scope", "end"), [("scope: function", "return"), ("scope: process", "line"), ("unit: s", "line")]
)
def test_a_span_with_a_key_goes_on_unless_its_rule_says_otherwise(traced: Traced, scope: str, end: str) -> None:
    ran = traced(
        KEYED.replace("scope: SCOPE", scope),
        """
        def handle(event, what):
            if event == "start":
                log.info(f"work {what} begins")
                return
            if event == "broken":
                log.info(f"work {what} begins")
                raise OSError("no disk")
            log.info(f"work {what} is over")
        handle("start", "a")
        try:
            handle("broken", "b")
        except OSError:
            log.info("handled")
        handle("done", "a")
        """,
    )
    assert ends(ran) == {"a": (end, "UNSET", None), "b": ("return", "ERROR", "OSError: no disk")}


def test_what_ends_the_program_ends_the_span(agent: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(WORK)
    source = HEAD + dedent(
        """
        import atexit, sys
        from obs_run.core.open_recordings import Ending, open_recordings
        def show():
            open_recordings.end_all(Ending("exit"))
            telemetry_probe.show()
        atexit.register(show)
        def run():
            log.info("work last begins")
            raise LookupError("fatal")
        run()
        """
    )
    ran = agent(source, OBS_BRIDGE="rules", OBS_BRIDGE_RULES="rules.yaml")
    assert ran.code == 1
    assert ends(ran._replace(code=0)) == {"last": ("return", "ERROR", "LookupError: fatal")}


REQUESTS = r"""
rules:
  request: {match: {pattern: 'Got message (?P<id>\w+)'}, become: start, name: 'request {id}', key: id, trace: new}
  reply: {match: {pattern: 'Replied to (?P<id>\w+)'}, become: end, of: request}
"""


def test_requests_begin_traces_of_their_own(traced: Traced) -> None:
    ran = traced(
        REQUESTS,
        """
        from opentelemetry import trace
        def answer(id):
            with trace.get_tracer("t").start_as_current_span(f"look up {id}"):
                pass
        def serve(ids):
            for id in ids:
                log.info(f"Got message {id}")
                answer(id)
                if id != "b":
                    log.info(f"Replied to {id}")
        def handle(id):
            log.info(f"Got message {id}")
        with trace.get_tracer("t").start_as_current_span("loop"):
            serve("abcd"[:3])
            serve("e")
            handle("f")
            log.info("between")
        """,
    )
    spans = ran.spans()
    requests = [spans[f"request {each}"] for each in "abcef"]
    assert [_end(span["attributes"]) for span in requests] == ["line", "next", "line", "line", "return"]
    assert {span["kind"] for span in requests} == {"CONSUMER"}
    assert {span["parent"] for span in requests} == {None}
    assert len({span["trace"] for span in requests} | {spans["loop"]["trace"]}) == 6
    assert all(span["links"] == [spans["loop"]["trace"]] for span in requests)
    for each in "abce":
        assert spans[f"look up {each}"]["parent"] == spans[f"request {each}"]["span"]
    assert ran.logs()["between"]["span"] == spans["loop"]["span"]


def test_a_request_may_be_answered_in_another_thread(traced: Traced) -> None:
    ran = traced(
        REQUESTS,
        """
        def answer(id):
            log.info(f"Replied to {id}")
        def serve(ids):
            for id in ids:
                log.info(f"Got message {id}")
            for id in ids:
                thread = threading.Thread(target=answer, args=(id,))
                thread.start()
                thread.join()
        serve("ab")
        """,
    )
    assert ends(ran) == {"request a": ("line", "UNSET", None), "request b": ("line", "UNSET", None)}
    assert len({span["trace"] for span in ran.seen["spans"]}) == 2
