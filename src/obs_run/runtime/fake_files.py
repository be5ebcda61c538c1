"""pyfakefs puts fake modules in the place of ``os``, ``io`` and others, and forgets what was imported meanwhile."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from obs_run.runtime import process_runtime

if TYPE_CHECKING:
    from types import ModuleType

_OURS = ("obs_run.", "obs_instrumentors.", "opentelemetry.", "google.protobuf", "prometheus_client.")


def install(module: ModuleType) -> None:
    """Have all that an export needs imported before files are fake, and have it keep the real ones."""
    process_runtime.runtime().load()
    patcher: Any = module.Patcher
    patcher.SKIPNAMES.update(name for name in sys.modules if name.startswith(_OURS))
