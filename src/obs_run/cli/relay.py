"""``obsctl relay``: the process that exports for all agents of this user: how it is, and what waits in it."""

from __future__ import annotations

import math
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

from obs_run.base.masking import masked_value
from obs_run.buffer import folder, relay_client
from obs_run.cli import words
from obs_run.cli.mistake import Mistake
from obs_run.relay import command, supervisor

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

_SECONDS = 10.0
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "action",
        nargs="?",
        choices=("status", "flush", "start", "stop", "run"),
        default="status",
        help="status (the default); flush: export what was written until now; start, stop; run: stay in the foreground",
    )


def run(args: argparse.Namespace) -> int:
    """Do what is asked, and return 1 where that cannot be done."""
    path = folder.chosen()
    actions = {"status": _print_status, "flush": _flush, "start": _start, "stop": _stop, "run": _run}
    return actions[args.action](path)


def _print_status(path: str) -> int:
    pid = supervisor.running(path)
    if pid is None:
        print(f"no relay runs: obs-run starts one with OBS_RELAY=on, and obsctl relay start does ({path})")
    else:
        print(f"relay: process {pid}, {path}")
    for place in relay_client.configurations(path):
        for line in _lines(place):
            print(words.one_line(line))
    return 0 if pid is not None else 1


def _lines(place: str) -> Iterator[str]:
    found = relay_client.status(place)
    agents: list[dict[str, Any]] = found.get("agents", [])
    is_reading = bool(found) and not found.get("is_over", True)
    if not is_reading and not agents:
        return
    yield f"to {_destination(found.get('variables', {}))}"
    for agent in agents:
        yield f"  agent {agent['name']}, process {agent['pid']}"
    for destination in found.get("destinations", []):
        if destination["waiting"]:
            yield f"  {destination['signal']}: {destination['waiting']} requests wait"
    for created, text in found.get("lines", []):
        yield f"  {words.clock(int(created * 1e9))} {text}"


def _destination(variables: dict[str, str]) -> str:
    for name in _ENDPOINTS:
        if variables.get(name):
            return masked_value(variables[name])
    return "the local store"


def _flush(path: str) -> int:
    if relay_client.flush(path, _SECONDS):
        return 0
    print(f"obsctl: not all was exported in {_SECONDS:.0f} s; see obsctl relay", file=sys.stderr)
    return 1


def _start(path: str) -> int:
    if command.find_or_begin() is None:
        raise Mistake(f"a relay needs a folder in memory, and {path} is not in one")
    if _is_running(path, wanted=True):
        return 0
    print("obsctl: the relay did not start", file=sys.stderr)
    return 1


def _run(path: str) -> int:
    folder.make(path)
    descriptor = supervisor.lock(path)
    if descriptor is None:
        raise Mistake(f"process {supervisor.running(path)} is the relay already; obsctl relay stop")
    os.chdir(path)
    supervisor.Supervisor(path, descriptor, quiet=math.inf).run()
    return 0


def _stop(path: str) -> int:
    pid = supervisor.running(path)
    if pid is None:
        return 0
    os.kill(pid, signal.SIGTERM)
    if _is_running(path, wanted=False):
        return 0
    print(f"obsctl: process {pid} has not ended in {_SECONDS:.0f} s", file=sys.stderr)
    return 1


def _is_running(path: str, *, wanted: bool) -> bool:
    """Wait until a relay runs, or none does; False where that took too long."""
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        if (supervisor.running(path) is not None) == wanted:
            return True
        time.sleep(0.02)
    return False
