"""``obsctl settings``: every variable, its value and where that came from."""

from __future__ import annotations

import fnmatch
import os
from itertools import groupby
from typing import TYPE_CHECKING

from obs_run import settings
from obs_run.base.masking import MASK, masked_value
from obs_run.cli import words
from obs_run.cli.mistake import Mistake, nearest

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("name", nargs="*", metavar="NAME", help="only these, with what they mean; OBS_* for all such")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--markdown", action="store_true", help="print the table that the documentation embeds")
    parser.add_argument("--set", action="store_true", help="only the variables that are set")


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    if args.markdown:
        print(markdown(), end="")
        return 0
    chosen = [one for one in _chosen(args.name) if not args.set or os.environ.get(one.name, "").strip()]
    if args.json:
        import json

        for one in chosen:
            print(json.dumps(_as_json(one, os.environ)))
        return 0
    if args.name:
        print("\n\n".join(_described(one, os.environ) for one in chosen))
        return 0
    lines = list(_lines(os.environ, chosen))
    print(*lines or ["no variable is set"], sep="\n")
    return 0


def _chosen(patterns: Sequence[str]) -> Sequence[settings.Setting]:
    """Return the settings in the order of their groups, those that ``patterns`` name; ``Mistake`` if one names none."""
    in_order = sorted(settings.SETTINGS, key=_group_order)
    if not patterns:
        return in_order
    found: set[str] = set()
    for pattern in patterns:
        names = fnmatch.filter((one.name for one in in_order), pattern.upper().partition("=")[0])
        if not names:
            near = nearest(pattern.upper(), (one.name for one in in_order))
            hint = f"did you mean {near}?" if near else "see obsctl settings"
            raise Mistake(f"no variable {pattern!r}; {hint}")
        found.update(names)
    return [one for one in in_order if one.name in found]


def _described(setting: settings.Setting, environ: Mapping[str, str]) -> str:
    """Return what a setting is now, may be, and means."""
    value = settings.lookup(setting.name, environ)
    lines = [f"{setting.name}={shown(setting, environ)}  ({value.source})", f"  {setting.sentence}"]
    default = f"; default {setting.default}" if setting.default else ""
    lines.append(f"  values: {setting.kind}{default}")
    problem = _problem(setting, environ)
    if problem:
        lines.append(f"! {words.one_line(problem)}")
    return "\n".join(lines)


def _as_json(setting: settings.Setting, environ: Mapping[str, str]) -> dict[str, str | None]:
    return {
        "name": setting.name,
        "value": shown(setting, environ),
        "source": settings.lookup(setting.name, environ).source,
        "problem": _problem(setting, environ),
        "default": setting.default,
        "values": setting.kind,
        "group": setting.group,
        "sentence": setting.sentence,
    }


def _problem(setting: settings.Setting, environ: Mapping[str, str]) -> str | None:
    told = (*settings.problems(environ), *more_problems())
    return next((line for line in told if line.startswith(f"{setting.name}: ")), None)


def more_problems() -> Iterator[str]:
    """Yield a line for each value that only those who use it find wrong."""
    from obs_run.coexistence import misnamed
    from obs_run.privacy import choice

    try:
        choice.from_settings()
    except ValueError as problem:
        yield str(problem)
    yield from misnamed.lines()


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


def _lines(environ: Mapping[str, str], chosen: Sequence[settings.Setting]) -> Iterator[str]:
    for group, members in groupby(chosen, lambda setting: setting.group):
        yield f"# {group}"
        for setting in members:
            yield f"{setting.name}={shown(setting, environ)}  ({settings.lookup(setting.name, environ).source})"
    told = (*settings.problems(environ), *more_problems(), *unknown(environ))
    yield from (f"! {words.one_line(problem)}" for problem in told)


def _group_order(setting: settings.Setting) -> int:
    groups = list(dict.fromkeys(one.group for one in settings.SETTINGS))
    return groups.index(setting.group)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""
