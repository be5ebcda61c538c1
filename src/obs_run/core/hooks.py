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
    Preference = Callable[["Instrumentor"], str | None]


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
class SetUp:
    """How a library is observed by its own means: a callback, processor or handler that is registered with it.

    ``register`` is called with ``module`` once that has been imported, and returns what takes the registration back.
    """

    module: str
    register: Callable[[Any], Callable[[], object]]


@dataclass(frozen=True)
class Instrumentor:
    """What is recorded of one library: its distribution, the supported versions (PEP 440), and how."""

    library: str
    distribution: str
    versions: str
    targets: tuple[Target, ...] = ()
    operations: tuple[str, ...] = field(default=())
    """The operations, as the documents name them."""
    owner: str = "obs-run"
    """Who makes the spans, as the documents tell it, where the library traces itself too."""
    set_up: SetUp | None = None
    has_common_name: bool = False
    """Whether the agent may have modules of these names itself: what lacks a target is taken for such a one."""

    def modules(self) -> set[str]:
        """Return the modules whose import it waits for."""
        modules = {target.module for target in self.targets}
        return modules if self.set_up is None else {*modules, self.set_up.module}


@dataclass
class Status:
    """What became of an instrumentor in this process."""

    instrumentor: Instrumentor
    version: str | None = None
    patched: list[str] = field(default_factory=list)
    skipped: str | None = None
    set_up_module: ModuleType | None = None
    """The imported module that ``SetUp.register`` is for."""
    take_back: Callable[[], object] | None = None
    """What takes the registration back while there is one."""

    def is_active(self) -> bool:
        """Whether it records; patches stay in place where another instrumentor took over later."""
        return self.skipped is None

    def register(self) -> None:
        """Register with the library by its own means, unless that is done."""
        set_up = self.instrumentor.set_up
        if set_up is not None and self.set_up_module is not None and self.take_back is None:
            site = f"instrumentation of {set_up.module}"
            self.take_back = guard.call(site, set_up.register, self.set_up_module)

    def unregister(self) -> None:
        """Take the registration back."""
        take_back, self.take_back = self.take_back, None
        if take_back is not None:
            guard.call(f"instrumentation of {self.instrumentor.library}", take_back)


_DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
_statuses: dict[str, Status] = {}
_undo: list[tuple[Any, str, Any]] = []
_deactivated: dict[str, str] = {}
_preferences: list[Preference] = []


def instrument(name: str, imported: ModuleType) -> None:
    """Put the instrumentors of module ``name`` in place as far as they are for the module just imported."""
    for instrumentor in importlib.import_module(name).INSTRUMENTORS:
        add(instrumentor, imported)


def add(instrumentor: Instrumentor, imported: ModuleType) -> None:
    """Put an instrumentor in place as far as it is for the module just imported."""
    if imported.__name__ not in instrumentor.modules():
        return
    if instrumentor.has_common_name and not _has_targets(imported, instrumentor):
        return
    state = status(instrumentor)
    if not state.is_active():
        return
    targets = [target for target in instrumentor.targets if target.module == imported.__name__]
    for target in _each(targets, imported):
        guard.call(f"instrumentation of {target.module}:{target.name}", _patch, target, imported, state)
    if instrumentor.set_up is not None and instrumentor.set_up.module == imported.__name__:
        state.set_up_module = imported
        state.register()


def _has_targets(module: ModuleType, instrumentor: Instrumentor) -> bool:
    names = [one.name for one in instrumentor.targets if one.module == module.__name__ and not one.optional]
    return all(_has(module, name) for name in names)


def _has(owner: Any, name: str) -> bool:
    for attribute in name.split("."):
        if not hasattr(owner, attribute):
            return False
        owner = getattr(owner, attribute)
    return True


def status(instrumentor: Instrumentor) -> Status:
    """Return what becomes of an instrumentor in this process, decided at the first question."""
    state = _statuses.get(instrumentor.library)
    if state is None:
        state = _statuses[instrumentor.library] = _decide(instrumentor)
    return state


def statuses() -> list[Status]:
    """Return what became of every instrumentor whose library was imported."""
    return list(_statuses.values())


def undo() -> None:
    """Take every patch and registration back."""
    while _undo:
        parent, attribute, original = _undo.pop()
        setattr(parent, attribute, original)
    for state in _statuses.values():
        state.unregister()
    _statuses.clear()
    _deactivated.clear()


def prefer(preference: Preference) -> None:
    """Have ``preference(instrumentor)`` say why the user prefers another one to it, None where he does not."""
    _preferences.append(preference)


def deactivate(library: str, reason: str) -> None:
    """Stop recording the modules of ``library``: the agent activated another instrumentor itself."""
    _deactivated[library] = reason
    for state in _statuses_of(library):
        state.skipped = state.skipped or reason
        state.unregister()


def reactivate(library: str) -> None:
    """Record the modules of ``library`` again: the agent took the other instrumentor back."""
    reason = _deactivated.pop(library, None)
    for state in _statuses_of(library):
        is_in_place = bool(state.patched) or state.set_up_module is not None
        if state.skipped == reason and is_in_place:
            state.skipped = None
            state.register()


def deactivated_reason(library: str) -> str | None:
    """Return why ours leaves ``library`` to an instrumentor that the agent activated, None where it does not."""
    return _deactivated.get(library)


def _statuses_of(library: str) -> list[Status]:
    return [state for state in _statuses.values() if _lies_in(state.instrumentor, library)]


def _lies_in(instrumentor: Instrumentor, library: str) -> bool:
    return any(f"{module}.".startswith(f"{library}.") for module in instrumentor.modules())


def _decide(instrumentor: Instrumentor) -> Status:
    """Decide whether a library is instrumented; why not is said in one line unless the user asked for it."""
    from importlib.metadata import PackageNotFoundError, version

    state = Status(instrumentor)
    state.skipped = switched_off(instrumentor)
    for library, reason in _deactivated.items():
        if state.skipped is None and _lies_in(instrumentor, library):
            state.skipped = reason
    try:
        state.version = version(instrumentor.distribution)
    except PackageNotFoundError:
        # Vendored or run from its source tree: the targets tell whether it fits.
        pass
    else:
        if state.skipped is None and not supports(instrumentor.versions, state.version):
            state.skipped = f"version {state.version} is not supported (supported: {instrumentor.versions})"
            guard.warn_once(f"obs-run: {instrumentor.library} is not instrumented: {state.skipped}")
    for preference in _preferences:
        if state.skipped is None:
            state.skipped = guard.call("instrumentors of others", preference, instrumentor)
    return state


def switched_off(instrumentor: Instrumentor) -> str | None:
    """Return why the user does not want an instrumentor of ours, None if nothing speaks against it."""
    words = {name.strip() for name in os.environ.get(_DISABLED, "").split(",")}
    if words & {"*", "obs-run", instrumentor.library, f"obs-run:{instrumentor.library}"}:
        return f"switched off by {_DISABLED}"
    return None


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


def _patch(target: Target, module: ModuleType, state: Status) -> None:
    import wrapt

    from obs_run.core.watched_functions import WatchedFunction

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
    place = target.module, target.name
    setattr(parent, attribute, WatchedFunction(place, own, target.wrapper, enabled=state.is_active))
    _undo.append((parent, attribute, own))
    state.patched.append(f"{target.module}:{target.name}")
