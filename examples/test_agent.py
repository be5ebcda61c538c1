"""Tests of an agent: what it did, not only what it answered. Run ``pytest examples/test_agent.py``.

The agent is ``examples/agent.py``, unchanged, with a model that needs no key; ``captrace`` comes with obs-run.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from examples.stub_llm import StubServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.testing.capture import CapturedRun

AGENT = Path(__file__).with_name("agent.py")


@pytest.fixture(scope="module")
def model() -> Iterator[str]:
    with StubServer() as server:
        yield f"{server.url}/v1"


@pytest.fixture(autouse=True)
def trip(model: str, captrace: CapturedRun) -> CapturedRun:
    """Have the agent plan a day, and give what it did."""
    environ = {**os.environ, "OPENAI_API_KEY": "none", "OPENAI_BASE_URL": model}
    subprocess.run([sys.executable, str(AGENT), "Lisbon"], env=environ, check=True, capture_output=True)
    return captrace


def test_it_looks_before_it_plans(trip: CapturedRun) -> None:
    assert trip.ran_in_order("weather", "hotel")
    assert "delete_booking" not in trip.tools


def test_it_keeps_to_its_budget(trip: CapturedRun) -> None:
    assert len(trip.model_calls) <= 10
    assert trip.tokens < 5000
    assert trip.cost < 0.01
    assert trip.seconds < 60


def test_what_fails_is_what_is_known_to_fail(trip: CapturedRun) -> None:
    assert len([line for line in trip.errors if "hotel" in line]) >= 1
    assert not trip.unfinished


def test_the_worker_is_in_the_same_run(trip: CapturedRun) -> None:
    # The model's server runs in this process and is recorded, too; the agent and its worker are processes of their own.
    assert len({call.trace_id for call in trip.model_calls}) == 1
    assert len({call.resource["process.pid"] for call in trip.model_calls}) == 2
