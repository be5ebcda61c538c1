"""Libraries under our hooks, as the launcher puts them there when they are imported."""

from __future__ import annotations

import contextlib
import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def instrumented(*names: str) -> Iterator[None]:
    """Put the libraries of instrumentors of ours under our hooks."""
    from obs_instrumentors import TABLE

    from obs_run.core import hooks

    modules = {f"obs_instrumentors.{name}" for name in names}
    try:
        for module, instrumentor in TABLE.items():
            if instrumentor in modules:
                # Not every release has every module.
                with contextlib.suppress(ImportError):
                    importlib.import_module(module)
                if module in sys.modules:
                    hooks.instrument(instrumentor, sys.modules[module])
        skipped = {status.instrumentor.library: status.skipped for status in hooks.statuses()}
        assert skipped
        assert set(skipped.values()) == {None}, skipped
        yield
    finally:
        hooks.undo()


def value(telemetry: Any, metric: str, **labels: Any) -> float:
    """Return the value of the one series that has these labels, a histogram's count."""
    [point] = telemetry.points(metric, **labels)
    found: float = point.count if hasattr(point, "count") else point.value
    return found
