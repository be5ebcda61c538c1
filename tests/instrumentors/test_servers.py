"""Servers in isolated environments: the oldest and the newest of each library, with each of our functions failing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.instrumentors.environments import python_with, run_tests

ENVIRONMENTS = {
    "newest": ("aiohttp>=3.14,<4", "flask>=3.1", "gunicorn>=27", "hypercorn>=0.18", "starlette>=1.10", "uvicorn>=0.54"),
    "oldest": (
        "aiohttp==3.9.0",
        "flask==2.0.0",
        "gunicorn==21.0.0",
        "hypercorn==0.15.0",
        "starlette==0.38.6",
        "uvicorn==0.20.0",
        "werkzeug==2.0.0",
    ),
}


@pytest.mark.environments
@pytest.mark.timeout(1800)  # the environment may have to be made first
@pytest.mark.parametrize("label", ENVIRONMENTS)
def test_faults(label: str) -> None:
    output = run_tests(python_with(*ENVIRONMENTS[label]), Path(__file__).parent / "servers" / "with_faults.py")
    assert "1 passed" in output
