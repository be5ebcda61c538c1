"""An agent whose functions are wrapped ends as it does without us while one function of ours after the other raises."""

from __future__ import annotations

import inspect
from importlib import import_module
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tests.examples import one_in
from tests.unit import agents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

MODULES = ("calls", "entries", "main_module", "measured_calls", "placing", "start", "values", "wrap_file")
FLEET = """
    import contextlib
    class BaseAgent:
        def __init__(self, name):
            self.name, self.state = name, "closed"
        @property
        def size(self):
            return 3
        def handle_request(self, request):
            return {"status": "base"}
        async def later(self, n):
            if n < 0:
                raise ValueError(n)
            return n
        def stream(self, n):
            yield from range(n)
        def check(self, message):
            return {"valid": [message]}
        def get(self, key):
            if key == "none":
                raise KeyError(key)
            return {"value": key}
        def acquire(self):
            return self
        def release(self, given):
            pass
        @contextlib.contextmanager
        def connection(self):
            yield self
    class Slotted:
        __slots__ = ()
        def get(self, key):
            return key
    def helper():
        return 5
"""
WRAP = """
    wrap:
      requests:
        target: fleet:BaseAgent+.handle_request
        kind: handler
        name: "{self.name}"
        attributes: {size: self.size, first: request.items.0, status: result.status}
        content: {asked: request, answered: result.status}
      later: {target: "fleet:BaseAgent.la*", kind: tool, content: {n: n, result: result}}
      stream: {target: fleet:BaseAgent.stream, kind: span}
      check: {target: fleet:BaseAgent.check, kind: contract, met: result.valid}
      pool: {target: fleet:BaseAgent.acquire, release: fleet:BaseAgent.release, kind: pool, connection: result.name}
      breaker:
        {target: ["fleet:BaseAgent.later", "fleet:BaseAgent.get"], kind: breaker, state: self.state, rejects: Error}
      limiter: {target: ["fleet:BaseAgent.get", "fleet:BaseAgent.check"], kind: limiter, rejects: KeyError}
      cache: {target: "fleet:BaseAgent+.get", kind: cache, hit: result.value}
      slotted: {target: "fleet:Slotted.get", kind: cache}
      blocks: {target: "fleet:BaseAgent.connection", kind: pool}
      own: {target: "agent:Own.work", kind: span}
      helper: {target: fleet:helper, kind: tool}
      missing: {target: "fleet:Nobody.work", kind: span}
      absent: {target: "agent:Nobody", kind: span, attributes: {n: m}}
      wrong: {target: "agent:Nobody", kind: none}
"""
AGENT = """
    import logging
    logging.getLogger("obs_run").setLevel(100)
    import obs_run.auto
    import asyncio, sys, fleet

    class Agent(fleet.BaseAgent):
        def handle_request(self, request):
            return {**super().handle_request(request), "items": len(request["items"])}
        def get(self, key):
            return super().get(key)

    class Own:
        def work(self):
            return 7

    def outcome(call, *args):
        try:
            return call(*args)
        except Exception as error:
            return repr(error)

    if __name__ == "__main__":
        agent = Agent("goals")
        print(agent.handle_request({"items": [1, 2]}), outcome(agent.handle_request, 3), list(agent.stream(2)))
        print(asyncio.run(agent.later(1)), outcome(asyncio.run, agent.later(-1)), agent.check("x"), agent.check(""))
        print(agent.get("a"), outcome(agent.get, "none"), agent.release(agent.acquire()), Own().work(), fleet.helper())
        with agent.connection() as connected:
            print(connected is agent, fleet.Slotted().get("a"))
        print(sys.gettrace())
        sys.exit(3)
"""
BREAK = """
    import importlib
    def broken(*args, **kwargs):
        import os
        os.write(2, b"FIRED")
        raise RuntimeError("a fault of ours")
    owner = importlib.import_module({module!r})
    for part in {path!r}[:-1]:
        owner = getattr(owner, part)
    setattr(owner, {path!r}[-1], broken)
"""
ON = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY", "OBS_WRAP": "wrap.yaml"}
ENTRIES = ("__get__", "install", "_follow_calls", "_follow_lines", "_followed_while")
"""What Python or the launcher calls, and guards itself, has nothing but guarded calls, or does what Python does."""
NOT_PASSED = ("__str__",)


def functions() -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in MODULES:
        module = import_module(f"obs_run.wrapping.{name}")
        for attribute, value in vars(module).items():
            if inspect.isclass(value) and value.__module__ == module.__name__:
                methods = [method for method, function in vars(value).items() if is_of(function, module)]
                yield from ((module.__name__, (attribute, method)) for method in methods)
            elif is_of(value, module):
                yield module.__name__, (attribute,)


def is_of(function: object, module: ModuleType) -> bool:
    """Whether it is a function that is written in the module, and not one that a dataclass got."""
    is_written = inspect.isfunction(function) and function.__code__.co_filename == module.__file__
    return is_written and getattr(function, "__name__", "") not in ENTRIES


_BLOCKS = (("_follow_block",), *(("_Block", method) for method in ("__init__", "_acquire", "end")))
FUNCTIONS = sorted([*functions(), *(("obs_run.core.pools", path) for path in _BLOCKS)])


@pytest.mark.slow
@pytest.mark.parametrize(("module", "path"), one_in(6, FUNCTIONS))
def test_the_agent_is_as_it_is_without_us(tmp_path: Path, module: str, path: tuple[str, ...]) -> None:
    (tmp_path / "wrap.yaml").write_text(dedent(WRAP))
    (tmp_path / "fleet.py").write_text(dedent(FLEET))
    plain = agents.run(tmp_path, dedent(AGENT).replace("import obs_run.auto\n", ""), start=False)
    ran = agents.run(tmp_path, dedent(BREAK.format(module=module, path=path)) + dedent(AGENT), start=False, **ON)
    assert plain.code == 3
    assert (ran.code, ran.out) == (plain.code, plain.out)
    assert set(ran.err.split("FIRED")) <= {""}, ran.err
    assert "FIRED" in ran.err or path[-1] in NOT_PASSED
