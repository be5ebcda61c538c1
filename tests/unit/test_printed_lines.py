"""What an agent prints: records and spans on request, and the same bytes as without us."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.agents import Run

SHOW = "\nimport telemetry_probe; telemetry_probe.show()\n"
PRINTING = """
import builtins, contextlib, copy, inspect, io, logging, pickle, sys, threading

def work():
    assert print("two", "words", 3, sep="-") is None
    assert sys.stdout.write("written\\n") == 8
    print("begun", end=" ", flush=True)
    print("and ended")
    print("several\\nlines")
    print()
    print("\\rover", end="")
    print("\\rand over")

work()
print("to stderr", file=sys.stderr)
into = io.StringIO()
print("elsewhere", file=into)
print("explicitly", file=sys.stdout)
with contextlib.redirect_stdout(into):
    print("collected")
assert into.getvalue() == "elsewhere\\ncollected\\n"

assert print is builtins.print and print.__name__ == "print" and inspect.isbuiltin(print)
assert pickle.loads(pickle.dumps(print)) is print and copy.deepcopy(print) is print
assert repr(print) == "<built-in function print>"
assert inspect.signature(print).parameters["end"].default == "\\n"

kept, said = print, []
builtins.print = lambda *args, **named: said.append(args)
print("to the mock")
builtins.print = kept
assert said == [("to the mock",)]

class Tee:
    def __init__(self, *streams):
        self.streams = streams
    def write(self, text):
        for stream in self.streams:
            stream.write(text)
        return len(text)
    def flush(self):
        for stream in self.streams:
            stream.flush()

before, sys.stdout = sys.stdout, Tee(sys.stdout, io.StringIO())
"""
FORWARDED = """
def told():
    print("by a tee")
told()
sys.stdout = before
sys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding="utf-8", line_buffering=True)
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
"""


def test_printed_lines_are_records_and_the_output_is_the_same(agent: Run) -> None:
    source = PRINTING + FORWARDED + 'print("by a new stream")\nlogging.info("logged")\n'
    plain, ran = agent(source, start=False), agent(source + SHOW, OBS_BRIDGE_STDOUT="true")

    assert plain.code == 0, plain.err
    assert ran.code == 0, ran.err
    assert ran.out.startswith(plain.out)
    assert ran.err == plain.err
    logs = ran.seen["logs"]
    assert [log["body"] for log in logs] == [
        "two-words-3", "written", "begun and ended", "several\nlines", "\rand over", "explicitly", "by a tee",
        "by a new stream", "logged",
    ]  # fmt: skip
    first = ran.logs()["two-words-3"]
    assert (first["severity"], first["number"], first["scope"]) == ("INFO", 9, "__main__")
    assert (first["attributes"]["code.function.name"], first["attributes"]["code.line.number"]) == ("work", 6)
    assert ran.logs()["by a tee"]["attributes"]["code.function.name"] == "told"


def test_nothing_is_touched_without_the_setting(agent: Run) -> None:
    ran = agent(
        """
    import builtins, sys
    assert type(print) is type(len)
    assert "write" not in vars(sys.stdout)
    print("said")
    """
        + SHOW.replace("\n", "\n    ")
    )
    assert ran.seen["logs"] == []


@pytest.mark.parametrize("printer", ["print(text)", "sys.stdout.write(text)"])
def test_threads_print_lines_of_their_own(agent: Run, printer: str) -> None:
    ran = agent(
        f"""
import sys, threading
def say(number):
    for part in ("a", "b"):
        text = f"{{number}}{{part}}" + ("\\n" if "write" in {printer!r} else "")
        {printer}
threads = [threading.Thread(target=say, args=(number,)) for number in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
{SHOW}""",
        OBS_BRIDGE_STDOUT="true",
    )
    bodies = [log["body"] for log in ran.seen["logs"]]
    assert sorted(bodies) == sorted(f"{number}{part}" for number in range(8) for part in "ab")


def test_printed_lines_become_spans(agent: Run) -> None:
    ran = agent(
        """
    import sys

    def load(name):
        print("Loading model", name, "...")
        print("reading weights")
        sys.stdout.write("Loaded model %s in 0.2s\\n" % name)

    load("small")
    """
        + SHOW.replace("\n", "\n    "),
        OBS_BRIDGE="automatic",
        OBS_BRIDGE_STDOUT="true",
    )
    (span,) = (span for span in ran.seen["spans"] if "obs.bridge.rule" in span["attributes"])

    assert ran.logs()["reading weights"]["span"] == span["span"]
    assert span["attributes"]["obs.bridge.end"] == "line"


def test_without_the_setting_printed_lines_end_nothing(agent: Run) -> None:
    ran = agent(
        """
    import logging
    logging.basicConfig(level=0, handlers=[logging.NullHandler()])

    def load():
        logging.info("Loading model")
        print("Loaded model")

    load()
    """
        + SHOW.replace("\n", "\n    ")
    )
    assert [span for span in ran.seen["spans"] if "obs.bridge.rule" in span["attributes"]] == []


def test_what_a_function_of_the_agents_prints_is_told_where_it_is_called(agent: Run) -> None:
    ran = agent(
        """
    import datetime

    def log(message, level="INFO"):
        print(f"[{datetime.datetime.now():%H:%M}] [{level}] {message}", flush=True)

    def work(number):
        log(f"Processing order {number}")
        print("inside")
        log(f"Processed order {number} in 1.2s")

    work(7)
    """
        + SHOW.replace("\n", "\n    "),
        OBS_BRIDGE="automatic",
        OBS_BRIDGE_STDOUT="true",
    )
    (span,) = (span for span in ran.seen["spans"] if "obs.bridge.rule" in span["attributes"])

    assert (span["attributes"]["code.function.name"], span["attributes"]["obs.bridge.end"]) == ("work", "line")
    assert ran.logs()["inside"]["span"] == span["span"]
