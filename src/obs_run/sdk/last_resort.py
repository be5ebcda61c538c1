"""Lines of OpenTelemetry's packages where nobody configured logging: Python prints them on stderr as a last resort.

With plain Python the agent's calls of the API reach no SDK, and nothing is printed. So what the SDK says of them is
kept from stderr, unless the agent's own code uses the SDK. Whoever configured logging sees every line as ever.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from obs_run.base import guard

if TYPE_CHECKING:
    from collections.abc import Callable

_ROOT = "opentelemetry"
# Loggers of packages that say nothing while there is only the API -> what an agent imports that uses them.
_SILENT_WITHOUT = {
    "opentelemetry.sdk": "opentelemetry.sdk",
    "opentelemetry.attributes": "opentelemetry.sdk",
    "opentelemetry.metrics": "opentelemetry.sdk",
    "opentelemetry.configuration": "opentelemetry.sdk",
    "opentelemetry.exporter": "opentelemetry.exporter",
    "opentelemetry.instrumentation": "opentelemetry.instrumentation",
}
_OF_API = "Overriding of current "
"""How the API itself begins to speak of a second provider."""
_INSTALLED = ("site-packages", "dist-packages")
_STANDARD = str(Path(os.__file__).parent)
_OURS = ("obs_run", "obs_instrumentors")


class _Handler(logging.Handler):
    """Stands where Python looks whether a record is handled, and does what it would do where that is the agent's."""

    def __init__(self, is_exporting: Callable[[], bool]) -> None:
        super().__init__()
        self._is_exporting = is_exporting
        self.used: set[str] = set()
        """Packages that the agent's own code is known to use."""
        # By name: whoever holds a module's names keeps its objects from their end.
        self._modules: list[str] = []
        self._loaded = 0

    def createLock(self) -> None:  # noqa: N802 (the name that logging gives it)
        """Have no lock: nothing is written here."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Print a record of the agent's that nothing else handles."""
        if not guard.call("line of OpenTelemetry", self._is_kept_back, record, default=True):
            self._print(record)
        return True

    def _is_kept_back(self, record: logging.LogRecord) -> bool:
        if self._has_another_handler(record.name) or self._is_exporting():
            return True
        package = _package_of(record)
        return package is not None and not self._is_used(package)

    def _has_another_handler(self, name: str) -> bool:
        logger: logging.Logger | None = logging.getLogger(name)
        while logger is not None:
            if any(handler is not self for handler in logger.handlers):
                return True
            logger = logger.parent if logger.propagate else None
        return False

    def _is_used(self, package: str) -> bool:
        if package in self.used:
            return True
        if len(sys.modules) != self._loaded:
            # To look through all of them for each line would cost the agent a millisecond.
            self._loaded = len(sys.modules)
            self._modules = _modules_of_agent()
        if any(_uses(_names_of(module), package) for module in self._modules):
            self.used.add(package)
        return package in self.used

    def _print(self, record: logging.LogRecord) -> None:
        last = logging.lastResort
        if last is not None and record.levelno >= last.level:
            last.handle(record)


def install(is_exporting: Callable[[], bool]) -> None:
    """Keep such lines from stderr, once; ``is_exporting`` tells whether the caller is the export thread."""
    logger = logging.getLogger(_ROOT)
    if not any(isinstance(handler, _Handler) for handler in logger.handlers):
        logger.addHandler(_Handler(is_exporting))


def _package_of(record: logging.LogRecord) -> str | None:
    """Return what an agent uses for whom the record is, None for one that needs only the API."""
    if isinstance(record.msg, str) and record.msg.startswith(_OF_API):
        return None
    for name, package in _SILENT_WITHOUT.items():
        if record.name == name or record.name.startswith(f"{name}."):
            return package
    return None


def _modules_of_agent() -> list[str]:
    """Return each module that is not an installed one."""
    return [module for module in tuple(sys.modules) if _is_of_agent(_names_of(module))]


def _names_of(module: str) -> dict[str, object]:
    names = getattr(sys.modules.get(module), "__dict__", None)
    return names if isinstance(names, dict) else {}


def _is_of_agent(names: dict[str, object]) -> bool:
    path = names.get("__file__")
    if names.get("__name__") == "__main__":
        return True
    if not isinstance(path, str) or str(names.get("__name__")).startswith(_OURS):
        return False
    return not path.startswith(_STANDARD) and not any(folder in path for folder in _INSTALLED)


def _uses(names: dict[str, object], package: str) -> bool:
    for value in tuple(names.values()):
        if isinstance(value, type(sys)):
            home = value.__dict__.get("__name__")
        elif isinstance(value, type):
            home = type.__dict__["__module__"].__get__(value)
        else:
            home = type(value).__module__
        if isinstance(home, str) and (home == package or home.startswith(f"{package}.")):
            return True
    return False
