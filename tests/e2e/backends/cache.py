"""Results that outlive the run and the checkout, each made once however many runs ask."""

import hashlib
import os
import platform
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.file_lock import locked


def folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "obs-run" / "backends"


def digest(*parts: str | bytes) -> str:
    machine = (platform.system(), platform.machine(), *platform.libc_ver())
    sums = (hashlib.sha256(part.encode() if isinstance(part, str) else part).digest() for part in (*machine, *parts))
    return hashlib.sha256(b"".join(sums)).hexdigest()[:16]


def provide(name: str, recipe: str, make: Callable[[Path], None]) -> Path:
    """Return the folder that `make` fills, from an earlier run where the recipe (a digest) is the same."""
    made = folder() / f"{name}-{recipe}"
    if made.is_dir():
        return made
    with locked(made.with_name(made.name + ".lock")):
        if not made.is_dir():
            scratch = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=folder()))
            try:
                make(scratch)
                scratch.rename(made)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    return made
