"""Every library's scenario set in isolated environments: those of its releases that this run is to try."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.instrumentors.choice_of_versions import chosen
from tests.instrumentors.libraries import LIBRARIES, keep_run, run_scenarios

if TYPE_CHECKING:
    from tests.e2e.backends.fixtures import FindTool

CASES = chosen({folder: library for folder, library in LIBRARIES.items() if not library.heavy})
WITHOUT_BACKEND = [case for case in CASES if LIBRARIES[case[0]].backend is None]
WITH_BACKEND = [case for case in CASES if LIBRARIES[case[0]].backend is not None]


@pytest.mark.environments
@pytest.mark.timeout(3600)  # the environment may have to be made first
@pytest.mark.parametrize(("folder", "label"), WITHOUT_BACKEND)
def test_version(folder: str, label: str) -> None:
    assert " passed" in run_scenarios(folder, label)
    keep_run(folder, label)


@pytest.mark.environments
@pytest.mark.timeout(3600)  # as above, and the backend
@pytest.mark.parametrize(("folder", "label"), WITH_BACKEND)
def test_version_with_backend(folder: str, label: str, backend_tool: FindTool) -> None:
    backend = LIBRARIES[folder].backend
    assert backend is not None
    backend_tool(backend)
    test_version(folder, label)
