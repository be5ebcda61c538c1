"""The run of a process that was killed before it wrote anything: known by what it said of itself at its start."""

from __future__ import annotations

import marshal
import os
import sys
from typing import TYPE_CHECKING, Any

from obs_run.buffer import codec, configuration
from obs_run.buffer.writer import Writer
from obs_run.core import run_spans
from obs_run.process import resource_attributes, run
from obs_run.relay.agent import ended_run
from obs_run.relay.process_end import End

if TYPE_CHECKING:
    from obs_run.core.sink import SpanRecord

_MOST_BYTES = 1 << 20


def record(announcement: str, exit_code: int | None, signal: int | None) -> None:
    """Write the run of the process that left ``announcement`` into a buffer of its own; it is deleted then."""
    with open(announcement, "rb") as file:
        environ, argv, folder, executable, started_ns = marshal.load(file)  # noqa: S302 (of a folder of this user's)
    pid = int(os.path.basename(announcement).partition(".")[0])
    os.environ.clear()
    os.environ.update(environ)
    sys.orig_argv = argv
    sys.executable = executable
    if os.path.isdir(folder):
        os.chdir(folder)
    run.note_start(started_ns)
    if not run.enabled():
        os.unlink(announcement)
        return
    run.identity()
    span = run_spans.at_start()
    if span is not None:
        _write(os.path.dirname(announcement), span, pid, End(exit_code, signal))
    os.unlink(announcement)


def _write(parent: str, span: SpanRecord, pid: int, end: End) -> None:
    span = span._replace(attributes={**span.attributes, "process.pid": pid})
    attributes: dict[str, Any] = {**resource_attributes.read(), "process.pid": pid}
    opening = codec.encode(codec.Opening(attributes))
    writer = Writer(configuration.prepare(parent), _MOST_BYTES, lambda: opening, lambda _: opening)
    writer.put(codec.encode(codec.Left(ended_run(span, end, run.now_ns()))))
