"""Every library's scenario set in isolated environments: those of its releases that this run is to try."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.instrumentors.choice_of_versions import chosen
from tests.instrumentors.libraries import LIBRARIES, keep_run, run_scenarios

if TYPE_CHECKING:
    from collections.abc import Iterator

CASES = chosen({folder: library for folder, library in LIBRARIES.items() if not library.heavy})


@pytest.fixture(scope="module")
def outputs(request: pytest.FixtureRequest) -> Iterator[dict[tuple[str, str], Future[str]]]:
    """What the tests of each environment say: two run at a time, in the order in which they are asked for here."""
    mine = [item for item in request.session.items if isinstance(item, pytest.Function) and item.path == Path(__file__)]
    cases = [(str(item.callspec.params["folder"]), str(item.callspec.params["label"])) for item in mine]
    with ThreadPoolExecutor(2) as pool:
        yield {case: pool.submit(run_scenarios, *case) for case in cases}
        pool.shutdown(cancel_futures=True)


@pytest.mark.environments
@pytest.mark.timeout(3600)  # the environment may have to be made first
@pytest.mark.parametrize(("folder", "label"), CASES)
def test_version(folder: str, label: str, outputs: dict[tuple[str, str], Future[str]]) -> None:
    assert " passed" in outputs[folder, label].result()
    keep_run(folder, label)
