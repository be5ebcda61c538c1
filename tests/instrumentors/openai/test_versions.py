"""The same scenarios in isolated environments: oldest and newest supported release of each library of the family."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.instrumentors.environments import python_with, run_tests

HERE = Path(__file__).parent
ALL = ("test_modes.py", "test_faults.py", "test_endpoints.py")
CHAT = ("test_modes.py", "test_faults.py")

VERSIONS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    # Releases before 1.56 pass httpx an argument that httpx 0.28 has dropped.
    "openai 1, oldest": ("openai", ("openai==1.26.0", "httpx<0.28"), CHAT),
    "openai 1, newest": ("openai", ("openai<2",), ALL),
    "openai 2, oldest": ("openai", ("openai==2.0.0",), ALL),
    "openai 2, newest": ("openai", ("openai>=2,<3",), ALL),
    "openai 3, newest": ("openai", ("openai>=3,<4",), ALL),
    "groq, newest": ("groq", ("groq<2",), CHAT),
    "together, newest": ("together", ("together>=2,<4",), CHAT),
    "cerebras, newest": ("cerebras", ("cerebras-cloud-sdk<2",), CHAT),
    "fireworks, newest": ("fireworks", ("fireworks-ai<2",), CHAT),
}


@pytest.mark.timeout(500)  # the environment may have to be made first
@pytest.mark.parametrize("version", VERSIONS)
def test_version(version: str) -> None:
    library, requirements, files = VERSIONS[version]
    output = run_tests(python_with(*requirements), *(HERE / name for name in files), OBS_TEST_LIBRARY=library)
    assert "skipped" not in output
