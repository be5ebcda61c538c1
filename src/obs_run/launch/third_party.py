"""Instrumentors of other distributions: each is looked up when its library arrives, and none can stop another.

A scan of entry points takes 10 to 75 ms, in each process. The folder of the namespace package
``opentelemetry.instrumentation`` tells in a fraction of a millisecond which there may be.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

# Folder of the instrumentor -> what it instruments, where that is called otherwise.
_LIBRARIES = {
    "aiohttp_client": "aiohttp",
    "aiohttp_server": "aiohttp.web",
    "confluent_kafka": "confluent_kafka",
    "grpc": "grpc",
    "httpx": "httpx",
    "kafka": "kafka",
    "mysql": "mysql.connector",
    "mysqlclient": "MySQLdb",
    "tortoiseorm": "tortoise",
    "urllib": "urllib.request",
}
# Helpers of others, and what would double our own: logs are captured by the log bridge, runs by the run span.
_NOT_WATCHED = frozenset(
    [
        "asgi",
        "asyncio",
        "auto_instrumentation",
        "aws_lambda",
        "boto",
        "dbapi",
        "distro",
        "exceptions",
        "logging",
        "openai_v2",
        "system_metrics",
        "threading",
        "utils",
        "wsgi",
        "__pycache__",
    ]
)
_outcomes: dict[str, str] = {}


def ours() -> frozenset[str]:
    """Return the names of the libraries that we instrument ourselves."""
    from obs_instrumentors import TABLE

    return frozenset(module.partition(".")[0] for module in TABLE)


def outcomes() -> dict[str, str]:
    """Return what became of each instrumentor whose library arrived: "active", or why not."""
    return dict(_outcomes)


def watch() -> None:
    """Wait for the libraries that installed instrumentors are for."""
    from obs_run.launch import import_hooks

    known = ours()
    for name in sorted(set(_installed()) - _NOT_WATCHED - known):
        import_hooks.when_imported(_LIBRARIES.get(name, name), _activation(name))


def _installed() -> Iterator[str]:
    for folder in sys.path:
        instrumentors = os.path.join(folder, "opentelemetry", "instrumentation")
        if os.path.isdir(instrumentors):
            yield from os.listdir(instrumentors)


def _activation(name: str) -> Callable[[ModuleType], None]:
    def activate(_: ModuleType) -> None:
        from obs_run import settings

        disabled = settings.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS") or ()
        if name in disabled or "*" in disabled:
            _outcomes[name] = "switched off by OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
            return
        from importlib.metadata import entry_points

        for entry_point in entry_points(group="opentelemetry_instrumentor"):
            if entry_point.module.split(".")[2:3] == [name]:
                _outcomes[entry_point.name] = "failed"
                entry_point.load()().instrument()
                _outcomes[entry_point.name] = "active"

    return activate
