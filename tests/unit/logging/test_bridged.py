"""Lines of our own logger become spans, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.agents import Run


def test_awaited_lines_become_spans(agent: Run) -> None:
    ran = agent(
        """
    import asyncio
    from obs_run.logging import get_distributed_logger
    logger = get_distributed_logger()

    async def load(name):
        await logger.info("Loading index", data={"index_id": name})
        await asyncio.sleep(0)
        logger.warning("slow disk")
        await asyncio.sleep(0)
        await logger.info("Loaded index", data={"index_id": name})

    async def main():
        await asyncio.gather(load("a"), load("b"))

    asyncio.run(main())
    import telemetry_probe; telemetry_probe.show()
    """,
        OBS_LOG_CONSOLE="none",
        OBS_LOG_FOLDER="none",
        OBS_BRIDGE="automatic",
    )
    spans = [span for span in ran.seen["spans"] if "obs.bridge.rule" in span["attributes"]]
    logs = ran.seen["logs"]

    assert [span["attributes"]["obs.bridge.key"] for span in spans] == ["index_id=a", "index_id=b"]
    ids = [span["span"] for span in spans]
    for body in ("Loading index", "slow disk", "Loaded index"):
        assert [log["span"] for log in logs if log["body"] == body] == ids
