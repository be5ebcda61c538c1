"""What the run span says of each way out, and that the way out is the same as without obs-run."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from tests.examples import one_in
from tests.launch.running import SCRIPTS, Outcome, environment, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver

PYTHON = str(SCRIPTS / "python")
PRELUDE = """\
import os, signal, sys, threading, time
from opentelemetry import trace
with trace.get_tracer("case").start_as_current_span("work"):
    pass
"""
SLOW = pytest.mark.slow
UNKNOWN: dict[str, Any] = {}
KILLED = "import sys, os, signal\ntrace.get_tracer('case')\nos.kill(os.getpid(), signal.{})\ntime.sleep(20)"


def both(
    body: str, receiver: Receiver, folder: Path, *, prelude: str = PRELUDE, **more: str
) -> tuple[Outcome, Outcome]:
    """Run a script with and without obs-run."""
    (folder / "agent.py").write_text(prelude + dedent(body))
    env = environment(receiver.endpoint, folder, **more)
    plain = run([PYTHON, "agent.py"], folder, env)
    return plain, run([str(SCRIPTS / "obs-run"), PYTHON, "agent.py"], folder, env)


def said(receiver: Receiver) -> dict[str, Any]:
    """Return what the run span says of the end."""
    assert receiver.wait_for(lambda got: any("obs.run.kind" in span.attributes for span in got.spans))
    (span,) = [span for span in receiver.spans if "obs.run.kind" in span.attributes]
    return {key: span.attributes[key] for key in _OF_THE_END if key in span.attributes}


_OF_THE_END = ("obs.run.exit_code", "obs.run.signal", "error.type")


def code(number: int) -> dict[str, Any]:
    return {"obs.run.exit_code": number}


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("body", "end"),
    [
        pytest.param("", code(0), id="normal end"),
        pytest.param("sys.exit(3)", code(3), id="sys.exit"),
        pytest.param("sys.exit()", code(0), id="sys.exit without a code", marks=SLOW),
        pytest.param("sys.exit(-1)", code(255), id="sys.exit, negative", marks=SLOW),
        pytest.param("sys.exit('text')", code(1), id="sys.exit with a text", marks=SLOW),
        pytest.param("def main():\n    sys.exit(4)\nmain()", code(4), id="sys.exit in a function", marks=SLOW),
        pytest.param(
            "try:\n    sys.exit(4)\nfinally:\n    print('x')",
            code(4),
            id="sys.exit, then finally",
            marks=SLOW,
        ),
        pytest.param(
            "import contextlib\nwith contextlib.ExitStack():\n    sys.exit(4)",
            code(4),
            id="sys.exit in with",
            marks=SLOW,
        ),
        pytest.param("raise SystemExit(4)", code(4), id="raise SystemExit"),
        pytest.param("def main():\n    raise SystemExit(4)\nmain()", UNKNOWN, id="raise SystemExit in a function"),
        pytest.param("quit(5)", code(5), id="quit"),
        pytest.param("exit()", code(0), id="exit", marks=SLOW),
        pytest.param("1 / 0", {**code(1), "error.type": "ZeroDivisionError"}, id="exception"),
        pytest.param(
            "try:\n    sys.exit(3)\nfinally:\n    1 / 0",
            {**code(1), "error.type": "ZeroDivisionError"},
            id="exception after sys.exit",
            marks=SLOW,
        ),
        pytest.param("raise KeyboardInterrupt", {"obs.run.signal": "SIGINT"}, id="interrupt"),
        pytest.param(
            "t = threading.Thread(target=sys.exit, args=(3,)); t.start(); t.join()", code(0), id="sys.exit in a thread"
        ),
        pytest.param("try:\n    sys.exit(3)\nexcept SystemExit:\n    pass", code(0), id="sys.exit, caught"),
        pytest.param(
            "def main():\n    try:\n        sys.exit(3)\n    except SystemExit:\n        pass\nmain()",
            code(0),
            id="sys.exit, caught in a function",
            marks=SLOW,
        ),
        pytest.param(
            "try:\n    sys.exit(3)\nexcept SystemExit:\n    pass\nraise SystemExit(4)",
            code(4),
            id="sys.exit, caught; raise",
            marks=SLOW,
        ),
        pytest.param(
            "import asyncio\nasync def main():\n    sys.exit(6)\nasyncio.run(main())", code(6), id="asyncio.run"
        ),
        pytest.param(
            "import asyncio\nasync def f():\n    sys.exit(6)\nasync def main():\n"
            "    await asyncio.gather(f(), asyncio.sleep(9))\nasyncio.run(main())",
            code(6),
            id="asyncio task",
            marks=SLOW,
        ),
        pytest.param("os._exit(7)", code(7), id="os._exit"),
        pytest.param(
            "try:\n    1 / 0\nexcept Exception as e:\n    sys.last_value = e\nsys.exit(2)",
            code(2),
            id="an older exception that was printed",
            marks=SLOW,
        ),
        pytest.param(
            "signal.signal(15, lambda *_: sys.exit(8)); os.kill(os.getpid(), 15); time.sleep(9)",
            code(8),
            id="sys.exit in a signal handler",
        ),
        pytest.param(KILLED.format("SIGTERM"), {"obs.run.signal": "SIGTERM"}, id="SIGTERM"),
        pytest.param(KILLED.format("SIGHUP"), {"obs.run.signal": "SIGHUP"}, id="SIGHUP", marks=SLOW),
        pytest.param(KILLED.format("SIGINT"), {"obs.run.signal": "SIGINT"}, id="SIGINT", marks=SLOW),
    ],
)
def test_the_end(body: str, end: dict[str, Any], receiver: Receiver, tmp_path: Path) -> None:
    plain, launched = both(body, receiver, tmp_path)
    assert launched == plain
    assert said(receiver) == end


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("words", "end"),
    one_in(
        3,
        [
            (["-c", "{}"], code(0)),
            (["-c", "{}sys.exit(3)"], code(3)),
            (["-c", "{}raise SystemExit(3)"], code(3)),
            (["-m", "agent"], code(0)),
            (["-m", "agent", "sys.exit(3)"], code(3)),
            (["-m", "agent", "raise SystemExit(3)"], UNKNOWN),
            (["-m", "agent", "1/0"], {**code(1), "error.type": "ZeroDivisionError"}),
        ],
    ),
)
def test_the_end_of_code_and_modules(words: list[str], end: dict[str, Any], receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(PRELUDE + "exec(sys.argv[1] if sys.argv[1:] else '')")
    env = environment(receiver.endpoint, tmp_path)
    words = [PYTHON, *(word.replace("{}", PRELUDE) for word in words)]
    assert run([str(SCRIPTS / "obs-run"), *words], tmp_path, env) == run(words, tmp_path, env)
    assert said(receiver) == end


def test_sys_exit_is_what_it_was(receiver: Receiver, tmp_path: Path) -> None:
    body = """
        import inspect, pickle, traceback
        print(sys.exit.__name__, sys.exit.__module__, sys.exit.__doc__, inspect.signature(sys.exit))
        print(pickle.loads(pickle.dumps(sys.exit)) is sys.exit)
        class Holder:
            leave = sys.exit
        for leave in (sys.exit, Holder().leave, quit):
            try:
                leave(3)
            except SystemExit as error:
                print(repr(error), error.code, vars(error), error.__context__)
                traceback.print_exc()
        for wrong in ((1, 2), ):
            try:
                sys.exit(*wrong)
            except TypeError:
                print('TypeError')
        """
    plain, launched = both(body, receiver, tmp_path)
    assert launched == plain
    assert said(receiver) == code(0)


def test_sys_exit_stays_untouched_where_that_is_wished(receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(PRELUDE + "print(type(sys.exit)); sys.exit(3)")
    env = environment(receiver.endpoint, tmp_path, OBS_HANDLE_SYS_EXIT="false")
    outcome = run([str(SCRIPTS / "obs-run"), PYTHON, "agent.py"], tmp_path, env)
    assert outcome == (3, "<class 'builtin_function_or_method'>\n", "")
    assert said(receiver) == UNKNOWN


def test_a_span_that_is_open_at_the_end_may_be_ended_by_its_owner_after_us(receiver: Receiver, tmp_path: Path) -> None:
    body = """
    def work():
        with trace.get_tracer("x").start_as_current_span("open") as span:
            try:
                yield
            finally:
                span.set_attribute("late", True)
                span.add_event("late")
                span.update_name("late")

    kept = work()
    next(kept)
    """
    plain, launched = both(body, receiver, tmp_path)
    assert launched == plain
    (span,) = [span for span in receiver.spans if span.name == "open"]
    assert span.attributes["obs.span.unfinished"] is True
