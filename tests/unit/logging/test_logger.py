from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

import pytest

import obs_run.logging
from obs_run.logging import DistributedLogger, LogCategory, LogContext, LogLevel

if TYPE_CHECKING:
    from tests.unit.logging.conftest import Sent


SAID = "invalid literal for int() with base 10: 'inner'"


def test_the_public_names_are_those_of_the_old_module() -> None:
    assert obs_run.logging.__all__ == [
        "ConsoleLogHandler",
        "DistributedLogger",
        "FileLogHandler",
        "LogCategory",
        "LogContext",
        "LogFormatter",
        "LogHandler",
        "LogLevel",
        "RemoteLogHandler",
        "StructuredLogEntry",
        "get_distributed_logger",
        "log_error",
        "log_exceptions",
        "log_function_calls",
        "log_info",
        "log_performance",
        "setup_default_handlers",
    ]
    assert all(hasattr(obs_run.logging, name) for name in obs_run.logging.__all__)


def test_each_level_has_its_number(sent: Sent) -> None:
    logger = DistributedLogger("levels")
    for level in LogLevel:
        getattr(logger, level.value)("m")
        logger.log(level, "m")
        logger.log(level.name, "m")
    assert [(item.severity, item.severity_text) for item in sent[::3]] == [
        (1, "TRACE"),
        (5, "DEBUG"),
        (9, "INFO"),
        (13, "WARN"),
        (17, "ERROR"),
        (21, "FATAL"),
    ]
    assert [item.severity for item in sent[1::3]] == [item.severity for item in sent[2::3]] == [1, 5, 9, 13, 17, 21]


def test_the_place_in_the_code_is_the_callers(sent: Sent) -> None:
    logger = DistributedLogger("place")
    frame = inspect.currentframe()
    assert frame is not None
    logger.info("m")
    logger.log(LogLevel.INFO, "m")
    obs_run.logging.get_distributed_logger().remove_handler("console")
    for name in ("application", "errors"):
        obs_run.logging.get_distributed_logger().remove_handler(name)
    obs_run.logging.log_info("m")
    obs_run.logging.log_performance("m", {})
    places = [item.attributes["code.line.number"] - frame.f_lineno for item in sent]
    assert places == [-7, -6, -2, -1]
    assert {item.attributes["code.function.name"] for item in sent} == {"test_the_place_in_the_code_is_the_callers"}


def test_levels_below_the_setting_are_not_recorded(sent: Sent, monkeypatch: Any) -> None:
    monkeypatch.setenv("OBS_LOG_LEVEL", "warning")
    logger = DistributedLogger("quiet")
    assert logger.info("no")
    logger.warning("yes")
    assert [item.body for item in sent] == ["yes"]
    assert logger.get_metrics()["total_logs"] == 1


def test_the_counts_are_a_snapshot(sent: Sent) -> None:
    logger = DistributedLogger("counts")
    logger.info("m", category=LogCategory.API)
    before = logger.get_metrics()
    with logger.context(a=1), logger.context(b=2):
        logger.error("m", category=LogCategory.API)
        inside = logger.get_metrics()
    assert before == {
        "total_logs": 1,
        "logs_by_level": {**dict.fromkeys(LogLevel, 0), LogLevel.INFO: 1},
        "logs_by_category": {**dict.fromkeys(LogCategory, 0), LogCategory.API: 1},
        "failed_logs": 0,
        "handlers": [],
        "context_stack_depth": 0,
    }
    assert (inside["total_logs"], inside["context_stack_depth"]) == (2, 2)
    assert inside["logs_by_level"][LogLevel.ERROR] == 1
    assert len(sent) == 2


def test_contexts_take_any_field_and_yield_what_holds(sent: Sent) -> None:
    logger = DistributedLogger("contexts")
    with logger.context(operation="a", user_id="u", level="mine", message="too", self="this") as outer:
        assert (outer.operation, outer.user_id, outer.request_id) == ("a", "u", None)
        with logger.context(user_id=None, operation="b") as inner:
            assert (inner.operation, inner.user_id, inner.to_dict()["self"]) == ("b", "u", "this")
            assert inner.correlation_id == outer.correlation_id
            logger.info("m", user_id="v", request_id="r", level="loud", self=3)
    told = sent[0].attributes
    assert {name: told[name] for name in ("operation", "user_id", "request_id", "level", "self", "message")} == {
        "operation": "b",
        "user_id": "v",
        "request_id": "r",
        "level": "loud",
        "self": 3,
        "message": "too",
    }
    assert "correlation_id" not in told


