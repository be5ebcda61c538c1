"""The scenario sets of libraries whose environments take several GB, for ``make test-all`` alone."""

from __future__ import annotations

import pytest

from tests.instrumentors.libraries import LIBRARIES, keep_run, run_scenarios

CASES = [(folder, label) for folder, library in LIBRARIES.items() if library.heavy for label in library.environments]


@pytest.mark.heavy
@pytest.mark.environments
@pytest.mark.timeout(3600)  # the environment may have to be made first
@pytest.mark.parametrize(("folder", "label"), CASES)
def test_version(folder: str, label: str) -> None:
    assert " passed" in run_scenarios(folder, label)
    keep_run(folder, label)
