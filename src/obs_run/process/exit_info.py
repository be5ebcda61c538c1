"""How the process leaves, for those who have something to do before it is gone."""

from __future__ import annotations

from obs_run.process import own_imports, run
from obs_run.process.unpatched import monotonic
from obs_run.process.variables import seconds


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
