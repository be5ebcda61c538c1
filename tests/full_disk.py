from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def mounted(folder: Path, room: int = 0) -> Iterator[Path]:
    """Mount a disk of 64 KiB at ``folder``, with ``room`` bytes left beside the file "filler"."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root may mount")
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("may not mount")
    try:
        with pytest.raises(OSError, match="No space"), (folder / "filler").open("wb", buffering=0) as filler:  # noqa: PT012 (written until full)
            while True:
                filler.write(b"x" * 4096)
        os.truncate(folder / "filler", (folder / "filler").stat().st_size - room)
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
