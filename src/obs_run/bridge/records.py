"""What a record of the logging module brings: its text, its fields, and the frame that it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.capture import foreign_lines, log_capture

if TYPE_CHECKING:
    from logging import LogRecord
    from types import FrameType

_LIBRARIES = frozenset(("logging", "obs_run", "loguru", "structlog"))
"""Those whose functions log for whoever calls them."""


def frame_of(record: LogRecord, frame: FrameType | None) -> FrameType | None:
    """Return the frame that a record comes from."""
    return foreign_lines.frame_at(record.pathname, record.lineno, frame)


def helper_of(caller: FrameType, frame: FrameType | None) -> str | None:
    """Return the name of the function that logs in the name of ``caller``, as with ``stacklevel=2``; None for none."""
    called = None
    while frame is not None and frame is not caller:
        called, frame = frame, frame.f_back
    if called is None or foreign_lines.package_of(called) in _LIBRARIES:
        return None
    return called.f_code.co_name


def fields_of(record: LogRecord) -> dict[str, str]:
    """Return what the agent gave a record beside its text."""
    given = record.__dict__.items()
    return foreign_lines.plain_fields({name: value for name, value in given if name not in log_capture.RECORD_FIELDS})
