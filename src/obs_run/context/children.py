"""Children continue the trace of their parent: subprocess, multiprocessing, MCP servers over stdio, exec."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.context import propagation
from obs_run.process import run
from obs_run.process.variables import add_bootstrap, flag

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

_ENV = 10  # position of `env` among the arguments of Popen
_ATTRIBUTE = "_obs_run_context"


def environment(env: Any, program: Any) -> Any:
    """Return the environment for a child that gets ``env`` (None: ours) and runs ``program``.

    An environment that does not carry our variables was emptied on purpose, or is for something else: it stays.
    """
    return guard.call("environment of a child", _environment, env, program, default=env)


def _environment(env: Mapping[Any, Any] | None, program: Any) -> Any:
    ours = os.environ.get("OBS_RUN")
    if env is None:
        joined = dict(os.environ)
    elif ours and env.get("OBS_RUN") == ours:
        joined = dict(env)
        add_bootstrap(joined, ours)  # PYTHONPATH replaced by someone who wanted to add to it
    else:
        return env
    if flag("OBS_PROPAGATE_CHILDREN", default=True):
        joined.update(_context())
    if is_python(program):
        run.require()
    return joined


def exec_environment(env: Any, program: Any) -> Any:
    """Return the environment for the program that this process becomes with ``env``."""
    return environment(None if env is os.environ else env, program)


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


def patch_subprocess(module: ModuleType) -> None:
    """Have ``subprocess.Popen`` (and all that is built on it) hand the current trace to the child."""
    popen = module.Popen
    original = popen.__init__

    def __init__(self: Any, args: Any, *rest: Any, **options: Any) -> None:  # noqa: N807 (it takes the place of one)
        program = options.get("executable") or (rest[1] if len(rest) > 1 else None) or args
        if len(rest) >= _ENV:
            rest = (*rest[: _ENV - 1], environment(rest[_ENV - 1], program), *rest[_ENV:])
        else:
            options["env"] = environment(options.get("env"), program)
        original(self, args, *rest, **options)

    _take_place(original, __init__)
    popen.__init__ = __init__


def patch_multiprocessing(module: ModuleType) -> None:
    """Have each multiprocessing process continue the trace in which it was started, by whatever start method."""
    base = module.BaseProcess
    start, bootstrap = base.start, base._bootstrap  # noqa: SLF001 (the one place that every child passes)

    def start_traced(self: Any) -> Any:
        # An attribute of the process object reaches the child by fork and by pickle alike.
        with guard.guarded("context of a child process"):
            setattr(self, _ATTRIBUTE, _context())
            run.require()
        return start(self)

    def bootstrap_traced(self: Any, *args: Any, **options: Any) -> Any:
        with guard.guarded("context of a child process"):
            context = self.__dict__.pop(_ATTRIBUTE, None)
            if context:
                propagation.adopt(context)
        return bootstrap(self, *args, **options)

    base.start = _take_place(start, start_traced)
    base._bootstrap = _take_place(bootstrap, bootstrap_traced)  # noqa: SLF001 (see above)


def patch_mcp_stdio(module: Any) -> None:
    """Let MCP servers over stdio be traced: the client hands them a short list of variables without ours."""
    original = module.get_default_environment

    def get_default_environment() -> dict[str, str]:
        env: dict[str, str] = original()
        with guard.guarded("environment of an MCP server"):
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
