"""Signals that come while obs-run works at the end of a process: the agent's handlers do not run in our code.

What such a handler raises would come out of a flush, as an exception that the agent never had, or print a traceback of
ours; without us the process would be gone by then.
"""

from __future__ import annotations

import _signal
import os

from obs_run.process.unpatched import getpid, sleep, start_new_thread

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_PAUSE = 0.003
_ours: list[Callable[..., object]] = []


def leave_alone(handler: Callable[..., object]) -> None:
    """Never hold back what ``handler`` handles: it is of ours."""
    _ours.append(handler)


class HeldSignals:
    """Holds back the signals that functions of the agent handle, in the main thread, until they are released."""

    __slots__ = ("_handlers", "arrived")

    def __init__(self) -> None:
        self._handlers: dict[int, Any] = {}
        self.arrived: list[int] = []
        """The signals that came, each once."""

    def hold(self) -> HeldSignals:
        """Begin; elsewhere than in the main thread, where no handler runs, nothing is held."""
        for number in range(1, _signal.NSIG):
            handler = _signal.getsignal(number)
            if not callable(handler) or any(handler is ours for ours in _ours):
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
                os.kill(process, number)

        if arrived:
            start_new_thread(send, ())

    def _note(self, number: int, _frame: object) -> None:
        if number not in self.arrived:
            self.arrived.append(number)
