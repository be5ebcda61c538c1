from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from obs_run.bridge import rule_file, rule_sources
from obs_run.bridge.rule_file import MATCH_KEYS, RULE_KEYS
from obs_run.bridge.rule_index import RuleIndex
from obs_run.bridge.rules import BECOMES
from tests.examples import examples
from tools import make_rule_pack

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.agents import Run

GOOD = "  good: {match: {contains: good}, become: event}\n"
WRONG = {
    "not YAML": ("rules: {good: [", ":2: is no YAML: "),
    "a tab": ("rules:\n\tgood: 1\n", ":2: is no YAML: "),
    "a list": ("- rules\n", ": the file must be a mapping of rules, enable, disable"),
    "another section": (
        "ruls:\n" + GOOD,
        ":1: ruls is not known; allowed: rules, enable, disable (did you mean 'rules'?)",
    ),
    "an unknown key": (
        "rules:\n" + GOOD + "  bad:\n    match: {contains: x}\n    become: event\n    nmae: y\n",
        ":6: rules.bad.nmae is not known; allowed: match, become, name,",
    ),
    "an unknown key of match": (
        "rules:\n" + GOOD + "  bad:\n    match:\n      containz: x\n    become: event\n",
        ":5: rules.bad.match.containz is not known; allowed: logger, level,",
    ),
    "no become": (
        "rules:\n" + GOOD + "  bad: {match: {contains: x}}\n",
        ":3: rules.bad.become is missing; allowed: start,",
    ),
    "another become": (
        "rules:\n" + GOOD + "  bad: {match: {contains: x}, become: strat}\n",
        "(did you mean 'start'?)",
    ),
    "a bad pattern": (
        "rules:\n" + GOOD + "  bad:\n    become: event\n    match:\n      pattern: 'a(b'\n",
        ":6: rules.bad.match.pattern is no regular expression: missing )",
    ),
    "a pattern that runs away": (
        "rules:\n" + GOOD + "  bad:\n    become: event\n    match:\n      pattern: '(a+)+$'\n",
        ":6: rules.bad.match.pattern is refused: it repeats a repetition",
    ),
    "a missing group": (
        "rules:\n" + GOOD + "  bad: {match: {pattern: 'x (?P<task_id>y)'}, become: start, key: taks_id}\n",
        "rules.bad.key names the group 'taks_id', which rule bad has not; allowed: task_id (did you mean 'task_id'?)",
    ),
    "a missing group in the name": (
        "rules:\n" + GOOD + "  bad: {match: {contains: x}, become: start, name: 'a {b}'}\n",
        "rules.bad.name names the group 'b', which rule bad has not; allowed: none",
    ),
    "two rules with one name": ("rules:\n" + GOOD + GOOD, ":3: good is there twice, first in line 2"),
    "an unknown rule": (
        "rules:\n" + GOOD + "  work: {match: {contains: w}, become: start}\n"
        "  bad: {match: {contains: x}, become: end, of: wrok}\n",
        "rules.bad.of names 'wrok', which is no rule that becomes start; (did you mean 'work'?)",
    ),
    "no rule to end": ("rules:\n" + GOOD + "  bad: {match: {contains: x}, become: end}\n", "rules.bad.of is missing"),
    "nothing to match": (
        "rules:\n" + GOOD + "  bad: {match: {logger: x}, become: event}\n",
        "says nothing of the text",
    ),
    "a level": (
        "rules:\n" + GOOD + "  bad: {match: {contains: x, level: warn}, become: event}\n",
        "(did you mean 'warning'?)",
    ),
    "a timeout": (
        "rules:\n" + GOOD + "  bad: {match: {contains: x}, become: start, timeout: soon}\n",
        "is no duration",
    ),
    "a key that does nothing": (
        "rules:\n" + GOOD + "  bad: {match: {contains: x}, become: event, of: good}\n",
        "is only for end",
    ),
    "a list of rules": ("rules:\n  - match: {contains: x}\n", ":1: rules must be a mapping of names to rules"),
    "an unknown rule to disable": ("rules:\n" + GOOD + "disable: [httpx-requst]\n", "(did you mean 'httpx-request'?)"),
    "too large": ("# " + "x" * 10_000_000, ": is too large; allowed: at most 512 KiB"),
    "ten lists in ten lists": (
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{b}: &{b} [{','.join(['*' + a] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
        "has too many values inside of each other",
    ),
    "a tag": ("rules: !!python/object/apply:os.system ['true']\n", ""),
    "a time that is none": ("rules: 2026-99-99\n", "is no YAML"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_one_line_and_the_other_rules_hold(kind: str, tmp_path: Path) -> None:
    text, said = WRONG[kind]
    file = tmp_path / "own.yaml"
    file.write_text(text, encoding="utf-8")
    loaded = rule_sources.load((str(file),))
    assert len(loaded.problems) == 1, loaded.problems
    assert "\n" not in loaded.problems[0]
    assert said in loaded.problems[0]
    assert loaded.problems[0].startswith("OBS_BRIDGE_RULES: ")
    assert "bad" not in loaded.rules
    if GOOD in text and kind != "another section":
        assert "good" in loaded.rules


def test_a_missing_file_and_one_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00rules")
    paths = (str(tmp_path / "none.yaml"), str(tmp_path / "binary.yaml"), str(tmp_path / "n\0ul.yaml"))
    problems = rule_sources.load(paths).problems
    assert "cannot be read: No such file" in problems[0]
    assert "is no UTF-8 text" in problems[1]
    assert len(problems) == 3


def test_json_needs_no_yaml_and_says_lines(tmp_path: Path) -> None:
    rules = {
        "rules": {
            "work": {"match": {"contains": "work begins"}, "become": "start"},
            "bad": {"match": {"pattern": "(a+)+"}, "become": "event"},
        }
    }
    file = tmp_path / "own.json"
    file.write_text(json.dumps(rules, indent=1))
    script = f"""
import sys
sys.modules["yaml"] = None
from obs_run.bridge import rule_sources
loaded = rule_sources.load(({str(file)!r}, {str(tmp_path / "own.yaml")!r}))
print(*loaded.problems, "work" in loaded.rules, sep="\\n")
"""
    (tmp_path / "own.yaml").write_text("rules: {}")
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    lines = ran.stdout.splitlines()
    assert ":9: rules.bad.match.pattern is refused" in lines[0]
    assert "own.yaml: needs PyYAML (pip install pyyaml); JSON files need nothing" in lines[1]
    assert lines[2:] == ["True"]
    (tmp_path / "twice.json").write_text('{"rules": {\n"a": {},\n"a": {}}}')
    assert "a is there twice" in rule_sources.load((str(tmp_path / "twice.json"),)).problems[0]


def test_folders_are_read_and_later_files_do_not_replace_rules(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yml"):
        (tmp_path / name).write_text("rules:\n" + GOOD)
    (tmp_path / "notes.txt").write_text("no rules")
    loaded = rule_sources.load((str(tmp_path),))
    [problem] = loaded.problems
    assert f"{tmp_path / 'b.yml'}:2: rules.good is there already, in {tmp_path / 'a.yaml'}:2" in problem
    assert loaded.rules["good"].where == f"{tmp_path / 'a.yaml'}:2"


def test_a_rule_of_ones_own_takes_the_place_of_a_built_in_one(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("rules:\n  httpx-request: {match: {contains: mine}, become: event}\ndisable: perf-metric\n")
    loaded = rule_sources.load((str(file),))
    assert not loaded.problems
    assert loaded.rules["httpx-request"].contains == "mine"
    assert not loaded.rules["perf-metric"].enabled


def test_the_agent_runs_with_the_other_rules(agent: Run, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "rules:\n  work: {match: {contains: begins}, become: start}\n"
        "  bad: {match: {pattern: '(a+)+$'}, become: event}\n"
        "  done: {match: {contains: over}, become: end, of: work}\n"
    )
    source = """
    import logging, telemetry_probe
    logging.basicConfig(level=logging.INFO, format="%(name)s %(message)s")
    logging.info("it begins")
    logging.info("it is over")
    telemetry_probe.show()
    """
    ran = agent(source, OBS_BRIDGE_RULES="own.yaml", OBS_BRIDGE="rules")
    assert list(ran.spans()) == ["work"]
    lines = ran.err.splitlines()
    assert lines[0].startswith("obs_run OBS_BRIDGE_RULES: own.yaml:3: rules.bad.match.pattern is refused: ")
    assert lines[1:] == ["root it begins", "root it is over"]


few = settings(max_examples=examples(500), deadline=None, suppress_health_check=list(HealthCheck))
VALUES: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["(?P<a>x)", "(a+)+", "[", "{a}", "info", "5s", "a", *BECOMES]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*RULE_KEYS, *MATCH_KEYS, "rules", "enable", "disable", "a", "b", ""]), inner, max_size=6
        )
    ),
    max_leaves=12,
)
RULES = st.fixed_dictionaries(
    {
        "match": VALUES | st.dictionaries(st.sampled_from(MATCH_KEYS), VALUES, max_size=4),
        "become": st.sampled_from(BECOMES),
    },
    optional=dict.fromkeys(RULE_KEYS[2:], VALUES),
)


@few
@given(
    st.fixed_dictionaries({"rules": VALUES | st.dictionaries(st.text("ab.", max_size=3), RULES, max_size=4)}) | VALUES
)
def test_reading_never_raises(tmp_path_factory: pytest.TempPathFactory, content: Any) -> None:
    file = tmp_path_factory.mktemp("rules") / "own.yaml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    loaded = rule_sources.load((str(file),))
    assert all("\n" not in problem for problem in loaded.problems)
    for rule in RuleIndex(loaded.rules.values()).candidates("x", 50, "f", "g", 1):
        rule.read("x" * 100, {})


@few
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_reading_any_bytes_never_raises(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("rules")
    for name in ("own.yaml", "own.json"):
        (folder / name).write_bytes(content)
        rule_sources.load((str(folder / name),))


@few
@given(st.from_regex(r"[a-c.*+?|()\[\]\\ds ]{1,12}", fullmatch=True))
def test_checking_any_pattern_ends(pattern: str) -> None:
    body = {"match": {"pattern": pattern}, "become": "event"}
    try:
        rule_file.read_rule("any", body, "here")
    except ValueError:
        return


def test_the_built_in_table_is_fresh() -> None:
    assert make_rule_pack.TABLE.read_text(encoding="utf-8") == make_rule_pack.make_table()


WILD: dict[str, tuple[bytes, str]] = {
    "not_yaml.yaml": (b"rules:\n  a: [\n", ":3: is no YAML: "),
    "unknown.yaml": (
        b"rules:\n  bad: {match: {contains: x}, become: event, nmae: y}\n",
        ":2: rules.bad.nmae is not known; allowed: match, become, name, ",
    ),
    "pattern.yaml": (
        b"rules:\n  bad:\n    match: {pattern: '(a'}\n    become: event\n",
        ":3: rules.bad.match.pattern is no regular expression: ",
    ),
    "no_group.yaml": (
        b"rules:\n  bad: {match: {contains: x}, become: start, key: task_id}\n",
        ":2: rules.bad.key names the group 'task_id', which rule bad has not; allowed: none, ",
    ),
    "two_of_one_name.yaml": (
        b"rules:\n  twice: {match: {contains: x}, become: event}\n  twice: {match: {contains: y}, become: event}\n",
        ":3: twice is there twice, first in line 2; the first holds",
    ),
    "large.yaml": (b"# " + b"x" * 10_000_000, ": is too large; allowed: at most 512 KiB"),
    "empty.yaml": (b"", ": is empty; allowed: a mapping of rules, enable, disable"),
    "comments.yaml": (b"# nothing\n# at all\n", ": is empty; allowed: a mapping of rules, enable, disable"),
    "empty.json": (b"", ":1: is no JSON: "),
    "list.yaml": (b"- match: {contains: x}\n", ": the file must be a mapping of rules, enable, disable"),
    "tabs.yaml": (b"rules:\n\tbad: {}\n", ":2: is no YAML: "),
    "utf16.yaml": ("rules: {}\n".encode("utf-16"), ":1: is no UTF-8 text; allowed: UTF-8"),
    "numbers.yaml": (
        b"rules:\n  7: {match: {contains: x}, become: start}\n  bad: {match: {contains: y}, become: end, of: 8}\n",
        ":3: rules.bad.of must be a text or a list of texts",
    ),
    "itself.yaml": (b"rules: &a\n  bad: *a\n", ":1: has too many values inside of each other"),
    "sections.yaml": (b"rules: {}\nrules: {}\n", ":2: rules is there twice, first in line 1; the first holds"),
    "scope.yaml": (
        b"rules:\n  bad: {match: {contains: x}, become: start, scope: thread}\n",
        ":2: rules.bad.scope is not allowed; allowed: function, process",
    ),
    "trace.yaml": (
        b"rules:\n  bad: {match: {contains: x}, become: event, trace: new}\n",
        ":2: rules.bad.trace is only for start, and the rule becomes event",
    ),
}
SPECIAL = {
    "pipe.yaml": ": is no file; allowed: files and folders",
    "none.yaml": ": cannot be read: No such file or directory",
    "folder": ": has no file that ends in .yaml, .yml, .json",
}


def test_wild_files_are_a_line_each_and_the_agent_is_unharmed(agent: Run, tmp_path: Path) -> None:
    for name, (content, _) in WILD.items():
        (tmp_path / name).write_bytes(content)
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder").mkdir()
    (tmp_path / "good.yaml").write_text(
        "\ufeff# With a byte order mark, an alias and a merged mapping.\n"
        "rules:\n"
        "  base: &base {match: &base_match {contains: nothing of the kind}, become: start}\n"
        "  work: {<<: *base, match: {<<: *base_match, contains: begins}}\n"
        "  over: {match: {contains: over}, become: end, of: work}\n",
        encoding="utf-8",
    )
    source = """
    import logging, telemetry_probe
    logging.basicConfig(level=logging.INFO, format="%(name)s %(message)s")
    logging.info("it begins")
    logging.info("it is over")
    telemetry_probe.show()
    """
    names = [*WILD, *SPECIAL, "good.yaml"]
    ran = agent(source, OBS_BRIDGE_RULES=os.pathsep.join(names), OBS_BRIDGE="rules")

    assert list(ran.spans()) == ["work"]
    *said, first, second = ran.err.splitlines()
    assert [first, second] == ["root it begins", "root it is over"]
    expected = {**{name: text for name, (_, text) in WILD.items()}, **SPECIAL}
    assert len(said) == len(expected), said
    for line, (name, text) in zip(said, expected.items(), strict=True):
        assert line.startswith(f"obs_run OBS_BRIDGE_RULES: {name}{text}"), line
