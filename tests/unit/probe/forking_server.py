"""Run by the tests: forks a process for each agent it is asked to run, in which openai is imported already.

Nothing of ours is: the agent starts it, as in a process of its own. Requests and exit codes are lines of JSON.
"""

from __future__ import annotations

import builtins
import gc
import json
import os
import sys
from importlib import import_module
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any


def wait_for_agents() -> dict[str, Any] | None:
    """Answer requests: None at their end, and in the process of an agent what is asked of it."""
    for line in iter(sys.stdin.readline, ""):
        pid = os.fork()
        if not pid:
            asked: dict[str, Any] = json.loads(line)
            return asked
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
    return None


def become(script: str, env: dict[str, str], out: str, err: str) -> dict[str, Any]:
    """Take on what a process of its own has; return the namespace of its ``__main__``."""
    for target, path, flags in ((0, os.devnull, os.O_RDONLY), (1, out, os.O_WRONLY), (2, err, os.O_WRONLY)):
        opened = os.open(path, flags)
        os.dup2(opened, target)
        os.close(opened)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(Path(script).parent)
    sys.argv = [script]
    sys.orig_argv = [sys.executable, script]
    sys.path[0] = str(Path(script).parent)
    return main_of(script)


def main_of(script: str) -> dict[str, Any]:
    """Make ``__main__`` what it is where a script begins; return its namespace."""
    namespace = vars(sys.modules["__main__"])
    namespace.clear()
    namespace.update(dict.fromkeys(("__cached__", "__doc__", "__package__", "__spec__")))
    namespace.update(__name__="__main__", __file__=script, __builtins__=builtins, __annotations__={})
    namespace["__loader__"] = SourceFileLoader("__main__", script)
    return namespace


def serve() -> None:
    """Answer requests to their end, or be an agent."""
    models = import_module("fake_models")
    for made in (models.client([]), models.async_client([])):
        made.chat.completions, made.responses  # noqa: B018 - each is imported as it is asked for
    gc.collect()
    gc.freeze()
    if (asked := wait_for_agents()) is not None:
        script = asked["script"]
        exec(compile(Path(script).read_text(), script, "exec"), become(**asked))
