"""OpenTelemetry's declarative configuration: where a user has one, it decides and we step aside."""

from __future__ import annotations

import logging

from obs_run.base import guard
from obs_run.base.masking import masked_path


def configure(path: str) -> None:
    """Set the providers up as the file says; without the package for it, say so in one line."""
    if say_unreadable(path):
        return
    try:
        from opentelemetry.configuration import configure_sdk, load_config_file
    except ImportError:
        guard.warn_once(
            "OTEL_CONFIG_FILE: the package that reads it is missing: pip install opentelemetry-configuration"
        )
        return
    from obs_run.sdk import foreign_exporters

    # The package logs a traceback for each mistake in the file and raises it too.
    logger = logging.getLogger("opentelemetry.configuration")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        configure_sdk(load_config_file(path))
        foreign_exporters.scrub_all()
    except Exception as error:  # noqa: BLE001 (a wrong file has many faces, the user needs one line)
        first_line = str(error).strip().splitlines()[:1]
        guard.warn_once(f"OTEL_CONFIG_FILE: {path} cannot be used: {''.join(first_line) or type(error).__name__}")
    else:
        guard.warn_once(f"OTEL_CONFIG_FILE: {path} decides on providers and exporters; obs-run sets up none of its own")
    finally:
        logger.setLevel(level)


def say_unreadable(path: str) -> bool:
    """Say, once, that the file cannot be read; False where it can."""
    problem = unreadable(path)
    if problem is not None:
        guard.warn_once(f"OTEL_CONFIG_FILE: {problem}; nothing is exported")
    return problem is not None


def unreadable(path: str) -> str | None:
    """Return why the file cannot be read, None if it can."""
    try:
        with open(path, "rb"):  # noqa: PTH123 (pathlib is not loaded for this)
            return None
    except (OSError, ValueError) as error:
        return f"{masked_path(path)} cannot be read ({getattr(error, 'strerror', None) or error})"
