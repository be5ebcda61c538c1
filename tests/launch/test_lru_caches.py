"""Functions with ``lru_cache`` that the user names, in an agent that imports nothing but the standard library."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from tests.launch.environments import HERE
from tests.otlp_receiver import Receiver

if TYPE_CHECKING:
    from pathlib import Path

AGENT = """
import functools
import logging

@functools.lru_cache(maxsize=2)
def price(order):
    return 10 * order

class Table:
    @staticmethod
    @functools.cache
    def rate(country):
        return 1

for order in (1, 2, 1, 1):
    price(order)
Table.rate("pt")
logging.getLogger("agent").error("priced")
"""
NAMES = "__main__:price,__main__:Table.rate,__main__:nothing,no.module:function"


def run(folder: Path, receiver: Receiver, names: str) -> subprocess.CompletedProcess[str]:
    (folder / "agent.py").write_text(AGENT)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OBS_"))}
    environ |= {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, "OBS_LRU_CACHES": names}
    return subprocess.run(
        [HERE.command("obs-run"), HERE.python, "agent.py"],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_they_are_counted(tmp_path: Path) -> None:
    with Receiver() as receiver:
        done = run(tmp_path, receiver, NAMES)
        assert (done.returncode, done.stderr) == (0, "priced\n")
        assert receiver.wait_for(lambda it: any(each.name == "obs.cache.lookups" for each in it.metrics))
        counted = {
            (point["obs.cache.name"], point["obs.cache.result"]): value
            for each in receiver.metrics
            if each.name == "obs.cache.lookups"
            for point, value in zip(each.points, each.values, strict=True)
        }
    assert counted == {
        ("__main__.price", "hit"): 2,
        ("__main__.price", "miss"): 2,
        ("__main__.Table.rate", "hit"): 0,
        ("__main__.Table.rate", "miss"): 1,
    }


def test_a_name_that_is_none_is_said(tmp_path: Path) -> None:
    with Receiver() as receiver:
        done = run(tmp_path, receiver, "price,__main__:price")
    assert done.returncode == 0
    assert "OBS_LRU_CACHES" in done.stderr
    assert "'price' is not allowed; allowed: a comma list of module:function" in done.stderr
