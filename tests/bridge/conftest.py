from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.unit import agents

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def agent(tmp_path: Path) -> agents.Run:
    return partial(agents.run, tmp_path)
