"""Children continue the trace of their parent: subprocess, multiprocessing, MCP servers over stdio, exec."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from obs_run.base import guard, method_stand_ins, stand_in
from obs_run.base.guarded import guarded
from obs_run.context import process_environment, propagation, worker_tasks
from obs_run.process import flag, run
from obs_run.process.variables import add_bootstrap

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType, ModuleType

_ATTRIBUTE = "_obs_run_context"
_ENV = 2  # position of `env` among the arguments of os.execve and os.posix_spawn


def environment(env: Any, program: Any) -> Any:
    """Return the environment for a child that gets ``env`` and runs ``program``.

    An environment that does not carry our variables was emptied on purpose, or is for something else: it stays.
    """
    return guard.call("environment of a child", _environment, env, program, default=env)


def _environment(env: Mapping[Any, Any] | None, program: Any) -> Any:
    ours = os.environ.get("OBS_RUN")
    if env is None:
        inherit(program)
        return None
    if not ours or env.get("OBS_RUN") != ours:
        return env
    joined = dict(env)
    add_bootstrap(joined, ours)  # PYTHONPATH replaced by someone who wanted to add to it
    joined.update(_context_of_children())
    if is_python(program):
        run.require()
    return joined


def inherit(program: Any) -> None:
    """Prepare this process for a child that inherits its environment and runs ``program``."""
    if is_python(program):
        run.require()
    # Last of all, for another thread may start a child, too.
    process_environment.put(_context_of_children())


def _add_context(entries: list[bytes], program: Any) -> None:
    """Add ours to an environment that ``subprocess`` has made of the agent's, if it carries our variables."""
    ours = os.environ.get("OBS_RUN")
    if not ours or os.fsencode(f"OBS_RUN={ours}") not in entries:
        return
    path = next((entry for entry in entries if entry.startswith(b"PYTHONPATH=")), b"")
    variables = {"PYTHONPATH": os.fsdecode(path.partition(b"=")[2])} if path else {}
    add_bootstrap(variables, ours)
    process_environment.add(entries, {**variables, **_context_of_children()})
    if is_python(program):
        run.require()


def _context_of_children() -> dict[str, str]:
    return _context() if flag("OBS_PROPAGATE_CHILDREN", default=True) else {}


def _context() -> dict[str, str]:
    return propagation.child_environment()


def is_python(program: Any) -> bool:
    """Whether ``program`` (a path, a command line or a list of arguments) starts a Python interpreter."""
    if isinstance(program, (list, tuple)):
        program = program[0] if program else ""
    try:
        text = os.fsdecode(program)
    except TypeError:
        return False
    if text == sys.executable:
        return True
    first = text.split(None, 1)[0] if text.strip() else ""
    return os.path.basename(first).startswith("python")


def patch_subprocess(module: Any) -> None:
    """Have ``subprocess.Popen`` (and all that is built on it) hand the current trace to the child.

    What is watched is the function that starts the child in the end, called with an environment that is nobody's but
    the module's: so errors have no frame of ours, and what the agent gave stays as it is.
    """
    # Before Python 3.11 the module uses the function where it is from.
    home, name = module, "_fork_exec"
    if not hasattr(module, name):
        home, name = sys.modules.get("_posixsubprocess"), "fork_exec"
    original = getattr(home, name, None)
    if original is None or stand_in.is_stand_in(original):
        return

    def called() -> Any:
        guard.call("environment of a child", _prepare_popen, sys._getframe(2))  # noqa: SLF001 (public but for its name)
        return original

    setattr(home, name, stand_in.StandIn(original, called))


def _prepare_popen(frame: FrameType) -> None:
    """Add the current context to the environment of the child that ``frame``, of class Popen, is about to start."""
    values = frame.f_locals
    if "env_list" not in values:
        return
    program = values.get("executable") or values["args"]
    if values.get("self") is not None and not isinstance(program, bytes):
        program = values["self"].args
    if values["env_list"] is None:
        inherit(program)
    else:
        _add_context(values["env_list"], program)


def prepare_system() -> None:
    """Have the shell that ``os.system`` is about to start inherit the current context."""
    run.require()
    process_environment.put(_context_of_children())


def exec_arguments(arguments: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of ``os.exec*`` or ``os.posix_spawn*`` with the current context in the environment given.

    One that gives none, as ``os.execv``, has the program inherit it.
    """
    program = arguments[0] if arguments else named.get("path")
    if len(arguments) > _ENV:
        env = environment(arguments[_ENV], program)
        return (*arguments[:_ENV], env, *arguments[_ENV + 1 :]), named
    if "env" in named:
        return arguments, {**named, "env": environment(named["env"], program)}
    guard.call("environment of a child", inherit, program)
    return arguments, named


def patch_multiprocessing(module: ModuleType) -> None:
    """Have each multiprocessing process continue the trace in which it was started, by whatever start method."""
    base = module.BaseProcess
    start, bootstrap = base.start, base._bootstrap  # noqa: SLF001 (the one place that every child passes)
    base.start = method_stand_ins.PreparedMethod(start, _carry_context)
    base._bootstrap = method_stand_ins.PreparedMethod(bootstrap, _adopt_context)  # noqa: SLF001 (see above)


def _carry_context(process: Any) -> None:
    # An attribute of the process object reaches the child by fork and by pickle alike.
    setattr(process, _ATTRIBUTE, _context())
    run.require()


def _adopt_context(process: Any) -> None:
    context = process.__dict__.pop(_ATTRIBUTE, None)
    if context:
        propagation.adopt(context)
    worker_tasks.observe_tasks(process)


def patch_mcp_stdio(module: Any) -> None:
    """Let MCP servers over stdio be traced: the client hands them a short list of variables without ours."""
    original = module.get_default_environment

    def get_default_environment() -> dict[str, str]:
        env: dict[str, str] = original()
        with guarded("environment of an MCP server"):
            ours = os.environ.get("OBS_RUN")
            if ours:
                add_bootstrap(env, ours)
                env.update(_settings())
                env.update(_context())
        return env

    module.get_default_environment = _take_place(original, get_default_environment)


def _settings() -> dict[str, str]:
    """Return the variables that say where telemetry goes, but no credentials: the server may be anyone's program."""
    from obs_run.settings import SETTINGS

    secret = {setting.name for setting in SETTINGS if setting.secret}
    return {name: os.environ[name] for name in os.environ if name.startswith(("OTEL_", "OBS_")) and name not in secret}


def _take_place(original: Any, replacement: Any) -> Any:
    for attribute in ("__name__", "__qualname__", "__doc__", "__module__"):
        setattr(replacement, attribute, getattr(original, attribute))
    replacement.__wrapped__ = original
    return replacement
