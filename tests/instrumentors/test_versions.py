"""Every library's scenario set in isolated environments: oldest and newest supported release, and lines between."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.instrumentors.environments import python_with, run_tests
from tests.instrumentors.libraries import LIBRARIES

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
CASES = [(folder, label) for folder, one in LIBRARIES.items() if not one.heavy for label in one.environments]


@pytest.fixture(scope="module")
def outputs(request: pytest.FixtureRequest) -> Iterator[dict[tuple[str, str], Future[str]]]:
    """What the tests of each environment say: two run at a time, in the order in which they are asked for here."""
    mine = [item for item in request.session.items if isinstance(item, pytest.Function) and item.path == Path(__file__)]
    cases = [(str(item.callspec.params["folder"]), str(item.callspec.params["label"])) for item in mine]
    with ThreadPoolExecutor(2) as pool:
        yield {case: pool.submit(_output, *case) for case in cases}
        pool.shutdown(cancel_futures=True)


@pytest.mark.timeout(1200)  # the environment may have to be made first
@pytest.mark.parametrize(("folder", "label"), CASES)
def test_version(folder: str, label: str, outputs: dict[tuple[str, str], Future[str]]) -> None:
    output = outputs[folder, label].result()
    assert " passed" in output
    assert "skipped" not in output


def _output(folder: str, label: str) -> str:
    library = LIBRARIES[folder]
    more = [name for name in library.more if name not in library.less.get(label, ())]
    files = [HERE / "run_scenarios.py", *((HERE / folder / name).resolve() for name in more)]
    python = python_with(*library.environments[label], python=library.python)
    variables = {**library.variables, "OBS_TEST_LIBRARY": folder, "OBS_TEST_ENVIRONMENT": label}
    return run_tests(python, *files, **variables)
