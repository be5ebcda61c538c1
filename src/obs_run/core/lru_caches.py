"""Functions with ``functools.lru_cache`` that the user names: their own counts, read where they stand in their modules.

They are looked up whenever metrics are collected, so that nothing is patched and nothing kept. Only plain mappings are
looked into, and what is called is written in C.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.core import semconv
from obs_run.core.observed_metrics import observed_metrics

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from obs_run.core.sink import ObservedMetrics

_Wrapper: Any = functools._lru_cache_wrapper  # noqa: SLF001 (the class has no public name)


class LruCaches:
    """The functions, and what they had counted as this process began."""

    metrics: tuple[str, ...] = (semconv.METRIC_CACHE_LOOKUPS,)

    def __init__(self, names: tuple[tuple[str, str], ...]) -> None:
        self._names = names
        self._before: dict[str, tuple[int, int]] = {}

    def counts(self, metric: str) -> Iterator[tuple[float, Mapping[str, Any]]]:
        """Return the hits and misses of those that there are."""
        if metric != semconv.METRIC_CACHE_LOOKUPS:
            return
        for name, found in self._read().items():
            before = self._before.get(name, (0, 0))
            for result, count, earlier in zip(("hit", "miss"), found, before, strict=True):
                # The agent may have cleared it meanwhile.
                own = count - earlier if count >= earlier else count
                yield own, {semconv.OBS_CACHE_NAME: name, semconv.OBS_CACHE_RESULT: result}

    def begin_in_child(self) -> None:
        """Leave to the parent what it has counted."""
        self._before = self._read()

    def _read(self) -> dict[str, tuple[int, int]]:
        found = {}
        for module, name in self._names:
            function = _find(module, name)
            if type(function) is _Wrapper:
                info = _Wrapper.cache_info(function)
                found[f"{module}.{name}"] = (info.hits, info.misses)
        return found


def _find(module: str, name: str) -> Any:
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        if not isinstance(found, (type, type(sys))):
            return None
        found = vars(found).get(part)
        if isinstance(found, (staticmethod, classmethod)):
            found = found.__func__
    return found


def watch() -> ObservedMetrics:
    """Have the functions counted that the settings name."""
    observed_metrics.sources.append(LruCaches(settings.get("OBS_LRU_CACHES")))
    return observed_metrics
