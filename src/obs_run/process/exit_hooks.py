"""What happens when the process leaves, whichever way it leaves that Python can see."""

import os
import sys

from obs_run.base import guard, stand_in
from obs_run.process import exit_code, flag, relay, run, termination
from obs_run.process.unpatched import getpid, kill

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from obs_run.process.exit_sequence import ExitInfo


_EXEC_ARGUMENTS = {"execv": 2, "execve": 3}
_callbacks: "list[Callable[[ExitInfo], None]]" = []
_on_abnormal_exit: "list[Callable[[ExitInfo], None]]" = []
_patched: "dict[str, Any]" = {}
_sequences: "list[Any]" = []
"""The module exit_sequence once it is loaded; the agent may leave nothing that can be imported."""
_exec_environments: "list[Callable[[Any, Any], Any]]" = []


def on_exit(callback: "Callable[[ExitInfo], None]") -> None:
    """Call ``callback`` when the process leaves by its end, SIGTERM, SIGHUP, os._exit or os.exec*."""
    prepare()
    if flag("OBS_HANDLE_SYS_EXIT", default=True):
        exit_code.watch()
    if callback not in _callbacks:
        _callbacks.append(callback)
    termination.resume()


def on_abnormal_exit(callback: "Callable[[ExitInfo], None]") -> None:
    """Call ``callback`` first when this process fails or is killed by a signal; it may register what comes after it."""
    _on_abnormal_exit.append(callback)


def prepare() -> "Any":
    """Load what leaves with something to do, and return it; a process that does next to nothing does not need it.

    Called before there is anything to do and before long imports: one while a signal is handled or a child ends may
    meet a lock.
    """
    if not _sequences:
        from obs_run.process import exit_sequence

        exit_sequence.leave_alone(_on_signal)
        _sequences.append(exit_sequence)
    return _sequences[0]


def change_exec_environment(change: "Callable[[Any, Any], Any]") -> None:
    """Have ``change(arguments, named)`` give the arguments of an exec, with the environment for the program in them."""
    _exec_environments.append(change)


def install() -> None:
    """Take notice of every way out; OBS_HANDLE_* switch each off."""
    import atexit

    atexit.register(_at_exit)
    # A relay sees for itself how the process ended, and nothing of it waits in here.
    has_relay = bool(relay.folder())
    if not has_relay:
        _patched.update(dict.fromkeys(termination.install(_on_signal), _on_signal))
    if flag("OBS_HANDLE_OS_EXIT", default=True) and not has_relay:
        _replace("_exit", _make_exit)
    if flag("OBS_HANDLE_EXEC", default=True):
        _replace("execv", _make_exec)
        _replace("execve", _make_exec)
    if flag("OBS_HANDLE_SYS_EXIT", default=True):
        _patched["sys.exit"] = sys.exit
        exit_code.install()


def patched() -> "list[str]":
    """Return what was replaced or handled in this process, for people."""
    return sorted(_patched)


def _callbacks_of(info: "ExitInfo") -> "tuple[Callable[[ExitInfo], None], ...]":
    """Return what is to be called as the process leaves, whatever is registered meanwhile left out."""
    if info.is_abnormal() and run.is_starting_process() and not _is_amid_import(info):
        for callback in _on_abnormal_exit:
            guard.call("exit", callback, info)
    return tuple(_callbacks)


def _is_amid_import(info: "ExitInfo") -> bool:
    """Whether a signal interrupts an import to the last: nothing can be loaded that may need what is half imported."""
    return info.kind == "signal" and not _callbacks and bool(prepare().is_importing(sys._getframe()))  # noqa: SLF001


def _has_work(*, is_abnormal: bool) -> bool:
    """Whether anything is to be called; a child made by a fork leaves the end of the run to its parent."""
    return bool(_callbacks) or (is_abnormal and bool(_on_abnormal_exit) and run.is_starting_process())


def _at_exit() -> None:
    guard.call("relay", relay.end_announcement)
    if not _callbacks and not _on_abnormal_exit:
        return
    has_failed = bool(guard.call("exit code", exit_code.has_failed, default=False))
    if _has_work(is_abnormal=has_failed):
        # All of it, because the agent may have left nothing that can be imported.
        guard.call("exit", _leave_interpreter, has_failed=has_failed)


