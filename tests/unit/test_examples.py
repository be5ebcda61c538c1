"""The examples of README.md and of the pages on the API run as they are printed, launched by obs-run and by Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.examples import crossed
from tests.launch.environments import ROOT

if TYPE_CHECKING:
    from tests.unit.agents import Run

EXAMPLES = {
    f"{page}, {number}": example
    for page in ("README.md", "docs/metrics.md", "docs/tracing.md")
    for number, example in enumerate(
        re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL), 1
    )
}


@pytest.mark.sampled
@pytest.mark.parametrize(("start", "example"), crossed([True, False], EXAMPLES))
def test_the_example_runs(agent: Run, example: str, *, start: bool) -> None:
    ran = agent(EXAMPLES[example], start=start)
    assert (ran.code, ran.err) == (0, "")
    # README's logs to the console, too.
    assert ran.out == "" or (example.startswith("README") and "order taken" in ran.out)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 9
