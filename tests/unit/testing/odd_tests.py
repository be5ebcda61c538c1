"""Tests as many hands write them, which ``test_plugin.py`` has a pytest of their own run."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import threading
import unittest
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace

if TYPE_CHECKING:
    from pathlib import Path

    from obs_run.testing.capture import CapturedRun


def work(name: str = "work") -> None:
    with trace.get_tracer("tests").start_as_current_span(name):
        pass


class TestOfUnittest(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _trace(self, captrace: CapturedRun) -> None:
        self.captrace = captrace

    def test_in_a_class(self) -> None:
        work("one")
        assert [span.name for span in self.captrace.spans] == ["one"]


@pytest.mark.parametrize("number", [1, 2])
def test_with_parameters(captrace: CapturedRun, number: int) -> None:
    for _ in range(number):
        work()
    assert len(captrace.spans) == number


def test_in_a_thread(captrace: CapturedRun) -> None:
    thread = threading.Thread(target=work, args=("thread",))
    thread.start()
    thread.join()
    assert captrace.named("thread")


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_in_a_process(captrace: CapturedRun, method: str) -> None:
    process = multiprocessing.get_context(method).Process(target=work, args=(method,))  # type: ignore[attr-defined]
    process.start()
    process.join()
    assert captrace.named(method)


def test_without_variables(captrace: CapturedRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("OBS", "OTEL")):
            monkeypatch.delenv(name)
    work()
    assert len(captrace.spans) == 1


def test_in_tasks(captrace: CapturedRun) -> None:
    async def main() -> None:
        await asyncio.gather(*(asyncio.to_thread(work, f"task {number}") for number in range(3)))

    asyncio.run(main())
    assert len(captrace.spans) == 3


def test_log_lines_reach_pytest_too(captrace: CapturedRun, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("tests").error("bad %s", 1)
    assert captrace.errors == ["log: bad 1"]
    assert caplog.messages == ["bad 1"]


def test_without_it() -> None:
    work()


def test_what_others_did_is_not_there(captrace: CapturedRun) -> None:
    assert captrace.spans == []
    assert captrace.logs == []


def test_the_environment_is_as_it_was() -> None:
    assert not [name for name in os.environ if name.startswith(("OBS_", "OTEL_"))]
