"""The benchmarks are programs of their own folder, which Python looks into first: no name there is one of Python's."""

from __future__ import annotations

import sys

from tests.launch.environments import ROOT


def test_no_benchmark_has_the_name_of_a_module_that_it_may_import() -> None:
    names = {path.stem for path in (ROOT / "benchmarks").glob("*.py")}
    assert names & sys.stdlib_module_names == set()
