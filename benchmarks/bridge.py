"""What rules for log lines cost: records that match nothing and records that match. ``python -m benchmarks.bridge``.

Each figure stands beside the same record through the logging module alone, to which it is compared: the ratio holds on
other machines. 100,000 records through 200 rules, from twenty places, with texts that change and that do not.
"""

from __future__ import annotations

import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("OTEL_TRACES_EXPORTER", "memory")

from obs_run.bridge import rule_sources
from obs_run.bridge.rule_bridge import RuleBridge
from obs_run.bridge.rule_index import RuleIndex
from obs_run.bridge.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Callable

RECORDS = 100_000
RULES = {
    "task": {"match": {"pattern": r"Executing task (?P<id>\w+)"}, "become": "start", "key": "id"},
    "done": {"match": {"pattern": r"Task (?P<id>\w+) completed"}, "become": "end", "of": "task"},
}
OPEN_SPANS = """
import obs_run.auto, logging, resource, time
from opentelemetry import trace
log = logging.getLogger("agent")
log.setLevel(10)
log.addHandler(logging.NullHandler())
tracer = trace.get_tracer("t")
def seconds(run):
    began = time.thread_time()
    for number in range(2000):
        run(number)
    return (time.thread_time() - began) / 2000 * 1e6
def neither(number):
    log.info(f"{number} birds are here")
    log.info("rain is likely")
def span(number):
    neither(number)
    with tracer.start_as_current_span("task"):
        pass
def described(number):
    neither(number)
    with tracer.start_as_current_span("task", attributes={
        "rule": "task", "key": number, "file": __file__, "line": 23, "function": "described"
    }) as current:
        current.set_attributes({"end": "line", "end_line": 24})
def both(number):
    log.info(f"Executing task {number}")
    log.info(f"Task {number} completed")
runs = (neither, span, described, both)
for run in runs:
    seconds(run)
rounds = [[seconds(run) for run in runs] for _ in range(5)]
lines, spans, said, bridged = (min(column) for column in zip(*rounds))
print(f"two lines {lines:.1f} us, with a span by hand {spans:.1f} us, that says as much {said:.1f} us,"
      f" bridged {bridged:.1f} us; a matched record costs {(bridged - lines) / 2 / (spans - lines):.2f} of a span,"
      f" {(bridged - lines) / 2 / (said - lines):.2f} of one that says as much")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
def begin(number):
    log.info(f"Executing task {number}")
    return iter((number, both))
kept = [begin(number) for number in range(10_000)]
print(f"10,000 unmatched starts     {(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024:6.1f} MB")
"""
"""What runs in a process that records."""
FUNCTION = """
def work{number}(name):
    log.info(f"Loading model {{name}}")
    for index, part in enumerate(fetch(name, size=10)):
        log.debug(f"part {{index}} copied")
    data = {{"id": name, "parts": [1, 2, 3], "sum": sum(each for each in (1, 2, 3) if each)}}
    if data is None:
        log.warning("nothing there")
        return None
    log.info(f"Model {{name}} loaded")
    return data
"""
FIRST_LINE = """
import logging, runpy, sys, time
from obs_run.bridge.engine import Bridge
from obs_run.bridge.evidence import Evidence
bridge = Bridge(frozenset(Evidence))
log = logging.getLogger("agent")
log.setLevel(10)
log.addHandler(logging.NullHandler())
def handle(record):
    began = time.thread_time()
    bridge.observe(record, sys._getframe(1))
    print(f"{(time.thread_time() - began) * 1e3:.1f}")
log.handle = handle
agent = runpy.run_path(sys.argv[1])
agent.update(log=log)
agent["work7"].__globals__.update(log=log, fetch=lambda name, size: ())
agent["work7"]("whisper")
"""
LENGTHS = (300, 500, 3000, 20_000)
"""How many lines the files have of which the first line that tells something is measured."""
WORDS = [
    *(
        "Executing",
        "Loading",
        "Processing",
        "Sending",
        "Received",
        "Task",
        "model",
        "request",
        "session",
        "goal",
        "worker",
    ),
    *("pipeline", "step", "stage", "query", "translation", "transcript", "audio", "memory", "cache", "health", "check"),
    *("agent", "service", "circuit", "retry", "failed", "completed", "initialized", "connected", "started", "finished"),
    *("stopped", "registered", "published", "dispatched", "generated", "response", "tool", "call"),
]


