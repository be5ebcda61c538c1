from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from textwrap import dedent

import pytest

from obs_run.files.shared_file import SharedFile


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", dedent(code), *map(str, arguments)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)


def ends(process: subprocess.Popen[str]) -> str:
    out = process.communicate(timeout=100)[0]
    assert process.returncode == 0, out
    return out


def test_files_are_their_owner_s_only(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file.log"
    assert SharedFile(path).write(b"line\n")
    assert path.read_bytes() == b"line\n"
    for made in (path, path.parent / ".file.log.lock"):
        assert stat.S_IMODE(made.stat().st_mode) == 0o600
    for folder in (path.parent, path.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_exists_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert SharedFile(tmp_path / "file.log").write(b"line\n")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_after_half_a_line_a_fresh_one_begins(tmp_path: Path) -> None:
    path = tmp_path / "file.log"
    path.write_bytes(b"whole\nha")
    file = SharedFile(path)
    assert file.write(b"next\n")
    with path.open("ab") as other:
        other.write(b"half again")
    assert file.write(b"last\n")
    assert path.read_bytes() == b"whole\nha\nnext\nhalf again\nlast\n"


@pytest.mark.parametrize("gone", ["file.log", ".file.log.lock"])
def test_what_is_deleted_is_made_again(gone: str, tmp_path: Path) -> None:
    path = tmp_path / "file.log"
    file, other = SharedFile(path), SharedFile(path)
    assert file.write(b"1\n")
    assert other.write(b"2\n")
    (tmp_path / gone).unlink()
    assert file.write(b"3\n")
    assert other.write(b"4\n")
    assert path.read_bytes().endswith(b"3\n4\n")


def test_a_file_renamed_by_another_program(tmp_path: Path) -> None:
    path = tmp_path / "file.log"
    file = SharedFile(path)
    assert file.write(b"1\n")
    path.rename(tmp_path / "aside")
    assert file.write(b"2\n")
    assert (path.read_bytes(), (tmp_path / "aside").read_bytes()) == (b"2\n", b"1\n")


def test_no_link_is_followed_where_others_may_write(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "file.log").symlink_to(tmp_path / "victim")
    shared.chmod(0o777)
    assert not SharedFile(shared / "file.log").write(b"line\n")
    assert not (tmp_path / "victim").exists()
    assert len(caplog.messages) == 1
    shared.chmod(0o755)
    assert SharedFile(shared / "file.log").write(b"line\n")
    assert (tmp_path / "victim").read_bytes() == b"line\n"


def test_what_is_no_file_is_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    assert not SharedFile(tmp_path / "pipe").write(b"line\n")
    assert not SharedFile(tmp_path / "folder").write(b"line\n")
    assert len(caplog.messages) == 2


def test_a_refusal_is_said_once_and_again_after_it_worked(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "place").write_text("a file where the folder should be")
    file = SharedFile(tmp_path / "place" / "file.log")
    for _ in range(2):
        assert [file.write(b"line\n") for _ in range(3)] == [False] * 3
        assert len(caplog.messages) == 1
        assert str(tmp_path / "place" / "file.log") in caplog.messages[0]
        caplog.clear()
        (tmp_path / "place").unlink()
        assert file.write(b"line\n")
        (tmp_path / "place" / "file.log").unlink()
        (tmp_path / "place" / ".file.log.lock").unlink()
        (tmp_path / "place").rmdir()
        (tmp_path / "place").write_text("again")
    assert not caplog.messages


def test_a_full_disk_leaves_no_half_line(full_disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = SharedFile(full_disk / "file.log")
    line = b"x" * 999 + b"\n"
    written = [file.write(line) for _ in range(200)]
    assert written[0]
    assert not written[-1]
    assert len(caplog.messages) == 1
    assert (full_disk / "file.log").read_bytes() == line * sum(written)
    (full_disk / "filler").unlink()
    assert file.write(line)
    assert (full_disk / "file.log").read_bytes() == line * (sum(written) + 1)


def test_threads_processes_and_forks(tmp_path: Path) -> None:
    code = """
        import os, sys, threading
        from obs_run.files.shared_file import SharedFile
        file, me = SharedFile(sys.argv[1]), sys.argv[2]
        def write(who, count):
            for at in range(count):
                assert file.write(f"{who}.{at} {'x' * (at % 50)}\\n".encode())
        threads = [threading.Thread(target=write, args=(f"{me}.t{n}", 500)) for n in range(3)]
        for thread in threads: thread.start()
        for child in range(10):
            pid = os.fork()
            if not pid:
                write(f"{me}.c{child}", 50)
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
        for thread in threads: thread.join()
        """
    path = tmp_path / "file.log"
    for process in [start("import warnings; warnings.simplefilter('ignore')\n" + dedent(code), path, n) for n in "abc"]:
        ends(process)
    lines = path.read_text().splitlines()
    assert len(lines) == len(set(lines)) == 3 * (3 * 500 + 10 * 50)
    assert all(line.split(" ")[1] == "x" * (int(line.split(" ")[0].rsplit(".")[-1]) % 50) for line in lines)


def test_a_child_of_a_killed_writer_does_not_keep_the_lock(tmp_path: Path) -> None:
    # The parent is killed while it holds the lock, after a fork inherited the lock's descriptor.
    code = """
        import os, signal, sys, time
        from pathlib import Path
        from obs_run.files.shared_file import FileLock
        with FileLock(Path(sys.argv[1])):
            pid = os.fork()
            if pid:
                print(pid, flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
            sys.stdin.read()
        """
    path = tmp_path / "file.log"
    parent = start(code, path)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert parent.wait(60) == -signal.SIGKILL
    os.kill(child, 0)
    assert SharedFile(path).write(b"line\n")
    parent.communicate()


def test_a_stopped_holder_does_not_stop_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("obs_run.files.shared_file._PATIENCE", 0.2)
    path = tmp_path / "file.log"
    file = SharedFile(path)
    with (tmp_path / ".file.log.lock").open("w") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        assert [file.write(b"line\n") for _ in range(3)] == [False] * 3
        assert len(caplog.messages) == 1
        assert "locked" in caplog.messages[0]
    assert file.write(b"line\n")
    assert path.read_bytes() == b"line\n"


def test_a_call_amid_another_of_the_same_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = SharedFile(tmp_path / "file.log")

    def write(descriptor: int, data: bytes) -> int:
        monkeypatch.undo()
        assert file.write(b"inner\n")
        return os.write(descriptor, data)

    monkeypatch.setattr(os, "write", write)
    assert file.write(b"outer\n")
    assert (tmp_path / "file.log").read_bytes() == b"outer\ninner\n"


def test_signal_handlers_that_write(tmp_path: Path) -> None:
    file = SharedFile(tmp_path / "file.log")
    counted = iter(range(10**6))
    before = signal.signal(signal.SIGALRM, lambda *_: file.write(b"handler %d\n" % next(counted)))
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        for at in range(20_000):
            assert file.write(b"main %d\n" % at)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    lines = (tmp_path / "file.log").read_bytes().splitlines()
    handled = next(counted)
    assert handled > 0
    assert sorted(lines) == sorted(
        [b"main %d" % n for n in range(20_000)] + [b"handler %d" % n for n in range(handled)]
    )


def test_a_warning_that_comes_back_into_the_file_that_refuses(tmp_path: Path) -> None:
    import logging

    (tmp_path / "place").write_text("no folder")
    file = SharedFile(tmp_path / "place" / "file.log")

    class Back(logging.Handler):
        seen = 0

        def emit(self, record: logging.LogRecord) -> None:
            self.seen += 1
            file.write(record.getMessage().encode())

    back = Back()
    logging.getLogger("obs_run").addHandler(back)
    try:
        assert not file.write(b"line\n")
    finally:
        logging.getLogger("obs_run").removeHandler(back)
    assert back.seen == 1


def test_closed_files_open_again(tmp_path: Path) -> None:
    file = SharedFile(tmp_path / "file.log")
    before = len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else None
    for at in range(3):
        assert file.write(b"%d\n" % at)
        file.close()
    assert (tmp_path / "file.log").read_bytes() == b"0\n1\n2\n"
    if before is not None:
        assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_many_threads_that_wait_for_one_lock(tmp_path: Path) -> None:
    file = SharedFile(tmp_path / "file.log")
    begin = threading.Barrier(16)

    def write() -> None:
        begin.wait()
        for _ in range(200):
            assert file.write(b"line\n")

    threads = [threading.Thread(target=write) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "file.log").read_bytes() == b"line\n" * 3200
