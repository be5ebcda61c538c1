"""Spans as lines of JSON in a file that several processes share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.base import guard
from obs_run.base.noop_awaitable import NOOP_AWAITABLE
from obs_run.files.rotating_file import RotatingFile
from obs_run.tracing.attribute_values import as_json
from obs_run.tracing.recorders import SpanRecorder
from obs_run.tracing.scrubbed_spans import scrubbed
from obs_run.tracing.span import Span, from_dict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator
    from pathlib import Path


class FileSpanRecorder(SpanRecorder):
    """Appends each span to a file at its end, scrubbed as OBS_PRIVACY says; what is written outlives the process.

    ``max_size`` in bytes and ``backup_count`` say when the file is put aside and how many of those are kept; else the
    settings of log files hold. The file is its owner's alone.
    """

    def __init__(self, file_path: Path | str, max_size: int | None = None, backup_count: int | None = None) -> None:
        self._file = RotatingFile(
            file_path,
            max_bytes=settings.get("OBS_LOG_FILE_BYTES") if max_size is None else max_size,
            max_age=settings.get("OBS_LOG_FILE_AGE"),
            files=settings.get("OBS_LOG_FILES") if backup_count is None else backup_count,
            keep=settings.get("OBS_LOG_KEEP"),
        )

    @property
    def file_path(self) -> Path:
        """The file."""
        return self._file.path

    def record_span(self, span: Span) -> Awaitable[Any]:
        """Write one span."""
        guard.call("span file", self._write, span)
        return NOOP_AWAITABLE

    def _write(self, span: Span) -> None:
        self._file.write(as_json(scrubbed(span)).encode("utf-8", "replace") + b"\n")

    def get_spans(self, trace_id: str | None = None) -> list[Span]:
        """Return the spans in the file and in those put aside, or those of one trace, the oldest first."""
        return [span for span in self._read() if trace_id is None or span.context.trace_id == trace_id]

    def _read(self) -> Iterator[Span]:
        path = self._file.path
        aside: list[Path] = []
        while (older := path.with_name(f"{path.name}.{len(aside) + 1}")).exists():
            aside.append(older)
        for each in (*reversed(aside), path):
            lines = each.read_bytes().splitlines() if each.exists() else ()
            for line in lines:
                try:
                    yield from_dict(json.loads(line))
                except (KeyError, TypeError, ValueError):  # noqa: PERF203 (one line must not spoil the others)
                    guard.warn_once(f"{each}: lines that are no spans are left out", about=str(path))
