"""Variables that OpenTelemetry's own packages read, and that stop them where they are wrong."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.process import fork
from obs_run.process.unpatched import allocate_lock, get_ident

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMES = (
    "OTEL_PROPAGATORS",
    "OTEL_PYTHON_CONTEXT",
    "OTEL_METRICS_EXEMPLAR_FILTER",
    "OTEL_RESOURCE_ATTRIBUTES",
    *settings.LIMIT_NAMES,
)
_DETECTORS = "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS"
"""What is detected with it is in no telemetry of ours, and the SDK logs a traceback for a name that is not there."""


class _Correction:
    """The variables as they were, while anything reads them corrected, in whatever threads at once."""

    def __init__(self) -> None:
        # Held for the change alone: what is imported meanwhile waits for other threads that import.
        self._lock = allocate_lock()
        self._readers: list[int] = []
        """The threads that read, each as often as it does."""
        self._before: dict[str, str] = {}

    def begin(self) -> None:
        """Put what is right in the place of what is wrong."""
        with self._lock:
            if not self._readers:
                self._before = {name: os.environ[name] for name in (*_NAMES, _DETECTORS) if name in os.environ}
                for name, text in self._before.items():
                    _put(name, None if name == _DETECTORS else _right_text(name, text))
            self._readers.append(get_ident())

    def end(self) -> None:
        """Put back what was there, if nobody else reads."""
        with self._lock:
            self._readers.remove(get_ident())
            if not self._readers:
                os.environ.update(self._before)

    def begin_in_child(self) -> None:
        """Go on in a child process, without the parent's other threads."""
        self._lock = allocate_lock()
        others_read = bool(self._readers)
        self._readers = [thread for thread in self._readers if thread == get_ident()]
        if others_read and not self._readers:
            os.environ.update(self._before)


_correction = _Correction()
fork.register(fork.PROVIDERS, "variables", in_child=_correction.begin_in_child)


@contextmanager
def corrected() -> Iterator[None]:
    """Have OpenTelemetry's packages read what is right of each variable; ``settings`` says what is wrong.

    They read the environment themselves and raise into whoever imports them first, so it is changed for that moment.
    """
    present = [name for name in _NAMES if name in os.environ]
    if not present and _DETECTORS not in os.environ:
        yield
        return
    _correction.begin()
    try:
        yield
    finally:
        _correction.end()
    for name in present:
        # What is wrong is said where it is read.
        settings.get(name)


def _right_text(name: str, text: str) -> str | None:
    """Return what stands for ``text``; None where nothing of it is right."""
    value: Any = settings.lookup(name).value
    if not text.strip() or value is None:
        return None
    if name == "OTEL_PROPAGATORS":
        return ",".join(value)
    if name == "OTEL_RESOURCE_ATTRIBUTES":
        from urllib.parse import quote

        return ",".join(f"{key}={quote(each, safe='', errors='surrogateescape')}" for key, each in value.items())
    return str(value)


def _put(name: str, text: str | None) -> None:
    if text is None:
        del os.environ[name]
    else:
        os.environ[name] = text
