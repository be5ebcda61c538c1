"""The libraries with a scenario set, by the folder that holds it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from tests.instrumentors.environments import python_with, run_tests

if TYPE_CHECKING:
    from tests.instrumentors.scenarios import Library

HERE = Path(__file__).parent

LIBRARIES: dict[str, Library] = {
    path.parent.name: import_module(f"tests.instrumentors.{path.parent.name}.library").LIBRARY
    for path in sorted(HERE.glob("*/library.py"))
}


def run_scenarios(folder: str, label: str) -> str:
    """Run a library's scenario set and further tests in one of its environments, and return what pytest says."""
    library = LIBRARIES[folder]
    more = [name for name in library.more if name not in library.less.get(label, ())]
    files = [HERE / "run_scenarios.py", *((HERE / folder / name).resolve() for name in more)]
    python = python_with(*library.environments[label], python=library.python)
    variables = {**library.variables, "OBS_TEST_LIBRARY": folder, "OBS_TEST_ENVIRONMENT": label}
    output = run_tests(python, *files, **variables)
    assert " passed" in output
    assert "skipped" not in output
    return output
