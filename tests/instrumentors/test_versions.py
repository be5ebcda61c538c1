"""Every library's scenario set in isolated environments: those of its releases that this run is to try."""

from __future__ import annotations

import pytest

from tests.instrumentors.choice_of_versions import chosen
from tests.instrumentors.libraries import LIBRARIES, keep_run, run_scenarios

CASES = chosen({folder: library for folder, library in LIBRARIES.items() if not library.heavy})


@pytest.mark.environments
@pytest.mark.timeout(3600)  # the environment may have to be made first
@pytest.mark.parametrize(("folder", "label"), CASES)
def test_version(folder: str, label: str) -> None:
    assert " passed" in run_scenarios(folder, label)
    keep_run(folder, label)
