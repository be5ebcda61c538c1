"""The lines that users write, as the issue gives them, each run as it stands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.agents import Run

IN_A_LOOP = """
import asyncio
from obs_run.logging import get_distributed_logger, LogCategory

logger = get_distributed_logger()
exc = ValueError("no such user")

async def main():
    async with logger.async_context(operation="user_login", user_id="user123"):
        await logger.info("login started", category=LogCategory.SECURITY,
                          data={"ip_address": "192.168.1.1", "method": "oauth"}, tags=["authentication"])
    await logger.info("query done", category=LogCategory.SYSTEM,
                      performance_metrics={"query_time": 0.045, "rows_returned": 150}, data={"table": "users"})
    await logger.error("request failed", category=LogCategory.BUSINESS, exception=exc, data={"request_id": "r1"})
    async with logger.async_context(correlation_id="req_123", service="service_a"):
        await logger.info("calling")

asyncio.run(main())
import telemetry_probe; telemetry_probe.show()
"""


def lines(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "logs" / name).read_text().splitlines()]


def test_the_examples_are_recorded(agent: Run) -> None:
    logs = agent(IN_A_LOOP).logs()
    login, query, failed, calling = (
        logs[body] for body in ("login started", "query done", "request failed", "calling")
    )

    told = login["attributes"]
    assert (login["severity"], login["number"], login["scope"]) == ("INFO", 9, "distributed_logger")
    assert told["obs.log.category"] == "security"
    assert told["obs.log.tags"] == ["authentication"]
    assert {name: told[name] for name in ("operation", "user_id", "ip_address", "method")} == {
        "operation": "user_login",
        "user_id": "user123",
        "ip_address": "192.168.1.1",
        "method": "oauth",
    }
    assert told["code.file.path"].endswith("agent.py")
    assert (told["code.function.name"], told["code.line.number"]) == ("main", 11)
    assert told["thread.name"] == "MainThread"

    assert query["attributes"]["obs.log.performance.query_time"] == 0.045
    assert query["attributes"]["obs.log.performance.rows_returned"] == 150
    assert query["attributes"]["table"] == "users"
    assert "user_id" not in query["attributes"]

    assert (failed["severity"], failed["number"]) == ("ERROR", 17)
    assert failed["attributes"]["exception.type"] == "ValueError"
    assert failed["attributes"]["exception.message"] == "no such user"
    assert "exception.stacktrace" not in failed["attributes"]
    assert failed["attributes"]["request_id"] == "r1"
    assert calling["attributes"]["correlation_id"] == "req_123"
    assert calling["attributes"]["service"] == "service_a"


def test_the_examples_come_to_the_console_and_to_the_files(agent: Run, tmp_path: Path) -> None:
    ran = agent(IN_A_LOOP)
    whole = lines(tmp_path, "application.log")
    shown = ran.out.splitlines()

    assert [line["message"] for line in whole] == ["login started", "query done", "request failed", "calling"]
    assert [line["message"] for line in lines(tmp_path, "errors.log")] == ["request failed"]
    assert {name: whole[0][name] for name in ("level", "category", "data", "tags")} == {
        "level": "info",
        "category": "security",
        "data": {"ip_address": "192.168.1.1", "method": "oauth"},
        "tags": ["authentication"],
    }
    assert whole[0]["context"]["user_id"] == "user123"
    assert whole[1]["performance_metrics"] == {"query_time": 0.045, "rows_returned": 150}
    assert whole[2]["exception"] == "ValueError: no such user"
    assert whole[3]["context"]["correlation_id"] == "req_123"
    logs = ran.logs()
    assert all(
        (line["trace_id"], line["span_id"]) == (logs[line["message"]]["trace"], logs[line["message"]]["span"])
        for line in whole
    )
    assert "INFO [security] login started (ID: " in shown[0]
    assert shown[0].endswith("ip_address=192.168.1.1 method=oauth")
    assert shown[3] == "ValueError: no such user"
    assert "(ID: req_123)" in shown[4]
    assert ran.err == ""
    for name in ("application.log", "errors.log"):
        assert (tmp_path / "logs" / name).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "logs").stat().st_mode & 0o777 == 0o700


def test_nothing_need_be_awaited_and_no_loop_is_needed(agent: Run, tmp_path: Path) -> None:
    ran = agent("""
    import asyncio, threading
    from obs_run.logging import get_distributed_logger, log_error, log_info, log_performance
    logger = get_distributed_logger()

    with logger.context(operation="sync"):
        logger.warning("from sync code")

    async def main():
        logger.info("not awaited")
        await asyncio.create_task(logger.info("as a task"))
        await asyncio.gather(logger.info("gathered"), logger.info("gathered too"))
        await asyncio.wait_for(logger.info("with a timeout"), 5)
        await log_performance("indexing", {"seconds": 1.5}, tags=["nightly"])
        log_error("shortcut", exception=KeyError("k"))

    asyncio.run(main())
    asyncio.run(logger.info("run"))
    log_info("shortcut too", user_id="u1")
    thread = threading.Thread(target=logger.critical, args=("from a thread",), name="worker")
    thread.start()
    thread.join()
    import telemetry_probe; telemetry_probe.show()
    """)
    logs = ran.logs()
    expected = [
        "from sync code", "not awaited", "as a task", "gathered", "gathered too", "with a timeout",
        "Performance: indexing", "shortcut", "run", "shortcut too", "from a thread",
    ]  # fmt: skip

    assert ran.err == ""
    assert list(logs) == expected
    assert [line["message"] for line in lines(tmp_path, "application.log")] == expected
    assert logs["from sync code"]["attributes"]["operation"] == "sync"
    figures = logs["Performance: indexing"]["attributes"]
    assert (figures["obs.log.category"], figures["obs.log.tags"]) == ("performance", ["performance", "nightly"])
    assert (figures["obs.log.performance.seconds"], figures["operation"]) == (1.5, "indexing")
    assert figures["code.function.name"] == "main"
    assert logs["shortcut"]["attributes"]["exception.message"] == "'k'"
    assert logs["from a thread"]["attributes"]["thread.name"] == "worker"
    assert logs["from a thread"]["number"] == 21
