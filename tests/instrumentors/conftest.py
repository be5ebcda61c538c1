"""What every instrumentor's tests share: the stub server, and telemetry kept in memory."""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.backends.fixtures import backend_tool

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["backend_tool"]

ROOT = Path(__file__).resolve().parents[2]
SCOPE = "obs_run"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Make the environments of the libraries to come while the tests before them run: it is mostly waiting."""
    from tests.instrumentors.libraries import LIBRARIES

    is_first = os.environ.get("PYTEST_XDIST_WORKER", "gw0") == "gw0"
    if session.config.option.collectonly or not is_first:
        return
    wanted = [
        item.callspec.params
        for item in session.items
        if isinstance(item, pytest.Function) and item.path.name == "test_versions.py" and "callspec" in vars(item)
    ]
    libraries = [(LIBRARIES[str(each["folder"])], str(each["label"])) for each in wanted if "folder" in each]
    if libraries:
        threading.Thread(target=_make_environments, args=(libraries,), daemon=True).start()


def _make_environments(libraries: list[tuple[Any, str]]) -> None:
    from tests.instrumentors.environments import python_with

    for library, label in libraries:
        # A test that needs the environment tries again, and tells what is wrong.
        with contextlib.suppress(AssertionError, OSError, subprocess.SubprocessError):
            python_with(*library.environments[label], python=library.python)


class Telemetry:
    """What this process exported since the test began."""

    may_fail = False
    """Whether a failure of ours is what the test is about."""

    def __init__(self) -> None:
        self._begun = time.time_ns()

    def flush(self) -> None:
        from obs_run.runtime.process_runtime import runtime

        assert runtime().queue().flush(time.monotonic() + 60)

    def clear(self) -> None:
        from obs_run.core.tool_windows import windows
        from obs_run.pipeline import memory

        # Streams that the test before abandoned end with their last reference, which cycles of a library delay.
        gc.collect()
        windows.forget()
        gc.freeze()  # what the libraries hold need not be gone through again, here and by the tests
        self.flush()
        for signal in ("traces", "logs", "metrics"):
            memory.exporter(signal).items.clear()

    def spans(self) -> list[Any]:
        from obs_run.pipeline import memory

        self.flush()
        # What a thread of the test before still worked on may end only now.
        return [span for span in memory.exporter("traces").items if span.start_time >= self._begun]

    def span(self) -> Any:
        """Return the one span there must be."""
        # An abandoned stream ends with its last reference, which cycles of the library delay.
        if not self.spans():
            gc.collect()
        spans = self.spans()
        assert len(spans) == 1, [span.name for span in spans]
        return spans[0]

    def attributes(self) -> dict[str, Any]:
        return dict(self.span().attributes)

    def events(self, name: str) -> list[Any]:
        from obs_run.pipeline import memory

        self.flush()
        return [item.log_record for item in memory.exporter("logs").items if item.log_record.event_name == name]

    def points(self, metric: str, **labels: Any) -> list[Any]:
        """Return the newest data points of a metric that carry the labels."""
        from obs_run.pipeline import memory

        self.flush()
        newest = memory.exporter("metrics").items[-1]
        return [
            point
            for resource in newest.resource_metrics
            for scope in resource.scope_metrics
            for found in scope.metrics
            if found.name == metric
            for point in found.data.data_points
            if labels.items() <= dict(point.attributes).items()
        ]

    def findings(self) -> list[str]:
        """Return where what was exported leaves the conventions.

        Where a test breaks something of ours, a library that traces itself does so in its own words.
        """
        from obs_run.core import content
        from obs_run.pipeline import memory
        from tests.semconv import conformance

        spans = [each for each in self.spans() if not self.may_fail or each.instrumentation_scope.name == SCOPE]
        logs = [item.log_record for item in memory.exporter("logs").items]
        # What a library has measured while nothing of ours was in place is there until the process ends.
        found = conformance.findings(spans, logs, memory.exporter("metrics").items[-1:], scope=SCOPE)
        return found if content.wanted() else [*found, *conformance.carries_content(spans)]

    def measured_by_others(self) -> dict[str, int]:
        """Return how often others than we have measured something of GenAI since the process began, by metrics."""
        from obs_run.pipeline import memory

        self.flush()
        return {
            metric.name: sum(getattr(point, "count", 1) for point in metric.data.data_points)
            for collected in memory.exporter("metrics").items[-1:]
            for resource in collected.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if scope.scope.name != SCOPE and metric.name.startswith("gen_ai.")
        }

    def total(self, metric: str) -> float:
        """Return the sum over a counter's labels since the process began."""
        from obs_run.pipeline import memory

        self.flush()
        return sum(point.value for point in self.points(metric)) if memory.exporter("metrics").items else 0


@pytest.fixture(scope="session")
def stub() -> Iterator[Any]:
    sys.path.insert(0, str(ROOT / "examples"))
    server = importlib.import_module("stub_llm").StubServer()
    # A client that stops reading resets the connection, which is no news in these tests.
    server._server.handle_error = lambda *_: None
    with server:
        yield server


@pytest.fixture
def telemetry(stub: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Telemetry]:
    """Telemetry in memory; a failure of ours that the guard swallowed fails the test."""
    from obs_run.base import guard
    from obs_run.base.latest import Latest
    from obs_run.core import content, conversations

    monkeypatch.setattr(guard, "_failures", set())
    # The runs of other tests are not of this one's conversation.
    monkeypatch.setattr(conversations, "_last_runs", Latest(1000))
    for signal in ("TRACES", "METRICS", "LOGS"):
        monkeypatch.setenv(f"OTEL_{signal}_EXPORTER", "memory")
    monkeypatch.setenv("OBS_RUN_SPAN", "false")
    monkeypatch.setenv("OBS_STREAM_USAGE_HOSTS", f"{stub.host}:{stub.port}")
    content.forget()
    kept = Telemetry()
    kept.clear()
    with caplog.at_level(logging.WARNING, "obs_run"):
        yield kept
        kept.flush()
    found = kept.findings()
    content.forget()
    # What is said later belongs to another phase of the test than ``caplog.records``.
    records = [*caplog.get_records("call"), *caplog.records]
    said = [record.getMessage() for record in records if record.name == "obs_run"]
    assert not said or kept.may_fail, said
    assert found == []


@pytest.fixture
def with_content(telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> None:
    from obs_run.core import content

    assert telemetry is not None
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_AND_EVENT")
    content.forget()
