"""How a process leaves, and its last steps where it has something to flush: each callback once, in the time there is.

Loaded before there is anything to do and light, because a signal may arrive in the midst of any import.
"""

from __future__ import annotations

import _frozen_importlib
import _imp
import _signal

from obs_run.base import guard, stand_in
from obs_run.process import exit_code, own_imports, run
from obs_run.process.unpatched import allocate_lock, get_ident, getpid, kill, monotonic, sleep, start_new_thread
from obs_run.process.variables import seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType
    from typing import Any

    Callbacks = Callable[["ExitInfo"], Iterable[Callable[["ExitInfo"], None]]]
    Busy = Callable[[FrameType | None], bool]

_GRACE_TURNS = 20
_GRACE = 1.0  # seconds past the deadline after which a callback that still blocks is left behind
_LEAST = 0.5  # seconds that a flush is left with when it had to be postponed
_LONGEST_PAUSE = 1.0
_PAUSE = 0.003
_import_system = vars(_frozen_importlib)
_handlers_of_ours: list[Callable[..., object]] = []


class ExitInfo:
    """The way out, and until when (``time.monotonic()``) callbacks may take.

    ``kind`` is "exit", "signal", "os._exit" or "exec"; what is not known is None.
    """

    __slots__ = ("began_ns", "deadline", "exception", "exit_code", "kind", "may_have_failed", "signal")

    def __init__(self, kind: str, exit_code: int | None = None, signal: int | None = None) -> None:
        self.kind = kind
        self.exit_code = exit_code
        self.signal = signal
        self.began_ns = run.now_ns()
        """When the agent's own work was over, nanoseconds since 1970."""
        self.exception: BaseException | None = None
        self.may_have_failed = False
        """Whether it ends otherwise than by its program's end, with a code that nothing tells."""
        self.deadline = monotonic() + seconds("OBS_FLUSH_SECONDS", 2.0)

    def is_abnormal(self) -> bool:
        """Whether the process fails, or is stopped by a signal, as far as is known."""
        is_failure = self.signal is not None or self.exception is not None or bool(self.exit_code)
        return is_failure or (self.exit_code is None and self.may_have_failed)

    def describe(self) -> str:
        """Return the way out in one word: a signal's name, else ``kind``."""
        if self.signal is None:
            return self.kind
        name: str = own_imports.load("signal").Signals(self.signal).name
        return name


class HeldSignals:
    """Holds back the signals that functions of the agent handle, in the main thread, until they are released.

    What such a handler raises while we work at the end would come out of a flush, as an exception that the agent never
    had, or print a traceback of ours; without us the process would be gone by then.
    """

    __slots__ = ("_handlers", "arrived")

    def __init__(self) -> None:
        self._handlers: dict[int, Any] = {}
        self.arrived: list[int] = []
        """The signals that came, each once."""

    def hold(self) -> HeldSignals:
        """Begin; elsewhere than in the main thread, where no handler runs, nothing is held."""
        for number in range(1, _signal.NSIG):
            handler = _signal.getsignal(number)
            if not callable(handler) or any(handler is ours for ours in _handlers_of_ours):
                continue
            try:
                _signal.signal(number, self._note)
            except ValueError:
                break
            self._handlers[number] = handler
        return self

    def release(self) -> list[int]:
        """Let the agent's functions handle again what comes from now on; return what came."""
        for number, handler in self._handlers.items():
            if _signal.getsignal(number) == self._note:
                _signal.signal(number, handler)
        self._handlers.clear()
        return self.arrived

    def release_and_send_again(self) -> None:
        """Release, and have the process get once more what came, when our caller is gone from the stack."""
        arrived, process = self.release(), getpid()

        def send() -> None:
            sleep(_PAUSE)
            for number in arrived:
                kill(process, number)

        if arrived:
            start_new_thread(send, ())

    def _note(self, number: int, _frame: object) -> None:
        if number not in self.arrived:
            self.arrived.append(number)


def leave_alone(handler: Callable[..., object]) -> None:
    """Never hold back what ``handler`` handles: it is of ours."""
    if handler not in _handlers_of_ours:
        _handlers_of_ours.append(handler)


class _Sequence:
    """Which process and thread are leaving, and since when."""

    def __init__(self) -> None:
        self.first_signal: tuple[int, int, float] | None = None
        """Process, number, and when it came."""
        self.arrivals = 0
        """How often a signal has come to be handled."""
        self.leaving: tuple[int, int] | None = None
        """Process and thread."""
        self.until = 0.0
        self.is_busy: Busy | None = None
        self.held = HeldSignals()


_sequence = _Sequence()


def ask_before_flush(is_busy: Busy) -> None:
    """Have ``is_busy`` asked, of the frame a signal interrupted, whether nothing can be flushed at this moment."""
    _sequence.is_busy = is_busy


def in_progress() -> bool:
    """Whether this process is leaving and still has time for it."""
    leaving = _sequence.leaving
    return leaving is not None and leaving[0] == getpid() and monotonic() < _sequence.until


def is_late() -> bool:
    """Whether this process is leaving and has no more time for it."""
    leaving = _sequence.leaving
    return leaving is not None and leaving[0] == getpid() and monotonic() >= _sequence.until


