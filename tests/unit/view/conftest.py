from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obs_run.store import writer as writer_module
from tests.unit.view import recording, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[serving.Viewer]:
    """Give a viewer of a store that no test adds to."""
    path = tmp_path_factory.mktemp("viewed") / "store.db"
    recording.write(path)
    with serving.viewer(path) as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Path]:
    """Give a store of the test's own."""
    path = tmp_path / "store.db"
    recording.write(path)
    yield path
    for one in writer_module._writers.values():
        one.close()
    writer_module._writers.clear()


@pytest.fixture
def own_viewer(store: Path) -> Iterator[serving.Viewer]:
    """Give a viewer of the test's own store."""
    with serving.viewer(store) as running:
        yield running
