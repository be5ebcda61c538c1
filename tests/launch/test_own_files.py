"""Only regular files of ours are made, closed to others, moved or deleted, whatever file a setting names."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from tests.examples import one_in
from tests.launch.running import SCRIPTS, environment, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.launch.running import Outcome

WORK = """\
import logging, os
from opentelemetry import trace
import obs_run
from obs_run import logging as structured
from obs_run.tracing import FileSpanRecorder, get_tracer
logger = structured.get_distributed_logger()
structured.setup_default_handlers(logger)
logger.info("to files", category=structured.LogCategory.SECURITY)
obs_run.audit("login", actor="jo")
with trace.get_tracer("case").start_as_current_span("work"):
    logging.getLogger("agent").error("a record")
"""


def run_with(folder: Path, **more: str) -> Outcome:
    (folder / "agent.py").write_text(WORK)
    env = environment("", folder, OBS_LOG_CONSOLE="none", **more)
    return run([str(SCRIPTS / "obs-run"), str(SCRIPTS / "python"), "agent.py"], folder, env, seconds=50)


def a_device(path: Path) -> None:
    """Make what /dev/null is."""
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    except PermissionError:
        # Who is not root cannot make a device, and has nothing to break either.
        path.symlink_to("/dev/null")
    else:
        path.chmod(0o666)


def a_pipe(path: Path) -> None:
    os.mkfifo(path)
    path.chmod(0o666)


def a_folder(path: Path) -> None:
    path.mkdir()
    path.chmod(0o777)


def a_text(path: Path) -> None:
    path.write_text("notes of the user\n" * 1000)
    path.chmod(0o666)


def a_link(path: Path) -> None:
    target = path.with_name("target")
    target.touch()
    target.chmod(0o666)
    path.symlink_to(target)


KINDS = {"device": a_device, "pipe": a_pipe, "folder": a_folder, "text": a_text}


def state(folder: Path) -> dict[str, tuple[int, int]]:
    return {path.name: (path.lstat().st_mode, path.lstat().st_ino) for path in folder.iterdir()}


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("setting", "kind"),
    # An audit trail says by itself what was in its file before it.
    one_in(
        3,
        [
            *(("OBS_STORE_FILE", kind) for kind in KINDS),
            *(("OBS_AUDIT_FILE", kind) for kind in KINDS if kind != "text"),
        ],
    ),
)
def test_what_is_not_ours_stays_as_it_was(setting: str, kind: str, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    KINDS[kind](place / "named.db")
    before = state(place)
    outcome = run_with(tmp_path, **{setting: str(place / "named.db")})
    assert (outcome.code, outcome.out) == (0, "")
    assert "named.db" in outcome.err
    assert state(place) == before
    if kind == "text":
        assert (place / "named.db").read_text() == "notes of the user\n" * 1000


@pytest.mark.parametrize("make", [a_link, a_device])
def test_the_mode_of_what_a_link_leads_to_stays(make: Callable[[Path], None], tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    make(place / "real")
    (place / "named.db").symlink_to(place / "real")
    mode = (place / "real").stat().st_mode
    outcome = run_with(tmp_path, OBS_STORE_FILE=str(place / "named.db"))
    assert (outcome.code, outcome.out) == (0, "")
    assert (place / "real").stat().st_mode == mode


def test_a_store_of_ours_that_is_open_to_all_is_closed(tmp_path: Path) -> None:
    store = tmp_path / "named.db"
    run_with(tmp_path, OBS_STORE_FILE=str(store))
    store.chmod(0o644)
    run_with(tmp_path, OBS_STORE_FILE=str(store))
    assert stat.S_IMODE(store.stat().st_mode) == 0o600


def test_the_store_of_an_agent_that_keeps_its_files_from_everybody(tmp_path: Path) -> None:
    store = tmp_path / "new" / "named.db"
    (tmp_path / "agent.py").write_text("import logging, os; os.umask(0o777); logging.error('line')")
    env = environment("", tmp_path, OBS_STORE_FILE=str(store))
    outcome = run([str(SCRIPTS / "obs-run"), str(SCRIPTS / "python"), "agent.py"], tmp_path, env)
    assert outcome == (0, "", "ERROR:root:line\n")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (store, store.parent)]
    assert modes == [0o600, 0o700]
