"""Which distribution instruments a library when several could: exactly one, ours unless the user prefers another."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run import settings
from obs_run.base import guard
from obs_run.base.stand_in import no_frame
from obs_run.coexistence import activation, other_instrumentors, third_party
from obs_run.coexistence.other_instrumentors import Foreign
from obs_run.core import hooks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from obs_run.core.hooks import Instrumentor

OURS = "obs-run"
_DEFAULT_ORDER = (OURS, "official", "openllmetry", "openinference")
_DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
_BEDROCK = ("bedrock-runtime", "bedrock-agent-runtime")


class Verdict(NamedTuple):
    """Who instruments a library, None for nobody, and why."""

    winner: Foreign | str | None
    why: str


def covering(library: str) -> Iterator[Instrumentor]:
    """Yield our instrumentors of the modules of ``library``."""
    for name in sorted(third_party.own_instrumentors_for(library)):
        for instrumentor in import_module(name).INSTRUMENTORS:
            if any(third_party.is_submodule(module, library) for module in instrumentor.modules()):
                yield instrumentor


def libraries_of(instrumentor: Instrumentor) -> list[str]:
    """Return the modules that instrumentors of others wait for and that this one of ours has targets in."""
    if instrumentor.goes_beside():
        return []
    modules = instrumentor.modules()
    return [
        each
        for each in third_party.installed_instrumentors()
        if any(third_party.is_submodule(module, each) for module in modules)
    ]


def preferred_over_ours(instrumentor: Instrumentor) -> Foreign | None:
    """Return the instrumentor of others that the user prefers to ours, if it is there and fits."""
    if not settings.get("OBS_PREFER"):
        return None
    for library in libraries_of(instrumentor):
        order = _order(library, instrumentor)
        for found in ranked(library, order):
            if _rank(found, order) < order.index(OURS) and not found.unfit and not other_instrumentors.disabled(found):
                return found
    return None


def verdict(library: str, *, ours: str | None) -> Verdict:
    """Decide who instruments ``library``; ``ours`` says why ours does not, None where it does."""
    mine = next(covering(library), None)
    if mine is not None and ours is None:
        asked = " (OBS_PREFER)" if settings.get("OBS_PREFER") else ""
        return Verdict(OURS, f"obs-run instruments this library{asked}")
    if mine is not None and {"*", mine.library} & other_instrumentors.switched_off():
        return Verdict(None, f"switched off by {_DISABLED}")
    candidates = [each for each in ranked(library, _order(library, mine)) if not third_party.may_coexist(each.package)]
    for found in candidates:
        if not found.unfit and not other_instrumentors.disabled(found):
            return Verdict(found, _why(found, ours, alone=len(candidates) == 1))
    return Verdict(
        None,
        next(
            (other_instrumentors.disabled(each) or each.unfit for each in candidates), ours or "nothing instruments it"
        ),
    )


def _why(found: Foreign, ours: str | None, *, alone: bool) -> str:
    if ours is not None:
        return f"obs-run: {ours}"
    return f"the only one installed for {found.package.rpartition('.')[2]}" if alone else "first in order of preference"


def on_library_imported(module: ModuleType) -> None:
    """Activate the one instrumentor of others for a library that was imported, and what may run beside."""
    library = module.__name__
    decided = _decided(library)
    for found in other_instrumentors.installed_for(library):
        if found.label in third_party.outcomes():
            continue  # the agent activated it itself
        why_not = other_instrumentors.disabled(found) or found.unfit or _being_imported(found)
        if not why_not and (third_party.may_coexist(found.package) or found == decided.winner):
            _activate(found)
        else:
            third_party.note(found.label, why_not or _instead(decided))


def _being_imported(found: Foreign) -> str:
    """Return why an instrumentor is left alone that is half imported, and itself imports its library."""
    spec = getattr(sys.modules.get(found.package), "__spec__", None)
    return "left to the agent, which imports it" if getattr(spec, "_initializing", False) else ""


def _decided(library: str) -> Verdict:
    why = hooks.deactivated_reason(library)
    if why is not None:
        return Verdict(None, why)
    mine = [hooks.status(each).skipped for each in covering(library)]
    return verdict(library, ours=None if None in mine else next(iter(mine), None))


def _instead(decided: Verdict) -> str:
    if isinstance(decided.winner, Foreign):
        return f"{decided.winner.distribution} instruments this library"
    return decided.why


def _activate(found: Foreign) -> None:
    third_party.note(found.label, "failed")
    other_instrumentors.silence_library(third_party.libraries_of(found.package)[0])
    for entry_point in found.entry_points:
        activation.activate(entry_point.load()(), found.label)
    third_party.note(found.label, "active")


def leave_bedrock(module: Any) -> None:
    """Leave calls of models on AWS to ours, where it instruments them; the official botocore one has the rest."""
    from obs_run.core import watched_functions

    def patched(wrapped: Any, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if guard.call("botocore", _is_ours, *args[1:2], default=False):
            wrapped, args, kwargs = args[0], args[2], args[3]
        with no_frame:
            return wrapped(*args, **kwargs)

    for name in ("BotocoreInstrumentor", "AiobotocoreInstrumentor"):
        if hasattr(module, name):
            watched_functions.watch(module, f"{name}._patched_api_call", patched)


def _is_ours(client: Any) -> bool:
    service = client.meta.service_model.service_name
    return service in _BEDROCK and any(hooks.status(each).skipped is None for each in covering("botocore"))


def _order(library: str, mine: Instrumentor | None) -> list[str]:
    """Return whose instrumentor of ``library`` comes first, as families and distributions."""
    named = _named(library, mine)
    return [*named, *(word for word in _DEFAULT_ORDER if word not in named)]


def preferred(library: str) -> str:
    """Return the distribution that the user named for ``library`` and that is there, or an empty string."""
    for word in _named(library, next(covering(library), None)):
        if word == OURS:
            return OURS
        for found in other_instrumentors.installed_for(library):
            if word in (found.distribution, found.family):
                return found.distribution
    return ""


def _named(library: str, mine: Instrumentor | None) -> list[str]:
    names = {library, library.partition(".")[0], library.rpartition(".")[2]}
    if mine is not None:
        names |= {mine.library, mine.distribution}
    plain = {name.replace("_", "-").replace(".", "-").lower() for name in names}
    preferences: tuple[tuple[str, str], ...] = settings.get("OBS_PREFER") or ()
    # What is said of this library comes before what is said of all.
    own = [who for of, who in preferences if of and of.replace("_", "-").replace(".", "-").lower() in plain]
    return list(dict.fromkeys([*own, *(who for of, who in preferences if not of)]))


def _rank(found: Foreign, order: list[str]) -> int:
    return min((order.index(word) for word in (found.distribution, found.family) if word in order), default=len(order))


def ranked(library: str, order: list[str] | None = None) -> list[Foreign]:
    """Return the instrumentors of others for ``library``, the first in order of preference first."""
    order = _order(library, None) if order is None else order
    # Of one family the packages of its own GenAI namespace are the current ones.
    return sorted(
        other_instrumentors.installed_for(library),
        key=lambda found: (_rank(found, order), ".genai." not in found.package),
    )
