"""An agent beside a backend on its bad days, by whatever way it ends: as without us, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from tests import outages
from tests.examples import one_in
from tests.launch.environments import HERE

OBS_RUN, OBSCTL = HERE.command("obs-run"), HERE.command("obsctl")
# Each backend by each protocol with two of the eight ends, and each end with every fourth; all are in the benchmark.
CASES = [
    (mood, protocol, end)
    for (row, mood), (column, protocol), (place, end) in product(
        enumerate(outages.BACKENDS), enumerate(outages.PROTOCOLS), enumerate(outages.ENDS)
    )
    if (row + 2 * column + place) % 4 == 0
]
SPOOL = Path(".local", "share", "obs-run", "spool")
GENEROUS = 20.0
"""Ten times what leaving may take."""


@pytest.mark.slow
@pytest.mark.parametrize(("mood", "protocol", "end"), one_in(17, CASES))
def test_nothing_is_lost_and_the_agent_ends_as_it_does(mood: str, protocol: str, end: str, tmp_path: Path) -> None:
    code = outages.ENDS[end][1]
    with outages.backend(mood, protocol) as backend:
        ran = outages.run(OBS_RUN, sys.executable, tmp_path, end, backend.endpoint, protocol)
        assert ran.code == code
        assert len(ran.own_lines()) <= 1
        assert ran.seconds < GENEROUS
        if mood == "up":
            assert (ran.own_lines(), outages.lost(backend), outages.doubled(backend)) == ([], 0, 0)
            return
        endpoint = backend.mend()
        kept = [each.name for each in (tmp_path / SPOOL).iterdir()] if (tmp_path / SPOOL).is_dir() else []
        subprocess.run(
            [OBSCTL, "spool", "replay", *kept],
            env=outages.environment(tmp_path, endpoint, protocol),
            check=bool(kept),
            capture_output=True,
        )
        assert outages.lost(backend) == 0


@pytest.mark.parametrize("protocol", one_in(2, outages.PROTOCOLS))
def test_the_next_agent_sends_what_the_one_before_left(protocol: str, tmp_path: Path) -> None:
    with outages.backend("refused", protocol) as backend:
        ran = outages.run(OBS_RUN, sys.executable, tmp_path, "ended", backend.endpoint, protocol, 0)
        [line] = ran.own_lines()
        assert f"obs-run: {outages.SPANS + 1} spans, log records or metric exports wait in the spool" in line
        endpoint = backend.mend()
        ran = outages.run(OBS_RUN, sys.executable, tmp_path, "ended", endpoint, protocol, 0)
        assert ran.own_lines() == []
        # Of its own; on a busy machine it may have had the time for the rest.
        assert {backend.names[f"span {number}"] for number in range(outages.SPANS)} in ({1}, {2})
        ran = outages.run(OBS_RUN, sys.executable, tmp_path, "ended", endpoint, protocol, 6)
        assert ran.own_lines() == []
        assert {backend.names[f"span {number}"] for number in range(outages.SPANS)} == {3}
    assert list((tmp_path / SPOOL).glob("*/*.segment")) == []
