"""The context goes into threads and pools on every Python that obs-run is for, whose insides differ."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tests.launch import environments
from tests.launch.interpreters import WITH_US
from tests.launch.running import SCRIPTS, environment, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver

AGENT = """
    import asyncio, threading, traceback
    from concurrent.futures import ThreadPoolExecutor
    from obs_run.tracing import get_current_span_id, get_tracer

    tracer = get_tracer("a")
    seen = []

    def note():
        seen.append(get_current_span_id())

    def fail():
        raise ValueError

    async def loop():
        await asyncio.get_running_loop().run_in_executor(None, note)

    class Own(threading.Thread):
        def run(self):
            note()

    with ThreadPoolExecutor(1) as pool:
        with tracer.span("first") as first:
            pool.submit(note).result()
        with tracer.span("second") as second:
            pool.submit(note).result()
            for thread in (threading.Thread(target=note), threading.Timer(0, note), Own()):
                thread.start()
                thread.join()
            asyncio.run(loop())
            error = pool.submit(fail).exception()
    assert seen == [first.context.span_id] + [second.context.span_id] * 5, seen
    assert "obs_run" not in str(traceback.format_tb(error.__traceback__))
"""


@pytest.mark.parametrize("version", WITH_US)
@pytest.mark.environments
@pytest.mark.timeout(900)
def test_threads_of_other_pythons(version: str, receiver: Receiver, tmp_path: Path) -> None:
    python = environments.interpreter_or_skip(version)
    place = environments.environment(python=python)
    (tmp_path / "agent.py").write_text(dedent(AGENT))
    env = environment(receiver.endpoint, tmp_path)
    assert run([str(SCRIPTS / "obs-run"), place.python, "agent.py"], tmp_path, env, seconds=60) == (0, "", "")
