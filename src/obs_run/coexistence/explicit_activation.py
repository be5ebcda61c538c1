"""Instrumentors that the agent's own code activates: a stronger wish than our default, a weaker one than OBS_PREFER."""

from __future__ import annotations

import re
from functools import wraps
from typing import Any

from obs_run.base import guard
from obs_run.coexistence import activation, choice, other_instrumentors, third_party
from obs_run.core import hooks


def notice_explicit(module: Any) -> None:
    """Notice what the agent activates and takes back; called when the base class of instrumentors is imported."""
    base = module.BaseInstrumentor
    instrument, uninstrument = base.instrument, base.uninstrument

    @wraps(instrument)
    def noticed(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not activation.activating and guard.call("instrumentor of the agent", _refused, self, default=False):
            return None
        returned = instrument(self, *args, **kwargs)
        if not getattr(self, "is_instrumented_by_opentelemetry", True):
            guard.call("instrumentor of the agent", _gone, self)
        return returned

    @wraps(uninstrument)
    def left(self: Any, *args: Any, **kwargs: Any) -> Any:
        returned = uninstrument(self, *args, **kwargs)
        if not activation.activating:
            guard.call("instrumentor of the agent", _gone, self)
        return returned

    base.instrument, base.uninstrument = noticed, left


def _refused(instrumentor: Any) -> bool:
    """Whether what the agent activates is left out, because the user named another one in OBS_PREFER."""
    package = _package_of(instrumentor)
    library = third_party.libraries_of(package)[0]
    if package and not third_party.may_coexist(package) and _has_others(package, library):
        name = other_instrumentors.distribution_of(package)
        kept = choice.preferred(library)
        if kept not in ("", name):
            third_party.note(name, f"left out for {kept} (OBS_PREFER)")
            guard.warn_once(f"obs-run: {name}, which the agent activates, is left out: OBS_PREFER names {kept}")
            return True
        _make_way(library, name)
    # With the agent's own options, which a second activation would be deaf to.
    for launched in [each for each in activation.launched if each[0] is instrumentor]:
        activation.launched.remove(launched)
        activation.silently(instrumentor.uninstrument)
    return False


def _has_others(package: str, library: str) -> bool:
    return (
        bool(third_party.own_instrumentors_for(library))
        or set(third_party.installed_instrumentors().get(library, ())) - {package} != set()
    )


def _make_way(library: str, name: str) -> None:
    """Have what the launcher chose for ``library`` step aside: ours, or one of others."""
    why = f"the agent activated {name}"
    third_party.note(name, "active")
    hooks.deactivate(library, why)
    other_instrumentors.silence_library(library)
    others = {each.label for each in other_instrumentors.installed_for(library)} - {name}
    for launched, label in [each for each in activation.launched if each[1] in others]:
        activation.launched.remove((launched, label))
        activation.silently(launched.uninstrument)
        third_party.note(label, why)
    for other in sorted(others):
        if third_party.outcomes().get(other) == "active":
            guard.warn_once(
                f"obs-run: the agent instruments {library} twice, by {other} and {name}; OBS_PREFER keeps one"
            )


def _gone(instrumentor: Any) -> None:
    """Have ours back where the agent took its instrumentor back, or its library did not fit."""
    package = _package_of(instrumentor)
    library = third_party.libraries_of(package)[0]
    name = other_instrumentors.distribution_of(package) if package else ""
    if hooks.deactivated_reason(library) == f"the agent activated {name}":
        third_party.note(name, "taken back by the agent")
        hooks.reactivate(library)


def _package_of(instrumentor: Any) -> str:
    """Return the package of an instrumentor, as the folders of installed ones name it, or an empty string."""
    found = re.match(r"(?:\w+\.)*instrumentation\.(?:genai\.)?\w+", type(instrumentor).__module__)
    return found[0] if found else ""
