from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.examples import crossed
from tests.launch import environments
from tests.launch.cases import Case
from tests.launch.interpreters import CORE, WITH_US, WITHOUT_US
from tests.launch.running import SCRIPTS, check, environment, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver

PROGRAM = "import sys, os\nprint(sys.argv[1:])\nprint(os.environ['OBS_TEST'])\nsys.exit(3)\n"


# Nothing of OpenTelemetry is loaded before, and Python refuses thread pools from then on.
QUIET = "import atexit, logging, threading, time\nlogging.basicConfig(handlers=[logging.NullHandler()])\n"
LATE = {
    "atexit": QUIET + "atexit.register(logging.error, 'late')\n",
    "thread": QUIET + "threading.Thread(target=lambda: (time.sleep(0.3), logging.error('late'))).start()\n",
}


@pytest.mark.parametrize("version", WITH_US)
@pytest.mark.parametrize("case", CORE, ids=lambda case: case.name)
@pytest.mark.environments
@pytest.mark.timeout(900)
def test_other_python_with_obs_run(case: Case, version: str, receiver: Receiver, tmp_path: Path) -> None:
    place = environments.environment(python=environments.interpreter_or_skip(version))
    # Python 3.12 and newer warn of forks beside threads: ours must be gone by then.
    warn = Case(**{**vars(case), "environment": {**case.environment, "PYTHONWARNINGS": "always::DeprecationWarning"}})
    check(warn, receiver, tmp_path, place)


@pytest.mark.parametrize("version", WITH_US)
@pytest.mark.environments
@pytest.mark.timeout(900)
def test_a_program_whose_only_telemetry_is_its_run(version: str, receiver: Receiver, tmp_path: Path) -> None:
    # OpenTelemetry is loaded as it leaves then, when Python 3.12 starts no thread any more.
    place = environments.environment(python=environments.interpreter_or_skip(version))
    (tmp_path / "agent.py").write_text("import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'pass'])\n")
    env = environment(receiver.endpoint, tmp_path)
    assert run([str(place.scripts / "obs-run"), place.python, "agent.py"], tmp_path, env) == (0, "", "")
    assert [span.name for span in receiver.spans] == ["agent"]


@pytest.mark.parametrize("version", WITH_US)
@pytest.mark.environments
@pytest.mark.timeout(900)
@pytest.mark.parametrize("late", LATE)
def test_a_program_that_records_when_its_end_has_begun(
    late: str, version: str, receiver: Receiver, tmp_path: Path
) -> None:
    place = environments.environment(python=environments.interpreter_or_skip(version))
    (tmp_path / "agent.py").write_text(LATE[late])
    env = environment(receiver.endpoint, tmp_path)
    assert run([str(place.scripts / "obs-run"), place.python, "agent.py"], tmp_path, env) == (0, "", "")
    assert [record.body for record in receiver.logs] == ["late"]
    assert [span.name for span in receiver.spans] == ["agent"]


@pytest.mark.sampled
@pytest.mark.parametrize(("options", "version"), crossed([(), ("-S",)], WITHOUT_US))
def test_other_python_without_obs_run(version: str, options: tuple[str], receiver: Receiver, tmp_path: Path) -> None:
    python = environments.interpreter_or_skip(version)
    (tmp_path / "agent.py").write_text(PROGRAM)
    env = environment(receiver.endpoint, tmp_path, OBS_TEST="x")
    words = [python, *options, "agent.py", "a b"]
    plain = run(words, tmp_path, env)
    assert plain == (3, "['a b']\nx\n", "")
    assert run([str(SCRIPTS / "obs-run"), *words], tmp_path, env) == plain
    assert not receiver.requests


@pytest.mark.environments
@pytest.mark.timeout(900)
def test_environment_without_obs_run(receiver: Receiver, tmp_path: Path) -> None:
    environments.make(tmp_path / "venv", environments.HERE.python)
    python = str(tmp_path / "venv" / "bin" / "python")
    (tmp_path / "agent.py").write_text(PROGRAM)
    env = environment(receiver.endpoint, tmp_path, OBS_TEST="x")
    launched = run([str(SCRIPTS / "obs-run"), python, "agent.py", "a b"], tmp_path, env)
    assert launched == (3, "['a b']\nx\n", "")
    said = run([str(SCRIPTS / "obs-run"), "--verbose", python, "agent.py"], tmp_path, env)
    assert said.err == f"obs-run: not started in {python}: No module named 'obs_run'\n"
    assert not receiver.requests