def of_interpreter(info: ExitInfo, callbacks: Callbacks) -> None:
    """Leave by the interpreter's own end."""
    # First of all, because signals are let pass from then on: the process ends in a moment anyway.
    first = _enter(info)
    info.signal = pending_signal()
    if info.signal is None:
        guard.call("exit code", _describe_end, info)
    if first:
        _call(info, callbacks)
    _sequence.leaving = None
    if isinstance(info.exception, KeyboardInterrupt):
        # The interpreter kills itself by SIGINT after this, unless code was compiled from text meanwhile, which every
        # named tuple does and which makes it forget; this makes it remember.
        try:  # noqa: SIM105 (contextlib is not loaded for this)
            exec("raise KeyboardInterrupt")  # noqa: S102 (see above)
        except KeyboardInterrupt:
            pass


def postponed(info: ExitInfo, interrupted: FrameType | None) -> bool:
    """Whether the signal comes at a moment at which nothing could be flushed; it is sent again then, soon.

    The export needs modules at its first time that the interrupted thread may be importing, and the queue.
    """
    now = monotonic()
    _sequence.arrivals = arrivals = _sequence.arrivals + 1
    first = _sequence.first_signal
    if first is None or first[0] != getpid():
        first = _sequence.first_signal = getpid(), info.signal or 0, now
    info.deadline -= now - first[2]
    is_busy = _sequence.is_busy or is_importing
    if info.deadline - now < _LEAST or not is_busy(interrupted):
        return False

    def send_again(process: int = getpid(), number: int = info.signal or 0) -> None:
        pause = _PAUSE
        sleep(pause)
        kill(process, number)
        sleep(pause)
        # One that comes as the main thread has let go of the interpreter's lock to wait, and does not wait yet, would
        # be handled when the wait is over.
        while _sequence.arrivals == arrivals and _signal.getsignal(number) in _handlers_of_ours:
            kill(process, number)
            pause = min(2 * pause, _LONGEST_PAUSE)
            sleep(pause)

    start_new_thread(send_again, ())
    return True


def pending_signal() -> int | None:
    """Return the signal that came to this process and is to kill it, though the process could still go on a little."""
    first = _sequence.first_signal
    if first is None or first[0] != getpid():
        return None
    return first[1]


def is_importing(frame: FrameType | None) -> bool:
    """Whether ``frame`` is in the midst of an import, or another thread holds the lock of all imports.

    Who waits for a module's lock, or lets go of it, holds a lock inside of it for a moment; so the frames are looked
    at, rather than who owns which module.
    """
    if _imp.lock_held():
        return True
    while frame is not None:
        if frame.f_globals is _import_system:
            return True
        frame = frame.f_back
    return False


def watched(info: ExitInfo, callbacks: Callbacks, give_up: Callable[[], object]) -> Callable[[], object]:
    """Leave in the midst of the agent's work; ``give_up`` is called if that takes too long.

    What was interrupted may hold any lock, so a callback can block for ever. Returns what calls the watch off.
    """
    _sequence.held.hold()
    pending = allocate_lock()
    pending.acquire()

    def watch() -> None:
        is_done = pending.acquire(timeout=max(info.deadline - monotonic(), 0))
        # In turns: where the machine is busy each comes late, as does what is waited for.
        for _ in range(_GRACE_TURNS):
            is_done = is_done or pending.acquire(timeout=_GRACE / _GRACE_TURNS)
        if not is_done:
            # What the agent asked for may fail, which this thread cannot tell it.
            guard.call("exit", give_up)

    # Without a watch if there are no more threads, or it is too late for one.
    try:  # noqa: SIM105 (as above)
        start_new_thread(watch, ())
    except RuntimeError:
        pass
    if _enter(info):
        _call(info, callbacks)
    return pending.release


def by_exec(info: ExitInfo, callbacks: Callbacks, become: Callable[[], Any]) -> Any:
    """Leave by becoming another program."""
    call_off = watched(info, callbacks, become)
    with stand_in.no_frame:
        try:
            # To the agent's handlers, or to the program that comes.
            for number in _sequence.held.release():
                kill(getpid(), number)
            return become()
        finally:  # it failed, and the agent goes on
            call_off()
            _sequence.leaving = None


def _enter(info: ExitInfo) -> bool:
    """Begin to leave; False if that has begun already, in which case another thread's is waited for."""
    me = getpid(), get_ident()
    leaving = _sequence.leaving
    if leaving is not None and leaving[0] == me[0]:
        if leaving[1] != me[1]:
            _wait_for_other(info.deadline)
        return False
    _sequence.leaving, _sequence.until = me, info.deadline
    return True


def _call(info: ExitInfo, callbacks: Callbacks) -> None:
    for callback in callbacks(info):
        guard.call("exit", callback, info)


def _wait_for_other(deadline: float) -> None:
    # Another thread is on its way out; os._exit in this one would cut it off.
    while _sequence.leaving is not None and monotonic() < deadline:
        sleep(0.005)


def _describe_end(info: ExitInfo) -> None:
    """Fill in why the interpreter ends."""
    info.exit_code, info.exception = exit_code.of_interpreter()
    if isinstance(info.exception, KeyboardInterrupt):
        info.exit_code, info.signal = None, 2
