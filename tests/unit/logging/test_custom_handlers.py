"""Subclasses of LogHandler as users have them: they await, fail, log themselves, and know nothing of ``write``."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from obs_run.logging import DistributedLogger, FileLogHandler, LogHandler, StructuredLogEntry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.agents import Run
    from tests.unit.logging.conftest import Sent

import pytest


class Kept(LogHandler):
    def __init__(self, pause: float | None = 0.0) -> None:
        super().__init__("kept")
        self.seen: list[str] = []
        self.pause = pause
        self.may_end = threading.Event()
        self.may_end.set()

    async def _process_entry(self, entry: StructuredLogEntry) -> None:
        # An event of threads: the test that sets it is outside of the loop.
        while not self.may_end.is_set():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        if self.pause is not None:
            await asyncio.sleep(self.pause)
        self.seen.append(entry.message)


@pytest.fixture
def kept(sent: Sent) -> Iterator[tuple[DistributedLogger, Kept]]:
    assert sent == []
    logger, handler = DistributedLogger("x"), Kept()
    logger.add_handler(handler)
    yield logger, handler
    from obs_run.logging import async_handlers
    from obs_run.process.exit_sequence import ExitInfo

    async_handlers._waiting.finish(ExitInfo("exit"))


def test_without_a_loop_the_handler_is_done_at_the_call(kept: tuple[DistributedLogger, Kept]) -> None:
    logger, handler = kept
    logger.info("1")
    handler.pause = 0.01
    logger.info("2")
    handler.pause = None
    logger.info("3")
    assert handler.seen == ["1", "2", "3"]


async def test_awaiting_waits_for_the_handler(kept: tuple[DistributedLogger, Kept]) -> None:
    logger, handler = kept
    handler.pause = 0.01
    await logger.info("awaited")
    assert handler.seen == ["awaited"]
    await asyncio.create_task(logger.info("as a task"))
    assert handler.seen == ["awaited", "as a task"]
    await asyncio.gather(logger.info("gathered"), asyncio.wait_for(logger.info("timed"), 5))
    assert handler.seen[2:] == ["gathered", "timed"]


async def test_in_a_loop_nothing_blocks(kept: tuple[DistributedLogger, Kept]) -> None:
    logger, handler = kept
    handler.may_end.clear()
    answer = logger.info("not awaited")
    assert handler.seen == []
    handler.may_end.set()
    await answer
    assert handler.seen == ["not awaited"]


def test_a_task_that_its_loop_does_not_run_is_run_later(kept: tuple[DistributedLogger, Kept]) -> None:
    logger, handler = kept

    async def main() -> None:
        logger.info("at the very end")

    asyncio.run(main())
    logger.info("after the loop")
    assert sorted(handler.seen) == ["after the loop", "at the very end"]


def test_a_slow_handler_holds_nobody_up_for_long(kept: tuple[DistributedLogger, Kept], monkeypatch: Any) -> None:
    monkeypatch.setattr("obs_run.logging.async_handlers._PATIENCE", 0.05)
    logger, handler = kept
    handler.may_end.clear()
    logger.info("slow")
    assert handler.seen == []
    handler.may_end.set()
    monkeypatch.setattr("obs_run.logging.async_handlers._PATIENCE", 5)
    logger.info("next")
    assert sorted(handler.seen) == ["next", "slow"]


def test_failures_are_counted_and_said_once(sent: Sent, caplog: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("obs_run.base.guard._failures", set())

    class Failing(LogHandler):
        async def _process_entry(self, entry: StructuredLogEntry) -> None:
            raise OSError(entry.message)

    class FailingAtOnce(LogHandler):
        def write(self, entry: StructuredLogEntry) -> None:
            raise OSError(entry.message)

    logger = DistributedLogger("x")
    logger.add_handler(Failing("a"))
    logger.add_handler(FailingAtOnce("b"))
    logger.add_handler(LogHandler("nothing at all"))
    logger.info("1")
    asyncio.run(logger.info("2"))
    assert logger.get_metrics()["failed_logs"] == 6
    assert len(sent) == 2
    assert sorted(record.getMessage().partition(" failed ")[0] for record in caplog.records) == [
        "log handler a",
        "log handler b",
        "log handler nothing at all",
    ]


async def test_handlers_that_log_are_heard_but_not_for_ever(sent: Sent) -> None:
    logger = DistributedLogger("x")

    class Chatty(LogHandler):
        async def _process_entry(self, entry: StructuredLogEntry) -> None:
            await logger.debug("from a coroutine", data={"about": entry.message})

    class ChattyAtOnce(LogHandler):
        def write(self, entry: StructuredLogEntry) -> None:
            logger.debug("at once", data={"about": entry.message})

    logger.add_handler(ChattyAtOnce("a"))
    await logger.info("m")
    assert 1 < len(sent) < 10
    logger.remove_handler("a")
    sent.clear()
    logger.add_handler(Chatty("b"))
    await logger.info("m")
    assert [item.body for item in sent] == ["m", "from a coroutine"]


def test_a_handler_that_is_no_subclass_or_forgot_its_base(sent: Sent) -> None:
    class Duck:
        async def handle(self, entry: StructuredLogEntry) -> bool:
            seen.append(f"duck {entry.message}")
            return True

    class Forgetful(LogHandler):
        def __init__(self) -> None:
            pass

        def write(self, entry: StructuredLogEntry) -> None:
            seen.append(f"forgetful {entry.message}")

    seen: list[str] = []
    logger = DistributedLogger("x")
    logger.add_handler(Duck())
    logger.add_handler(Forgetful())
    logger.info("m")
    assert sorted(seen) == ["duck m", "forgetful m"]
    assert logger.get_metrics()["handlers"] == ["Duck", "unnamed"]
    logger.remove_handler("Duck")
    assert (len(logger.handlers), len(sent)) == (1, 1)


async def test_a_subclass_that_changes_what_a_handler_does_is_asked(sent: Sent, tmp_path: Path) -> None:
    class Marking(FileLogHandler):
        async def _process_entry(self, entry: StructuredLogEntry) -> Any:
            entry.message = f"marked {entry.message}"
            return await super()._process_entry(entry)

    class Plain(FileLogHandler):
        pass

    class HandlesAll(LogHandler):
        async def handle(self, entry: StructuredLogEntry) -> bool:
            seen.append(entry.message)
            return True

    seen: list[str] = []
    logger = DistributedLogger("x")
    logger.add_handler(Plain("plain", tmp_path / "plain.log"))
    await logger.info("m")
    logger.add_handler(HandlesAll("all"))
    logger.remove_handler("plain")
    logger.add_handler(Marking("marking", tmp_path / "marked.log"))
    await logger.info("m")
    assert '"message":"marked m"' in (tmp_path / "marked.log").read_text()
    assert '"message":"m"' in (tmp_path / "plain.log").read_text()
    assert (seen, len(sent)) == (["m"], 2)


def test_what_waits_at_the_end_of_the_process_is_handled(agent: Run) -> None:
    ran = agent("""
    import asyncio
    from obs_run.logging import DistributedLogger, LogHandler

    class Late(LogHandler):
        async def _process_entry(self, entry):
            await asyncio.sleep(0.01)
            print("handled", entry.message, flush=True)

    logger = DistributedLogger("x")
    logger.add_handler(Late("late"))

    async def main():
        logger.info("not awaited, at the end of its loop")
    asyncio.run(main())
    loop = asyncio.new_event_loop()
    loop.call_soon(logger.info, "in a callback")
    loop.call_soon(loop.stop)
    loop.run_forever()
    print("the agent's last line", flush=True)
    """)
    assert ran.code == 0
    assert ran.out.splitlines()[0] == "the agent's last line"
    assert sorted(ran.out.splitlines()[1:]) == [
        "handled in a callback",
        "handled not awaited, at the end of its loop",
    ]
    assert ran.err == ""
