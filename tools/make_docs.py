"""Write the generated parts of README.md and docs/ from the code; ``--check`` says which are out of date."""

from __future__ import annotations

import json
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent.parent))  # the other tools and the tests' cases are sources too

from obs_instrumentors import TABLE

from obs_run import settings
from tools import layers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parent.parent
EXTENSION_MODULES = (
    "obs_run.core.extensions",
    "obs_run.core.hooks",
    "obs_run.core.streams",
    "obs_run.core.outcomes",
    "obs_run.core.operations",
    "obs_run.core.messages",
    "obs_run.core.content",
    "obs_run.core.recorder",
    "obs_run.base.payload",
)
"""What packages of others may import to build on; each has a sorted ``__all__``."""

_PER_SIGNAL = re.compile(r"OTEL_EXPORTER_OTLP_(TRACES|METRICS|LOGS)_")


def settings_table(*, per_signal: bool) -> str:
    """Return the table of variables; the ones for a single signal only where there is room for them."""
    rows = ["| Variable | Values | Default | Meaning |", "| --- | --- | --- | --- |"]
    group = ""
    for one in settings.SETTINGS:
        if _PER_SIGNAL.match(one.name) and not per_signal:
            continue
        if one.group != group:
            group = one.group
            rows.append(f"| **{group}** | | | |")
        default = f"`{one.default}`" if one.default else ""
        rows.append(f"| `{one.name}` | {one.kind} | {default} | {one.sentence} |")
    return "\n".join(rows)


def _instrumentors() -> list[tuple[str, Any]]:
    made = [(name, each) for name in dict.fromkeys(TABLE.values()) for each in import_module(name).INSTRUMENTORS]
    return sorted(made, key=lambda one: str(one[1].distribution))


def libraries_table() -> str:
    """Return the table of supported libraries, from the instrumentors' own declarations."""
    rows = ["| Library | Versions | Operations |", "| --- | --- | --- |"]
    rows += [
        f"| {each.distribution} | {each.versions} | {', '.join(each.operations)} |" for _, each in _instrumentors()
    ]
    return "\n".join(rows)


def tested_libraries_table() -> str:
    """Return the table of libraries with what their tests prove: the releases, and the ways of using them."""
    from tests.instrumentors.libraries import LIBRARIES

    rows = ["| Library | Versions | Tested with | Scenarios | Made by |", "| --- | --- | --- | --- | --- |"]
    for module, each in _instrumentors():
        sets = [one for one in LIBRARIES.values() if one.name == each.library]
        sets = sets or [one for one in LIBRARIES.values() if one.instrumentor == module]
        tested = "; ".join(label for one in sets for label in _tested(one))
        scenarios = ", ".join(dict.fromkeys(name for one in sets for name in _told(one)))
        rows.append(f"| {each.distribution} | {each.versions} | {tested} | {scenarios} | {each.owner} |")
    return "\n".join(rows)


def stories_table() -> str:
    """Return the table of which parts of the story of ``tests/instrumentors/frameworks`` each framework tells."""
    from tests.instrumentors.frameworks.story import PARTS as STORY
    from tests.instrumentors.frameworks.story import Teller
    from tests.instrumentors.libraries import LIBRARIES

    rows = [f"| Framework | {' | '.join(STORY)} |", f"| --- |{' --- |' * len(STORY)}"]
    for library in sorted(LIBRARIES.values(), key=lambda one: one.name):
        if isinstance(library.driver, type) and issubclass(library.driver, Teller):
            told = set(_told(library))
            rows.append(f"| {library.name} | {' | '.join('yes' if part in told else '' for part in STORY)} |")
    return "\n".join(rows)


def _tested(library: Any) -> Iterator[str]:
    """Yield an environment's label, with the last run and its date where only ``make test-all`` makes it."""
    runs = json.loads((ROOT / "tests" / "instrumentors" / "runs.json").read_text(encoding="utf-8"))
    for label in library.environments:
        last = runs[library.name][label] if library.heavy else None
        yield label if last is None else f"{label} (last run {last['date']}, torch {last['versions']['torch']})"


def _told(library: Any) -> Iterator[str]:
    """Yield the names of the scenarios that some kind of the library's drivers runs."""
    for scenario in library.scenarios:
        if set(scenario.kinds) & set(library.kinds):
            yield scenario.name.rpartition(": ")[2]


