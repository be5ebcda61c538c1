from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.launch.cases import CASES, CHILDREN, ENDS, Case
from tests.launch.running import check, command, environment, lay_out, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver


pytestmark = pytest.mark.slow


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case, receiver: Receiver, tmp_path: Path) -> None:
    check(case, receiver, tmp_path)


@pytest.mark.parametrize("case", [case for case in ENDS if "open span" in case.name], ids=lambda case: case.name)
def test_open_span_is_marked(case: Case, receiver: Receiver, tmp_path: Path) -> None:
    lay_out(case, tmp_path)
    run(command(case, launched=True), tmp_path, environment(receiver.endpoint, tmp_path), send=case.send)
    (span,) = receiver.named("work")
    assert span.attributes["obs.span.unfinished"] is True
    assert span.attributes["obs.span.ended_by"] in ("exit", "SIGTERM", "os._exit")


def test_child_is_below_the_span_that_started_it(receiver: Receiver, tmp_path: Path) -> None:
    case = next(case for case in CHILDREN if "open span" in case.name)
    lay_out(case, tmp_path)
    run(command(case, launched=True), tmp_path, environment(receiver.endpoint, tmp_path))
    around = receiver.named("around")[0]
    child = receiver.named("child")[0]
    run_of_child = next(span for span in receiver.spans if span.span_id == child.parent_id)
    assert run_of_child.parent_id == around.span_id
