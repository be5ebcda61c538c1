"""What ``obsctl doctor`` says of what is taken out of telemetry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.cli import diagnosis, words
from obs_run.cli.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from obs_run.privacy.actions import Action

_LIBRARIES = ("phonenumberslite", "python-stdnum")


def findings() -> Iterator[Finding]:
    """Yield what the settings choose, or what is wrong with them."""
    from obs_run.privacy import choice
    from obs_run.privacy.kinds import PERSONAL, SECRETS

    try:
        chosen = choice.from_settings().actions
    except ValueError as problem:
        name, _, text = str(problem).partition(": ")
        yield Finding("FAIL", name, f"{text}; until that is right, all built-in kinds are masked")
        return
    for about, kinds in (("secrets", SECRETS), ("personal data", PERSONAL)):
        yield _of(about, {kind: chosen[kind] for kind in chosen if kind in kinds}, len(kinds))
    own = {kind: chosen[kind] for kind in chosen if kind not in SECRETS | PERSONAL}
    if own:
        yield Finding("ok", "own kinds", ", ".join(f"{kind} ({action.how})" for kind, action in own.items()))
    missing = [name for name in _LIBRARIES if not diagnosis.installed(name)]
    if missing and any(kind in PERSONAL for kind in chosen):
        yield Finding("!", ", ".join(missing), "not installed: what only looks right goes, too; obs-run[privacy]")


def _of(about: str, chosen: Mapping[str, Action], among: int) -> Finding:
    if not chosen:
        return Finding("-", about, "left in (OBS_PRIVACY)")
    counts: dict[str, int] = {}
    for action in chosen.values():
        counts[action.how] = counts.get(action.how, 0) + 1
    actions = ", ".join(f"{how} {count}" for how, count in sorted(counts.items()))
    return Finding("ok", about, f"{words.count(len(chosen), 'kind')} of {among} taken out: {actions}")
