"""What is said to the user as the process ends: where to look, and with OBS_VERBOSE what was instrumented."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from obs_run import settings
from obs_run.base.masking import masked_value
from obs_run.coexistence import third_party
from obs_run.process import program, relay, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.process.exit_sequence import ExitInfo


_SHORT = len("this run's trace: obsctl show 01234567")
_SIGHUP = 1  # the terminal is gone


def tell_what_was_instrumented(info: ExitInfo) -> None:
    """Write to stderr what became of each library that the process imported."""
    if info.kind != "exec" and run.is_starting_process():
        _write(_outcomes())


def point_to_store(info: ExitInfo) -> None:
    """Write one line to stderr that says how to see what was recorded: on a terminal, for the user's own command."""
    if info.kind == "exec" or info.signal == _SIGHUP or not run.is_starting_process() or not _on_terminal():
        return
    from obs_run.runtime import destinations

    names = destinations.names("traces")
    if "store" in names:
        _write(_where_to_look())
    elif "otlp" in names:
        _write(_what_to_look_for())


def tell_of_relay(info: ExitInfo, place: str) -> None:
    """Write to stderr what the relay that exports for this run last had to say, likewise."""
    if info.kind == "exec" or info.signal == _SIGHUP or not run.is_starting_process() or not _on_terminal():
        return
    from obs_run.buffer import relay_client

    lines = relay_client.status(place).get("lines", [])
    _write(text.removeprefix("obs-run: ") for _, text in lines[-1:])


def _on_terminal() -> bool:
    return program.is_terminal(sys.stderr)


def _where_to_look() -> Iterator[str]:
    if "TRACEPARENT" in os.environ:
        return  # the program that started this one says it
    from obs_run.store.location import default_path
    from obs_run.store.reader import Reader
    from obs_run.store.schema import StoreError

    if relay.folder():
        # It is on its way, and the relay brings it in before anybody is shown it.
        if run.is_owned() and run.identity().sampled:
            yield f"this run's trace: obsctl show {run.identity().trace_id:032x}"[:_SHORT]
        return
    # Looked up, because a full disk or sampling may have kept the trace out.
    with suppress(StoreError), Reader(default_path()) as reader:
        if run.is_owned():
            trace_id = f"{run.identity().trace_id:032x}"
            if reader.find(trace_id):
                yield f"this run's trace: obsctl show {trace_id[:8]}"
        elif program.describe().server and reader.newest():
            yield "the traces of this run: obsctl list"


def _what_to_look_for() -> Iterator[str]:
    """Say the id by which a viewer of traces finds this run."""
    if "TRACEPARENT" in os.environ or not run.is_owned() or not run.identity().sampled:
        return
    endpoint = settings.otlp("traces", "ENDPOINT")
    to = f", by OTLP to {masked_value(endpoint)}" if endpoint else ""
    yield f"this run's trace: {run.identity().trace_id:032x}{to}"


def _outcomes() -> Iterator[str]:
    from obs_run.core import hooks

    statuses = hooks.statuses()
    for status in statuses:
        name = f"{status.instrumentor.library} {status.version or ''}".rstrip()
        yield f"{name}: not instrumented: {status.skipped}" if status.skipped else f"{name}: instrumented"
    others = third_party.outcomes()
    for name, outcome in sorted(others.items()):
        yield f"{name}: {'instrumented' if outcome == 'active' else f'not instrumented: {outcome}'}"
    if not statuses and not others:
        yield "no library that it instruments was imported"


def _write(lines: Iterator[str]) -> None:
    if sys.stderr is not None and not getattr(sys.stderr, "closed", False):
        from obs_run.base.masking import masked

        sys.stderr.write("".join(f"obs-run: {masked(line)}\n" for line in lines))
        sys.stderr.flush()
