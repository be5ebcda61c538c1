"""The libraries with a scenario set, by the folder that holds it; how the set is run, and what is kept of the run."""

from __future__ import annotations

import json
import os
import re
import subprocess
from datetime import datetime, timezone
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from tests.file_lock import locked
from tests.instrumentors.environments import python_with, run_tests
from tests.launch.environments import ROOT

if TYPE_CHECKING:
    from tests.instrumentors.scenarios import Library

HERE = Path(__file__).parent
RUNS = HERE / "runs.json"
"""What ran last: by library and environment the date, Python, and the versions of what the environment is made for."""
_VERSIONS = """
import json, platform, sys
from importlib.metadata import version
print(json.dumps({"python": platform.python_version(), "versions": {name: version(name) for name in sys.argv[1:]}}))
"""

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


def keep_run(folder: str, label: str) -> None:
    """Write down that a scenario set passed, where ``OBS_TESTS_KEEP_RUNS`` is set: elsewhere a clone stays clean."""
    if not os.environ.get("OBS_TESTS_KEEP_RUNS"):
        return
    library = LIBRARIES[folder]
    requirements = library.environments[label]
    python = python_with(*requirements, python=library.python)
    named = [requirement for requirement in requirements if not requirement.startswith("-")]
    names = [re.split(r"[^\w.-]", requirement, maxsplit=1)[0] for requirement in named]
    shown = subprocess.run([python, "-c", _VERSIONS, *names], capture_output=True, text=True, check=True)
    today = datetime.now(timezone.utc).date().isoformat()
    with locked(ROOT / ".cache" / "runs.lock"):
        runs = json.loads(RUNS.read_text(encoding="utf-8"))
        runs.setdefault(folder, {})[label] = {"date": today, **json.loads(shown.stdout)}
        RUNS.write_text(json.dumps(runs, indent=2, sort_keys=True) + "\n", encoding="utf-8")
