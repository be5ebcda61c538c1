"""The functions of the bridge that tests of faults break one after the other."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def functions(modules: Iterable[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give each as its module and the names that lead to it there."""
    for name in modules:
        module = import_module(f"obs_run.bridge.{name}")
        for one, value in vars(module).items():
            if getattr(value, "__module__", None) != module.__name__:
                continue
            if inspect.isfunction(value):
                yield module.__name__, (one,)
            elif inspect.isclass(value):
                methods = ((method, each) for method, each in vars(value).items() if inspect.isfunction(each))
                yield from ((module.__name__, (one, method)) for method, _ in methods if not _is_made(value, method))


def _is_made(kind: type, method: str) -> bool:
    """Whether nobody wrote that method here: a named tuple's, which each has."""
    return issubclass(kind, tuple) and (hasattr(tuple, method) or method in ("_asdict", "_make", "_replace"))
