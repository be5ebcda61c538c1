"""Puts wrappers around the functions that entries name, once the module that has them is there."""

from __future__ import annotations

from fnmatch import fnmatchcase
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.base.functions import innermost
from obs_run.base.stand_in import no_frame, passed_over
from obs_run.core import hooks
from obs_run.core.watched_functions import WatchedFunction
from obs_run.setting_texts import with_nearest
from obs_run.wrapping import calls, values
from obs_run.wrapping.entries import RECORDED, RESULT, SELF, Entry, Target, is_pattern
from obs_run.wrapping.wrap_file import SETTING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from obs_run.core.hooks import Wrapper

_MOST_NAMES = 12


class Declared:
    """A target of an entry, and where it was found so far."""

    def __init__(self, entry: Entry, target: Target, role: str) -> None:
        self.entry = entry
        self.target = target
        self.role = role
        self.places: list[str] = []

    def place_in(self, namespace: dict[str, Any], module: str) -> None:
        """Wrap what a module has of the target, and say in a line where that is not what the entry means."""
        try:
            self._place(namespace, module)
        except _NotThereError as error:
            guard.warn_once(f"{SETTING}: {self.entry.where}: {self.entry.name}: {error}")

    def tell_missing(self, module: str, names: Iterable[str]) -> None:
        """Say that a module, which has those names, has none that is meant."""
        name = self.target.first_name()
        near = with_nearest(name, names, "")
        about = f"{SETTING}: {self.entry.where}: {self.entry.name}"
        guard.warn_once(f"{about}: {self.target}: {module} has no {name!r}{near}")

    def is_in(self, namespace: dict[str, Any]) -> bool:
        """Whether a module that is still being executed has what the target names."""
        target = self.target
        if is_pattern(target.first_name()):
            return any(True for _ in _members(namespace, target.first_name(), self._is_meant))
        return target.first_name() in namespace and self._is_meant(namespace[target.first_name()])

    def _is_meant(self, found: Any) -> bool:
        return isinstance(found, type) if self.target.owner else callable(found)

    def _place(self, namespace: dict[str, Any], module: str) -> None:
        target = self.target
        if not target.owner:
            found = [name for name, _ in _members(namespace, target.function, callable)]
            if not found:
                raise _NotThereError(_missing(target, target.function, module, namespace))
            for name in found:
                self._wrap(_Namespace(namespace), module, name, name)
            return
        owners = self._owners(namespace, module)
        for owner in owners:
            if target.with_derived:
                hooks.for_derived(owner, self._wrap_methods, f"{SETTING} {self.entry.name}")
            else:
                self._wrap_methods(owner)
        if not self.places and not target.with_derived:
            place = f"{module}.{owners[0].__qualname__}"
            raise _NotThereError(_missing(target, target.function, place, vars(owners[0])))

    def _owners(self, namespace: dict[str, Any], module: str) -> list[type]:
        first, *inner = self.target.owner.split(".")
        found = [value for _, value in _members(namespace, first, self._is_meant)]
        if not found:
            raise _NotThereError(_missing(self.target, first, module, namespace))
        for name in inner:
            inside = [vars(owner)[name] for owner in found if isinstance(vars(owner).get(name), type)]
            if not inside:
                raise _NotThereError(_missing(self.target, name, f"{module}.{found[0].__qualname__}", vars(found[0])))
            found = inside
        return found

    def _wrap_methods(self, owner: type) -> None:
        """Wrap those methods of a class that are its own."""
        for name, _ in list(_members(vars(owner), self.target.function, _is_method)):
            self._wrap(owner, owner.__module__, f"{owner.__qualname__}.{name}", name)

    def _wrap(self, owner: Any, module: str, place: str, name: str) -> None:
        own = vars(owner)[name]
        if isinstance(own, WatchedFunction) and getattr(own, "_self_entry", None) is self.entry:
            return
        function = innermost(own)
        parameters = calls.parameters_of(function, is_method=self.target.owner != "" and not _is_static(own))
        if self._means_one():
            self._say_unknown_parameters(place, parameters)
        wrapper = self._wrapper_for(function, parameters)
        if isinstance(owner, type) and type(own) is FunctionType:
            wrapper = _with_object(wrapper)
        watched: Any = _OwnFunction((module, place), own, wrapper)
        watched._self_entry = self.entry  # noqa: SLF001 (wrapt keeps what begins so for itself)
        setattr(owner, name, watched)
        self.places.append(f"{module}:{place}")

    def _wrapper_for(self, function: Any, parameters: values.Parameters) -> Wrapper:
        if self.entry.kind in RECORDED:
            return calls.wrapper_for(self.entry, function, parameters)
        # Its classes are loaded for those who have such entries.
        from obs_run.wrapping import measured_calls

        derived = self.target.with_derived
        return measured_calls.wrapper_for(self.entry, self.role, function, parameters, with_derived=derived)

    def _means_one(self) -> bool:
        """Whether the entry means a single function, which then has all parameters that it names."""
        target = self.target
        return (
            len(self.entry.targets) == 1
            and not target.with_derived
            and not is_pattern(f"{target.owner}{target.function}")
        )

    def _say_unknown_parameters(self, place: str, parameters: values.Parameters) -> None:
        for path in self.entry.paths():
            if not parameters.has(path):
                allowed = with_nearest(path.root, (SELF, RESULT, *parameters.names))
                about = f"{SETTING}: {self.entry.where}: {self.entry.name}"
                guard.warn_once(f"{about}: {place} has no parameter {path.root!r}; allowed: {allowed}")


