"""The scenario sets of libraries whose environments take several GB, for ``make test-heavy`` alone."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.instrumentors.environments import python_with
from tests.instrumentors.libraries import LIBRARIES, run_scenarios

HERE = Path(__file__).parent
KEPT = HERE / "heavy.json"
"""What ran last: by library and environment its date, Python, and the versions of what the environment is made for."""
CASES = [(folder, label) for folder, library in LIBRARIES.items() if library.heavy for label in library.environments]
_VERSIONS = """
import json, platform, sys
from importlib.metadata import version
print(json.dumps({"python": platform.python_version(), "versions": {name: version(name) for name in sys.argv[1:]}}))
"""


@pytest.mark.heavy
@pytest.mark.timeout(1800)  # the environment may have to be made first
@pytest.mark.parametrize(("folder", "label"), CASES)
def test_version(folder: str, label: str) -> None:
    library = LIBRARIES[folder]
    wanted = library.environments[label]
    assert " passed" in run_scenarios(folder, label)
    _keep(folder, label, _made_of(python_with(*wanted, python=library.python), wanted))


def _made_of(python: Path, wanted: tuple[str, ...]) -> dict[str, Any]:
    names = [requirement.partition("=")[0].partition(">")[0].partition("<")[0] for requirement in wanted]
    told = subprocess.run([python, "-c", _VERSIONS, *names], capture_output=True, text=True, check=True)
    made: dict[str, Any] = json.loads(told.stdout)
    return made


def _keep(folder: str, label: str, made: dict[str, Any]) -> None:
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    kept.setdefault(folder, {})[label] = {"date": datetime.now(timezone.utc).date().isoformat(), **made}
    KEPT.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n")
