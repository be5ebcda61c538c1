"""Tables of ours that hold so many entries at the most, made small while a test measures what grows."""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from obs_run.base.latest import Latest

if TYPE_CHECKING:
    from collections.abc import Iterator

_FEW = 16
_TABLES = {
    "obs_run.core.conversations": ("_last_runs",),
    "obs_run.core.hosted_agents": ("_agents",),
    "obs_run.core.reported_tools": ("_early_reports", "_reported_calls"),
    "obs_run.core.tool_windows": ("_MOST",),
    "obs_run.pipeline.log_builder": ("_MOST_CACHED",),
    "obs_run.pipeline.prices": ("_MOST_CACHED",),
    "obs_run.pipeline.redact_items": ("_MOST_CACHED",),
    "obs_run.pipeline.redact_metrics": ("_MOST_CACHED",),
    "obs_run.pipeline.told_calls": ("_MOST",),
}
"""What is kept of late calls and conversations: by modules, the bounds, or what has one of its own."""


@contextmanager
def small_tables() -> Iterator[None]:
    """Have what is bounded hold little, so that it is full before anything is measured."""
    with ExitStack() as changed:
        for module, names in _TABLES.items():
            for name in names:
                small = _small(getattr(import_module(module), name))
                changed.enter_context(patch(f"{module}.{name}", small))
        yield


def _small(bounded: Any) -> Any:
    if isinstance(bounded, deque):
        return deque(maxlen=_FEW)
    return Latest(_FEW) if isinstance(bounded, Latest) else _FEW
