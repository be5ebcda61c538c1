"""Records at the ends of things: of the process in each of its ways, of loops, in children and signal handlers."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.examples import crossed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver
    from tests.unit.agents import Run

LOGGER = """
    import asyncio, atexit, os, signal, sys, threading, time
    from obs_run.logging import get_distributed_logger
    logger = get_distributed_logger()
    logger.remove_handler("console")
"""

ENDINGS = {
    "end": "logger.info('last')",
    "exception": "logger.info('last'); raise RuntimeError('the agent failed')",
    "sys.exit": "logger.info('last'); sys.exit(3)",
    "os._exit": "logger.info('last'); os._exit(3)",
    "SIGTERM": "logger.info('last'); os.kill(os.getpid(), signal.SIGTERM); time.sleep(30)",
    "in atexit": "atexit.register(logger.info, 'last')",
    "not awaited": "asyncio.run(asyncio.wait_for(logger.info('last'), 1))",
    "amid a thread": "threading.Thread(target=lambda: (time.sleep(0.1), logger.info('last'))).start()",
}


@pytest.mark.sampled
@pytest.mark.parametrize(("start", "how"), crossed([True, False], ENDINGS))
def test_nothing_is_lost_however_the_process_ends(
    agent: Run, receiver: Receiver, tmp_path: Path, how: str, *, start: bool
) -> None:
    ran = agent(
        LOGGER + "    for number in range(100): logger.info('many', n=number)\n    " + ENDINGS[how],
        start=start,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        OTEL_BSP_SCHEDULE_DELAY="5000",
    )
    written = [json.loads(line) for line in (tmp_path / "logs" / "application.log").read_text().splitlines()]
    assert [line["message"] for line in written] == ["many"] * 100 + ["last"], ran.err
    assert [log.body for log in receiver.logs] == ["many"] * 100 + ["last"], ran.err
    assert [log.attributes["n"] for log in receiver.logs[:100]] == list(range(100))


def test_records_at_the_very_end_of_the_interpreter_do_no_harm(agent: Run) -> None:
    ran = agent(
        LOGGER
        + """
    class Last:
        def __del__(self, logger=logger):
            logger.info("finalized", data={"a": [1]}, exception=ValueError("x"))
    sys.last = Last()
    builtin = __import__("builtins")
    builtin.very_last = Last()
    """
    )
    assert (ran.code, ran.err) == (0, "")


def test_without_a_loop_in_a_closed_loop_and_in_callbacks(agent: Run) -> None:
    ran = agent(
        LOGGER
        + """
    logger.info("before any loop")
    loop = asyncio.new_event_loop()
    loop.call_soon(logger.info, "callback")
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    logger.info("after the loop was closed")
    asyncio.set_event_loop(loop)
    logger.info("with a closed loop set")

    async def main():
        logger.info("inside")
        asyncio.get_running_loop().call_soon(logger.info, "soon")
        await asyncio.sleep(0)
        stream = items()
        await stream.__anext__()
    async def items():
        try:
            yield 1
        finally:
            logger.info("generator closed by the loop")
    asyncio.run(main())
    asyncio.run(asyncio.sleep(0))
    import telemetry_probe; telemetry_probe.show()
    """
    )
    assert list(ran.logs()) == [
        "before any loop",
        "callback",
        "after the loop was closed",
        "with a closed loop set",
        "inside",
        "soon",
        "generator closed by the loop",
    ]
    assert ran.err == ""


@pytest.mark.parametrize("forks", [3, pytest.param(10, marks=pytest.mark.slow)])
def test_children_of_a_fork_write_their_own(forks: int, agent: Run, receiver: Receiver, tmp_path: Path) -> None:
    ran = agent(
        LOGGER
        + """
    logger.info("parent before")
    stop = threading.Event()
    def busy():
        # With a pause: the receiver is to have time for what the parent and the children say.
        while not stop.wait(0.0005):
            logger.debug("busy")
    threads = [threading.Thread(target=busy) for _ in range(2)]
    with logger.context(operation="forking"):
        [thread.start() for thread in threads]
        for number in range(int(os.environ['FORKS'])):
            child = os.fork()
            if not child:
                for each in range(20):
                    logger.info("child", child=number, n=each)
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
        stop.set()
        [thread.join() for thread in threads]
    logger.info("parent after")
    """,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        FORKS=str(forks),
        PYTHONWARNINGS="ignore",
        OBS_FLUSH_SECONDS="30",
        OBS_QUEUE_BYTES="1GiB",
    )
    assert ran.code == 0, ran.err
    written = [json.loads(line) for line in (tmp_path / "logs" / "application.log").read_text().splitlines()]
    expected = sorted((child, each) for child in range(forks) for each in range(20))
    children = [line["context"] for line in written if line["message"] == "child"]
    assert sorted((each["child"], each["n"]) for each in children) == expected
    assert {each["operation"] for each in children} == {"forking"}
    sent = [log for log in receiver.logs if log.body == "child"]
    assert sorted((log.attributes["child"], log.attributes["n"]) for log in sent) == expected
    assert [line["message"] for line in written if line["message"].startswith("parent")] == [
        "parent before",
        "parent after",
    ]
    busy = [line for line in written if line["message"] == "busy"]
    assert len(busy) == sum(log.body == "busy" for log in receiver.logs)


def test_signal_handlers_may_log_amid_anything(agent: Run, receiver: Receiver, tmp_path: Path) -> None:
    ran = agent(
        LOGGER
        + """
    import itertools
    handled = itertools.count(1)
    seen = 0
    def on_alarm(number, frame):
        global seen
        mine = seen = next(handled)
        with logger.context(operation="signal"):
            logger.warning("signal", n=mine)
        signal.setitimer(signal.ITIMER_REAL, 0 if is_over else 0.002)
    signal.signal(signal.SIGALRM, on_alarm)
    # Once at a time: a busy machine takes longer than any interval.
    is_over = False
    signal.setitimer(signal.ITIMER_REAL, 0.002)
    until = time.monotonic() + 0.5
    number = 0
    while time.monotonic() < until or seen <= 100:
        number += 1
        logger.info("work", n=number, data={"a": [1, 2, {"b": "c"}]})
    is_over = True
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(next(handled) - 1, number)
    """,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        OBS_FLUSH_SECONDS="30",
    )
    assert (ran.code, ran.err) == (0, "")
    handled, number = map(int, ran.out.split())
    assert handled > 100
    written = [json.loads(line) for line in (tmp_path / "logs" / "application.log").read_text().splitlines()]
    for seen in (
        [(line["message"], line["context"]["n"]) for line in written],
        [(log.body, log.attributes["n"]) for log in receiver.logs],
    ):
        assert sorted(seen) == sorted(
            [("signal", n + 1) for n in range(handled)] + [("work", n + 1) for n in range(number)]
        )
    assert all((line["context"].get("operation") == "signal") == (line["message"] == "signal") for line in written)


def test_importing_it_loads_no_sdk() -> None:
    import subprocess

    asked = (
        "import sys, obs_run.logging; heavy = {'opentelemetry.sdk', 'asyncio', 'google', 'structlog', 'loguru'};"
        "print(sorted(heavy.intersection(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
