"""Installed instrumentors of other distributions: what each is for, whose it is, and whether it fits.

Names of entry points say nothing (everybody's is called ``openai``), so instrumentors are told apart by distribution.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from obs_run import settings
from obs_run.coexistence import third_party

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import Distribution, EntryPoint

_DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
# Libraries that trace themselves, as their instrumentors of others do not know.
_OWN_TRACING = {"anthropic": (("ANTHROPIC_OPEN_TELEMETRY", "false"),)}


class Foreign(NamedTuple):
    """An instrumentor of another distribution."""

    package: str
    distribution: str
    family: str
    """"official", "openllmetry", "openinference", or empty."""
    version: str
    unfit: str
    """What it wants of the library and does not find, in words; empty where it fits."""
    entry_points: tuple[EntryPoint, ...]
    label: str
    """The distribution, and the library where it has instrumentors for several."""


def silence_library(library: str) -> None:
    """Switch off what a library traces by itself, for another instrumentor to tell of its calls alone.

    The variable is the library's own, read when a client is made; what the user set stays.
    """
    for name, value in _OWN_TRACING.get(library, ()):
        os.environ.setdefault(name, value)


def disabled(foreign: Foreign) -> str:
    """Return why an instrumentor of others is switched off, or an empty string."""
    folder = foreign.package.rpartition(".")[2]
    names = {"*", foreign.distribution, folder, *(entry_point.name for entry_point in foreign.entry_points)}
    return f"switched off by {_DISABLED}" if names & switched_off() else ""


def switched_off() -> frozenset[str]:
    """Return the words of the variable that switches instrumentors off."""
    return frozenset(settings.get(_DISABLED) or ())


def installed_for(library: str) -> list[Foreign]:
    """Return the instrumentors of others for ``library`` that have an entry point."""
    packages = third_party.installed_instrumentors().get(library, ())
    return [found for package in packages for found in _known(package, library)]


def _known(package: str, library: str) -> Iterator[Foreign]:
    by_distribution: dict[str, list[EntryPoint]] = {}
    distributions: dict[str, Distribution] = {}
    several = len(third_party.libraries_of(package)) > 1
    for entry_point in _entry_points():
        if several and entry_point.name != library:
            continue
        if third_party.is_submodule(entry_point.module, package) and entry_point.dist is not None:
            name = _plain(entry_point.dist.name)
            by_distribution.setdefault(name, []).append(entry_point)
            distributions[name] = entry_point.dist
    for name, entry_points in by_distribution.items():
        found = distributions[name]
        label = f"{name}, {library}" if several else name
        unfit = _unfit(entry_points[0], library, several=several)
        yield Foreign(package, name, _family(found), found.version, unfit, tuple(entry_points), label)


@lru_cache(maxsize=1)
def _entry_points() -> tuple[EntryPoint, ...]:
    from importlib.metadata import entry_points

    return tuple(entry_points(group="opentelemetry_instrumentor"))


def _family(distribution: Distribution) -> str:
    if _plain(distribution.name).startswith("openinference-instrumentation"):
        return "openinference"
    metadata = distribution.metadata
    told = " ".join(url for field in ("Home-page", "Project-URL") for url in metadata.get_all(field) or ()).lower()
    if "traceloop/openllmetry" in told:
        return "openllmetry"
    return "official" if "open-telemetry/" in told else ""


_INSTRUMENTS = re.compile(r"([\w.-]+)\s*(?:\[[^]]*\])?\s*\(?([^;)]*)\)?\s*;.*extra\s*==\s*['\"]instruments(-any)?['\"]")


def instrumented_by(entry_point: EntryPoint) -> list[tuple[str, str, bool]]:
    """Return the distributions that an instrumentor is for: name, versions wanted, whether another one would do."""
    found = map(_INSTRUMENTS.match, (entry_point.dist.requires if entry_point.dist is not None else None) or ())
    return [(each[1], each[2].strip(), bool(each[3])) for each in found if each]


def _unfit(entry_point: EntryPoint, library: str, *, several: bool) -> str:
    """Return what an instrumentor wants and does not find, or an empty string."""
    wanted = instrumented_by(entry_point)
    if several:
        wanted = [(name, versions, False) for name, versions, _ in wanted if name == library]
    problems = [(_problem(name, versions), either) for name, versions, either in wanted]
    if problems and all(problem and either for problem, either in problems):
        return problems[0][0]
    return next((problem for problem, either in problems if problem and not either), "")


def _problem(name: str, wanted: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        have = version(name)
    except PackageNotFoundError:
        return f"it wants {name}, which is not installed"
    return "" if _contains(wanted, have) else f"it wants {name} {wanted}; {have} is installed"


def _contains(wanted: str, version: str) -> bool:
    # With the instrumentation API comes packaging.
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return not wanted or SpecifierSet(wanted).contains(version, prereleases=True)
    except InvalidSpecifier:
        return True


def distribution_of(package: str) -> str:
    """Return the distribution that an instrumentor's package comes from, or the package where it has no entry point."""
    for found in _entry_points():
        if third_party.is_submodule(found.module, package) and found.dist is not None:
            return _plain(found.dist.name)
    return package


def _plain(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()
