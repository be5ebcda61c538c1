"""Structured logging: every call is a record of telemetry at once, and goes to the handlers.

Old code that awaits its log calls runs as it is; code that doesn't, and code without an event loop, does too.
"""

from obs_run.runtime.start import start_api

start_api()

# Now, and not in the midst of a record: a signal handler that logs would find them half imported.
import opentelemetry.baggage  # noqa: E402 (what is imported meets what was prepared)
import opentelemetry.context  # noqa: E402, F401

import obs_run.process.exit_code  # noqa: E402
import obs_run.process.exit_sequence  # noqa: E402
import obs_run.process.program  # noqa: E402
import obs_run.runtime.in_process  # noqa: E402, F401
from obs_run import settings  # noqa: E402
from obs_run.logging.console import ConsoleLogHandler  # noqa: E402
from obs_run.logging.decorators import log_exceptions, log_function_calls  # noqa: E402
from obs_run.logging.distributed_logger import (  # noqa: E402
    DistributedLogger,
    get_distributed_logger,
    setup_default_handlers,
)
from obs_run.logging.entry import LogContext, StructuredLogEntry  # noqa: E402
from obs_run.logging.formatter import LogFormatter  # noqa: E402
from obs_run.logging.handlers import FileLogHandler, LogHandler  # noqa: E402
from obs_run.logging.levels import LogCategory, LogLevel  # noqa: E402
from obs_run.logging.remote import RemoteLogHandler  # noqa: E402
from obs_run.logging.shortcuts import log_error, log_info, log_performance  # noqa: E402

__all__ = [
    "ConsoleLogHandler",
    "DistributedLogger",
    "FileLogHandler",
    "LogCategory",
    "LogContext",
    "LogFormatter",
    "LogHandler",
    "LogLevel",
    "RemoteLogHandler",
    "StructuredLogEntry",
    "get_distributed_logger",
    "log_error",
    "log_exceptions",
    "log_function_calls",
    "log_info",
    "log_performance",
    "setup_default_handlers",
]

if settings.get("OBS_LOG_CONSOLE") == "json":
    import logging

    from obs_run.logging import console_lines

    console_lines.install(logging)
