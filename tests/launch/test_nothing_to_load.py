"""The end of an agent that has left nothing that can be loaded: no file may be read any more, no module found."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.examples import crossed
from tests.launch.beside_plain import both

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver

AGENT = """
import logging, os, signal, sys
from opentelemetry import trace

logging.warning("a line")
with trace.get_tracer("case").start_as_current_span("work"):
    pass
# What is first exported has to be loaded.
getattr(trace.get_tracer_provider(), "force_flush", bool)()
{gives_up}
{ends}
"""
NO_FINDERS = "sys.meta_path.clear(); sys.path.clear(); sys.path_hooks.clear(); sys.path_importer_cache.clear()"
GIVES_UP = {
    "finders": NO_FINDERS,
    "path": "sys.path[:] = []; sys.path_importer_cache.clear()",
    "root": "os.makedirs('jail', exist_ok=True); os.chroot('jail'); os.chdir('/')",
}
ENDS = {
    "end": ("", 0),
    "sys.exit": ("sys.exit(3)", 3),
    "os._exit": ("os._exit(4)", 4),
    "error": ("raise SystemExit('over')", 1),
    "SIGTERM": ("os.kill(os.getpid(), signal.SIGTERM)", -15),
}


@pytest.mark.sampled
@pytest.mark.parametrize(("gives_up", "ends"), crossed(GIVES_UP, ENDS))
def test_all_arrives(gives_up: str, ends: str, receiver: Receiver, tmp_path: Path) -> None:
    if gives_up == "root" and os.geteuid():
        gives_up = "finders"
    outcome = both(tmp_path, receiver, AGENT.format(gives_up=GIVES_UP[gives_up], ends=ENDS[ends][0]))
    assert outcome.code == ENDS[ends][1]
    assert {span.name for span in receiver.spans} == {"work", "agent"}


def test_an_agent_without_modules(receiver: Receiver, tmp_path: Path) -> None:
    both(tmp_path, receiver, AGENT.format(gives_up="sys.modules.clear()", ends=""))


def test_a_silent_agent_without_modules(receiver: Receiver, tmp_path: Path) -> None:
    both(tmp_path, receiver, "import sys; sys.modules.clear()")
