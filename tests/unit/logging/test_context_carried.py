from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.agents import Run

BEGIN = """
import asyncio, threading
from concurrent.futures import ThreadPoolExecutor
from opentelemetry import trace
from obs_run.logging import get_distributed_logger

logger = get_distributed_logger()
logger.remove_handler("console")
tracer = trace.get_tracer("t")
"""


def test_fifty_tasks_each_have_their_own_context_and_trace(agent: Run) -> None:
    ran = agent(
        BEGIN.replace("\n", "\n    ")
        + """
    async def one(number):
        async with logger.async_context(operation=f"op{number}", user_id=number, correlation_id=f"c{number}"):
            with tracer.start_as_current_span(f"span{number}", context=trace.set_span_in_context(trace.INVALID_SPAN)):
                for step in range(4):
                    logger.info(f"{number} {step}")
                    await asyncio.sleep(0)
                    with logger.context(step=step):
                        await logger.info(f"{number} {step} inner")
                        await asyncio.sleep(0.001 * (number % 3))

    async def main():
        await asyncio.gather(*(one(number) for number in range(50)))
    asyncio.run(main())
    import telemetry_probe; telemetry_probe.show()
    """
    )
    logs, spans = ran.logs(), ran.spans()
    traces = {span["trace"] for name, span in spans.items() if name.startswith("span")}

    assert len(logs) == 400
    assert len(traces) == 50
    for body, log in logs.items():
        number, step, *inner = body.split()
        told, span = log["attributes"], spans[f"span{number}"]
        assert (told["operation"], told["user_id"], told["correlation_id"]) == (
            f"op{number}",
            int(number),
            f"c{number}",
        )
        assert told.get("step") == (int(step) if inner else None)
        assert (log["trace"], log["span"]) == (span["trace"], span["span"])


def test_threads_and_executors_keep_the_context(agent: Run) -> None:
    ran = agent(
        BEGIN.replace("\n", "\n    ")
        + """
    def work(how):
        logger.info(how)
        with logger.context(inner=how):
            logger.info(how + " inner")

    async def main():
        async with logger.async_context(operation="main", correlation_id="c"):
            with tracer.start_as_current_span("main"):
                thread = threading.Thread(target=work, args=("thread",))
                thread.start()
                await asyncio.to_thread(work, "to_thread")
                await asyncio.get_running_loop().run_in_executor(None, work, "run_in_executor")
                with ThreadPoolExecutor(2) as pool:
                    pool.submit(work, "submit").result()
                    list(pool.map(work, ["map"]))
                asyncio.get_running_loop().call_soon(work, "call_soon")
                await asyncio.sleep(0)
                thread.join()
    asyncio.run(main())
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work, "outside").result()
    import telemetry_probe; telemetry_probe.show()
    """
    )
    logs, main = ran.logs(), ran.spans()["main"]

    for how in ("thread", "to_thread", "run_in_executor", "submit", "map", "call_soon"):
        for body in (how, f"{how} inner"):
            told = logs[body]["attributes"]
            assert (told["operation"], told["correlation_id"], told.get("inner")) == (
                "main",
                "c",
                how if body.endswith("inner") else None,
            )
            assert (logs[body]["trace"], logs[body]["span"]) == (main["trace"], main["span"])
    assert "operation" not in logs["outside"]["attributes"]


def test_the_correlation_id_of_another_service_is_on_the_records(agent: Run) -> None:
    ran = agent("""
    from opentelemetry import context, propagate
    from obs_run.logging import get_distributed_logger
    logger = get_distributed_logger()
    headers = {}
    with logger.context(correlation_id="req_123"):
        propagate.inject(headers)
    token = context.attach(propagate.extract(headers))
    logger.info("theirs")
    with logger.context(user_id="u"):
        logger.info("theirs too")
        logger.info("own", correlation_id="mine")
    context.detach(token)
    logger.info("none")
    import telemetry_probe; telemetry_probe.show(headers=headers)
    """)
    logs = ran.logs()
    assert ran.seen["headers"]["baggage"] == "correlation_id=req_123"
    assert {body: log["attributes"].get("correlation_id") for body, log in logs.items()} == {
        "theirs": "req_123",
        "theirs too": "req_123",
        "own": "mine",
        "none": None,
    }
