from __future__ import annotations

import io
import json
import logging
import sys
from typing import TYPE_CHECKING, Any

from obs_run.context.log_context import attached
from obs_run.logging import (
    ConsoleLogHandler,
    DistributedLogger,
    FileLogHandler,
    LogCategory,
    LogContext,
    LogFormatter,
    LogHandler,
    LogLevel,
    StructuredLogEntry,
    setup_default_handlers,
)

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.unit.logging.conftest import Sent


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_default_handlers_make_nothing_before_the_first_record(
    sent: Sent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    logger = DistributedLogger("defaults")
    setup_default_handlers(logger)
    assert list(tmp_path.iterdir()) == []
    assert logger.get_metrics()["handlers"] == ["console", "application", "errors"]
    logger.warning("w")
    assert [file.name for file in (tmp_path / "logs").iterdir() if not file.name.startswith(".")] == ["application.log"]
    logger.critical("c")
    assert [line["message"] for line in lines(tmp_path / "logs" / "errors.log")] == ["c"]
    assert [line["message"] for line in lines(tmp_path / "logs" / "application.log")] == ["w", "c"]
    assert len(capsys.readouterr().out.splitlines()) == len(sent) == 2


def test_the_settings_choose_the_default_handlers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_LOG_CONSOLE", "none")
    monkeypatch.setenv("OBS_LOG_FOLDER", str(tmp_path / "here"))
    monkeypatch.setenv("OBS_LOG_FILE_BYTES", "1000")
    monkeypatch.setenv("OBS_LOG_FILES", "2")
    logger = DistributedLogger("chosen")
    setup_default_handlers(logger)
    assert [handler.name for handler in logger.handlers] == ["application", "errors"]
    assert logger.handlers[0].file_path == tmp_path / "here" / "application.log"
    assert (logger.handlers[0].max_size, logger.handlers[0].backup_count) == (1000, 2)
    monkeypatch.setenv("OBS_LOG_FOLDER", "none")
    without = DistributedLogger("chosen")
    setup_default_handlers(without)
    assert without.handlers == []


def test_files_are_put_aside_by_size(sent: Sent, tmp_path: Path) -> None:
    logger = DistributedLogger("x")
    logger.add_handler(FileLogHandler("file", tmp_path / "a.log", max_size=2000, backup_count=2))
    for number in range(30):
        logger.info("record", n=number)
    names = sorted(file.name for file in tmp_path.iterdir() if not file.name.startswith("."))
    assert names == ["a.log", "a.log.1", "a.log.2"]
    kept = [line["context"]["n"] for name in reversed(names) for line in lines(tmp_path / name)]
    assert kept == list(range(30 - len(kept), 30))
    assert len(sent) == 30


def test_a_disk_that_refuses_is_counted_and_said_once(sent: Sent, tmp_path: Path, caplog: Any) -> None:
    (tmp_path / "folder.log").mkdir()
    logger = DistributedLogger("x")
    logger.add_handler(FileLogHandler("file", tmp_path / "folder.log"))
    logger.info("a")
    logger.info("b")
    assert (logger.get_metrics()["failed_logs"], len(sent)) == (2, 2)
    assert len(caplog.records) == 1


def test_handlers_can_be_removed_disabled_and_choose_levels(sent: Sent) -> None:
    class Kept(LogHandler):
        def __init__(self, name: str, **more: Any) -> None:
            super().__init__(name, **more)
            self.seen: list[str] = []

        def write(self, entry: StructuredLogEntry) -> None:
            self.seen.append(entry.message)

    logger = DistributedLogger("x")
    every, errors = Kept("every"), Kept("errors", min_level="error")
    logger.add_handler(every)
    logger.add_handler(errors)
    logger.info("1")
    logger.error("2")
    every.enabled = False
    logger.error("3")
    logger.remove_handler("errors")
    logger.error("4")
    every.enabled = True
    logger.trace("5")
    assert (every.seen, errors.seen) == (["1", "2", "5"], ["2", "3"])
    assert len(sent) == 5
    assert logger.get_metrics()["failed_logs"] == 0


def test_lines_for_people(sent: Sent, capsys: pytest.CaptureFixture[str]) -> None:
    logger = DistributedLogger("x")
    logger.add_handler(ConsoleLogHandler())
    logger.warning(
        "two\nlines \x1b[31m", data={"a": 1, "b": {"c": [True]}}, agent_id="a1",
        correlation_id="0123456789", performance_metrics={"seconds": 0.5},
    )  # fmt: skip
    logger.error("failed", exception=KeyError("k"))
    out = capsys.readouterr().out
    stamp, _, rest = out.partition("] ")
    assert len(stamp) == len("[2026-11-23 05:14:14.485")
    assert rest.startswith(
        'WARNING [system] two\nlines \\x1b[31m (ID: 01234567) [Agent: a1] [Metrics: seconds=0.5] a=1 b={"c":[true]}\n'
    )
    assert out.endswith("\nKeyError: 'k'\n")
    assert len(sent) == 2


def test_colours_are_for_terminals_only(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    logger = DistributedLogger("x")
    terminal, plain, file, no_color = Terminal(), Terminal(), io.StringIO(), Terminal()
    logger.add_handler(ConsoleLogHandler("a", stream=terminal))
    logger.add_handler(ConsoleLogHandler("b", colored=False, stream=plain))
    logger.add_handler(ConsoleLogHandler("c", stream=file))
    logger.error("m")
    assert "\x1b[31mERROR\x1b[0m [system] m" in terminal.getvalue()
    assert "\x1b" not in plain.getvalue() + file.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    logger.add_handler(ConsoleLogHandler("d", stream=no_color))
    logger.error("m")
    assert "\x1b" not in no_color.getvalue()
    assert len(sent) == 2


def test_a_console_that_is_gone_or_knows_few_letters(sent: Sent, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    logger = DistributedLogger("x")
    logger.add_handler(ConsoleLogHandler())
    raw = io.BytesIO()
    ascii_only = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    for stream in (ascii_only, None):
        monkeypatch.setattr(sys, "stdout", stream)
        logger.info("ünï")
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    logger.info("closed")
    assert b"\\xfcn\\xef" in raw.getvalue()
    assert logger.get_metrics()["failed_logs"] == 2
    assert len(sent) == 3
    assert caplog.records == []


def test_the_console_is_json_by_choice_and_by_setting(
    sent: Sent, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = DistributedLogger("x")
    logger.add_handler(ConsoleLogHandler("a", json=True))
    monkeypatch.setenv("OBS_LOG_CONSOLE", "json")
    logger.add_handler(ConsoleLogHandler("b"))
    logger.info("m", data={"ä": 1}, tags=["t"])
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == second
    assert (first["message"], first["data"], first["tags"], first["level"]) == ("m", {"ä": 1}, ["t"], "info")
    assert len(sent) == 1


def test_secrets_come_to_no_file_and_no_console(sent: Sent, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = "sk-proj-" + "aB3" * 16
    logger = DistributedLogger("x")
    logger.add_handler(FileLogHandler("file", tmp_path / "a.log"))
    logger.add_handler(ConsoleLogHandler("human"))
    logger.add_handler(ConsoleLogHandler("json", json=True))
    message = f"using {secret}"
    logger.info(
        message, data={"password": "hunter2!x", "deep": {"list": [secret]}}, tags=[secret],
        exception=ValueError(secret), token=secret,
    )  # fmt: skip
    written = (tmp_path / "a.log").read_text() + capsys.readouterr().out
    assert secret not in written
    assert "hunter2!x" not in written
    assert "using " in written
    assert len(written.splitlines()) == 4
    # The pipeline scrubs what it exports itself.
    assert secret in sent[0].body


async def test_entries_that_others_make_are_handled(sent: Sent, tmp_path: Path) -> None:
    entry = StructuredLogEntry(
        level=LogLevel.ERROR,
        category=LogCategory.USER,
        message="m",
        context=LogContext("c1", user_id="u"),
        data={"o": object(), "nan": float("nan"), "key": "sk-proj-" + "aB3" * 16},
        exception="ValueError: x",
    )
    file = FileLogHandler("file", tmp_path / "a.log")
    out = io.StringIO()
    assert await file.handle(entry) is True
    assert await ConsoleLogHandler(stream=out).handle(entry) is True
    file.enabled = False
    assert await file.handle(entry) is False
    (line,) = lines(tmp_path / "a.log")
    assert (line["message"], line["context"]["user_id"], line["data"]["nan"]) == ("m", "u", "nan")
    assert "aB3aB3" not in json.dumps(line) + out.getvalue()
    assert "ERROR [user] m (ID: c1)" in out.getvalue()
    assert sent == []


def test_the_data_classes_are_what_they_were() -> None:
    context = LogContext("c", "r", user_id="u", tenant="t")
    assert context.to_dict() == {
        "correlation_id": "c", "request_id": "r", "session_id": None, "user_id": "u", "agent_id": None,
        "operation": None, "source": None, "version": "1.0.0", "environment": "development", "tenant": "t",
    }  # fmt: skip
    assert context.tenant == "t"  # type: ignore[attr-defined]
    assert context == LogContext(correlation_id="c", request_id="r", user_id="u", tenant="t") != LogContext("c")
    assert repr(context).startswith("LogContext(correlation_id='c', request_id='r', user_id='u', version=")
    assert len(LogContext().correlation_id) == 36
    entry = StructuredLogEntry(timestamp=0.5, message="ä", context=context, data={"one": {2}})
    told = entry.to_dict()
    assert told == {
        "timestamp": 0.5, "iso_timestamp": "1970-01-01T00:00:00.500000+00:00", "level": "info", "category": "system",
        "message": "ä", "context": context.to_dict(), "data": {"one": {2}}, "tags": [],
    }  # fmt: skip
    assert json.loads(entry.to_json()) == {**told, "data": {"one": [2]}}
    assert "ä" in entry.to_json()
    full = StructuredLogEntry(exception="e", stack_trace="s", performance_metrics={"p": 1})
    assert {"exception": "e", "stack_trace": "s", "performance_metrics": {"p": 1}}.items() <= full.to_dict().items()


def test_records_of_the_logging_module_are_formatted_whatever_their_level() -> None:
    formatter = LogFormatter()
    logging.addLevelName(25, "NOTICE")
    record = logging.LogRecord("lib", 25, "/x/y.py", 3, "hello %s", ("you",), None, "work")
    record.extra_field = {"a": 1}
    try:
        int("x")
    except ValueError:
        failed = logging.LogRecord("lib", logging.ERROR, "/x/y.py", 4, "failed %d", ("no",), sys.exc_info())
    with attached(user_id="u"):
        line = json.loads(formatter.format(record))
    assert (line["message"], line["level"], line["category"]) == ("hello you", "info", "system")
    assert line["context"] == {"user_id": "u"}
    assert line["data"].pop("process")
    assert line["data"] == {
        "logger": "lib", "module": "y", "function": "work", "line": 3, "thread": "MainThread", "level_name": "NOTICE",
        "extra_field": {"a": 1},
    }  # fmt: skip
    line = json.loads(formatter.format(failed))
    assert line["message"] == "failed %d"
    assert line["exception"].startswith("ValueError: invalid literal")
    assert "Traceback" in line["stack_trace"]
    record.structured_entry = StructuredLogEntry(message="own")
    assert json.loads(formatter.format(record))["message"] == "own"
