"""What processes load at their start, where each module costs about one percent, and with a library's import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.launch import running
from tests.launch.environments import HERE

if TYPE_CHECKING:
    from pathlib import Path

LOADED = """
obs_run obs_run.base obs_run.base.guard obs_run.base.stand_in obs_run.launch obs_run.launch.start obs_run.process
obs_run.process.exit_code obs_run.process.exit_hooks obs_run.process.fork obs_run.process.import_hooks
obs_run.process.own_imports obs_run.process.relay obs_run.process.run obs_run.process.termination
obs_run.process.unpatched obs_run.runtime obs_run.runtime.start
"""
# The standard library's, for what happens as the interpreter ends.
STANDARD = "atexit"
AGENT = "import sys; print(*sorted(sys.modules))"


def test_an_empty_program_loads_no_more(tmp_path: Path) -> None:
    env = running.environment("http://127.0.0.1:9", tmp_path)
    plain = running.run([HERE.python, "-c", AGENT], tmp_path, env)
    launched = running.run([HERE.command("obs-run"), HERE.python, "-c", AGENT], tmp_path, env)
    assert (plain.err, launched.err) == ("", "")
    added = set(launched.out.split()) - set(plain.out.split())
    assert added == {*LOADED.split(), *STANDARD.split()}


# What requests and answers mean, and what records them.
OF_CALLS = ("obs_instrumentors.openai.c", "obs_instrumentors.wire.openai", "obs_run.core.operations.")
OF_RECORDINGS = ("obs_run.core.recorder", "opentelemetry.sdk")


def test_importing_a_client_loads_nothing_that_only_calls_need(tmp_path: Path) -> None:
    env = running.environment("http://127.0.0.1:9", tmp_path)
    launched = running.run([HERE.command("obs-run"), HERE.python, "-c", f"import openai; {AGENT}"], tmp_path, env)
    loaded = launched.out.split()
    assert "obs_instrumentors.openai.realtime" in loaded
    assert [name for name in loaded if name.startswith((*OF_CALLS, *OF_RECORDINGS))] == []
