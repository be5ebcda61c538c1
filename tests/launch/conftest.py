from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.backends.fixtures import backend_tool
from tests.otlp_receiver import Receiver

__all__ = ["backend_tool", "receiver"]

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running
