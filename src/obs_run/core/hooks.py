"""Target tables to patches: what an instrumentor declares is put in place when its library is imported."""

from __future__ import annotations

import importlib
import os
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run import settings
from obs_run.base import guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]
    Preference = Callable[["Instrumentor"], str | None]


__all__ = ["InPlace", "Instrumentor", "Target"]


class InPlace(NamedTuple):
    """What makes a plain function that takes a method's place, where the cost of a wrapper would be seen.

    It records also where another instrumentor takes over later.
    """

    make: Callable[[Callable[..., Any]], Callable[..., Any]]


class Target(NamedTuple):
    """One function of a library and what is put around it.

    ``wrapper`` takes (wrapped, instance, args, kwargs), as ``wrapt`` calls it; ``core.streams`` makes them.
    A target with ``optional`` is not there in every supported version. A wildcard in the name's class
    (``Index*.search``) means every such class of the module that has the method of its own, and a plus sign
    (``BaseModel+.ask``) the class and all that are derived from it anywhere, as users do. ``setting`` names a setting
    and those of its values that the target is for; with none of them, any that the user has set.
    """

    module: str
    name: str
    wrapper: Wrapper | InPlace
    optional: bool = False
    setting: tuple[str, tuple[str, ...]] | None = None


class SetUp(NamedTuple):
    """How a library is observed by its own means: a callback, processor or handler that is registered with it.

    ``register`` is called with ``module`` once that has been imported, and returns what takes the registration back.
    """

    module: str
    register: Callable[[Any], Callable[[], object]]


class Instrumentor(NamedTuple):
    """What is recorded of one library: its distribution, the supported versions (PEP 440), and how."""

    library: str
    distribution: str
    versions: str
    targets: tuple[Target, ...] = ()
    operations: tuple[str, ...] = ()
    """The operations, as the documents name them."""
    owner: str = "obs-run"
    """Who makes the spans, as the documents tell it, where the library traces itself too."""
    set_up: SetUp | None = None
    has_common_name: bool = False
    """Whether the agent may have modules of these names itself: what lacks a target is taken for such a one."""
    is_transport: bool = False
    """Whether it finds model calls among all that the library sends, whose instrumentors by others it goes beside."""

    is_counting: bool = False
    """Whether it counts what no instrumentor by others does, pools and caches, and goes beside those of the library."""

    is_server: bool = False
    """Whether it records requests that a server gets, where no instrumentor by others does, and goes beside those."""

    is_dependency: bool = False
    """Whether most agents have it only because another library does: then a version of before is worth no line."""

    def goes_beside(self) -> bool:
        """Whether instrumentors by others of the same library go on beside it."""
        return self.is_transport or self.is_counting or self.is_server

    def modules(self) -> set[str]:
        """Return the modules whose import it waits for."""
        modules = {target.module for target in self.targets}
        return modules if self.set_up is None else {*modules, self.set_up.module}


class Status:
    """What became of an instrumentor in this process."""

    def __init__(self, instrumentor: Instrumentor, version: str | None = None, skipped: str | None = None) -> None:
        self.instrumentor = instrumentor
        self.version = version
        self.patched: list[str] = []
        self.skipped = skipped
        self.set_up_module: ModuleType | None = None
        """The imported module that ``SetUp.register`` is for."""
        self.take_back: Callable[[], object] | None = None
        """What takes the registration back while there is one."""
        self.is_unfit = False
        """Whether the library's version is why it is skipped, which says nothing of what the user wants."""

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


_DERIVED = "+."
_MADE_BY = "_obs_run_made_by"
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
        patch = _patch_derived if _DERIVED in target.name else _patch
        guard.call(f"instrumentation of {target.module}:{target.name}", patch, target, imported, state)
    if instrumentor.set_up is not None and instrumentor.set_up.module == imported.__name__:
        state.set_up_module = imported
        state.register()


def _has_targets(module: ModuleType, instrumentor: Instrumentor) -> bool:
    needed = [one.name for one in instrumentor.targets if one.module == module.__name__ and not one.optional]
    # Not every class has a method that derived ones have.
    names = {name.partition(_DERIVED)[0] for name in needed}
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


def modules_left_out() -> set[str]:
    """Return the modules of the libraries that the user has others record, or nobody."""
    left_out = [state for state in _statuses.values() if not state.is_active() and not state.is_unfit]
    return {module for state in left_out for module in state.instrumentor.modules()}


def undo() -> None:
    """Take every patch and registration back."""
    while _undo:
        parent, attribute, original = _undo.pop()
        if original is None:
            delattr(parent, attribute)
        else:
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
    if instrumentor.goes_beside():
        return False
    return any(f"{module}.".startswith(f"{library}.") for module in instrumentor.modules())


