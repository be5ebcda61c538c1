"""Classes and functions of the very script that is run are recorded like those of modules, however it is run."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.launch import environments
from tests.launch.interpreters import WITH_US
from tests.launch.running import SCRIPTS, environment, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver

AGENT = """
    import multiprocessing, sys
    from functools import wraps
    from base import BaseAgent
    TRACED = sys.gettrace() is not None

    def as_it_is(function):
        @wraps(function)
        def call(*args):
            return function(*args)
        return call

    class CircuitBreaker:
        state = "closed"
        def call(self, function, *args):
            return function(*args)

    class Agent(BaseAgent):
        def handle_request(self, request):
            return CircuitBreaker().call(answer, request)

    @as_it_is
    def answer(request):
        return {"status": request["action"], "traced": sys.gettrace() is not None}

    def child(word):
        return answer({"action": word})

    if __name__ == "__main__":
        print(Agent("oracle").handle_request({"action": "ok"}), CircuitBreaker.call.__qualname__, BaseAgent.__mro__[0])
        if "spawn" in sys.argv:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.apply(child, ("spawned",)))
                pool.close()
                pool.join()
"""
BASE = """
    class BaseAgent:
        def __init__(self, name):
            self.name = name
"""
WRAP = """
    wrap:
      requests: {target: "base:BaseAgent+.handle_request", kind: handler, name: "{self.name}"}
      breakers: {target: "%s:CircuitBreaker.call", kind: span, attributes: {state: self.state}}
      answers: {target: "%s:answer", kind: tool, attributes: {status: result.status}}
"""
WAYS = {
    "python agent.py": (["python", "agent.py"], "agent"),
    "by its main name": (["python", "agent.py"], "__main__"),
    "obs-run agent.py": (["agent.py"], "agent"),
    "-m": (["python", "-m", "agents.agent"], "agents.agent"),
    "in a package's folder": (["python", "agents/agent.py"], "agents.agent"),
    "imported": (["python", "-c", "import agent; agent.Agent('oracle').handle_request({'action': 'ok'})"], "agent"),
    "spawn": (["python", "agent.py", "spawn"], "agent"),
}


def write(folder: Path, module: str) -> None:
    for name in ("agent.py", "agents/agent.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(dedent(AGENT))
    for name in ("base.py", "agents/base.py"):
        (folder / name).write_text(dedent(BASE))
    (folder / "wrap.yaml").write_text(dedent(WRAP) % (module, module))


@pytest.mark.parametrize(
    "way", [pytest.param(way, marks=() if way in ("python agent.py", "spawn") else pytest.mark.slow) for way in WAYS]
)
def test_ways_to_run_a_script(way: str, receiver: Receiver, tmp_path: Path) -> None:
    words, module = WAYS[way]
    write(tmp_path, module)
    env = environment(receiver.endpoint, tmp_path)
    plain = run(words if words[0] == "python" else ["python", *words], tmp_path, env)
    ran = run([str(SCRIPTS / "obs-run"), *words], tmp_path, {**env, "OBS_WRAP": str(tmp_path / "wrap.yaml")})
    assert ran == plain
    assert (ran.code, ran.err) == (0, "")
    assert "'traced': True" not in ran.out
    receiver.wait_for(lambda got: bool(got.named("invoke_agent oracle")))
    check(receiver, ["ok", "spawned"] if way == "spawn" else ["ok"])


def check(receiver: Receiver, statuses: list[str]) -> None:
    (handled,) = receiver.named("invoke_agent oracle")
    (breaker,) = receiver.named("CircuitBreaker.call")
    receiver.wait_for(lambda got: len(got.named("execute_tool answer")) >= len(statuses))
    tools = receiver.named("execute_tool answer")
    assert breaker.parent_id == handled.span_id
    assert tools[0].parent_id == breaker.span_id
    assert breaker.attributes["state"] == "closed"
    assert sorted(tool.attributes["status"] for tool in tools) == statuses


@pytest.mark.parametrize("version", WITH_US)
@pytest.mark.environments
@pytest.mark.timeout(900)
def test_scripts_of_other_pythons(version: str, receiver: Receiver, tmp_path: Path) -> None:
    python = environments.interpreter_or_skip(version)
    place = environments.environment(python=python)
    write(tmp_path, "agent")
    (tmp_path / "wrap.json").write_text(json.dumps(yaml.safe_load((tmp_path / "wrap.yaml").read_text())))
    env = {**environment(receiver.endpoint, tmp_path), "OBS_WRAP": "wrap.json"}
    ran = run([str(SCRIPTS / "obs-run"), place.python, "agent.py"], tmp_path, env, seconds=60)
    assert (ran.code, ran.err) == (0, "")
    check(receiver, ["ok"])


DEBUGGED = (
    "import sys; sys.settrace(lambda *_: None); import obs_run.auto\nclass A:\n    def f(self): pass\nA().f()\nprint(1)"
)


@pytest.mark.slow
def test_a_debugger_is_left_alone(receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(DEBUGGED)
    (tmp_path / "wrap.yaml").write_text("wrap: {a: {target: 'agent:A.f', kind: span}}")
    env = {**environment(receiver.endpoint, tmp_path), "OBS_WRAP": "wrap.yaml"}
    ran = run(["python", "agent.py"], tmp_path, env)
    assert (ran.code, ran.out) == (0, "1\n")
    assert ran.err == "OBS_WRAP: wrap.yaml:1: the script's own functions are not reached while a debugger traces it\n"


def test_what_the_script_has_not_is_told(receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(
        "import sys\nclass Agent:\n    def run(self): pass\nAgent().run()\nprint(sys.gettrace())"
    )
    (tmp_path / "wrap.yaml").write_text(
        "wrap:\n  a: {target: 'agent:Agnet.run', kind: span}\n  b: {target: 'agent:Agent.run', kind: span}"
    )
    env = {**environment(receiver.endpoint, tmp_path), "OBS_WRAP": "wrap.yaml"}
    ran = run([str(SCRIPTS / "obs-run"), "python", "agent.py"], tmp_path, env)
    assert (ran.code, ran.out) == (0, "None\n")
    said = "OBS_WRAP: wrap.yaml:2: a: agent:Agnet.run: __main__ has no 'Agnet' (did you mean 'Agent'?)\n"
    assert ran.err == said
    receiver.wait_for(lambda got: bool(got.named("Agent.run")))
    assert len(receiver.named("Agent.run")) == 1
