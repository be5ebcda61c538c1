"""Names of instrumentors in the settings that are nobody's, and nearly somebody's: a misspelt one changes nothing."""

from __future__ import annotations

from contextlib import suppress
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING

from obs_run import settings
from obs_run.base import guard
from obs_run.coexistence import other_instrumentors, third_party

if TYPE_CHECKING:
    from collections.abc import Iterator

_DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
_PREFER = "OBS_PREFER"
_FAMILIES = frozenset(("obs-run", "official", "openllmetry", "openinference"))
_NEAR = 0.81
"""openai_v2, which others have, is less like openai than that."""


def say() -> None:
    """Say each name that is nearly that of an instrumentor, once."""
    for line in lines():
        guard.warn_once(line)


def lines() -> Iterator[str]:
    """Yield a line for each name in the settings that is nearly that of an instrumentor."""
    # Every service may be given the same list, so what is only not installed is nothing wrong.
    disabled = settings.get(_DISABLED) or ()
    if set(disabled) - {"*", "obs-run"}:
        ours, others = _ours(), _others()
        names = {"*", "obs-run", *ours, *(f"obs-run:{name}" for name in ours), *others}
        yield from _misspelt(_DISABLED, disabled, names)
    preferences = settings.get(_PREFER) or ()
    if preferences:
        libraries = {*_ours(), *_packages(), *third_party.installed_instrumentors()}
        plain = {name.replace("_", "-").replace(".", "-").lower() for name in libraries}
        named = [of.replace("_", "-").replace(".", "-").lower() for of, _ in preferences if of]
        yield from _misspelt(_PREFER, named, plain)
        yield from _misspelt(_PREFER, [who for _, who in preferences], _FAMILIES | _distributions())


def _misspelt(setting: str, words: list[str] | tuple[str, ...], names: set[str] | frozenset[str]) -> Iterator[str]:
    for word in words:
        near = [] if word in names else get_close_matches(word.lower(), names, 1, _NEAR)
        if near:
            yield f"{setting}: {word!r} is no instrumentor; did you mean {near[0]!r}?"


def _ours() -> set[str]:
    from obs_instrumentors import TABLE

    names: set[str] = set()
    for name in sorted(set(TABLE.values())):
        # One that does not load is told where its library is imported.
        with suppress(Exception):
            names.update(each.library for each in import_module(name).INSTRUMENTORS)
    return names


def _packages() -> set[str]:
    """Return the packages that ours wait for."""
    from obs_instrumentors import TABLE

    return {module.partition(".")[0] for module in TABLE}


def _foreign() -> Iterator[other_instrumentors.Foreign]:
    for library in third_party.installed_instrumentors():
        yield from other_instrumentors.installed_for(library)


def _others() -> set[str]:
    """Return the names by which instrumentors of others are switched off."""
    names = {name for each in _foreign() for name in (each.distribution, each.package.rpartition(".")[2])}
    return names | {point.name for each in _foreign() for point in each.entry_points}


def _distributions() -> set[str]:
    return {each.distribution for each in _foreign()}