def runs_table() -> str:
    """Return the table of which version of each library was tried last, and when, as ``make test-all`` kept it."""
    from tests.instrumentors.libraries import LIBRARIES, RUNS

    runs = json.loads(RUNS.read_text(encoding="utf-8"))
    rows = ["| Tests | Environment | Last run | Python | Versions |", "| --- | --- | --- | --- | --- |"]
    for folder, library in LIBRARIES.items():
        for label in library.environments:
            run = runs.get(folder, {}).get(label)
            if run is not None:
                versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
                rows.append(f"| {folder} | {label} | {run['date']} | {run['python']} | {versions} |")
    return "\n".join(rows)


def launcher_table() -> str:
    """Return the table of what the launcher is tried with, from the cases of its tests."""
    from tests.launch import cases, hooked, interpreters, servers

    groups: dict[str, Iterable[tuple[str, str]]] = {
        "How a program is started": _rows(cases.WAYS_IN),
        "How it ends": _rows(cases.ENDS),
        "Its children": _rows((*cases.CHILDREN, *servers.MCP)),
        "Servers and workers": _rows((*servers.SERVERS, servers.CELERY)),
        "With the hook": _rows((*hooked.HOOKED, *hooked.UNCHANGED)),
        "Other interpreters": interpreters.ROWS,
    }
    rows = ["| Case | What happens |", "| --- | --- |"]
    for group, pairs in groups.items():
        rows += [f"| **{group}** | |", *(f"| {name} | {happens} |" for name, happens in pairs)]
    return "\n".join(rows)


def _rows(cases: Iterable[Any]) -> Iterator[tuple[str, str]]:
    return ((case.name, case.happens) for case in cases)


_NAMES = {"both": "", "new": "new names: ", "old": "old names: "}


