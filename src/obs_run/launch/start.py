"""What happens in every process at its start: a few names are noted, nothing is loaded."""

import _signal
import os

from obs_run.base import guard, stand_in
from obs_run.process import exit_hooks, flag, import_hooks, own_imports, relay, run
from obs_run.runtime import start as runtime_start

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from obs_run.process.exit_sequence import ExitInfo

_starters: "list[str]" = []
_UNASKED = ("sitecustomize", "hook")

# Module to watch for -> module of ours and function in it that is called with the module.
_RUN = {
    "logging": ("obs_run.bridge.start", "install"),
    "loguru._handler": ("obs_run.capture.loguru_capture", "install"),
    "loguru._simple_sinks": ("obs_run.capture.loguru_capture", "install_sinks"),
    "structlog._base": ("obs_run.capture.structlog_capture", "install"),
    "structlog._native": ("obs_run.capture.structlog_capture", "install_awaited"),
    "structlog.stdlib": ("obs_run.capture.structlog_capture", "install_awaited_of_stdlib"),
    "opentelemetry.context": ("obs_run.context.runtime_context", "install"),
    "opentelemetry.util.genai.invocation": ("obs_run.coexistence.util_genai", "install"),
}
_CONSOLE = {"logging": ("obs_run.logging.console_lines", "install")}
_CHILDREN = {
    "subprocess": ("obs_run.context.children", "patch_subprocess"),
    "multiprocessing.process": ("obs_run.context.children", "patch_multiprocessing"),
    "multiprocessing.pool": ("obs_run.context.worker_tasks", "watch_process_pools"),
    "concurrent.futures.process": ("obs_run.context.worker_tasks", "watch_executors"),
    "mcp.client.stdio": ("obs_run.context.children", "patch_mcp_stdio"),
}


def start(how: str) -> None:
    """Prepare this process, once; ``how`` says who asked: "sitecustomize", "hook", "distro" or "auto"."""
    if _starters or flag("OTEL_SDK_DISABLED", default=False):
        return
    if how in _UNASKED and _is_subinterpreter():
        # It has no signals, may have no threads, and must have none left when it ends.
        return
    _starters.append(how)
    own_imports.note_path()
    again = guard.call("imports", own_imports.load_beside_namesake) if how in _UNASKED else None
    if again is not None:
        again.start(how)
        return
    run.note_start()
    guard.call("relay", relay.announce, run.started_ns())
    runtime_start.prepare()
    if os.environ.get("OBS_LOG_CONSOLE", "").strip().lower() == "json":
        for module, (ours, function) in _CONSOLE.items():
            import_hooks.when_imported(module, runtime_start.late(ours, function))
    runtime_start.notice(_RUN)
    runtime_start.start_api()
    guard.call("OTEL_CONFIG_FILE", _watch_configuration)
    if os.environ.get("OBS_WRAP"):
        guard.call("OBS_WRAP", _wrap_own_code)
    if flag("OBS_BRIDGE_STDOUT", default=False):
        guard.call("printed lines", _watch_output)
    if os.environ.get("OBS_VENDOR_TELEMETRY", "").strip().lower() == "off":
        from obs_run.launch import vendor_telemetry

        vendor_telemetry.switch_off()
    if flag("OBS_PROPAGATE_CHILDREN", default=True):
        runtime_start.notice(_CHILDREN)
        stand_in.replace_in_os("system", _make_system)
        stand_in.replace_in_os("posix_spawn", _make_spawn)
        stand_in.replace_in_os("posix_spawnp", _make_spawn)
    import_hooks.before_libraries(_watch_libraries)
    exit_hooks.on_abnormal_exit(_record_run)
    if flag("OBS_VERBOSE", default=False):
        exit_hooks.on_exit(_summarize)
    if flag("OBS_EAGER", default=False):
        from obs_run.runtime import process_runtime

        process_runtime.runtime().set_up()


def _wrap_own_code() -> None:
    from obs_run.wrapping import start as wrapping_start

    wrapping_start.install()


def _watch_configuration() -> None:
    """Have a file that cannot be read be said by an agent, too, that does nothing for which it would be read."""
    path = os.environ.get("OTEL_CONFIG_FILE", "").strip()
    if not path or (os.access(path, os.R_OK) and os.path.isfile(path)):
        return
    from obs_run.process import exit_hooks

    def say(_info: "ExitInfo") -> None:
        from obs_run.sdk import config_file

        config_file.say_unreadable(path)

    exit_hooks.on_exit(say)


def _is_subinterpreter() -> bool:
    """Whether the agent made this interpreter inside its process; asked in the thread that starts an interpreter."""
    try:
        # Python looks first who asks, and refuses all but the main thread of the main interpreter.
        _signal.signal(0, _signal.SIG_DFL)
    except ValueError as refusal:
        return "main interpreter" in str(refusal)
    return False


def _watch_output() -> None:
    """Have printed lines recorded, on request alone: it costs something at the start."""
    from obs_run.bridge import start as bridge_start
    from obs_run.capture import printed_lines
    from obs_run.runtime import process_runtime

    process_runtime.install()
    bridge_start.read_lines()
    printed_lines.install()


def started() -> str:
    """Return who started obs-run in this process, or an empty string."""
    return _starters[0] if _starters else ""


def _record_run(info: "ExitInfo") -> None:
    """Have a run recorded that fails or is killed, also where nothing else of it was."""
    from obs_run.runtime import process_runtime

    process_runtime.runtime().record_abnormal_run(info)


def _summarize(info: "ExitInfo") -> None:
    from obs_run.runtime import summary

    summary.tell_what_was_instrumented(info)


def _make_system(original: "Any") -> "Callable[[], Any]":
    def called() -> "Any":
        guard.call("environment of a child", prepare)
        return original

    def prepare() -> None:
        from obs_run.context import children

        children.prepare_system()

    return called


def _make_spawn(original: "Any") -> "Callable[[], Any]":
    def spawn(*arguments: "Any", **named: "Any") -> "Any":
        arguments, named = guard.call("environment of a child", prepare, arguments, named, default=(arguments, named))
        with stand_in.no_frame:
            return original(*arguments, **named)

    def prepare(arguments: "Any", named: "Any") -> "Any":
        from obs_run.context import children

        return children.exec_arguments(arguments, named)

    return lambda: spawn


def _watch_libraries() -> None:
    """Wait for libraries; most of the processes that an agent starts load none."""
    from obs_run.launch import libraries

    libraries.watch()
