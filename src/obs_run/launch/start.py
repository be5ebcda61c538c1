"""What happens in every process at its start: a few names are noted, nothing is loaded."""

from __future__ import annotations

import os

from obs_run.coexistence import third_party
from obs_run.process import exit_hooks, fork, import_hooks, run
from obs_run.process.variables import flag

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from obs_run.process.exit_hooks import Leaving

_started = ""
_pid = 0
_prepared = False
_noticed: set[str] = set()

# Module to watch for -> module of ours and function in it that is called with the module.
_RUN = {
    "logging": ("obs_run.capture.log_capture", "install"),
    "opentelemetry.context": ("obs_run.context.runtime_context", "install"),
}
_API = {
    "opentelemetry.trace": ("obs_run.sdk.lazy_api", "install"),
    "opentelemetry.metrics": ("obs_run.sdk.lazy_api", "install"),
    "opentelemetry._logs": ("obs_run.sdk.lazy_api", "install"),
    "opentelemetry.baggage.propagation": ("obs_run.coexistence.baggage", "install"),
    "opentelemetry.propagators.jaeger": ("obs_run.coexistence.baggage", "install"),
    "opentelemetry.propagators.ot_trace": ("obs_run.coexistence.baggage", "install"),
    "opentelemetry.sdk.resources": ("obs_run.coexistence.foreign_warnings", "install"),
    "opentelemetry.util.re": ("obs_run.coexistence.foreign_warnings", "install"),
    "opentelemetry.exporter.otlp.proto.grpc.exporter": ("obs_run.coexistence.foreign_warnings", "install"),
}
_CHILDREN = {
    "subprocess": ("obs_run.context.children", "patch_subprocess"),
    "multiprocessing.process": ("obs_run.context.children", "patch_multiprocessing"),
    "mcp.client.stdio": ("obs_run.context.children", "patch_mcp_stdio"),
}


def start(how: str) -> None:
    """Prepare this process, once; ``how`` says who asked: "sitecustomize", "hook" or "auto"."""
    global _started, _pid
    if _started or flag("OTEL_SDK_DISABLED", default=False):
        return
    _started, _pid = how, os.getpid()
    run.note_start()
    _prepare()
    _notice(_RUN)
    _notice(_API)
    if flag("OBS_PROPAGATE_CHILDREN", default=True):
        _notice(_CHILDREN)
    _watch_instrumented()
    third_party.watch()
    if flag("OBS_VERBOSE", default=False):
        exit_hooks.on_leave(_summary)
    if flag("OBS_EAGER", default=False):
        from obs_run.sdk import providers

        providers.set_up()


def start_api() -> None:
    """Prepare a process that nobody launched, once: what its agent records with our API leaves with the process.

    Nothing is instrumented and there is no run span; these come with ``obs-run`` or ``import obs_run.auto``.
    """
    if not flag("OTEL_SDK_DISABLED", default=False):
        _prepare()
        _notice(_API)


def _prepare() -> None:
    global _prepared
    if _prepared:
        return
    _prepared = True
    # Before any hook of the agent, so that ours is the last to run before a fork and at the exit.
    fork.install()
    run.watch_forks()
    exit_hooks.install()
    if flag("OBS_PROPAGATE_THREADS", default=True):
        # Before that there is nothing to carry.
        import_hooks.when_imported("opentelemetry.context", _late("obs_run.context.threads", "install"))


def started() -> str:
    """Return who started obs-run in this process, or an empty string."""
    return _started


def in_this_process() -> bool:
    """Whether obs-run was started in this very process, and not in one that forked it."""
    return os.getpid() == _pid


def _notice(modules: dict[str, tuple[str, str]]) -> None:
    for module, (ours, function) in modules.items():
        if module not in _noticed:
            _noticed.add(module)
            import_hooks.when_imported(module, _late(ours, function))


def _summary(left: Leaving) -> None:
    from obs_run.runtime import summary

    summary.tell_what_was_instrumented(left)


def _late(ours: str, function: str) -> Callable[[ModuleType], None]:
    def callback(module: ModuleType) -> None:
        getattr(__import__(ours, fromlist=[function]), function)(module)

    return callback


def _watch_instrumented() -> None:
    from obs_instrumentors import TABLE

    for module, instrumentor in TABLE.items():
        import_hooks.when_imported(module, _instrument(instrumentor))


def _instrument(instrumentor: str) -> Callable[[ModuleType], None]:
    def callback(module: ModuleType) -> None:
        from obs_run.core.hooks import instrument

        instrument(instrumentor, module)

    return callback
