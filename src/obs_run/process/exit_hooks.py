"""What happens when the process leaves, whichever way it leaves that Python can see."""

from __future__ import annotations

import os
import sys

from obs_run.base import guard
from obs_run.process import held_signals, run
from obs_run.process.exit_info import ExitInfo
from obs_run.process.held_signals import HeldSignals
from obs_run.process.variables import flag

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


_callbacks: list[Callable[[ExitInfo], None]] = []
_on_abnormal_exit: list[Callable[[ExitInfo], None]] = []
_patched: dict[str, Any] = {}
_exec_environments: list[Callable[[Any, Any], Any]] = []


def on_exit(callback: Callable[[ExitInfo], None]) -> None:
    """Call ``callback`` when the process leaves by its end, SIGTERM, SIGHUP, os._exit or os.exec*."""
    # Loaded now, because an import while a signal is handled or a child ends may meet a lock.
    from obs_run.process import exit_code, exit_sequence  # noqa: F401

    if flag("OBS_HANDLE_SYS_EXIT", default=True):
        exit_code.watch()
    if callback not in _callbacks:
        _callbacks.append(callback)


def on_abnormal_exit(callback: Callable[[ExitInfo], None]) -> None:
    """Call ``callback`` first when this process fails or is killed by a signal; it may register what comes after it."""
    from obs_run.process import exit_sequence  # noqa: F401 (as above)

    _on_abnormal_exit.append(callback)


def change_exec_environment(environment: Callable[[Any, Any], Any]) -> None:
    """Have ``environment(env, program)`` give the environment of a program that this process becomes."""
    _exec_environments.append(environment)


def install() -> None:
    """Take notice of every way out; OBS_HANDLE_* switch each off."""
    import atexit

    atexit.register(_at_exit)
    _handle_signals()
    if flag("OBS_HANDLE_OS_EXIT", default=True):
        _replace("_exit", _make_exit(os._exit))
    if flag("OBS_HANDLE_EXEC", default=True):
        execve = os.execve
        _replace("execv", _make_execv(execve))
        _replace("execve", _make_execve(execve))
    if flag("OBS_HANDLE_SYS_EXIT", default=True):
        from obs_run.process import exit_code

        _patched["sys.exit"] = sys.exit
        exit_code.install()


def patched() -> list[str]:
    """Return what was replaced or handled in this process, for people."""
    return sorted(_patched)


def _callbacks_of(info: ExitInfo) -> tuple[Callable[[ExitInfo], None], ...]:
    """Return what is to be called as the process leaves, whatever is registered meanwhile left out."""
    if info.is_abnormal() and run.is_starting_process() and not _is_amid_import(info):
        for callback in _on_abnormal_exit:
            guard.call("exit", callback, info)
    return tuple(_callbacks)


def _is_amid_import(info: ExitInfo) -> bool:
    """Whether a signal interrupts an import to the last: nothing can be loaded that may need what is half imported."""
    from obs_run.process import exit_sequence

    return info.kind == "signal" and not _callbacks and exit_sequence.is_importing()


def _has_work(*, is_abnormal: bool) -> bool:
    """Whether anything is to be called; a child made by a fork leaves the end of the run to its parent."""
    return bool(_callbacks) or (is_abnormal and bool(_on_abnormal_exit) and run.is_starting_process())


def _at_exit() -> None:
    if not _callbacks and not _on_abnormal_exit:
        return
    held = HeldSignals().hold()
    if _has_work(is_abnormal=_has_failed()):
        from obs_run.process import exit_sequence

        exit_sequence.of_interpreter(ExitInfo("exit"), _callbacks_of)
        _die_of_pending_signal()
    held.release()


def _has_failed() -> bool:
    from obs_run.process import exit_code

    return bool(guard.call("exit code", exit_code.has_failed, default=False))


def _handle_signals() -> None:
    """Flush on SIGTERM and SIGHUP where nobody handles them; SIGINT becomes KeyboardInterrupt and needs nothing."""
    import _signal

    # The first process of a container is not killed by a signal it does not handle, so there is no leaving.
    if os.getpid() == 1:
        return
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(_signal, name, None)
        if (
            number is None
            or not flag(f"OBS_HANDLE_{name}", default=True)
            or _signal.getsignal(number) != _signal.SIG_DFL
        ):
            continue
        try:
            _signal.signal(number, _on_signal)
        except ValueError:  # not the main thread: obs_run.auto was imported in another
            return
        _patched[name] = _on_signal
    held_signals.leave_alone(_on_signal)


def _on_signal(number: int, _frame: object) -> None:
    """Flush, then die of the signal as if it had never been handled."""

    def again() -> None:
        os.kill(os.getpid(), number)

    if _has_work(is_abnormal=True):
        goes_on = guard.call("signal", _flush_for_signal, number, again, default=False)
        if goes_on:
            return
    _die_of(number)


def _die_of_pending_signal() -> None:
    """Die of the signal that was to kill the process while it could not be flushed, as it would have without us."""
    from obs_run.process import exit_sequence

    number = exit_sequence.pending_signal()
    if number is not None:
        guard.call("signal", _die_of, number)


def _die_of(number: int) -> None:
    import _signal

    _signal.signal(number, _signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _flush_for_signal(number: int, again: Callable[[], None]) -> bool:
    """Flush; True if the process is to go on for a moment."""
    from obs_run.process import exit_sequence

    if exit_sequence.in_progress():
        return True  # the process ends in a moment anyway; parents often send a second signal
    info = ExitInfo("signal", signal=number)
    if exit_sequence.postponed(info):
        return True
    exit_sequence.watched(info, _callbacks_of, again)
    return False


def _make_exit(original: Callable[[int], Any]) -> Callable[[int], Any]:
    def _exit(status: int) -> Any:
        if _has_work(is_abnormal=bool(status)):
            guard.call("os._exit", flush, status)
        return original(status)

    def flush(status: int) -> None:
        from obs_run.process import exit_sequence

        code = status if isinstance(status, int) else None
        exit_sequence.watched(ExitInfo("os._exit", exit_code=code), _callbacks_of, lambda: original(status))
        _die_of_pending_signal()

    return _exit


def _make_execv(execve: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def execv(path: Any, argv: Any, /) -> Any:
        return _execute(execve, path, argv, os.environ)

    return execv


def _make_execve(original: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    def execve(path: Any, argv: Any, env: Any) -> Any:
        return _execute(original, path, argv, env)

    return execve


def _execute(execve: Callable[[Any, Any, Any], Any], path: Any, argv: Any, env: Any) -> Any:
    # os.execvp tries every folder of PATH: only the attempt that will succeed is the end of this process.
    is_last_attempt = isinstance(path, int) or (os.access(path, os.X_OK) and not os.path.isdir(path))
    if not is_last_attempt or not _callbacks:
        return execve(path, argv, env)
    from obs_run.process import exit_sequence

    def become(*arguments: Any) -> Any:
        _die_of_pending_signal()
        return execve(*arguments)

    for environment in _exec_environments[-1:]:
        env = guard.call("exec", environment, env, path, default=env)
    return exit_sequence.by_exec(ExitInfo("exec"), _callbacks_of, become, (path, argv, env))


def _replace(name: str, function: Any) -> None:
    """Put ``function`` in the place of ``os.name``, looking like what it replaces."""
    original = getattr(os, name)
    for attribute in ("__name__", "__qualname__", "__doc__", "__module__", "__text_signature__"):
        setattr(function, attribute, getattr(original, attribute, None))
    function.__wrapped__ = original
    setattr(os, name, function)
    _patched[f"os.{name}"] = original
