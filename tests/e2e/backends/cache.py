"""Results that outlive the run and the checkout, each made once however many runs ask."""

import fcntl
import hashlib
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


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
    folder().mkdir(parents=True, exist_ok=True)
    with _locked(made.with_name(made.name + ".lock")):
        if not made.is_dir():
            scratch = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=folder()))
            try:
                make(scratch)
                scratch.rename(made)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    return made


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
