"""Python's own locks, threads and clocks, whatever the agent put into their places.

gevent, eventlet, freezegun and mocks replace what stands in the modules, before or after they are imported here, and
some look for every reference to the original. So these are the members of modules made anew, which nobody else has.
"""

import _frozen_importlib
import _imp
import os

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    import _thread
    import time as time  # noqa: PLC0414 (given on)
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any


def _make_anew(name: str) -> "ModuleType":
    """Return another instance of a module that is built into the interpreter."""
    spec: Any = _frozen_importlib.BuiltinImporter.find_spec(name)
    module: ModuleType = _imp.create_builtin(spec)
    _imp.exec_builtin(module)
    return module


if not TYPE_CHECKING:
    _thread = _make_anew("_thread")
    time = _make_anew("time")

allocate_lock = _thread.allocate_lock
RLock = _thread.RLock
get_ident = _thread.get_ident
local = _thread._local  # noqa: SLF001 (public but for its name)
get_native_id = _thread.get_native_id
stack_size = _thread.stack_size
start_new_thread = _thread.start_new_thread

close = os.close
fstat = os.fstat
getpid = os.getpid
kill = os.kill
urandom = os.urandom

monotonic = time.monotonic
monotonic_ns = time.monotonic_ns
sleep = time.sleep

travels: "list[Callable[[], bool]]" = []
"""What says whether the agent's clocks show another time, though they are the same functions."""


_BOOTTIME: "int | None" = getattr(time, "CLOCK_BOOTTIME", None)


def steady_ns() -> int:
    """Return nanoseconds of a clock that is never set, and goes on while the machine sleeps."""
    return monotonic_ns() if _BOOTTIME is None else time.clock_gettime_ns(_BOOTTIME)


def is_clock_moved() -> bool:
    """Whether the agent sees another time than the system's, frozen, moved or made up by a mock."""
    import time as shared

    return type(shared.time) is not type(monotonic) or any(is_travelling() for is_travelling in travels)


def are_locks_replaced() -> bool:
    """Whether the locks that Python makes now, those of imports included, belong to a scheduler of greenlets.

    One that is waited for in two of the system's threads may never be had.
    """
    import _thread as shared

    return type(shared.allocate_lock) is not type(allocate_lock)
