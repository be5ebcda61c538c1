"""``obsctl settings``: every variable, its value and where that came from."""

from __future__ import annotations

import os
from itertools import groupby
from typing import TYPE_CHECKING

from obs_run import settings
from obs_run.base.masking import MASK, masked_value
from obs_run.cli import words

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--markdown", action="store_true", help="print the table that the documentation embeds")
    parser.add_argument("--set", action="store_true", help="only the variables that are set")


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    if args.markdown:
        print(markdown(), end="")
        return 0
    print(*_lines(os.environ, only_set=args.set), sep="\n")
    return 0


def markdown() -> str:
    """Return the table of all variables for README.md and docs, grouped, without any value of this machine."""
    parts = []
    for group, members in groupby(sorted(settings.SETTINGS, key=_group_order), lambda setting: setting.group):
        rows = [f"| `{one.name}` | {one.kind} | {_code(one.default)} | {one.sentence} |" for one in members]
        parts.append(
            "\n".join([f"**{group}**", "", "| Variable | Values | Default | |", "| --- | --- | --- | --- |", *rows])
        )
    return "\n\n".join(parts) + "\n"


def shown(setting: settings.Setting, environ: Mapping[str, str]) -> str:
    """Return the value of ``setting`` as text, without secrets."""
    value = settings.lookup(setting.name, environ)
    if value.source != "environment":
        return setting.default
    text = environ[setting.name].strip()
    if setting.secret:
        return MASK
    if setting.name == "OTEL_RESOURCE_ATTRIBUTES":
        text = _without_what_privacy_finds(value.value)
    return words.one_line(masked_value(text))


def _without_what_privacy_finds(attributes: Mapping[str, str]) -> str:
    """Return attributes as the telemetry has them: what is taken out there is not printed here."""
    from obs_run.privacy import scrubber

    return ",".join(f"{name}={value}" for name, value in scrubber().attributes(attributes).items())


def unknown(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield one line for each variable of the environment that looks like ours and is not."""
    misspelt = list(settings.misspelt_names(environ))
    yield from misspelt
    for name in sorted(environ):
        if settings.is_unknown(name) and not any(line.startswith(f"{name}:") for line in misspelt):
            yield f"{name}: not a variable of obs-run"


def _lines(environ: Mapping[str, str], *, only_set: bool) -> Iterator[str]:
    for group, members in groupby(sorted(settings.SETTINGS, key=_group_order), lambda setting: setting.group):
        rows = [(one, settings.lookup(one.name, environ)) for one in members]
        rows = [row for row in rows if not only_set or environ.get(row[0].name, "").strip()]
        if rows:
            yield f"# {group}"
        for setting, value in rows:
            yield f"{setting.name}={shown(setting, environ)}  ({value.source})"
    yield from (f"! {words.one_line(problem)}" for problem in (*settings.problems(environ), *unknown(environ)))


def _group_order(setting: settings.Setting) -> int:
    groups = list(dict.fromkeys(one.group for one in settings.SETTINGS))
    return groups.index(setting.group)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""
