"""The one relay of a user: it begins a process for each configuration that agents have, and begins it again.

It loads nothing of OpenTelemetry and knows no version of obs-run but that of the folder's layout; each process it
begins is of the version, and by the interpreter, that its agents have.
"""

from __future__ import annotations

import fcntl
import marshal
import os
import resource
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from obs_run.buffer import configuration, folder, relay_client, segment
from obs_run.process import relay
from obs_run.relay.arrivals import Arrivals
from obs_run.relay.process_end import NOTED, End, WatchedProcess, pid_of_note, write_note

if TYPE_CHECKING:
    from collections.abc import Mapping

_PAUSE = 0.2
_LONGEST_BACKOFF = 30.0
_SECONDS_OF_WORK = 3.0
"""A process that lived longer than this was not one that fails at its start."""
_NOTE_SECONDS = 30.0
_QUIET = "OBS_RELAY_SECONDS"
_WORK = "from obs_run.relay.command import work; work(*sys.argv[2:])"
_RECORD = "from obs_run.relay.command import record_run; record_run(*sys.argv[2:])"


def begin_python(
    python: str, environ: Mapping[str, str], code: str, *words: str, folder: str = ""
) -> subprocess.Popen[bytes]:
    """Begin an agent's interpreter, which has obs-run, with code of ours and nothing of this process."""
    return subprocess.Popen(  # noqa: S603 (the interpreter that this user's own agent runs by)
        [
            python,
            "-I",
            "-c",
            f"import sys; sys.path.append(sys.argv[1]); {code}",
            configuration.package_folder(),
            *words,
        ],
        cwd=folder or "/",
        env={"PATH": os.environ.get("PATH", os.defpath), **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


class _Process:
    """The process of one configuration."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._running: subprocess.Popen[bytes] | None = None
        self._begun = 0.0
        self._failures = 0
        self._not_before = 0.0

    def is_running(self) -> bool:
        if self._running is not None and self._running.poll() is not None:
            code = self._running.returncode
            self._running = None
            if time.monotonic() - self._begun > _SECONDS_OF_WORK:
                self._failures = 0
            # A relay that ends well has had nothing to do.
            self._failures = self._failures + 1 if code else 0
            self._not_before = time.monotonic() + (min(_LONGEST_BACKOFF, 2.0**self._failures / 8) if code else 0)
        return self._running is not None

    def has_work(self) -> bool:
        with suppress(OSError):
            return any(map(segment.parse_name, os.listdir(self.path)))
        return False

    def begin(self, quiet: float) -> None:
        if time.monotonic() < self._not_before:
            return
        found = configuration.read(self.path)
        environ = {**found["variables"], _QUIET: str(quiet)}
        self._begun = time.monotonic()
        self._running = begin_python(found["python"], environ, _WORK, self.path, folder=found["folder"])

    def stop(self) -> None:
        if self._running is not None:
            with suppress(OSError):
                self._running.terminate()

    def wait(self) -> None:
        if self._running is not None:
            self._running.wait()


class _Announced:
    """A process that has begun; until it writes, what it said of itself is in a file in ``folder``."""

    def __init__(self, folder: str, pid: int) -> None:
        self.path = os.path.join(folder, f"{pid}{relay.ANNOUNCED}")
        self._pid = pid
        self._process = WatchedProcess(pid, 0)

    def is_over(self) -> bool:
        """Whether it has ended; how it did is noted, and recorded where it has written nothing itself."""
        end = self._process.look()
        if end is None:
            return False
        # Who ends by itself deletes it, as does who writes.
        if os.path.lexists(self.path):
            self._record(end)
        elif end.is_known():
            with suppress(OSError):
                write_note(os.path.dirname(self.path), self._pid, self._process.started, end)
        return True

    def _record(self, end: End) -> None:
        with suppress(OSError, ValueError, EOFError), open(self.path, "rb") as file:
            environ, _, _, python, _ = marshal.load(file)  # noqa: S302 (of a folder of this user's alone)
            begin_python(python, environ, _RECORD, self.path, str(end.exit_code), str(end.signal)).wait()
        with suppress(OSError):
            os.unlink(self.path)


class Supervisor:
    """Looks for configurations in ``path``; ends after a quiet time, or by SIGTERM."""

    def __init__(self, path: str, lock_descriptor: int, quiet: float) -> None:
        self._path = path
        self._lock_descriptor = lock_descriptor
        self._quiet = quiet
        self._processes: dict[str, _Process] = {}
        self._announced: dict[int, _Announced] = {}
        self._arrivals = Arrivals(path)
        self._stopping = False

    def run(self) -> None:
        """Work to the end."""
        signal.signal(signal.SIGTERM, self._stop)
        busy_at = time.monotonic()
        while not self._stopping and self._is_locked():
            if self._turn():
                busy_at = time.monotonic()
            elif time.monotonic() - busy_at > self._quiet:
                break
            self._arrivals.wait(_PAUSE)
        for process in self._processes.values():
            process.stop()
        for process in self._processes.values():
            process.wait()

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _is_locked(self) -> bool:
        """Whether the folder is still the one that this process locked: it may have been deleted and made anew."""
        with suppress(OSError):
            found = os.stat(os.path.join(self._path, folder.LOCK))
            return os.path.samestat(found, os.fstat(self._lock_descriptor))
        return False

    def _turn(self) -> bool:
        """Begin what is to run, and return whether anything does."""
        for pid in [pid for pid, announced in self._announced.items() if announced.is_over()]:
            del self._announced[pid]
        for name in os.listdir(self._path):
            path = os.path.join(self._path, name)
            if name not in self._processes and os.path.lexists(os.path.join(path, folder.CONFIGURATION)):
                self._processes[name] = _Process(path)
                self._watch_writers(path)
            elif name.endswith((relay.ANNOUNCED, relay.WRITES)):
                self._watch_announced(path)
            elif name.endswith(NOTED) and _is_old(path) and not self._is_read_from(pid_of_note(name)):
                with suppress(OSError):
                    os.unlink(path)
        is_busy = bool(self._announced)
        for process in self._processes.values():
            if process.is_running():
                is_busy = True
            elif process.has_work():
                is_busy = True
                # A configuration that cannot be read, or whose interpreter is gone, must not stop the others.
                with suppress(OSError, ValueError, KeyError):
                    process.begin(self._quiet)
        return is_busy

    def _watch_writers(self, place: str) -> None:
        """Have the ends of processes seen that announced themselves to a supervisor before this one."""
        with suppress(OSError):
            for parsed in filter(None, map(segment.parse_name, os.listdir(place))):
                self._watch(int(parsed[0].partition("-")[0]))

    def _watch_announced(self, path: str) -> None:
        """Have the end of a process seen that has announced itself."""
        number, _, kind = os.path.basename(path).partition(".")
        if number.isdecimal():
            self._watch(int(number))
        if f".{kind}" == relay.WRITES:
            with suppress(OSError):
                os.unlink(path)

    def _watch(self, pid: int) -> None:
        if pid not in self._announced:
            self._announced[pid] = _Announced(self._path, pid)

    def _is_read_from(self, pid: str) -> bool:
        """Whether anything that a process wrote is still to be read, or may have to be read again."""
        for process in self._processes.values():
            with suppress(OSError):
                if any(name.startswith(f"{pid}-") for name in os.listdir(process.path)):
                    return True
        return False


def _is_old(path: str) -> bool:
    """Whether a note is one that by now nobody has wanted."""
    with suppress(OSError):
        return time.time() - os.stat(path).st_mtime > _NOTE_SECONDS
    return False


def lock(path: str) -> int | None:
    """Return the descriptor of the lock that says that this process is the relay; None where another one is."""
    descriptor = _open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    _write_pid(descriptor)
    return descriptor


def wait_for_lock(path: str) -> int:
    """Return the descriptor of the lock of a configuration's folder, once nobody else reads there."""
    descriptor = _open_lock(path)
    # One whose supervisor was killed goes on until the next one is there.
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    _write_pid(descriptor)
    return descriptor


def _write_pid(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    os.write(descriptor, b"%d\n" % os.getpid())


def _open_lock(path: str) -> int:
    return os.open(os.path.join(path, folder.LOCK), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def last_one(path: str) -> bytes | None:
    """Return the number of the process that is, or was, the relay of ``path``, as it wrote it; None without folder."""
    with suppress(OSError), open(os.path.join(path, folder.LOCK), "rb") as file:
        return file.read()
    return None


def detach(path: str) -> None:
    """Let go of what the program that began this process had: terminal, group, descriptors, limits, folder."""
    with suppress(OSError):
        os.setsid()
    os.chdir(path)
    os.umask(0o077)
    _restore_signals()
    _raise_limits()
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.closerange(3, _most_descriptors())


def _restore_signals() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with suppress(OSError, ValueError):
            if signal.getsignal(number) == signal.SIG_IGN and number != signal.SIGPIPE:
                signal.signal(number, signal.SIG_DFL)


def _raise_limits() -> None:
    for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU):
        with suppress(OSError, ValueError):
            _, most = resource.getrlimit(limit)
            resource.setrlimit(limit, (most, most))


def _most_descriptors() -> int:
    soft: int = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return min(soft, 65536) if soft > 0 else 65536


def running(path: str) -> int | None:
    """Return the number of the process that is the relay of ``path``; None where there is none."""
    return relay_client.reader_of(path)
