from __future__ import annotations

import traceback
from dataclasses import dataclass

import pytest

from obs_run.base.stand_in import no_frame
from obs_run.base.steps import Step


@dataclass(frozen=True)
class FrozenError(Exception):
    """Forbids to set any attribute, its traceback too."""

    code: int


def fail() -> None:
    raise FrozenError(3)


class Ended(Step):
    """A step that notes how it ended."""

    def __init__(self) -> None:
        self._context = None
        self.error: BaseException | None = None

    def end(self, error: BaseException | None = None) -> None:
        self.error = error


@pytest.mark.parametrize("around", [lambda: no_frame, Ended])
def test_an_error_that_forbids_to_be_changed_goes_on(around: object) -> None:
    with pytest.raises(FrozenError) as caught:  # noqa: SIM117 (the inner one is what is tried)
        with around():  # type: ignore[operator]
            fail()
    assert caught.value.code == 3
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "fail"
