from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.otlp_receiver import Receiver
from tests.unit import agents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def agent(tmp_path: Path) -> agents.Run:
    return partial(agents.run, tmp_path)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running
