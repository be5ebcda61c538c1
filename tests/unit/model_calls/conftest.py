from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.agents import Run


@pytest.fixture
def agent(openai_agent: Run) -> Run:
    return openai_agent
