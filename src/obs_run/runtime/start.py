"""What every process gets that records anything: watched forks, exits and threads, and the API's late providers."""

from obs_run.process import exit_hooks, flag, fork, import_hooks, run

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType
    from typing import Any

    Entries = Mapping[str, tuple[str, str]]

# Module to watch for -> module of ours and function in it that is called with the module.
_API: "Entries" = {
    "opentelemetry.trace": ("obs_run.runtime.start", "start_late"),
    "opentelemetry.metrics": ("obs_run.runtime.start", "start_late"),
    "opentelemetry._logs": ("obs_run.runtime.start", "start_late"),
    "pyfakefs.fake_filesystem_unittest": ("obs_run.runtime.fake_files", "install"),
    "time_machine": ("obs_run.coexistence.moved_clocks", "install"),
    "opentelemetry.baggage.propagation": ("obs_run.coexistence.baggage", "install"),
    "opentelemetry.propagators.jaeger": ("obs_run.coexistence.baggage", "install"),
    "opentelemetry.propagators.ot_trace": ("obs_run.coexistence.baggage", "install"),
    "opentelemetry.sdk.resources": ("obs_run.coexistence.foreign_warnings", "install"),
    "opentelemetry.util.re": ("obs_run.coexistence.foreign_warnings", "install"),
    "opentelemetry.exporter.otlp.proto.grpc.exporter": ("obs_run.coexistence.foreign_warnings", "install"),
}
# What reads variables of the environment as it is imported.
_READING = ("opentelemetry.context", "opentelemetry.propagate", "opentelemetry.sdk.trace")
_noticed: "set[str]" = set()
_prepared: "list[bool]" = []


def start_api() -> None:
    """Prepare a process that nobody launched, once: what its agent records with our API leaves with the process.

    Nothing is instrumented and there is no run span; these come with ``obs-run`` or ``import obs_run.auto``.
    """
    if not flag("OTEL_SDK_DISABLED", default=False):
        prepare()
        notice(_API)


def prepare() -> None:
    """Watch forks, exits and threads, once."""
    if _prepared:
        return
    _prepared.append(True)
    # Before any hook of the agent, so that ours is the last to run before a fork and at the exit.
    fork.install()
    run.watch_forks()
    run.when_required(_owe_run_span)
    exit_hooks.install()
    correct_variables()
    import_hooks.around_import("opentelemetry.sdk._logs._internal", _keep_shown_warnings)
    exit_hooks.change_exec_environment(_exec_environment)
    if flag("OBS_PROPAGATE_THREADS", default=True):
        # Before that there is nothing to carry.
        import_hooks.when_imported("opentelemetry.context", late("obs_run.context.threads", "install"))
        import_hooks.when_imported("multiprocessing.pool", late("obs_run.context.worker_tasks", "watch_thread_pools"))


def notice(modules: "Entries") -> None:
    """Have functions of ours called when modules are imported."""
    for module, (ours, function) in modules.items():
        if module not in _noticed:
            _noticed.add(module)
            import_hooks.when_imported(module, late(ours, function))


def late(ours: str, function: str) -> "Callable[[ModuleType], None]":
    """Return what imports a module of ours and calls a function in it, with the runtime installed."""

    def callback(module: "ModuleType") -> None:
        from obs_run.runtime import process_runtime

        process_runtime.install()
        getattr(__import__(ours, fromlist=[function]), function)(module)

    return callback


def start_late(module: "ModuleType") -> None:
    """Have one of the API's modules start our providers at its first use; called when it is imported."""
    from obs_run.runtime import process_runtime
    from obs_run.sdk import lazy_api

    lazy_api.install(module, process_runtime.runtime())
    if module.__name__ == "opentelemetry.trace":
        from obs_run.context import run_context

        run_context.when_cut(process_runtime.runtime().end_part_of_run)


def correct_variables() -> None:
    """Have OpenTelemetry's modules, as they are imported, read only what is right of the environment."""
    for module in _READING:
        import_hooks.around_import(module, _begin_correction)


def _keep_shown_warnings() -> "Callable[[], object]":
    from obs_run.process import shown_warnings

    return shown_warnings.keep()


def _begin_correction() -> "Callable[[], object]":
    from obs_run.process.standard_variables import corrected

    correction = corrected()
    correction.__enter__()
    return lambda: correction.__exit__(None, None, None)


def _owe_run_span() -> None:
    from obs_run.runtime import process_runtime

    process_runtime.runtime().owe_run_span()


def _exec_environment(arguments: "Any", named: "Any") -> "Any":
    from obs_run.context import children

    return children.exec_arguments(arguments, named)