def metrics_table() -> str:
    """Return the table of the metrics that obs-run records by itself, from the table of instruments."""
    from obs_run.pipeline import instruments
    from obs_run.pipeline.instrument import COMMON_LABELS

    common = ", ".join(f"`{name}`" for name in COMMON_LABELS)
    rows = [
        f"The common labels are {common}.",
        "",
        "| Metric | Kind, unit | Recorded for | Labels | Meaning |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in sorted(instruments.TABLE, key=lambda one: one.name):
        cells = (f"`{row.name}`", f"{row.kind}, {row.unit}", _recorded_for(row), _labels(row), row.description)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _recorded_for(row: Any) -> str:
    """Return the kinds of operations in plain words, those of only the new or the old names apart."""
    by_generation: dict[str, list[str]] = {}
    for kind, generation in row.operations.items():
        words = re.sub(r"(?<!^)(?=[A-Z])", " ", kind).lower()
        by_generation.setdefault(generation, []).append(words)
    parts = [_NAMES[generation] + ", ".join(kinds) for generation, kinds in by_generation.items()]
    return "; ".join(parts) or row.figures_of or "what is lost"


def _labels(row: Any) -> str:
    from obs_run.pipeline.instrument import COMMON_LABELS

    has_common = set(COMMON_LABELS) <= set(row.labels)
    own = [f"`{name}`" for name in row.labels if not has_common or name not in COMMON_LABELS]
    extra = dict.fromkeys(f"`{value.extra_label[0]}`" for value in row.values if value.extra_label is not None)
    common = ["the common ones"] if has_common else []
    return ", ".join([*common, *own, *extra])


def privacy_table() -> str:
    """Return the table of what the scrubber finds of the labelled corpus, kind by kind."""
    from obs_run.privacy import Scrubber, choice, kinds
    from tests.privacy import scoring

    score = scoring.score(Scrubber(choice.every_built_in_kind()))
    texts = scoring.corpus()
    rows = [
        f"{len(texts)} texts, {sum(not one.spans for one in texts)} of them with nothing to find.",
        "",
        "| Kind | Marked | Found | Recall | False alarms |",
        "| --- | --- | --- | --- | --- |",
    ]
    groups = {"secrets": kinds.SECRETS, "personal": kinds.PERSONAL}
    rows += [_privacy_row(f"**{name}**", of, score) for name, of in groups.items()]
    rows += [_privacy_row(f"`{kind}`", {kind}, score) for of in groups.values() for kind in sorted(of)]
    return "\n".join([*rows, "", f"Precision: {score.precision():.1%} of what was taken out was marked."])


def unseen_table() -> str:
    """Return the table of what is found, now, of the lists that were written before the patterns were looked at."""
    from obs_run.privacy import Scrubber, choice
    from tests.privacy import unseen

    rows = ["| List | Secrets | Personal | Clean texts left alone |", "| --- | --- | --- | --- |"]
    scrubber = Scrubber(choice.every_built_in_kind())
    missed: list[str] = []
    for name in ("development", "sealed", "scanners_development", "scanners_sealed", "strangers_development"):
        counts = unseen.count(unseen.read(name), scrubber, scrubber)
        cells = [f"{counts.right[group]} of {counts.all[group]}" for group in ("secret", "personal", "clean")]
        rows.append(f"| {name} | {' | '.join(cells)} |")
        missed += [f"`{one.kind.partition(':')[2] or one.kind}`" for one, _ in counts.wrong]
    return "\n".join([*rows, "", f"Not found: {', '.join(missed)}."])


def _privacy_row(name: str, kinds: Iterable[str], score: Any) -> str:
    found, missed, wrong = (sum(some[kind] for kind in kinds) for some in (score.found, score.missed, score.wrong))
    return f"| {name} | {found + missed} | {found} | {found / (found + missed):.1%} | {wrong or ''} |"


def rules_table() -> str:
    """Return the table of the built-in rules for log lines, whose own table is made anew with it."""
    from tools import make_rule_pack

    make_rule_pack.main()
    rows = ["| Rule | Logger | Text | Becomes |", "| --- | --- | --- | --- |"]
    for name, rule in json.loads(make_rule_pack.TABLE.read_text(encoding="utf-8")).items():
        text = str(rule.get("literal", "")).replace("|", "\\|")
        became = f"{rule['become']} of `{rule['of'][0]}`" if "of" in rule else rule["become"]
        where = rule.get("logger") or rule.get("file") or "*"
        rows.append(f"| `{name}` | `{where}` | `{text}` | {became} |")
    return "\n".join(rows)


def extension_modules_table() -> str:
    """Return the table of the modules that other packages may build on; their names are in ``__all__``."""
    rows = ["| Module | What is in it |", "| --- | --- |"]
    for name in EXTENSION_MODULES:
        purpose = str(import_module(name).__doc__).strip().splitlines()[0]
        rows.append(f"| `{name}` | {purpose} |")
    return "\n".join(rows)


PARTS = {
    ("README.md", "settings"): lambda: settings_table(per_signal=False),
    ("README.md", "libraries"): libraries_table,
    ("docs/settings.md", "settings"): lambda: settings_table(per_signal=True),
    ("docs/metrics.md", "metrics"): metrics_table,
    ("docs/libraries.md", "libraries"): tested_libraries_table,
    ("docs/testing.md", "last runs"): runs_table,
    ("docs/launcher.md", "launcher cases"): launcher_table,
    ("docs/frameworks.md", "stories"): stories_table,
    ("docs/privacy.md", "privacy kinds"): privacy_table,
    ("docs/privacy.md", "unseen lists"): unseen_table,
    ("docs/architecture.md", "picture"): layers.picture,
    ("docs/architecture.md", "layers"): layers.purposes,
    ("docs/extending.md", "modules"): extension_modules_table,
    ("docs/log-bridge.md", "rules"): rules_table,
}


def renewed(text: str, part: str, content: str) -> str:
    """Return ``text`` with what stands between the marks of ``part`` replaced."""
    begin, end = f"<!-- {part}: made by `make docs` -->", f"<!-- end of {part} -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        sys.exit(f"make_docs: the marks of {part} are missing")
    return f"{before}{begin}\n{content}\n{end}{after}"


def main() -> int:
    """Write the parts, or with ``--check`` compare them."""
    outdated = []
    for (name, part), make in PARTS.items():
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        new = renewed(text, part, make())
        if new != text:
            outdated.append(f"{name}: {part}")
            if "--check" not in sys.argv:
                path.write_text(new, encoding="utf-8")
    if "--check" in sys.argv and outdated:
        sys.stderr.write(f"out of date, run `make docs`: {', '.join(outdated)}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
