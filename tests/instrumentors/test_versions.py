"""Every library's scenario set in isolated environments: oldest and newest supported release, and lines between."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.instrumentors.environments import python_with, run_tests
from tests.instrumentors.libraries import LIBRARIES

HERE = Path(__file__).parent
CASES = [
    (folder, label) for folder, library in LIBRARIES.items() if not library.heavy for label in library.environments
]


@pytest.mark.timeout(900)  # the environment may have to be made first
@pytest.mark.parametrize(("folder", "label"), CASES)
def test_version(folder: str, label: str) -> None:
    library = LIBRARIES[folder]
    more = [name for name in library.more if name not in library.less.get(label, ())]
    files = [HERE / "run_scenarios.py", *((HERE / folder / name).resolve() for name in more)]
    python = python_with(*library.environments[label], python=library.python)
    variables = {**library.variables, "OBS_TEST_LIBRARY": folder, "OBS_TEST_ENVIRONMENT": label}
    output = run_tests(python, *files, **variables)
    assert " passed" in output
    assert "skipped" not in output
