"""Variables that OpenTelemetry's own packages read, and that stop them where they are wrong."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from obs_run import settings

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
_correcting = threading.RLock()


@contextmanager
def corrected() -> Iterator[None]:
    """Have OpenTelemetry's packages read what is right of each variable; ``settings`` says what is wrong.

    They read the environment themselves and raise into whoever imports them first, so it is changed for that moment.
    """
    if not any(name in os.environ for name in (*_NAMES, _DETECTORS)):
        yield
        return
    with _correcting:
        before = {name: os.environ[name] for name in (*_NAMES, _DETECTORS) if name in os.environ}
        for name, text in before.items():
            _put(name, None if name == _DETECTORS else _right_text(name, text))
        try:
            yield
        finally:
            os.environ.update(before)
        for name in before.keys() & set(_NAMES):
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
