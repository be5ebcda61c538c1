"""An agent in a fork is what it is in a process of its own, as far as it can see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit import agents

if TYPE_CHECKING:
    from pathlib import Path

SEEN = """
    import os, sys, warnings
    print(sys.argv, sys.orig_argv[1:], __name__, __file__, os.getcwd(), sorted(vars(sys.modules["__main__"])))
    print(sorted(os.environ.items()), sys.stdin.read(), sys.path[0])
    print([name for name in sys.modules if name.startswith("obs_run") and name != "obs_run.auto"][:1])
    warnings.warn("said", DeprecationWarning)
    sys.exit(3)
"""


def test_a_fork_is_what_a_process_of_its_own_is(tmp_path: Path, forking_server: agents.ForkingServer) -> None:
    forked = forking_server.run(tmp_path, SEEN, ADDED="1")
    fresh = agents.run(tmp_path, SEEN, ADDED="1")
    assert forked == fresh
    assert forked.code == 3
    assert "DeprecationWarning: said" in forked.err


def test_nothing_of_ours_is_there_before_the_agent_begins(tmp_path: Path, forking_server: agents.ForkingServer) -> None:
    ours = "import sys; print([name for name in sys.modules if name.startswith(('obs_', 'opentelemetry'))])"
    assert forking_server.run(tmp_path, ours, start=False).out == "[]\n"


@pytest.mark.slow
def test_one_that_hangs_is_no_trouble_to_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with agents.ForkingServer() as server:
        server.run(tmp_path, "pass")
        with monkeypatch.context() as patch:
            patch.setattr(agents, "_SECONDS", 0.5)
            with pytest.raises(TimeoutError):
                server.run(tmp_path, "import time; time.sleep(100)")
        assert server.run(tmp_path, "print('well')").out == "well\n"
