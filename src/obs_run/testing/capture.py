"""Records what a test does, in a store of the test process's own."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from obs_run.testing import baseline
from obs_run.testing.recorded_run import RecordedRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from obs_run.telemetry.records import LogLine, Span

_FLUSH_SECONDS = 10.0
_MOST_TRACES = 100_000
_SIGNALS = ("TRACES", "METRICS", "LOGS")
_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_store: list[Path] = []


class NotCapturedError(Exception):
    """What is recorded in this process goes where a test cannot read it; the text is one line."""


def store_for(make_folder: Callable[[], Path]) -> Path:
    """Return the store of this process, which begins to record with the first call."""
    if not _store:
        _store.append(_begin(make_folder))
    return _store[0]


def _begin(make_folder: Callable[[], Path]) -> Path:
    from obs_run import settings
    from obs_run.launch.start import start
    from obs_run.runtime import destinations, process_runtime
    from obs_run.store.location import default_path

    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        raise NotCapturedError("OTEL_SDK_DISABLED=true switches all telemetry off")
    runtime = process_runtime.runtime()
    if runtime.is_in_use() or settings.get("OTEL_CONFIG_FILE"):
        # pytest was started with obs-run, and has recorded already: where that goes cannot be changed any more.
        if "store" not in destinations.names("traces"):
            raise NotCapturedError("pytest runs under obs-run and exports elsewhere; run it without obs-run")
        return default_path()
    store = make_folder() / "telemetry.db"
    with _variables(store):
        start("auto")
        # Where it goes is decided once, here.
        runtime.destinations()
    return store


@contextmanager
def captured(store: Path, name: str, baselines: Path, *, is_recording: bool) -> Iterator[CapturedRun]:
    """Capture what is recorded inside the block; child processes that begin in it record, too."""
    from obs_run.launch.command import BOOTSTRAP
    from obs_run.process.variables import add_bootstrap

    # What an earlier test left in the queue is not of this one.
    _flush()
    with _variables(store):
        add_bootstrap(os.environ, BOOTSTRAP)  # type: ignore[arg-type]
        run = CapturedRun(store, name, baselines, is_recording=is_recording)
        yield run
        run.end()


@contextmanager
def _variables(store: Path) -> Iterator[None]:
    """Have this process, and those that it starts, record into the store."""
    before = dict(os.environ)
    os.environ.update({f"OTEL_{signal}_EXPORTER": "store" for signal in _SIGNALS})
    os.environ.update({"OBS_STORE_FILE": str(store), "OBS_RELAY": "off"})
    os.environ.pop("OBS_RELAY_FOLDER", None)
    os.environ.setdefault(_CONTENT, "SPAN_ONLY")
    changed = {name for name in (*before, *os.environ) if os.environ.get(name) != before.get(name)}
    ours = changed | {"PYTHONPATH", "OBS_RUN"}
    try:
        yield
    finally:
        # What the test itself changed stays: undoing it is the test's.
        for name in ours:
            if name in before:
                os.environ[name] = before[name]
            else:
                os.environ.pop(name, None)


def _flush() -> None:
    from obs_run.runtime import process_runtime

    runtime = process_runtime.runtime()
    if runtime.is_in_use():
        runtime.queue().flush(time.monotonic() + _FLUSH_SECONDS)


class CapturedRun(RecordedRun):
    """What was recorded since the test began; each question looks anew, until the test is over."""

    def __init__(self, store: Path, name: str, baselines: Path, *, is_recording: bool) -> None:
        super().__init__(())
        self._store, self._name, self._baselines, self._is_recording = store, name, baselines, is_recording
        self._since = time.time_ns()
        self._is_over = False

    @property
    def spans(self) -> list[Span]:
        """The spans that have ended."""
        self._read()
        return self._spans

    @property
    def logs(self) -> list[LogLine]:
        """The log lines."""
        self._read()
        return self._logs

    def assert_latency(self, at_most: float = 1.5) -> None:
        """Fail if the run took more than ``at_most`` times as long as its baseline.

        ``pytest --record-baselines`` records one; it is the median of the runs that were recorded.
        """
        seconds = self.seconds
        if self._is_recording:
            baseline.record(self._baselines, self._name, seconds)
            return
        before = baseline.read(self._baselines, self._name)
        if before is None:
            raise AssertionError(f"no baseline of {self._name}; record one: pytest --record-baselines")
        if seconds > at_most * before:
            raise AssertionError(f"took {seconds:.3f} s, more than {at_most:g} times the {before:.3f} s of before")

    def end(self) -> None:
        """Read for the last time: what comes later is another test's."""
        self._read()
        self._is_over = True

    def _read(self) -> None:
        if self._is_over:
            return
        from obs_run.store.reader import Reader

        _flush()
        if not self._store.exists():
            return
        with Reader(self._store) as reader:
            # A trace may have begun before the test, as that of a server does.
            traces = [trace for trace in reader.traces(_MOST_TRACES) if trace.end_ns >= self._since]
            spans = [span for trace in traces for span in reader.spans(trace.trace_id)]
            lines = reader.log_lines(_MOST_TRACES, since_ns=self._since)
        self._spans = sorted((span for span in spans if span.start_ns >= self._since), key=lambda span: span.start_ns)
        self._logs = list(lines)
