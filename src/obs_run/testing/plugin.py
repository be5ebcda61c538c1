"""The pytest plugin: the fixture ``captrace``, what an agent did in a test; costs nothing where nobody asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obs_run.testing.capture import CapturedRun

_BASELINES = "obs-baselines.json"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("obs-run", "telemetry of agents under test")
    group.addoption(
        "--record-baselines",
        action="store_true",
        help=f"have captrace.assert_latency() write down how long runs take, in {_BASELINES} beside the test",
    )


@pytest.fixture
def captrace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CapturedRun]:
    """Give what is recorded during the test, in this process and in those that it starts."""
    from obs_run.testing import capture

    try:
        store = capture.store_for(lambda: _folder(tmp_path_factory))
    except capture.NotCapturedError as problem:
        pytest.fail(f"captrace: {problem}", pytrace=False)
    is_recording = bool(request.config.getoption("--record-baselines"))
    baselines = request.path.with_name(_BASELINES)
    with capture.captured(store, request.node.nodeid, baselines, is_recording=is_recording) as run:
        yield run


def _folder(factory: pytest.TempPathFactory) -> Path:
    return factory.mktemp("captrace")
