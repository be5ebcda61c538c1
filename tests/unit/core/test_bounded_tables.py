"""What the tests of frameworks make small before they measure, here where it is seen at once that it is there."""

from __future__ import annotations

from tests.instrumentors.frameworks.bounded_tables import small_tables


def test_what_is_bounded_can_be_made_small() -> None:
    with small_tables():
        pass
