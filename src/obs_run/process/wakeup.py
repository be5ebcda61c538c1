"""Signals that wait for the main thread to run Python again: a wake-up descriptor, and a thread that reads it.

Python runs handlers in the main thread, between its own steps. One that arrives right before that thread waits in C, or
amid a long call into C, would be run when that is over, which may be never.
"""

import _signal
import os
import sys

from obs_run.base import guard, stand_in
from obs_run.process import own_imports
from obs_run.process.threads import BackgroundThread
from obs_run.process.unpatched import close, fstat, get_ident, getpid, read, sleep, write

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_STOP = b"\0"
_FLOOR = 200
_CEILING = 260
_PATIENCE = 0.5
_PAUSE = 0.02  # other signals, such as those of a profiler, wake the thread up no more often
_set_wakeup_fd = _signal.set_wakeup_fd


class _Pipe:
    """A pipe with high numbers, which tells its descriptors from what the agent opened under them since."""

    def __init__(self) -> None:
        self.reading, self.writing = (_move_up(descriptor) for descriptor in os.pipe())
        os.set_blocking(self.writing, False)
        self._identity = _identity(self.reading)

    def is_open(self, descriptor: int) -> bool:
        return _identity(descriptor) == self._identity

    def close(self) -> None:
        for descriptor in (self.reading, self.writing):
            if self.is_open(descriptor):
                close(descriptor)

    def is_shared(self) -> bool:
        """Whether another process has it: a child that was forked in C, whose signals come here too."""
        place = f"fd/{self.writing}"
        try:
            ours = os.readlink(f"/proc/self/{place}")
            processes = [name for name in os.listdir("/proc") if name.isdigit() and name != str(getpid())]
        except OSError:
            return False
        return any(_leads_to(f"/proc/{process}/{place}", ours) for process in processes)


class SignalWatch:
    """Calls ``on_signal(number)`` in a thread of ours when one of ``numbers`` has arrived in this process."""

    def __init__(self, numbers: "tuple[int, ...]", on_signal: "Callable[[int], object]") -> None:
        self._numbers = numbers
        self._on_signal = on_signal
        self._pipe: _Pipe | None = None
        self._thread: BackgroundThread | None = None
        self._has_agents_own = False
        self._is_lost = False
        self.main_thread = 0

    def begin(self) -> None:
        """Begin; in the main thread, where alone the descriptor can be set."""
        if self._pipe is not None or self._is_lost:
            return
        try:
            pipe = _Pipe()
        except OSError:  # no more descriptors
            return
        if self._has_agents_own:
            pipe.close()
            return
        previous = _set_wakeup_fd(pipe.writing, warn_on_full_buffer=False)
        if previous != -1:
            _set_wakeup_fd(previous)
            pipe.close()
            return
        self._pipe = pipe
        self.main_thread = get_ident()
        _hide(self)
        self.resume()

    def resume(self) -> None:
        """Have the thread run if there is a descriptor to read."""
        if self._pipe is None or self._thread is not None:
            return
        self._thread = BackgroundThread(self._run, self._pipe)
        try:
            self._thread.start()
        except RuntimeError:  # no more threads
            self._thread = None

    def stop(self) -> None:
        """Send the thread home."""
        thread, pipe = self._thread, self._pipe
        if thread is None or pipe is None or thread.is_current():
            return
        self._thread = None
        if pipe.is_open(pipe.writing):
            try:
                write(pipe.writing, _STOP)
            except OSError:  # full of signals, which the thread is reading
                return
        thread.join(_PATIENCE)

    def forget(self) -> None:
        """In a child process: let go of the parent's pipe; signals of the child would be taken for the parent's."""
        pipe, self._pipe, self._thread = self._pipe, None, None
        self._is_lost = False
        if pipe is None:
            return
        if not self._has_agents_own:
            _set_wakeup_fd(-1)
        pipe.close()

    def is_shared(self) -> bool:
        """Whether what has arrived may have arrived in another process."""
        return self._pipe is not None and self._pipe.is_shared()

    def change(self, original: "Any", arguments: "tuple[Any, ...]", named: "dict[str, Any]") -> "Any":
        """Do what the agent asks of ``signal.set_wakeup_fd``; ours is in effect while it has none, and is not seen."""
        with stand_in.no_frame:
            previous = original(*arguments, **named)
            chosen = arguments[0] if arguments else named.get("fd", -1)
            pipe = self._pipe
            was_ours = pipe is not None and not self._has_agents_own
            self._has_agents_own = chosen != -1
            if pipe is not None and not self._has_agents_own and pipe.is_open(pipe.writing):
                original(pipe.writing, warn_on_full_buffer=False)
            return -1 if was_ours else previous

    def _run(self, pipe: _Pipe) -> None:
        while pipe.is_open(pipe.reading):
            arrived = read(pipe.reading, 512)
            if not arrived:
                # The agent closed all descriptors that it found, as those do who become a daemon.
                self._lose(pipe)
                return
            if _STOP in arrived:
                return
            numbers = [number for number in self._numbers if number in arrived]
            for number in numbers:
                guard.call("signal", self._on_signal, number)
            if not numbers:
                sleep(_PAUSE)

    def _lose(self, pipe: _Pipe) -> None:
        """Have no signal written to a number that is not ours any more."""
        self._is_lost, self._pipe = True, None
        pipe.close()
        if not self._has_agents_own:
            _call_in_main_thread(self._unset)

    def _unset(self) -> None:
        if not self._has_agents_own:
            _set_wakeup_fd(-1)


def _call_in_main_thread(function: "Callable[[], object]") -> None:
    """Have the main thread call ``function`` between two of its steps, as it does with handlers of signals."""
    ctypes = own_imports.load("ctypes")

    def call(_: object) -> int:
        guard.call("signal", function)
        return 0

    called = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(call)
    _called.append(called)
    ctypes.pythonapi.Py_AddPendingCall(called, None)


_called: "list[object]" = []
"""What C was given, and must not be freed."""
_hidden: "list[SignalWatch]" = []


def _hide(watch: SignalWatch) -> None:
    """Have ``signal.set_wakeup_fd`` not show the descriptor of ``watch``."""
    if _hidden:
        return
    _hidden.append(watch)

    def make(original: "Any") -> "Callable[[], Any]":
        def set_wakeup_fd(*arguments: "Any", **named: "Any") -> "Any":
            with stand_in.no_frame:
                return watch.change(original, arguments, named)

        return lambda: set_wakeup_fd

    stand_in.replace_in(_signal, "set_wakeup_fd", make)
    # Where it was imported before, it has the same function.
    public = sys.modules.get("signal")
    if getattr(public, "set_wakeup_fd", None) is _set_wakeup_fd:
        public.set_wakeup_fd = _signal.set_wakeup_fd  # type: ignore[union-attr]


def _identity(descriptor: int) -> "tuple[int, int] | None":
    try:
        found = fstat(descriptor)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _move_up(descriptor: int) -> int:
    """Return a high number for a descriptor, out of the way of the agent's; its own where none is free."""
    for number in range(_FLOOR, _CEILING):
        if _identity(number) is None:
            try:
                moved = os.dup2(descriptor, number, inheritable=False)
            except OSError:  # past what is allowed
                break
            close(descriptor)
            return moved
    return descriptor


def _leads_to(link: str, target: str) -> bool:
    try:
        return os.readlink(link) == target
    except OSError:  # another user's, or gone
        return False
