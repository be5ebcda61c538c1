from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.otlp_receiver import Receiver
from tests.unit import agents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def agent(tmp_path: Path) -> agents.Run:
    return partial(agents.run, tmp_path)


@pytest.fixture(scope="session")
def forking_server() -> Iterator[agents.ForkingServer]:
    with agents.ForkingServer() as server:
        yield server


@pytest.fixture(params=["forked", pytest.param("fresh", marks=pytest.mark.slow)])
def openai_agent(request: pytest.FixtureRequest, tmp_path: Path) -> agents.Run:
    """What ``agent`` is, for agents that import openai: after each change in a fork of a process that has."""
    if request.param == "fresh":
        return partial(agents.run, tmp_path)
    server: agents.ForkingServer = request.getfixturevalue("forking_server")
    return partial(server.run, tmp_path)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running
