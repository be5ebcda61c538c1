"""Context managers of libraries, whose blocks are recorded."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
import wrapt

from obs_run.core import ownership
from obs_run.core.blocks import wrap_block
from obs_run.core.operations import Step
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.core.conftest import FakeSink


class Stopped(Exception):  # noqa: N818 (it is none)
    """Leaves a block that has not failed."""


def _begin(_: Any) -> tuple[Step, Reader[Any]]:
    return Step(step_name="one"), Reader(lambda *_: None, outcomes={"Stopped": "interrupted"})


@wrapt.decorator
def _recorded(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    return wrap_block(_begin)(wrapped, instance, args, kwargs)


@_recorded
@contextmanager
def block(*, swallows: bool = False, refuses: bool = False) -> Iterator[str]:
    """Give a context manager of a library's."""
    if refuses:
        raise ValueError("refused")
    if not swallows:
        yield "given"
        return
    with suppress(ValueError):
        yield "given"


def test_the_block_is_recorded_and_what_it_gives_is_the_librarys(fake: FakeSink) -> None:
    with block() as given:
        inside: Any = ownership.current_recording()
    assert given == "given"
    assert inside.operation.step_name == "one"
    assert ownership.current_recording() is None
    assert fake.trees() == ["step one"]


@pytest.mark.parametrize(
    ("raised", "swallows", "told"),
    [
        (ValueError, False, {"error.type": "ValueError"}),
        (ValueError, True, {}),
        (Stopped, False, {"obs.outcome": "interrupted"}),
    ],
)
def test_how_a_block_is_left(raised: Any, swallows: Any, told: dict[str, str], fake: FakeSink) -> None:
    with suppress(ValueError, Stopped), block(swallows=swallows):
        raise raised
    assert _told(fake) == told


def test_a_block_that_cannot_be_entered_has_failed(fake: FakeSink) -> None:
    with pytest.raises(ValueError, match="refused"), block(refuses=True):
        pass
    assert _told(fake) == {"error.type": "ValueError"}


def _told(fake: FakeSink) -> dict[str, Any]:
    (ended,) = fake.ended
    attributes = ended.record.attributes
    return {name: attributes[name] for name in ("error.type", "obs.outcome") if name in attributes}
