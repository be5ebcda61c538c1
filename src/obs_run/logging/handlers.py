"""Handlers: where records go beside the telemetry pipeline, and the one that writes files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.base import guard
from obs_run.base.guarded import guarded
from obs_run.files.rotating_file import RotatingFile
from obs_run.logging.entry import line
from obs_run.logging.levels import LogLevel, level_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from obs_run.logging.entry import StructuredLogEntry

    Write = Callable[[StructuredLogEntry], Any]

_OLD_SIZE = 10 * 1024 * 1024
_OLD_COUNT = 5


class LogHandler:
    """Takes records; a subclass has ``async _process_entry(entry)``, or ``write(entry)`` which is called at the call.

    ``write`` may be called from any thread, and so must be safe for that. Records below ``min_level`` do not come.
    """

    name = "unnamed"
    enabled = True
    min_level = LogLevel.TRACE

    def __init__(self, name: str, *, min_level: LogLevel | str | None = None) -> None:
        self.name = name
        self.enabled = True
        if min_level is not None:
            self.min_level = level_of(min_level)

    async def handle(self, entry: StructuredLogEntry) -> bool:
        """Take one record; False where the handler is disabled or failed, which is said once and never raised."""
        if not self.enabled:
            return False
        answer: Any = False
        with guarded(f"log handler {guard.shown(self.name)}"):
            answer = await self._process_entry(entry)
        return answer is not False

    async def _process_entry(self, entry: StructuredLogEntry) -> Any:
        """Do what the handler is for."""
        return self.write(entry)

    def write(self, entry: StructuredLogEntry) -> Any:
        """Do what the handler is for, at the call; False tells that it could not be done."""
        raise NotImplementedError(f"{type(self).__name__} has neither _process_entry nor write")

    def takes(self, level: LogLevel) -> bool:
        """Whether records of this level are for this handler."""
        return level.severity.number >= self.min_level.severity.number


class FileLogHandler(LogHandler):
    """Writes JSON lines to ``file_path``, shared by threads, processes and forks.

    The file is put aside when it would grow past ``max_size`` bytes or is ``max_age`` seconds old; ``backup_count`` of
    those put aside are kept, none longer than ``keep`` seconds (0: without limit). It is made with the first record,
    mode 0600 in a folder of mode 0700.
    """

    def __init__(
        self,
        name: str,
        file_path: Path | str,
        max_size: int = _OLD_SIZE,
        backup_count: int = _OLD_COUNT,
        *,
        max_age: float = 0.0,
        keep: float = 0.0,
        min_level: LogLevel | str | None = None,
    ) -> None:
        super().__init__(name, min_level=min_level)
        self.max_size, self.backup_count = max_size, backup_count
        self._file = RotatingFile(file_path, max_size, max_age, backup_count, keep)
        self.file_path: Path = self._file.path

    def write(self, entry: StructuredLogEntry) -> bool:
        """Append the record's line; False, after one warning, when the disk refuses it."""
        return self._file.write(f"{line(entry)}\n".encode())


def file_by_settings(name: str, file_name: str, min_level: LogLevel | None = None) -> FileLogHandler | None:
    """Return a handler for ``file_name`` as the settings OBS_LOG_* say; None where they say no files."""
    from pathlib import Path

    folder: str = settings.get("OBS_LOG_FOLDER")
    if folder.lower() == "none":
        return None
    return FileLogHandler(
        name,
        Path(folder).expanduser() / file_name,
        settings.get("OBS_LOG_FILE_BYTES"),
        settings.get("OBS_LOG_FILES"),
        max_age=settings.get("OBS_LOG_FILE_AGE"),
        keep=settings.get("OBS_LOG_KEEP"),
        min_level=min_level,
    )


def direct(handler: Any) -> Write | None:
    """Return what writes for ``handler`` at the call; None where a subclass must be awaited."""
    for kind in type(handler).__mro__:
        if kind is LogHandler:
            break
        own = vars(kind)
        if "write" in own:
            write: Write = handler.write
            return write
        if "_process_entry" in own or "handle" in own:
            return None
    return None
