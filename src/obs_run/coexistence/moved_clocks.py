"""time-machine changes the functions of Python's clocks inside; it has a way past that itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.process import unpatched

if TYPE_CHECKING:
    from types import ModuleType


def install(module: ModuleType) -> None:
    """Have our wall clock be the system's while the agent travels through time."""
    hatch: Any = module.escape_hatch
    time_ns = unpatched.time.time_ns

    def real_time_ns() -> int:
        return int(hatch.time.time_ns() if hatch.is_travelling() else time_ns())

    unpatched.time.time_ns = real_time_ns
    unpatched.time.time = lambda: real_time_ns() / 1e9
    unpatched.travels.append(hatch.is_travelling)