class _OwnFunction(WatchedFunction):
    """A function of the agent's, which may ask whether a class has the method of its base by ``is``."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Bind as a function does, which a class gives as it is."""
        if instance is None and type(self.__wrapped__) is FunctionType:
            return self
        return super().__get__(instance, owner)


def _with_object(wrapper: Wrapper) -> Wrapper:
    """Return a wrapper of methods that knows the object, too, where the class's function is called with it."""

    @passed_over
    def find_object(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if instance is None and args:
            instance, *rest = args
            wrapped, args = MethodType(wrapped, instance), tuple(rest)
        with no_frame:
            return wrapper(wrapped, instance, args, kwargs)

    return find_object


class _NotThereError(LookupError):
    """A module has been executed and has no such function."""


class _Namespace:
    """The names of a module, which may be one that is not in ``sys.modules``."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.__dict__ = names


def _members(names: Any, pattern: str, is_meant: Callable[[Any], bool]) -> Iterator[tuple[str, Any]]:
    """Yield the names that a pattern means, with their values; a name in words means itself alone."""
    if not is_pattern(pattern):
        if pattern in names and is_meant(names[pattern]):
            yield pattern, names[pattern]
        return
    for name, value in list(names.items()):
        if fnmatchcase(name, pattern) and not name.startswith("__") and is_meant(value):
            yield name, value


def _is_method(value: Any) -> bool:
    return isinstance(value, (staticmethod, classmethod)) or (callable(value) and not isinstance(value, type))


def _is_static(own: Any) -> bool:
    return isinstance(own, staticmethod)


def _missing(target: Target, name: str, place: str, names: Any) -> str:
    if name in names:
        kind = type(names[name]).__name__
        return f"{target} names a {kind}; allowed: functions, methods, class and static methods"
    there = [one for one, value in names.items() if _may_be_meant(one, value)]
    described = ", ".join(there[:_MOST_NAMES]) or "nothing that could be meant"
    return f"{target}: {place} has no {name!r}; there: {with_nearest(name, there, described)}"


def _may_be_meant(name: str, value: Any) -> bool:
    return not name.startswith("__") and (isinstance(value, (type, FunctionType)) or _is_method(value))
