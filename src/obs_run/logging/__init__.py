"""Structured logging: every call is a record of telemetry at once, and goes to the handlers.

Old code that awaits its log calls runs as it is; code that doesn't, and code without an event loop, does too.
"""

# Now, and not in the midst of a record: a signal handler that logs would find them half imported.
import opentelemetry.baggage
import opentelemetry.context  # noqa: F401

from obs_run import settings
from obs_run.core import threads
from obs_run.logging.console import ConsoleLogHandler
from obs_run.logging.decorators import log_exceptions, log_function_calls
from obs_run.logging.distributed_logger import DistributedLogger, get_distributed_logger, setup_default_handlers
from obs_run.logging.entry import LogContext, StructuredLogEntry
from obs_run.logging.formatter import LogFormatter
from obs_run.logging.handlers import FileLogHandler, LogHandler
from obs_run.logging.levels import LogCategory, LogLevel
from obs_run.logging.remote import RemoteLogHandler
from obs_run.logging.shortcuts import log_error, log_info, log_performance

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

threads.install()
if settings.get("OBS_LOG_CONSOLE") == "json":
    import logging

    from obs_run.sdk import log_console

    log_console.install(logging)
