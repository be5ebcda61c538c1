"""Reads log files of the usual formats: when a line was written, at which level, by which logger, and what it says."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_TIME = re.compile(rf"[\[(]?(?P<time>\d{{4}}[-/]\d\d[-/]\d\d[T ]{_CLOCK}(?:Z|[+-]\d\d:?\d\d)?|{_CLOCK})[\])]?")
_LEVEL = re.compile(
    r"[\[(<]?\s*(?P<level>TRACE|DEBUG|INFO|NOTICE|SUCCESS|WARNING|WARN|ERROR|CRITICAL|FATAL)\s*[\])>]?(?=[\s:|\]-]|$)",
    re.IGNORECASE,
)
_LOGURU = re.compile(r"(?P<name>[\w.]+):(?P<function>[\w<>]+):(?P<line>\d+) - ")
_LOGGER = re.compile(
    r"\[?(?P<name>[A-Za-z_][\w.-]*)\]?(?=\s-\s|\s?:\s|:(?=\S)|\s?\|)|\[(?P<only>[A-Za-z_][\w.-]*)\](?=\s)"
)
_BETWEEN = re.compile(r"[\s:|-]*")
_LEVELS = {
    "trace": 5, "debug": 10, "info": 20, "notice": 20, "success": 25, "warn": 30, "warning": 30, "error": 40,
    "critical": 50, "fatal": 50,
}  # fmt: skip
_MESSAGES = ("message", "msg", "event", "body", "text")
_LEVEL_KEYS = ("level", "levelname", "severity", "severity_text", "lvl", "log.level")
_LOGGERS = ("logger", "name", "logger_name", "agent", "scope")
_TIMES = ("timestamp", "time", "asctime", "ts", "@timestamp", "created")
_INFO = 20
_LONGEST_LINE = 10_000
_MOST_PARTS = 6
_TRACEBACK = "Traceback (most recent call last):"


class Line(NamedTuple):
    """A line of a log file."""

    number: int
    text: str
    level: int = _INFO
    logger: str = ""
    seconds: float | None = None
    """When it was written, by the clock of its file."""
    fields: Mapping[str, Any] = {}
    file: str = ""
    function: str = ""
    line: int = 0
    """Where in the program it was written."""


def read_lines(lines: Iterable[str]) -> Iterator[Line]:
    """Yield the lines that records begin with; what goes on below, as a traceback does, is left out."""
    has_heads = is_traceback = False
    for number, raw in enumerate(lines, 1):
        text = raw.rstrip("\r\n")[:_LONGEST_LINE]
        if not text.strip():
            continue
        was_traceback, is_traceback = is_traceback, text == _TRACEBACK or (is_traceback and text[0] == " ")
        if is_traceback:
            continue
        line = _read_json(number, text) if text.lstrip().startswith("{") else None
        if line is None:
            line, has_head = _read_text(number, text)
            # The line of the exception is the first that is not indented.
            if (has_heads or was_traceback) and not has_head:
                continue
            has_heads = has_heads or has_head
        yield line


def _read_json(number: int, text: str) -> Line | None:
    try:
        content = json.loads(text)
    except ValueError:
        return None
    if not isinstance(content, dict):
        return None
    message = _first(content, _MESSAGES)
    if message is None:
        return None
    level = _first(content, _LEVEL_KEYS)
    return Line(
        number,
        str(message),
        level if isinstance(level, int) else _LEVELS.get(str(level).lower(), _INFO),
        str(_first(content, _LOGGERS) or ""),
        _seconds(_first(content, _TIMES)),
        content,
        str(content.get("pathname") or content.get("code.file.path") or ""),
        str(content.get("funcName") or content.get("code.function.name") or ""),
        _number(content.get("lineno") or content.get("code.line.number")),
    )


def _first(content: Mapping[str, Any], keys: Iterable[str]) -> Any:
    return next((content[key] for key in keys if content.get(key) is not None), None)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _read_text(number: int, text: str) -> tuple[Line, bool]:
    """Return a line, and whether time or level stand before what it says."""
    head = _Head(text)
    said = text[_skip(text, head.end) :]
    line = Line(number, said, head.level or _INFO, head.logger, head.seconds, {}, "", head.function, head.line)
    return line, head.has_begun()


class _Head:
    """What stands before what a line says: time and level, in either order, and the logger."""

    def __init__(self, text: str) -> None:
        self.seconds: float | None = None
        self.level: int | None = None
        self.logger = self.function = ""
        self.line = self.end = 0
        for _ in range(_MOST_PARTS):
            self.end = _skip(text, self.end)
            if not (self._read_time(text) or self._read_level(text) or self._read_logger(text)):
                break

    def has_begun(self) -> bool:
        """Whether there are a time or a level."""
        return self.seconds is not None or self.level is not None

    def _read_time(self, text: str) -> bool:
        match = _TIME.match(text, self.end) if self.seconds is None else None
        if match is None:
            return False
        self.seconds, self.end = _seconds(match.group("time")), match.end()
        return True

    def _read_level(self, text: str) -> bool:
        match = _LEVEL.match(text, self.end) if self.level is None else None
        if match is None or not (self.seconds is not None or match.group("level").isupper()):
            return False
        self.level, self.end = _LEVELS[match.group("level").lower()], match.end()
        return True

    def _read_logger(self, text: str) -> bool:
        """Read the name of the logger; return whether more may follow."""
        if not self.has_begun():
            return False
        loguru = _LOGURU.match(text, self.end)
        if loguru is not None:
            self.logger, self.function, self.line = loguru.group("name"), loguru.group("function"), int(loguru["line"])
            self.end = loguru.end()
            return False
        match = None if self.logger else _LOGGER.match(text, self.end)
        if match is None:
            return False
        self.logger, self.end = match.group("name") or match.group("only"), match.end()
        return True


def _skip(text: str, at: int) -> int:
    match = _BETWEEN.match(text, at) if at else None
    return at if match is None else match.end()


def _seconds(value: Any) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value) / (1e9 if value > 1e17 else 1e3 if value > 1e11 else 1)  # noqa: PLR2004 (ns, ms)
    if not isinstance(value, str):
        return None
    text = value.replace(",", ".").replace("/", "-").replace("Z", "+00:00")
    text = re.sub(
        r"(\.\d{6})\d+", r"\1", re.sub(r"\.(\d{1,5})(?!\d)", lambda match: "." + match.group(1).ljust(6, "0"), text)
    )
    try:
        moment = datetime.fromisoformat(text if "-" in text[:8] else f"1970-01-01T{text}")
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