def _leave_interpreter(*, has_failed: bool) -> None:
    exit_sequence = prepare()
    held = exit_sequence.HeldSignals().hold()
    info = exit_sequence.ExitInfo("exit")
    info.may_have_failed = has_failed
    guard.call("exit", exit_sequence.of_interpreter, info, _callbacks_of)
    _die_of_pending_signal()
    held.release()


def _on_signal(number: int, interrupted: "FrameType | None") -> None:
    """Flush, then die of the signal as if it had never been handled."""
    if _sequences:
        # While the first of several waits for its moment the agent goes on, which it would not without us.
        number = _sequences[0].pending_signal() or number

    def again() -> None:
        kill(getpid(), number)

    if _has_work(is_abnormal=True):
        goes_on = guard.call("signal", _flush_for_signal, number, interrupted, again, default=False)
        if goes_on:
            return
    termination.die_of(number)


def _die_of_pending_signal() -> None:
    """Die of the signal that was to kill the process while it could not be flushed, as it would have without us."""
    number = prepare().pending_signal()
    if number is not None:
        guard.call("signal", termination.die_of, number)


def _flush_for_signal(number: int, interrupted: "FrameType | None", again: "Callable[[], None]") -> bool:
    """Flush; True if the process is to go on for a moment."""
    exit_sequence = prepare()
    if exit_sequence.in_progress():
        return True  # the process ends in a moment anyway; parents often send a second signal
    info = exit_sequence.ExitInfo("signal", signal=number)
    if exit_sequence.postponed(info, interrupted):
        return True
    exit_sequence.watched(info, _callbacks_of, again)
    return False


def _make_exit(original: "Callable[[int], Any]") -> "Callable[[], Any]":
    return stand_in.lazy(lambda: _exit_class(original))


def _exit_class(original: "Callable[[int], Any]") -> "Any":
    # A class, as the one of sys.exit: while the second half runs, which is the original, there is no frame of ours.
    class Exit:
        def __new__(cls, *arguments: "Any", **named: "Any") -> "Exit":  # noqa: PYI034 (a class in a function)
            if len(arguments) + len(named) == 1 and _has_work(is_abnormal=bool((*arguments, *named.values())[0])):
                guard.call("os._exit", flush, *arguments, **named)
            return object.__new__(cls)

        __init__ = original

    def flush(status: int) -> None:
        if isinstance(status, int):
            exit_sequence = prepare()
            info = exit_sequence.ExitInfo("os._exit", exit_code=status)
            exit_sequence.watched(info, _callbacks_of, lambda: original(status))
            _die_of_pending_signal()

    return Exit


def _make_exec(original: "Callable[..., Any]") -> "Callable[[], Any]":
    def execute(*arguments: "Any", **named: "Any") -> "Any":
        with stand_in.no_frame:
            return _execute(original, arguments, named)

    return lambda: execute


def _execute(original: "Callable[..., Any]", arguments: "tuple[Any, ...]", named: "dict[str, Any]") -> "Any":
    """Become another program; ``original`` gets what the agent gave, with our variables in its environment."""
    with stand_in.no_frame:
        path = arguments[0] if arguments else named.get("path")
        is_whole = len(arguments) + len(named) == _EXEC_ARGUMENTS[original.__name__]
        if not (is_whole and _callbacks and guard.call("exec", _is_last_attempt, path, default=False)):
            return original(*arguments, **named)

        for change in _exec_environments[-1:]:
            arguments, named = guard.call("exec", change, arguments, named, default=(arguments, named))

        def become() -> "Any":
            with stand_in.no_frame:
                _die_of_pending_signal()
                return original(*arguments, **named)

        exit_sequence = prepare()
        return exit_sequence.by_exec(exit_sequence.ExitInfo("exec"), _callbacks_of, become)


def _is_last_attempt(path: "Any") -> bool:
    """Whether this call of exec is the end of this process: os.execvp tries every folder of PATH."""
    return isinstance(path, int) or (os.access(path, os.X_OK) and not os.path.isdir(path))


def _replace(name: str, make: "Callable[[Any], Callable[[], Any]]") -> None:
    """Have ``make`` say what a call of ``os.name`` calls."""
    stand_in.replace_in_os(name, make)
    _patched[f"os.{name}"] = getattr(os, name)
