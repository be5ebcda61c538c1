from __future__ import annotations

import os
import stat
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from obs_run.store.exporters import StoreSpanExporter
from tests.examples import one_in
from tests.unit.store import making

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY = 1 << 30
SCRIPTS = Path(sysconfig.get_path("scripts"))
AGENT = """
import logging, multiprocessing, os
from opentelemetry import metrics, trace

import obs_run
from obs_run import logging as structured

def work():
    obs_run.audit("login", actor="jo")
    logger = structured.get_distributed_logger()
    structured.setup_default_handlers(logger)
    logger.info("to files", category=structured.LogCategory.SECURITY)
    with trace.get_tracer("agent").start_as_current_span("work"):
        logging.getLogger("agent").error("a record")

if __name__ == "__main__":
    work()
    metrics.get_meter("agent").create_counter("jobs").add(1)
    trace.get_tracer_provider().force_flush()
    child = multiprocessing.get_context("spawn").Process(target=work)
    child.start()
    child.join()
    os.kill(os.getpid(), 9)  # so that -wal and -shm stay
"""


def modes(folder: Path) -> dict[str, str]:
    """Return the mode of everything below ``folder``."""
    return {str(path.relative_to(folder)): f"{stat.S_IMODE(path.lstat().st_mode):04o}" for path in folder.rglob("*")}


def assert_private(folder: Path) -> None:
    open_ones = {
        name: mode for name, mode in modes(folder).items() if mode != ("0700" if (folder / name).is_dir() else "0600")
    }
    assert open_ones == {}


def record(folder: Path, umask: int) -> None:
    home = folder / "home"
    home.mkdir(exist_ok=True)
    (folder / "agent.py").write_text(AGENT)
    done = subprocess.run(
        [SCRIPTS / "obs-run", "python", folder / "agent.py"],
        cwd=home,
        env={"PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}", "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        timeout=60,
        check=False,
        umask=umask,
    )
    assert done.returncode == -9, done.stderr.decode()


@pytest.mark.slow
@pytest.mark.parametrize("umask", one_in(3, [0o000, 0o022, 0o002]))
def test_all_that_an_agent_leaves_is_its_owners_alone(tmp_path: Path, umask: int) -> None:
    record(tmp_path, umask)
    assert_private(tmp_path / "home")
    data = tmp_path / "home" / ".local" / "share" / "obs-run"
    store = data / "store.db"
    assert {"store.db", "store.db-wal", "store.db-shm", "audit/audit.jsonl"} <= modes(data).keys()
    assert [path.suffix for path in (tmp_path / "home" / "logs").iterdir() if path.name[0] != "."]
    for ending in ("-wal", "-shm"):  # with them the file would be mended
        store.with_name(f"store.db{ending}").unlink()
    store.write_bytes(b"SQLite format 3\0" + b"broken" * 1000)
    store.chmod(0o644)
    record(tmp_path, umask)
    assert list(data.glob("store.db.broken-*"))
    assert_private(tmp_path / "home")


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("usual_umask")
def test_folders_that_are_there_keep_their_mode(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    StoreSpanExporter(folder / "mine" / "store.db", MANY).export([making.span("x")])
    assert modes(tmp_path)["shared"] == "0755"
    assert modes(tmp_path)["shared/mine"] == "0700"


@pytest.mark.parametrize(("before", "after"), [(0o644, "0600"), (0o666, "0600"), (0o640, "0640"), (0o600, "0600")])
def test_a_store_that_everybody_may_read_is_closed_and_said(
    store: Path, before: int, after: str, caplog: pytest.LogCaptureFixture
) -> None:
    first = StoreSpanExporter(store, MANY)
    first.export([making.span("x")])
    first.shutdown()
    store.chmod(before)
    for _ in range(2):
        again = StoreSpanExporter(store, MANY)
        again.export([making.span("y", trace=2)])
        again.shutdown()
    assert f"{stat.S_IMODE(store.stat().st_mode):04o}" == after
    said = f"the local store {store} was open to every user of this machine (mode {before:04o}); it is 0600 now"
    assert caplog.messages == ([said] if before & 0o007 else [])


def test_open_parts_of_a_store_in_use_are_closed_too(store: Path, caplog: pytest.LogCaptureFixture) -> None:
    open_one = StoreSpanExporter(store, MANY)
    open_one.export([making.span("x")])
    for path in store.parent.iterdir():
        path.chmod(0o666)
    StoreSpanExporter(store, MANY - 1).export([making.span("y", trace=2)])
    assert modes(store.parent) == {"store.db": "0600", "store.db-wal": "0600", "store.db-shm": "0600"}
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o775, 0o700])
def test_a_folder_in_which_everybody_may_replace_the_store_is_said(
    tmp_path: Path, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(mode)
    store = folder / "store.db"
    for n in range(2):
        exporter = StoreSpanExporter(store, MANY)
        exporter.export([making.span("x", trace=n + 1)])
        exporter.shutdown()
    expected = (
        f"every user of this machine may replace the local store {store} (mode 0777 of its folder); "
        "name a file in a folder of its own by OBS_STORE_FILE"
    )
    assert caplog.messages == ([expected] if mode == 0o777 else [])


def test_a_link_that_leads_nowhere_makes_a_file_for_its_owner_only(tmp_path: Path) -> None:
    (tmp_path / "store.db").symlink_to(tmp_path / "target.db")
    before = os.umask(0)
    try:
        StoreSpanExporter(tmp_path / "store.db", MANY).export([making.span("x")])
    finally:
        os.umask(before)
    assert modes(tmp_path)["target.db"] == "0600"
