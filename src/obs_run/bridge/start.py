"""Has the log lines of this process read for what they tell, from the first one on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run import settings
from obs_run.base import guard
from obs_run.capture import foreign_lines, log_capture

if TYPE_CHECKING:
    from collections.abc import Callable
    from logging import LogRecord
    from types import FrameType, ModuleType

    from obs_run.bridge.engine import Bridge
    from obs_run.bridge.line_reader import LineReader


def install(logging: ModuleType) -> None:
    """Have records captured, and read unless that is switched off or nothing would come of it."""
    if read_lines():
        log_capture.observe(_observe)
    log_capture.install(logging)


def read_lines() -> bool:
    """Have lines that are written past the logging module read; return whether lines are to be read at all."""
    if settings.get("OBS_BRIDGE") == "off" or settings.get("OTEL_TRACES_EXPORTER") == ("none",):
        return False
    foreign_lines.read_with(_make_reader)
    return True


def _make_reader() -> LineReader:
    """Return what reads lines; what the making itself has to say is not read."""
    from obs_run.bridge import rule_sources
    from obs_run.bridge.line_reader import LineReader

    return LineReader(guard.call("rules", rule_sources.make_bridge), guard.call("bridge", _make_automatic))


def _make_automatic() -> Bridge | None:
    wanted = settings.get("OBS_BRIDGE")
    if wanted == "rules":
        return None
    from obs_run.bridge import evidence
    from obs_run.bridge.engine import Bridge

    return Bridge(frozenset(evidence.Evidence) if wanted == "automatic" else evidence.SURE)


def _observe(record: LogRecord, frame: FrameType) -> Callable[[], object] | None:
    reader = foreign_lines.reader()
    return None if reader is None else reader.observe(record, frame)
