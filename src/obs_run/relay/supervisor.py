"""The one relay of a user: it begins a process for each configuration that agents have, and begins it again.

It loads nothing of OpenTelemetry and knows no version of obs-run but that of the folder's layout; each process it
begins is of the version, and by the interpreter, that its agents have.
"""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import subprocess
import time
from contextlib import suppress

from obs_run.buffer import configuration, folder, segment

_PAUSE = 0.2
_LONGEST_BACKOFF = 30.0
_NICE = 10
_START = "import sys; sys.path.append(sys.argv[1]); from obs_run.relay.command import work; work(sys.argv[2])"


class _Process:
    """The process of one configuration."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._running: subprocess.Popen[bytes] | None = None
        self._failures = 0
        self._not_before = 0.0

    def is_running(self) -> bool:
        if self._running is not None and self._running.poll() is not None:
            code = self._running.returncode
            self._running = None
            # A relay that ends well has had nothing to do.
            self._failures = self._failures + 1 if code else 0
            self._not_before = time.monotonic() + (min(_LONGEST_BACKOFF, 2.0**self._failures / 8) if code else 0)
        return self._running is not None

    def has_work(self) -> bool:
        with suppress(OSError):
            return any(map(segment.parse_name, os.listdir(self.path)))
        return False

    def begin(self) -> None:
        if time.monotonic() < self._not_before:
            return
        found = configuration.read(self.path)
        self._running = subprocess.Popen(  # noqa: S603 (the interpreter that this user's own agent runs by)
            [found["python"], "-I", "-c", _START, found["path"], self.path],
            cwd=found["folder"] or "/",
            env={"PATH": os.environ.get("PATH", os.defpath), **found["variables"]},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        if self._running is not None:
            with suppress(OSError):
                self._running.terminate()

    def wait(self) -> None:
        if self._running is not None:
            self._running.wait()


class Supervisor:
    """Looks for configurations in ``path``; ends after a quiet time, or by SIGTERM."""

    def __init__(self, path: str, lock_descriptor: int, quiet: float) -> None:
        self._path = path
        self._lock_descriptor = lock_descriptor
        self._quiet = quiet
        self._processes: dict[str, _Process] = {}
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
            time.sleep(_PAUSE)
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
        is_busy = False
        for name in os.listdir(self._path):
            path = os.path.join(self._path, name)
            if name not in self._processes and os.path.lexists(os.path.join(path, folder.CONFIGURATION)):
                self._processes[name] = _Process(path)
        for process in self._processes.values():
            if process.is_running():
                is_busy = True
            elif process.has_work():
                is_busy = True
                # A configuration that cannot be read, or whose interpreter is gone, must not stop the others.
                with suppress(OSError, ValueError, KeyError):
                    process.begin()
        return is_busy


def lock(path: str) -> int | None:
    """Return the descriptor of the lock that says that this process is the relay; None where another one is."""
    descriptor = os.open(os.path.join(path, folder.LOCK), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, b"%d\n" % os.getpid())
    return descriptor


def detach(path: str) -> None:
    """Let go of what the program that began this process had: terminal, group, descriptors, limits, folder."""
    with suppress(OSError):
        os.setsid()
    os.chdir(path)
    os.umask(0o077)
    with suppress(OSError):
        os.nice(_NICE)
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
    try:
        with open(os.path.join(path, folder.LOCK), "rb") as file:
            pid = int(file.read() or b"0")
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return pid
    except (OSError, ValueError):
        return None
    return None
