"""The console handler: lines for people, coloured on a terminal, or JSON lines."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

from obs_run import privacy, settings
from obs_run.base.json_text import to_json
from obs_run.base.plain_values import Snapshot
from obs_run.logging.entry import is_safe, line
from obs_run.logging.handlers import LogHandler
from obs_run.logging.levels import LogLevel

if TYPE_CHECKING:
    from obs_run.logging.entry import StructuredLogEntry

_RESET = "\x1b[0m"
_COLOURS = {
    LogLevel.TRACE: "\x1b[90m",
    LogLevel.DEBUG: "\x1b[36m",
    LogLevel.INFO: "\x1b[32m",
    LogLevel.WARNING: "\x1b[33m",
    LogLevel.ERROR: "\x1b[31m",
    LogLevel.CRITICAL: "\x1b[1;31m",
}
_SHORT_ID = 8
# A message may hold what others sent: nothing of it shall command the terminal.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


class ConsoleLogHandler(LogHandler):
    """Writes to ``sys.stdout`` as it is at the call, or to ``stream``.

    ``colored`` colours on terminals only, and not where NO_COLOR is set. ``json`` is as OBS_LOG_CONSOLE says if None.
    """

    def __init__(
        self,
        name: str = "console",
        colored: bool = True,  # noqa: FBT001, FBT002 (as old code calls it)
        json: bool | None = None,  # noqa: FBT001 (as ``colored``)
        *,
        stream: Any = None,
        min_level: LogLevel | str | None = None,
    ) -> None:
        super().__init__(name, min_level=min_level)
        self.colored = colored
        self.json = settings.get("OBS_LOG_CONSOLE") == "json" if json is None else json
        self._stream = stream

    def write(self, entry: StructuredLogEntry) -> bool:
        """Write the record's lines in one piece; False where there is no console, or it is closed."""
        stream = sys.stdout if self._stream is None else self._stream
        if stream is None or getattr(stream, "closed", False):
            return False
        text = line(entry) if self.json else human(entry, coloured=self.colored and _on_terminal(stream))
        try:
            stream.write(text + "\n")
        except UnicodeEncodeError:
            encoding = getattr(stream, "encoding", None) or "ascii"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        return True


def human(entry: StructuredLogEntry, *, coloured: bool = False) -> str:
    """Return a record as lines for people."""
    if not is_safe(entry):
        entry = _safe(entry)
    at = datetime.fromtimestamp(entry.timestamp).astimezone()
    level = entry.level.name
    if coloured:
        level = f"{_COLOURS[entry.level]}{level}{_RESET}"
    words = [f"[{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}]", level, f"[{entry.category.value}]"]
    context = entry.context.__dict__
    words.append(_shown(entry.message))
    identity = context.get("correlation_id")
    if identity:
        words.append(f"(ID: {_shown(identity)[:_SHORT_ID]})")
    if context.get("agent_id"):
        words.append(f"[Agent: {_shown(context['agent_id'])}]")
    if entry.performance_metrics:
        words.append(f"[Metrics: {_pairs(entry.performance_metrics)}]")
    if entry.data:
        words.append(_pairs(entry.data))
    lines = [" ".join(words)]
    if entry.stack_trace:
        lines.append(_shown(entry.stack_trace).rstrip("\n"))
    elif entry.exception:
        lines.append(_shown(entry.exception))
    return "\n".join(lines)


def _pairs(values: dict[str, Any]) -> str:
    return " ".join(
        f"{_shown(name)}={_shown(value if type(value) is str else to_json(value))}" for name, value in values.items()
    )


def _shown(value: Any) -> str:
    text = value if type(value) is str else str(value)
    return text if text.isprintable() else text.translate(_CONTROLS)


def _safe(entry: StructuredLogEntry) -> StructuredLogEntry:
    """Return an entry that somebody else made, plain and scrubbed."""
    from obs_run.logging.entry import LogContext, StructuredLogEntry, mark_safe
    from obs_run.logging.levels import category_of, level_of

    fields = privacy.scrubber().value(None, Snapshot().value(entry.to_dict()))
    fields.pop("iso_timestamp", None)
    fields.update(level=level_of(fields["level"]), category=category_of(fields["category"]))
    fields.update(timestamp=float(fields["timestamp"]), context=LogContext.of(fields["context"]))
    return mark_safe(StructuredLogEntry(**fields))


def _on_terminal(stream: Any) -> bool:
    isatty = getattr(stream, "isatty", None)
    return isatty is not None and bool(isatty()) and not os.environ.get("NO_COLOR")