async def test_a_context_is_for_both_kinds_of_with_and_for_functions(sent: Sent) -> None:
    logger = DistributedLogger("contexts")

    @logger.context(operation="plain")
    def plain() -> str:
        logger.info("plain")
        return "p"

    @logger.async_context(operation="coroutine")
    async def coroutine() -> str:
        await asyncio.sleep(0)
        logger.info("coroutine")
        return "c"

    async with logger.context(operation="async with"):
        logger.info("async with")
    with logger.async_context(operation="with"):
        logger.info("with")
    assert (plain(), await coroutine()) == ("p", "c")
    assert [item.attributes["operation"] for item in sent] == ["async with", "with", "plain", "coroutine"]
    logger.info("outside")
    assert "operation" not in sent[-1].attributes


async def test_one_context_object_serves_many_tasks_at_once(sent: Sent) -> None:
    logger = DistributedLogger("contexts")
    shared = logger.context(operation="shared")

    async def one(number: int) -> int:
        async with shared:
            await asyncio.sleep(0.001 * (7 - number % 7))
            with shared:
                logger.info("inside")
            await asyncio.sleep(0.001 * (number % 5))
        logger.info("outside")
        return logger.get_metrics()["context_stack_depth"]  # type: ignore[no-any-return]

    assert set(await asyncio.gather(*map(one, range(20)))) == {0}
    assert {(item.body, item.attributes.get("operation")) for item in sent} == {("inside", "shared"), ("outside", None)}


def test_the_default_context_comes_in_both_ways(sent: Sent) -> None:
    logger = DistributedLogger("defaults")
    logger.set_default_context(LogContext(agent_id="a1", region="eu"))
    with logger.context(agent_id="a2"):
        logger.info("inside")
    logger.info("outside")
    logger.set_default_context(agent_id="a3", correlation_id="c1")
    logger.info("fields")
    logger.set_default_context(context=LogContext(session_id="s"), user_id="u")
    logger.info("both")
    assert [
        {name: item.attributes.get(name) for name in ("agent_id", "region", "correlation_id", "session_id", "user_id")}
        for item in sent
    ] == [
        {"agent_id": "a2", "region": "eu", "correlation_id": None, "session_id": None, "user_id": None},
        {"agent_id": "a1", "region": "eu", "correlation_id": None, "session_id": None, "user_id": None},
        {"agent_id": "a3", "region": None, "correlation_id": "c1", "session_id": None, "user_id": None},
        {"agent_id": None, "region": None, "correlation_id": None, "session_id": "s", "user_id": "u"},
    ]
    assert all("version" not in item.attributes and "environment" not in item.attributes for item in sent)


def test_exceptions_have_a_traceback_when_they_have_one(sent: Sent) -> None:
    logger = DistributedLogger("errors")
    raised: BaseException | None = None
    try:
        int("inner")
    except ValueError as error:
        logger.warning("in the block", exception=True)
        raised = error
    logger.error("after the block", exception=raised)
    logger.error("never raised", exception=KeyError("k"))
    logger.error("no exception at all", exception=True)
    logger.error("a text", exception="timed out")
    told = [item.attributes for item in sent]
    assert [each.get("exception.type") for each in told] == ["ValueError", "ValueError", "KeyError", None, "str"]
    assert [each.get("exception.message") for each in told] == [SAID, SAID, "'k'", None, "timed out"]
    assert ["exception.stacktrace" in each for each in told] == [True, True, False, False, False]
    assert told[1]["exception.stacktrace"].endswith(f"ValueError: {SAID}\n")
    assert 'int("inner")' in told[1]["exception.stacktrace"]


def test_wrong_use_is_the_callers_error(sent: Sent) -> None:
    with pytest.raises(TypeError):
        DistributedLogger("x").info("a", "b")  # type: ignore[call-arg]
    assert not sent


def test_an_error_thrown_into_what_a_call_returns_comes_out(sent: Sent) -> None:
    answer = DistributedLogger("x").info("m")
    with pytest.raises(KeyError):
        answer.throw(KeyError("k"))
    with pytest.raises(StopIteration):
        answer.send(None)
    answer.close()
    assert sent
