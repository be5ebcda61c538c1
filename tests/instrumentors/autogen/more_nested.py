"""Teams whose members are teams, which older releases do not know."""

from __future__ import annotations

from typing import Any

import pytest

from tests.instrumentors.autogen.more import its, member, team
from tests.instrumentors.trees import Node, assert_trees

__all__ = ["its"]


@pytest.mark.parametrize("named", [{"name": "inner"}, {}], ids=["named", "unnamed"])
def test_a_team_of_teams_has_the_names_that_were_given(named: dict[str, str], its: Any, telemetry: Any) -> None:
    inner = its.teams.RoundRobinGroupChat([its.named("a")], max_turns=1, **named)
    its.ask(its.teams.RoundRobinGroupChat([inner, its.named("b")], max_turns=2))
    name = "invoke_workflow inner" if named else "invoke_workflow"
    assert_trees(telemetry.spans(), team(Node(name, member("a")), member("b")))
