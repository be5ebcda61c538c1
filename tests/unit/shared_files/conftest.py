from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.full_disk import mounted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB with room for a few lines."""
    with mounted(tmp_path / "disk", room=8192) as folder:
        yield folder
