"""The examples of docs/metrics.md run as they are printed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.launch.environments import ROOT

if TYPE_CHECKING:
    from tests.unit.agents import Run

TEXT = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("place", range(len(EXAMPLES)))
@pytest.mark.parametrize("start", [True, False], ids=["launched", "library"])
def test_the_examples_run(start: bool, place: int, agent: Run) -> None:  # noqa: FBT001 (a case)
    ran = agent(EXAMPLES[place], start=start)
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 4