def two_hundred_rules() -> list[Rule]:
    """Return rules of the user's, half of them literals and half patterns, for any logger, and the built-in ones."""
    choose = random.Random(7)
    own: list[Rule] = []
    pairs = {" ".join(choose.sample(WORDS, 2)) for _ in range(400)}
    built_in = list(rule_sources.built_in().values())
    for number, literal in enumerate(sorted(pairs)[: 200 - len(built_in)]):
        pattern = rf"{literal} (?P<id>\w+)" if number % 2 else None
        own.append(
            Rule(f"rule{number}", "event", contains=None if pattern else literal, pattern=pattern, literal=literal)
        )
    return own + built_in


def records(*, changing: bool) -> list[logging.LogRecord]:
    """Return records that no rule is for."""
    constant = [f"idle: nothing to do at {place}, {place} of 20 parts are ready" for place in range(20)]
    made = []
    for number in range(RECORDS):
        place = number % 20
        text = f"Loaded weights of part {number} from disk, {place} of 20 ready" if changing else constant[place]
        made.append(logging.LogRecord("agent.part", logging.INFO, "/app/agent.py", place + 1, text, (), None, "run"))
    return made


def microseconds(handle: Callable[[logging.LogRecord], object], of: list[logging.LogRecord]) -> float:
    """Return the least processor time of one record, of five tries."""
    tries = []
    for _ in range(5):
        began = time.process_time()
        for record in of:
            handle(record)
        tries.append(time.process_time() - began)
    return min(tries) / len(of) * 1e6


def measure_processes(folder: Path) -> None:
    """Print what spans of lines cost beside spans by hand, by rules and by pairs."""
    rules, agent = folder / "rules.json", folder / "agent.py"
    rules.write_text(json.dumps({"rules": RULES}))
    agent.write_text(OPEN_SPANS)
    environment = {**os.environ, "OTEL_BSP_SCHEDULE_DELAY": "50"}
    environment |= {f"OTEL_{signal}_EXPORTER": "memory" for signal in ("METRICS", "LOGS")}
    for bridge, more in (("rules", {"OBS_BRIDGE_RULES": str(rules)}), ("automatic", {})):
        print(f"OBS_BRIDGE={bridge}:", flush=True)
        subprocess.run([sys.executable, agent], env={**environment, "OBS_BRIDGE": bridge, **more}, check=True)


def measure_first_lines(folder: Path) -> None:
    """Print what the first line that tells something costs its thread, by how long its file is."""
    reader = folder / "first_line.py"
    reader.write_text(FIRST_LINE)
    for length in LENGTHS:
        file = folder / f"agent{length}.py"
        functions = "".join(FUNCTION.format(number=number) for number in range(length // FUNCTION.count("\n")))
        file.write_text(f"log = None\n{functions}")
        tries = [subprocess.check_output([sys.executable, reader, file], text=True).split()[0] for _ in range(5)]
        print(f"first line of {length:6} lines  {min(map(float, tries)):6.1f} ms")


def main() -> int:
    """Print the figures; an unmatched record that costs more than 5 microseconds makes the exit code 1."""
    logger = logging.getLogger("agent.part")
    logger.addHandler(logging.StreamHandler(open(os.devnull, "w")))  # noqa: PTH123, SIM115 (until the end)
    logger.propagate = False
    worst = 0.0
    bridge = RuleBridge(RuleIndex(two_hundred_rules()))
    for name, changing in (("constant text", False), ("changing text", True)):
        of = records(changing=changing)
        alone = microseconds(logger.handle, of)
        more = microseconds(lambda record: bridge.observe(record, None), of)
        worst = max(worst, more)
        print(f"unmatched, {name:14} {more:6.2f} us more than {alone:6.2f} us, ratio {(alone + more) / alone:.2f}")
    of = [
        logging.LogRecord("agent.part", logging.INFO, "/app/agent.py", 1, f"Task request {number}", (), None, "run")
        for number in range(10_000)
    ]
    matched = RuleBridge(
        RuleIndex([Rule("task", "event", pattern=r"Task request (?P<id>\w+)", literal="Task request ")])
    )
    print(f"matched, no span current    {microseconds(lambda record: matched.observe(record, None), of):6.2f} us")
    with tempfile.TemporaryDirectory() as folder:
        measure_processes(Path(folder))
        measure_first_lines(Path(folder))
    return int(worst > 5)


if __name__ == "__main__":
    sys.exit(main())
