"""Further interpreters in the agent's process are as they are without us."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tests.launch import environments
from tests.launch.interpreters import WITH_US
from tests.launch.running import environment, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver

AGENT = """
    import logging, sys, threading
    if sys.version_info >= (3, 13):
        import _interpreters as interpreters
    else:
        import _xxsubinterpreters as interpreters

    INSIDE = '\\n'.join((
        'import logging, os, subprocess, sys',
        'logging.getLogger("inside").warning("said inside")',
        'print(len(sys.meta_path), sys.exit, os._exit, type(vars(logging.Logger)["callHandlers"]), flush=True)',
    ))

    def use():
        interpreter = interpreters.create()
        interpreters.run_string(interpreter, INSIDE)
        interpreters.destroy(interpreter)

    logging.getLogger("outside").warning("said before")
    use()
    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    logging.getLogger("outside").warning("said after")
    sys.exit(3)
"""


def check(place: environments.Environment, receiver: Receiver, folder: Path) -> None:
    (folder / "agent.py").write_text(dedent(AGENT))
    env = environment(receiver.endpoint, folder)
    plain = run([place.python, "agent.py"], folder, env)
    assert run([place.command("obs-run"), place.python, "agent.py"], folder, env) == plain
    assert (plain.code, plain.err.count("said inside")) == (3, 2)
    assert receiver.wait_for(lambda got: len(got.logs) > 1)
    assert [log.body for log in receiver.logs] == ["said before", "said after"]


def test_interpreters_within_the_agents(receiver: Receiver, tmp_path: Path) -> None:
    check(environments.HERE, receiver, tmp_path)


@pytest.mark.environments
@pytest.mark.timeout(900)
@pytest.mark.parametrize("version", WITH_US)
def test_interpreters_within_those_of_other_versions(version: str, receiver: Receiver, tmp_path: Path) -> None:
    python = environments.interpreter_or_skip(version)
    check(environments.environment(python=python), receiver, tmp_path)
