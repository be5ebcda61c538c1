"""Agents that speak to each other, each a process of its own, some under obs-run and some not."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, NamedTuple

from tests.launch.running import environment

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from tests.launch.environments import Environment
    from tests.otlp_receiver import Receiver, Span

_READY = "ready\n"


class Agent(NamedTuple):
    """A program, what it is called with, and whether it says when others may speak to it."""

    source: str
    arguments: tuple[str, ...]
    says_ready: bool = False


def talk(
    place: Environment, endpoint: str, folder: Path, agents: Mapping[str, Agent], launched: Collection[str]
) -> dict[str, str]:
    """Run the agents, those that are named under obs-run, until all have ended; return what each of them wrote."""
    running: dict[str, subprocess.Popen[str]] = {}
    try:
        for name, agent in agents.items():
            (folder / f"{name}.py").write_text(agent.source)
            launcher = [place.command("obs-run")] if name in launched else []
            with (folder / f"{name}.err").open("w") as errors:
                running[name] = subprocess.Popen(
                    [*launcher, place.python, f"{name}.py", *agent.arguments],
                    cwd=folder,
                    env=environment(endpoint, folder, place.scripts),
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                )
            output = running[name].stdout
            assert output is not None
            if agent.says_ready:
                assert output.readline() == _READY, (folder / f"{name}.err").read_text()
        outputs = {name: process.communicate(timeout=120)[0] for name, process in running.items()}
    finally:
        for process in running.values():
            process.kill()
    failed = {name: process.returncode for name, process in running.items() if process.returncode}
    assert not failed, {name: (failed[name], (folder / f"{name}.err").read_text()) for name in failed}
    return outputs


def path_of(span: Span, receiver: Receiver) -> list[str]:
    """Return what a span is within, the outermost first, each with the service that it is of."""
    spans = {each.span_id: each for each in receiver.spans}
    path = []
    inner: Span | None = span
    while inner is not None:
        path.append(f"{inner.resource['service.name']}: {inner.name.partition(' tcp://')[0]}")
        inner = spans.get(inner.parent_id)
    return path[::-1]
