"""What is wrong in a file that OBS_WRAP names is one line each, with its place and what is allowed; the rest holds."""

# ruff: noqa: E501 (a line that is said is one line here)
from __future__ import annotations

import json
import os
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from obs_run.wrapping import wrap_file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.agents import Run

GOOD = """
  good:
    target: json:dumps
    kind: span
"""
WRONG = {
    "hit": ("kind: span\n    hit: result", "4: wrap.bad.hit is only for cache, and the kind is span"),
    "no state": ("kind: breaker", "2: wrap.bad.state is missing; it names the value that is closed, open or half_open"),
    "release": ("kind: pool\n    release: nothing", "4: wrap.bad.release 'nothing' names no function; allowed: "),
    "hit of what": ("kind: cache\n    hit: self.x", "4: wrap.bad.hit is self.x; allowed: result, and keys"),
    "no such kind": (
        "kind: spam",
        "3: wrap.bad.kind is not allowed; allowed: span, handler, tool, contract, pool, breaker, limiter, cache",
    ),
    "no kind": ("name: x", "2: wrap.bad.kind is missing; allowed: span"),
    "no such key": ("kind: span\n    nmae: x", "4: wrap.bad.nmae is not known; allowed: target, kind, name"),
    "path": (
        "kind: span\n    attributes: {n: 'a b'}",
        "4: wrap.bad.attributes.n 'a b' names no value; allowed: a para",
    ),
    "attribute": ("kind: span\n    attributes: {'a b': n}", "4: wrap.bad.attributes.a b is no name of an attribute"),
    "attributes": ("kind: span\n    attributes: [n]", "4: wrap.bad.attributes must be a mapping of names"),
    "result in name": ("kind: tool\n    name: '{result.x}'", "4: wrap.bad.name names the result, which is not known"),
    "name": ("kind: tool\n    name: '{}'", "4: wrap.bad.name '' names no value"),
    "met": ("kind: tool\n    met: result", "4: wrap.bad.met is only for contract, and the kind is tool"),
    "enabled": ("kind: tool\n    enabled: maybe", "4: wrap.bad.enabled is not allowed; allowed: true, false"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_entries(case: str, tmp_path: Path) -> None:
    body, said = WRONG[case]
    file = tmp_path / "wrap.yaml"
    file.write_text(f"wrap:\n  bad:\n    {body}\n    target: json:loads\n{GOOD}")
    loaded = wrap_file.load([str(file)])
    number, text = said.split(":", 1)
    assert list(loaded.entries) == ["good"]
    (problem,) = loaded.problems
    # Of a key that is missing the place is that of the entry.
    assert problem.startswith(f"OBS_WRAP: {file}:{number}:{text}")


@pytest.mark.parametrize("target", ["json", "json:", "json:a b", "json:A..b", ":dumps", "json:A+", "*:dumps", 3])
def test_wrong_targets(target: object, tmp_path: Path) -> None:
    file = tmp_path / "wrap.yaml"
    file.write_text(f"wrap:\n  bad:\n    target: '{target}'\n    kind: span\n")
    (problem,) = wrap_file.load([str(file)]).problems
    assert problem.startswith(f"OBS_WRAP: {file}:3: wrap.bad.target '{target}' names no function; allowed: package")


def test_targets(tmp_path: Path) -> None:
    file = tmp_path / "wrap.json"
    names = ["a.b:f", "a:C.f", "a:C+.f", "a:B.C.f_*", "__main__:*Breaker+.call"]
    off = {"target": "a:b", "kind": "tool", "enabled": False}
    file.write_text(json.dumps({"wrap": {"one": {"target": names, "kind": "span"}, "off": off}}))
    loaded = wrap_file.load([str(tmp_path)])
    assert loaded.problems == []
    assert [str(target) for target in loaded.entries["one"].targets] == names
    assert list(loaded.entries) == ["one"]


def test_wrong_files(tmp_path: Path) -> None:
    texts = {
        "a.yaml": "",
        "b.yaml": "[1]",
        "c.yaml": "warp: {}\n",
        "d.yaml": "wrap: [1]",
        "e.yaml": "wrap: {a: }",
        "f.yaml": "{",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    problems = wrap_file.load([str(tmp_path), str(tmp_path / "none")]).problems
    shown = [problem.replace(f"OBS_WRAP: {tmp_path}/", "").partition(": did")[0] for problem in problems]
    assert [problem.partition(": expected")[0] for problem in shown] == [
        "a.yaml: is empty; allowed: a mapping with the key wrap",
        "b.yaml: is no mapping; allowed: a mapping with the key wrap",
        "c.yaml:1: warp is not known; allowed: wrap (did you mean 'wrap'?)",
        "d.yaml:1: wrap must be a mapping of names to entries",
        "e.yaml:1: wrap.a must be a mapping of target, kind, name, attributes, content, met, release, connection, state, rejects, allows, hit, enabled",
        "f.yaml:2: is no YAML",
        "none: cannot be read: No such file or directory",
    ]


AGENT = """
    import logging, f, telemetry_probe
    logging.basicConfig(format="%(name)s %(message)s", level="DEBUG")
    f.one(1)
    telemetry_probe.show()
"""
FILE = """
    wrap:
      one: {target: f:one, kind: span, attributes: {n: m}}
      misspelt: {target: f:translaet, kind: span}
      class: {target: f:Agnet.run, kind: span}
      method: {target: f:Agent.runn, kind: span}
      property: {target: f:Agent.size, kind: span}
      never: {target: nowhere.to:find, kind: span}
      kind: {target: f:one, kind: agent}
"""
FLEET = """
    def one(n): return n
    def translate(n): return n
    class Agent:
        def run(self): pass
        @property
        def size(self): return 1
"""


def test_the_agent_runs_with_the_other_entries(agent: Run, tmp_path: Path) -> None:
    (tmp_path / "wrap.yaml").write_text(dedent(FILE))
    (tmp_path / "f.py").write_text(dedent(FLEET))
    ran = agent(AGENT, OBS_WRAP="wrap.yaml")
    assert [span["name"] for span in ran.seen["spans"]] == ["one"]
    assert [line.removeprefix("obs_run ") for line in ran.err.splitlines()] == [
        "OBS_WRAP: wrap.yaml:9: wrap.kind.kind is not allowed; allowed: span, handler, tool, contract, pool, breaker, limiter, cache",
        "OBS_WRAP: wrap.yaml:3: one: one has no parameter 'm'; allowed: self, result, n",
        "OBS_WRAP: wrap.yaml:4: misspelt: f:translaet: f has no 'translaet'; there: one, translate, Agent (did you mean 'translate'?)",
        "OBS_WRAP: wrap.yaml:5: class: f:Agnet.run: f has no 'Agnet'; there: one, translate, Agent (did you mean 'Agent'?)",
        "OBS_WRAP: wrap.yaml:6: method: f:Agent.runn: f.Agent has no 'runn'; there: run (did you mean 'run'?)",
        "OBS_WRAP: wrap.yaml:7: property: f:Agent.size names a property; allowed: functions, methods, class and static methods",
        *(
            f"OBS_WRAP: wrap.yaml:{line}: {name}: {target} never turned up"
            for line, name, target in (
                (4, "misspelt", "f:translaet"), (5, "class", "f:Agnet.run"), (6, "method", "f:Agent.runn"),
                (7, "property", "f:Agent.size"), (8, "never", "nowhere.to:find"),
            )
        ),
    ]  # fmt: skip


def test_doctor_tells_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "wrap.yaml").write_text(dedent(FILE))
    (tmp_path / "f.py").write_text(dedent(FLEET) + "raise SystemExit('it must not be imported')\n")
    env = {**os.environ, "OBS_WRAP": "wrap.yaml"}
    words = [sys.executable, "-m", "obs_run.cli", "doctor"]
    said = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, check=False).stdout
    found = said.partition("# Own code (OBS_WRAP)\n")[2].partition("#")[0].replace(f"{tmp_path}/", "").splitlines()
    assert found == [
        "FAIL OBS_WRAP: wrap.yaml:9: wrap.kind.kind is not allowed; allowed: span, handler, tool, contract, pool, breaker, limiter, cache",
        "ok   one: wrap.yaml:3: f:one: in f.py",
        "!    misspelt: wrap.yaml:4: f:translaet: f.py does not define 'translaet'; there: one, translate (did you mean 'translate'?)",
        "!    class: wrap.yaml:5: f:Agnet.run: f.py does not define 'Agnet'; there: Agent (did you mean 'Agent'?)",
        "!    method: wrap.yaml:6: f:Agent.runn: f.py does not define 'runn'; there: run, size (did you mean 'run'?)",
        "ok   property: wrap.yaml:7: f:Agent.size: in f.py",
        f"!    never: wrap.yaml:8: nowhere.to:find: no module 'nowhere.to' below {tmp_path} or on the path; start doctor where the agent starts",
    ]
