"""Target tables to patches: what an instrumentor declares is put in place when its library is imported."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.base import guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]


__all__ = ["Instrumentor", "Target"]


@dataclass(frozen=True)
class Target:
    """One function of a library and what is put around it.

    ``wrapper`` takes (wrapped, instance, args, kwargs), as ``wrapt`` calls it; ``core.streams`` makes them.
    A target with ``optional`` is not there in every supported version. A wildcard in the name's class
    (``Index*.search``) means every such class of the module that has the method of its own. ``setting`` names a
    setting and those of its values that the target is for.
    """

    module: str
    name: str
    wrapper: Wrapper
    optional: bool = False
    setting: tuple[str, tuple[str, ...]] | None = None


@dataclass(frozen=True)
class Instrumentor:
    """What is recorded of one library: its distribution, the supported versions (PEP 440), and the targets."""

    library: str
    distribution: str
    versions: str
    targets: tuple[Target, ...]
    operations: tuple[str, ...] = field(default=())
    """The operations, as the documents name them."""
    owner: str = "obs-run"
    """Who makes the spans, as the documents tell it, where the library traces itself too."""


@dataclass
class Status:
    """What became of an instrumentor in this process."""

    instrumentor: Instrumentor
    version: str | None = None
    patched: list[str] = field(default_factory=list)
    skipped: str | None = None

    def active(self) -> bool:
        """Whether the patches record; they stay in place where another instrumentor took over later."""
        return self.skipped is None


_DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
_statuses: dict[str, Status] = {}
_undo: list[tuple[Any, str, Any]] = []
_aside: dict[str, str] = {}


def instrument(name: str, imported: ModuleType) -> None:
    """Put the targets of the instrumentor in module ``name`` in place that live in the module just imported."""
    module = importlib.import_module(name)
    for instrumentor in module.INSTRUMENTORS:
        targets = [target for target in instrumentor.targets if target.module == imported.__name__]
        if targets:
            made = status(instrumentor)
            for target in _each(targets, imported) if made.skipped is None else ():
                guard.call(f"instrumentation of {target.module}:{target.name}", _patch, target, imported, made)


def status(instrumentor: Instrumentor) -> Status:
    """Return what becomes of an instrumentor in this process, decided at the first question."""
    made = _statuses.get(instrumentor.library)
    if made is None:
        made = _statuses[instrumentor.library] = _admitted(instrumentor)
    return made


def statuses() -> list[Status]:
    """Return what became of every instrumentor whose library was imported."""
    return list(_statuses.values())


def undo() -> None:
    """Take every patch back."""
    while _undo:
        parent, attribute, original = _undo.pop()
        setattr(parent, attribute, original)
    _statuses.clear()
    _aside.clear()


def step_aside(library: str, why: str) -> None:
    """Stop recording the modules of ``library``: the agent activated another instrumentor itself."""
    _aside[library] = why
    for made in _of(library):
        made.skipped = made.skipped or why


def come_back(library: str) -> None:
    """Record the modules of ``library`` again: the agent took the other instrumentor back."""
    why = _aside.pop(library, None)
    for made in _of(library):
        made.skipped = None if made.skipped == why and made.patched else made.skipped


def aside(library: str) -> str | None:
    """Return why ours leaves ``library`` to an instrumentor that the agent activated, None where it does not."""
    return _aside.get(library)


def _of(library: str) -> list[Status]:
    return [made for made in _statuses.values() if _lies_in(made.instrumentor, library)]


def _lies_in(instrumentor: Instrumentor, library: str) -> bool:
    return any(f"{target.module}.".startswith(f"{library}.") for target in instrumentor.targets)


def _admitted(instrumentor: Instrumentor) -> Status:
    """Decide whether a library is instrumented; why not is said in one line unless the user asked for it."""
    from importlib.metadata import PackageNotFoundError, version

    made = Status(instrumentor)
    made.skipped = switched_off(instrumentor)
    made.skipped = made.skipped or next((_aside[each] for each in _aside if _lies_in(instrumentor, each)), None)
    try:
        made.version = version(instrumentor.distribution)
    except PackageNotFoundError:
        # Vendored or run from its source tree: the targets tell whether it fits.
        pass
    else:
        if made.skipped is None and not supports(instrumentor.versions, made.version):
            made.skipped = f"version {made.version} is not supported (supported: {instrumentor.versions})"
            guard.warn_once(f"obs-run: {instrumentor.library} is not instrumented: {made.skipped}")
    made.skipped = made.skipped or guard.call("instrumentors of others", _left_to, instrumentor)
    return made


def switched_off(instrumentor: Instrumentor) -> str | None:
    """Return why the user does not want an instrumentor of ours, None if nothing speaks against it."""
    words = {name.strip() for name in os.environ.get(_DISABLED, "").split(",")}
    if words & {"*", "obs-run", instrumentor.library, f"obs-run:{instrumentor.library}"}:
        return f"switched off by {_DISABLED}"
    return None


def _left_to(instrumentor: Instrumentor) -> str | None:
    if not os.environ.get("OBS_PREFER"):
        return None
    from obs_run.coexistence import choice

    preferred = choice.stronger(instrumentor)
    return None if preferred is None else f"{preferred.distribution} instruments it (OBS_PREFER)"


def supports(versions: str, version: str) -> bool:
    """Whether ``version`` lies within ``versions``, a comma list of >= and < bounds on release numbers."""
    have = _release(version)
    for bound in versions.split(","):
        bound = bound.strip()  # noqa: PLW2901 (spaces are not part of a bound)
        if bound.startswith(">="):
            if have < _release(bound[2:]):
                return False
        elif bound.startswith("<") and have >= _release(bound[1:]):
            return False
    return True


def _release(version: str) -> tuple[int, ...]:
    numbers = []
    for part in version.partition("+")[0].split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers)


def _each(targets: list[Target], module: ModuleType) -> Iterator[Target]:
    """Give the targets that the settings want, one for each class that a wildcard means."""
    for target in targets:
        if target.setting is not None and settings.get(target.setting[0]) not in target.setting[1]:
            continue
        owner, _, method = target.name.rpartition(".")
        if "*" in owner:
            for name, kind in list(vars(module).items()):
                if isinstance(kind, type) and fnmatchcase(name, owner) and method in vars(kind):
                    yield replace(target, name=f"{name}.{method}")
        else:
            yield target


def _patch(target: Target, module: ModuleType, made: Status) -> None:
    import wrapt

    try:
        parent, attribute, original = wrapt.resolve_path(module, target.name)
    except AttributeError:
        if not target.optional:
            raise
        return
    own = vars(parent).get(attribute, original) if isinstance(parent, type) else original
    if getattr(own, "_self_wrapper", None) is target.wrapper:
        # Another module knows the same class, and came first.
        return
    setattr(parent, attribute, wrapt.FunctionWrapper(own, target.wrapper, enabled=made.active))
    _undo.append((parent, attribute, own))
    made.patched.append(f"{target.module}:{target.name}")
