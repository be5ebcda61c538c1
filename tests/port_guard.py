"""Sees, in this process and in the Pythons it starts, who speaks to a port or listens on one.

The Pythons of this environment have it from a file in their site-packages, there as long as the guard is: a test gives
its children variables of their own. A client in C, such as gRPC's, passes unseen.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import tempfile
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

from tests.port_report import tell

if TYPE_CHECKING:
    from types import TracebackType

_PREFIX = "obs_tests_ports_"
_LINE = (
    "import sys; sys.addaudithook(lambda event, args: event in ('socket.connect', 'socket.bind')"
    " and isinstance(args[1], tuple) and args[1][1] in {ports}"
    " and __import__('runpy').run_path({teller!r})['tell'](event, args[1], {pid}, {report!r}))\n"
)
_TELLER = Path(__file__).with_name("port_report.py")
_numbers = count()


class PortGuard:
    """A watch over some ports, from ``with`` to its end."""

    def __init__(self, ports: tuple[int, ...]) -> None:
        self._ports = ports
        self._mine = f"{_PREFIX}{os.getpid()}_{next(_numbers)}"
        self._site = Path(sysconfig.get_path("purelib"))
        self._report = Path(tempfile.gettempdir()) / self._mine
        self._is_on = False
        self._read = 0

    def used(self) -> list[str]:
        """Return the uses of the ports since this was last asked."""
        with self._report.open() as report:
            report.seek(self._read)
            lines = report.read().splitlines()
            self._read = report.tell()
        return lines

    def __enter__(self) -> Self:
        self._forget_killed()
        self._report.touch()
        line = _LINE.format(ports=self._ports, teller=str(_TELLER), pid=os.getpid(), report=str(self._report))
        (self._site / f"{self._mine}.pth").write_text(line)
        self._is_on = True
        sys.addaudithook(self._see)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._is_on = False
        (self._site / f"{self._mine}.pth").unlink()
        self._report.unlink()

    def _see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._is_on and event in ("socket.connect", "socket.bind"):
            address = arguments[1]
            if isinstance(address, tuple) and address[1] in self._ports:
                tell(event, address, os.getpid(), str(self._report))

    def _forget_killed(self) -> None:
        for left in self._site.glob(f"{_PREFIX}*.pth"):
            pid = int(left.stem.removeprefix(_PREFIX).partition("_")[0])
            if not _is_running(pid):
                left.unlink(missing_ok=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
