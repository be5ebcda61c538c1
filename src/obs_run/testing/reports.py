"""Verdicts as JUnit's XML, which CI servers read, and as Markdown, which people read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obs_run.testing.budgets import Verdict

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Judged(NamedTuple):
    """A run, and how it kept its budgets."""

    name: str
    seconds: float
    verdicts: Sequence[Verdict]


def junit(runs: Sequence[Judged]) -> bytes:
    """Return a test suite for each run, with a case for each budget."""
    root = ET.Element("testsuites")
    for run in runs:
        broken = sum(not verdict.is_kept for verdict in run.verdicts)
        counts = {"tests": str(len(run.verdicts)), "failures": str(broken), "errors": "0", "skipped": "0"}
        name, seconds = _xml(run.name), f"{run.seconds:.3f}"
        suite = ET.SubElement(root, "testsuite", {"name": name, "time": seconds, **counts})
        for verdict in run.verdicts:
            case = ET.SubElement(suite, "testcase", {"classname": name, "name": verdict.budget, "time": "0"})
            if not verdict.is_kept:
                text = _xml(f"allowed: {verdict.allowed}\nfound: {verdict.found}")
                ET.SubElement(case, "failure", {"message": text.replace("\n", "; ")}).text = text
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def markdown(runs: Sequence[Judged]) -> str:
    """Return a table for each run."""
    lines = []
    for run in runs:
        broken = sum(not verdict.is_kept for verdict in run.verdicts)
        lines += [f"### {_cell(run.name)}: {'all budgets kept' if not broken else f'{broken} broken'}", ""]
        lines += ["| | budget | allowed | found |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {'✅' if verdict.is_kept else '❌'} | {_cell(verdict.budget)} | {_cell(verdict.allowed)} |"
            f" {_cell(verdict.found)} |"
            for verdict in run.verdicts
        ]
        lines.append("")
    return "\n".join(lines)


def _xml(text: str) -> str:
    return _NOT_XML.sub("?", text)


def _cell(text: str) -> str:
    shown = text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("`", "'")
    return "<br>".join(line.replace("  ", "&nbsp;&nbsp;") for line in shown.splitlines())
