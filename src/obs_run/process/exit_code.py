"""With which code the interpreter ends, put together from what was seen: at its end nothing tells.

The exception that ends the interpreter is freed before atexit, but the outermost frame shows whether it returned, and
where it was left if not. A code counts only if the frame was left at the very call in which the code was given.
"""

import os
import sys
from _frozen_importlib import BuiltinImporter

from obs_run.base import guard, stand_in

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any


_NO_SCRIPT = 2
"""Python's own code for a script that it cannot read."""
_RETURNS = frozenset(
    (
        (lambda: None).__code__.co_code[-2],
        (lambda value: value).__code__.co_code[-2],
    )
)
"""The instructions that return: of a constant, which some versions have one of their own for, and of anything else."""


class _Seen:
    """What was seen so far."""

    def __init__(self) -> None:
        self.is_installed = False
        self.outermost: FrameType | None = None
        self.end: tuple[int | None, BaseException | None] | None = None
        self.exit_call: tuple[object, int] | None = None
        """What was handed to sys.exit or quit last, and the place of the outermost frame then."""


_seen = _Seen()


def install() -> None:
    """Take notice of sys.exit, exit and quit; what they do stays the same to the last frame of a traceback."""
    _seen.is_installed = True
    original = sys.exit
    sys.exit = stand_in.StandIn(original, stand_in.lazy(lambda: _make_exit(original)))
    # The class of exit and quit raises what this name means in its module.
    builtins = sys.modules.get("_sitebuiltins")
    if builtins is not None:
        builtins.SystemExit = _system_exit  # type: ignore[attr-defined]


def watch() -> None:
    """Remember the outermost frame of the program, whichever thread this is called in."""
    # At the end the agent may have given up the right to read any file, or closed a root around itself.
    from obs_run.process import program_end

    if _seen.outermost is None:
        # In no variable: one of these frames is this function's own, and in a circle it would live on with all others.
        _seen.outermost = next(filter(None, map(_outermost_of, program_end.innermost_frames())), None)


def watch_importer() -> None:
    """Remember the outermost frame of the program if it is the one that imports something now."""
    if _seen.outermost is None and _seen.is_installed:
        _seen.outermost = _outermost_of(sys._getframe(1))  # noqa: SLF001 (public but for its name)


def has_failed() -> bool:
    """Whether the interpreter ends with a failure, or may do so; where nothing hints at one, nothing is loaded."""
    if _has_returned():
        _seen.outermost, _seen.end = None, (0, None)
        return False
    has_hint = hasattr(sys, "last_value")
    if not has_hint and _seen.outermost is None:
        return _found_no_script() or (_may_have_raised_exit() and of_interpreter()[0] != 0)
    if not has_hint and _exited_with_success():
        return False
    code, error = of_interpreter()
    return code != 0 or error is not None


def _has_returned() -> bool:
    """Whether the program is known to have come to its end."""
    outermost = _seen.outermost
    return outermost is not None and outermost.f_code.co_code[outermost.f_lasti] in _RETURNS


def _exited_with_success() -> bool:
    call, outermost = _seen.exit_call, _seen.outermost
    return call is not None and call[0] in (None, 0) and outermost is not None and outermost.f_lasti == call[1]


def _may_have_raised_exit() -> bool:
    """Whether a program that imported nothing may have ended by a SystemExit of its own."""
    if not _seen.is_installed:
        return False
    if sys.argv[:1] == ["-c"]:
        return any("SystemExit" in word for word in sys.orig_argv)
    # Python takes the name of a script from the module when its code has returned.
    names = getattr(sys.modules.get("__main__"), "__dict__", {})
    return "__file__" in names and names.get("__spec__") is None


def of_interpreter() -> "tuple[int | None, BaseException | None]":
    """Return the code with which the interpreter ends, None if that cannot be known, and the unhandled exception."""
    if _seen.end is None:
        outermost, _seen.outermost = _seen.outermost, None
        _seen.end = _end_of(outermost)
    return _seen.end


def _end_of(outermost: "FrameType | None") -> "tuple[int | None, BaseException | None]":
    if outermost is not None:
        from obs_run.process import program_end

        return program_end.end_of(outermost, _seen.exit_call)
    error = getattr(sys, "last_value", None)
    if isinstance(error, BaseException):
        from obs_run.process import program_end

        if program_end.reached_the_top(error, _outermost_of):
            return 1, error
    if _found_no_script():
        return _NO_SCRIPT, None
    if _may_have_raised_exit():
        from obs_run.process import program_end

        return program_end.code_of_program(), None
    return None, None


def _make_exit(original: "Any") -> "Any":
    # A class, because its two halves run one after the other: when the second, which is the original, raises, no frame
    # of ours is in the traceback.
    class Exit:
        def __new__(cls, *arguments: object, **named: object) -> "Exit":  # noqa: PYI034 (a class in a function)
            if len(arguments) <= 1 and not named:
                guard.call("exit code", _note, *(arguments or (None,)))
            return object.__new__(cls)

        __init__ = original

    return Exit


def _system_exit(code: object = None) -> "SystemExit":
    guard.call("exit code", _note, code)
    return SystemExit(code)


def _note(code: object) -> None:
    outermost = _outermost_of(sys._getframe(1))  # noqa: SLF001 (public but for its name)
    if outermost is not None:
        status = code if code is None or isinstance(code, (int, tuple)) else 1
        _seen.outermost = outermost
        _seen.exit_call = status, outermost.f_lasti


def _outermost_of(frame: "FrameType | None") -> "FrameType | None":
    """Return the frame in which everything in this thread runs if it is the program's, not one of a thread."""
    while frame is not None and frame.f_back is not None:
        frame = frame.f_back
    if frame is None:
        return None
    name, module = frame.f_code.co_name, frame.f_globals.get("__name__")
    return frame if (name, module) in (("<module>", "__main__"), ("_run_module_as_main", "runpy")) else None


def _found_no_script() -> bool:
    """Whether Python was given a script that it could not read: the module of the program never got its loader."""
    main = sys.modules.get("__main__")
    if getattr(main, "__loader__", None) is not BuiltinImporter or len(sys.orig_argv) < 2:  # noqa: PLR2004 (Python's own name and one more)
        return False
    script = sys.argv[0] if sys.argv else ""
    return script not in ("", "-", "-c", "-m") and script in sys.orig_argv[1:] and not os.access(script, os.R_OK)
