from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.otlp_receiver import Receiver

pytest.register_assert_rewrite("tests.launch.running", "tests.launch.beside_plain")

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running
