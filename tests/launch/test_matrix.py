from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.launch.cases import CASES, CHILDREN, Case
from tests.launch.running import command, environment, lay_out, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case, receiver: Receiver, tmp_path: Path) -> None:
    lay_out(case, tmp_path)
    env = environment(receiver.endpoint, tmp_path, **case.environment)

    plain = run(command(case, launched=False), tmp_path, env, stdin=case.stdin, send=case.send)
    assert not receiver.spans
    launched = run(command(case, launched=True), tmp_path, env, stdin=case.stdin, send=case.send)

    assert launched == plain
    receiver.wait_for(lambda got: len(got.spans) >= len(case.spans) + case.runs, seconds=3)
    runs = [span for span in receiver.spans if "obs.run.kind" in span.attributes]
    others = [span for span in receiver.spans if span not in runs]
    assert sorted(span.name for span in others) == sorted(case.spans)
    assert len(runs) == case.runs
    if case.one_trace:
        assert len({span.trace_id for span in receiver.spans}) == min(1, len(receiver.spans))
    assert_one_tree(receiver)


def assert_one_tree(receiver: Receiver) -> None:
    """Assert that each parent arrived too: a trace without its root is what this launcher is there to prevent."""
    ids = {span.span_id for span in receiver.spans}
    orphans = [span for span in receiver.spans if span.parent_id and span.parent_id not in ids]
    assert not orphans


def test_child_is_below_the_span_that_started_it(receiver: Receiver, tmp_path: Path) -> None:
    case = next(case for case in CHILDREN if "open span" in case.name)
    lay_out(case, tmp_path)
    run(command(case, launched=True), tmp_path, environment(receiver.endpoint, tmp_path))
    around = receiver.named("around")[0]
    child = receiver.named("child")[0]
    run_of_child = next(span for span in receiver.spans if span.span_id == child.parent_id)
    assert run_of_child.parent_id == around.span_id