def _decide(instrumentor: Instrumentor) -> Status:
    """Decide whether a library is instrumented; why not is said in one line unless the user asked for it."""
    state = Status(instrumentor)
    state.skipped = switched_off(instrumentor)
    for library, reason in _deactivated.items():
        if state.skipped is None and _lies_in(instrumentor, library):
            state.skipped = reason
    state.version = _installed_version(instrumentor.distribution)
    # Where it is vendored or run from its source tree, the targets tell whether it fits.
    is_unfit = state.version is not None and not supports(instrumentor.versions, state.version)
    if state.skipped is None and is_unfit:
        state.skipped = f"version {state.version} is not supported (supported: {instrumentor.versions})"
        state.is_unfit = True
        if not instrumentor.is_dependency:
            guard.warn_once(f"obs-run: {instrumentor.library} is not instrumented: {state.skipped}")
    for preference in _preferences:
        if state.skipped is None:
            state.skipped = guard.call("instrumentors of others", preference, instrumentor)
    return state


def _installed_version(distribution: str) -> str | None:
    """Return the version of a distribution, None where it is not installed as one."""
    from importlib import metadata

    try:
        found = metadata.distribution(distribution)
    except metadata.PackageNotFoundError:
        return None
    # The library's own function parses all that is told of it, as it would an email.
    fields = (found.read_text("METADATA") or "").partition("\n\n")[0]
    told = [line for line in fields.splitlines() if line.startswith("Version:")]
    return told[0].partition(":")[2].strip() if told else found.version


def switched_off(instrumentor: Instrumentor) -> str | None:
    """Return why the user does not want an instrumentor of ours, None if nothing speaks against it."""
    words = {name.strip() for name in os.environ.get(_DISABLED, "").split(",")}
    names = {"*", "obs-run", f"obs-run:{instrumentor.library}"}
    if instrumentor.is_server or not instrumentor.goes_beside():
        # By such a library's name the instrumentors of others are meant, which tell of all its requests.
        names.add(instrumentor.library)
    if words & names:
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
        if target.setting is not None and not _is_wanted(*target.setting):
            continue
        owner, _, method = target.name.rpartition(".")
        if "*" in owner:
            for name, kind in list(vars(module).items()):
                if isinstance(kind, type) and fnmatchcase(name, owner) and method in vars(kind):
                    yield target._replace(name=f"{name}.{method}")
        else:
            yield target


def _is_wanted(setting: str, values: tuple[str, ...]) -> bool:
    value = settings.get(setting)
    return value in values if values else bool(value)


def _patch(target: Target, module: ModuleType, state: Status) -> None:
    import wrapt

    try:
        parent, attribute, original = wrapt.resolve_path(module, target.name)
    except AttributeError:
        if not target.optional:
            raise
        return
    own = vars(parent).get(attribute, original) if isinstance(parent, type) else original
    _put(target, (parent, attribute), own, state)


def _put(target: Target, place: tuple[Any, str], own: Any, state: Status) -> None:
    from obs_run.core.watched_functions import WatchedFunction

    if getattr(own, "_self_wrapper", None) is target.wrapper:
        # Another module knows the same class, and came first.
        return
    if isinstance(target.wrapper, InPlace):
        if vars(own).get(_MADE_BY) is target.wrapper:
            # As above.
            return
        made = target.wrapper.make(own)
        setattr(made, _MADE_BY, target.wrapper)
        setattr(*place, made)
        _undo.append((*place, own))
        state.patched.append(f"{target.module}:{target.name}")
        return
    # What goes beside others is not left to them later, and each of its calls would pay for the question.
    enabled = None if state.instrumentor.goes_beside() else state.is_active
    setattr(*place, WatchedFunction((target.module, target.name), own, target.wrapper, enabled=enabled))
    _undo.append((*place, own))
    state.patched.append(f"{target.module}:{target.name}")


def _patch_derived(target: Target, module: ModuleType, state: Status) -> None:
    """Patch a class and those derived from it, where the method is their own, and those that are to come."""
    base_name, method = target.name.split(_DERIVED)

    def patch(kind: type) -> None:
        if method in vars(kind):
            own = target._replace(module=kind.__module__, name=f"{kind.__qualname__}.{method}")
            _put(own, (kind, method), vars(kind)[method], state)

    for_derived(getattr(module, base_name), patch, f"instrumentation of {target.module}:{target.name}")


def for_derived(base: Any, patch: Callable[[type], None], site: str) -> None:
    """Call ``patch`` with a class and all derived from it, those that are to come too."""
    for kind in _with_derived(base):
        patch(kind)
    before = vars(base).get("__init_subclass__")

    def init_subclass(cls: type, /, **kwargs: Any) -> None:
        inner = super(base, cls).__init_subclass__ if before is None else before.__get__(None, cls)
        inner(**kwargs)
        guard.call(site, patch, cls)

    base.__init_subclass__ = classmethod(init_subclass)
    _undo.append((base, "__init_subclass__", before))


def _with_derived(kind: type[Any]) -> Iterator[type[Any]]:
    yield kind
    for derived in kind.__subclasses__():
        yield from _with_derived(derived)
