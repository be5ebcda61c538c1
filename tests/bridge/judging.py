"""Compares the spans that were made of a script's log lines with those that a careful person drew beforehand."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.otlp_receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.otlp_receiver import Span

_ERROR = 2
_LABEL = re.compile(r"#\s*@([\w-]+)")
_RULE, _LINE, _FILE = "obs.bridge.rule", "code.line.number", "code.file.path"
_END, _END_LINE = "obs.bridge.end", "obs.bridge.end.line"


class Drawn(NamedTuple):
    """A span: the labels of its ends, the label or name of what is around it, and how it came out."""

    start: str | None
    end: str
    parent: str | None
    has_failed: bool
    is_optional: bool = False
    begins_trace: bool = False


@dataclass
class Verdict:
    """How many spans were drawn, made, made as drawn, and of these with the right parent and status."""

    drawn: int = 0
    made: int = 0
    right: int = 0
    right_parents: int = 0
    right_statuses: int = 0
    missed: list[Drawn] = field(default_factory=list)
    wrong: list[Drawn] = field(default_factory=list)
    misplaced: list[tuple[Drawn, Drawn]] = field(default_factory=list)

    def add(self, other: Verdict) -> None:
        """Add up the counts of another."""
        for name in ("drawn", "made", "right", "right_parents", "right_statuses"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def precision(self) -> float:
        """The share of the spans made that a person drew."""
        return self.right / self.made if self.made else 1.0

    @property
    def recall(self) -> float:
        """The share of the spans drawn that were made."""
        return self.right / self.drawn if self.drawn else 1.0


def judge(script: Path, receiver: Receiver, folder: Path, **settings: str) -> Verdict:
    """Run a script under obs-run and compare."""
    # Not before the tests of the launcher have had it prepared for its asserts.
    from tests.launch.running import SCRIPTS, environment

    env = environment(receiver.endpoint, folder, **{"OBS_BRIDGE": "automatic", **settings})
    env["PYTHONPATH"] = os.pathsep.join((str(script.parent), env.get("PYTHONPATH", "")))
    done = subprocess.run(
        [str(SCRIPTS / "obs-run"), str(SCRIPTS / "python"), str(script)],
        cwd=folder, env=env, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert "failed and was skipped" not in said, said
    receiver.wait_for(lambda got: any("obs.run.kind" in span.attributes for span in got.spans), seconds=30)
    expected = list(_drawn(json.loads(script.with_suffix(".json").read_text())["spans"], None))
    return compare(expected, list(_made(receiver.spans, script)))


def judge_all(corpus: Path, folder: Path, **settings: str) -> Verdict:
    """Run all scripts of a corpus and add up."""
    total = Verdict()
    for number, script in enumerate(sorted(corpus.glob("*.py"))):
        place = folder / str(number)
        place.mkdir()
        receiver = Receiver()
        try:
            total.add(judge(script, receiver, place, **settings))
        finally:
            receiver.close()
    return total


def compare(drawn: list[Drawn], made: list[Drawn]) -> Verdict:
    """Compare what was drawn with what was made."""
    verdict = Verdict(drawn=sum(not each.is_optional for each in drawn))
    left = list(drawn)
    for span in made:
        same = [each for each in left if each.start == span.start and _is_same_end(each.end, span.end)]
        same.sort(key=lambda each: (each.parent != span.parent, each.has_failed != span.has_failed, each.is_optional))
        if not same:
            optional = next((each for each in left if each.is_optional and each.start == span.start), None)
            if optional is not None:
                left.remove(optional)
                continue
            verdict.made += 1
            verdict.wrong.append(span)
            continue
        found = same[0]
        left.remove(found)
        if found.is_optional:
            continue
        verdict.made += 1
        verdict.right += 1
        verdict.right_parents += found.parent == span.parent and found.begins_trace == span.begins_trace
        verdict.right_statuses += found.has_failed == span.has_failed
        if (found.parent, found.has_failed) != (
            span.parent,
            span.has_failed,
        ) or found.begins_trace != span.begins_trace:
            verdict.misplaced.append((found, span))
    verdict.missed = [each for each in left if not each.is_optional]
    return verdict


def _is_same_end(drawn: str, made: str) -> bool:
    return drawn == made or ({drawn, made} <= {"return", "next", "exit"} and drawn != "exit")


def _drawn(nodes: list[dict[str, Any]], parent: str | None) -> Iterator[Drawn]:
    for node in nodes:
        name = node.get("span") or node.get("start") or node.get("end")
        if "span" not in node:
            begins_trace = bool(node.get("new_trace"))
            # One line may tell of all of it.
            start = None if node["start"] == node["end"] else node["start"]
            yield Drawn(
                start, node["end"], None if begins_trace else parent, node.get("status") == "error",
                bool(node.get("optional")), begins_trace,
            )  # fmt: skip
        yield from _drawn(node.get("children", []), name)


def _made(spans: list[Span], script: Path) -> Iterator[Drawn]:
    labels = {
        number: match.group(1)
        for number, line in enumerate(script.read_text().splitlines(), 1)
        if (match := _LABEL.search(line)) is not None
    }
    by_id = {span.span_id: span for span in spans}
    runs = {span.trace_id for span in spans if "obs.run.kind" in span.attributes}

    def label(span: Span) -> str | None:
        if _RULE not in span.attributes:
            return None if "obs.run.kind" in span.attributes else span.name
        line = span.attributes.get(_LINE)
        return labels.get(line, f"line {line}") if line is not None else end(span)

    def end(span: Span) -> str:
        if span.attributes.get(_END) in ("line", None) and _END_LINE in span.attributes:
            line = span.attributes[_END_LINE]
            return labels.get(line, f"line {line}")
        return "exit" if "obs.span.unfinished" in span.attributes else str(span.attributes.get(_END))

    for span in spans:
        if _RULE not in span.attributes:
            continue
        parent = by_id.get(span.parent_id or "")
        is_told_whole = _LINE in span.attributes and _END_LINE not in span.attributes and end(span) == "line"
        yield Drawn(
            label(span) if _LINE in span.attributes and not is_told_whole else None,
            label(span) or "" if is_told_whole else end(span),
            None if parent is None else label(parent),
            span.status == _ERROR,
            begins_trace=parent is None and span.trace_id not in runs,
        )
