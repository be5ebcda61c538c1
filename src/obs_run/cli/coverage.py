"""What ``obsctl doctor`` says of each installed library: who instruments it, and why."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from obs_run import settings
from obs_run.cli.diagnosis import installed
from obs_run.coexistence import choice, other_instrumentors, third_party
from obs_run.core import hooks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from obs_run.coexistence.other_instrumentors import Foreign
    from obs_run.core.hooks import Instrumentor

# Distributions that agents are made of; one that is installed and that no instrumentor covers is said.
WELL_KNOWN = (
    "openai", "anthropic", "google-genai", "mistralai", "cohere", "groq", "together", "cerebras-cloud-sdk",
    "fireworks-ai", "ollama", "litellm", "huggingface-hub", "transformers", "boto3", "azure-ai-inference", "xai-sdk",
    "ibm-watsonx-ai", "replicate", "voyageai", "google-cloud-aiplatform", "langchain-core", "langgraph",
    "llama-index-core", "openai-agents", "pydantic-ai-slim", "crewai", "autogen-agentchat", "agno", "smolagents",
    "strands-agents", "google-adk", "semantic-kernel", "agent-framework", "haystack-ai", "dspy", "instructor", "mcp",
    "fastmcp", "claude-agent-sdk", "chromadb", "qdrant-client", "pinecone", "weaviate-client", "pymilvus", "lancedb",
    "faiss-cpu", "a2a-sdk", "ag2", "letta-client",
)  # fmt: skip
_FAMILIES = frozenset([choice.OURS, "official", "openllmetry", "openinference"])


class Library(NamedTuple):
    """A library and what is done about it."""

    mark: str
    name: str
    text: str


def libraries() -> list[Library]:
    """Return every installed library that agents are made of, with who instruments it and why."""
    from obs_instrumentors import TABLE

    result: list[Library] = []
    covered: set[str] = set()
    reported: set[str] = set()
    for name in sorted(set(TABLE.values())):
        try:
            instrumentors = import_module(name).INSTRUMENTORS
        except Exception as error:  # noqa: BLE001 (whatever a broken instrumentor raises is what is to be told)
            result.append(Library("FAIL", name, f"cannot be loaded: {type(error).__name__}: {error}"))
            continue
        for instrumentor in instrumentors:
            covered.add(instrumentor.distribution)
            reported.update(each for each in choice.libraries_of(instrumentor))
            result.extend(_ours(instrumentor))
    for library in sorted(third_party.installed_instrumentors()):
        others = other_instrumentors.installed_for(library)
        covered.update(
            name for each in others for name, _, _ in other_instrumentors.instrumented_by(each.entry_points[0])
        )
        result.extend(_of_others(library, [each for each in others if library not in reported or _is_beside(each)]))
    for name in WELL_KNOWN:
        version = None if name in covered else installed(name)
        if version is not None:
            result.append(Library("-", f"{name} {version}", "not covered by obs-run"))
    return [*result, *_misnamed()]


def _ours(instrumentor: Instrumentor) -> Iterator[Library]:
    version = installed(instrumentor.distribution)
    if version is None:
        return
    title = f"{instrumentor.library} {version}"
    others = [
        each
        for library in choice.libraries_of(instrumentor)
        for each in other_instrumentors.installed_for(library)
        if not _is_beside(each)
    ]
    why_not = hooks.switched_off(instrumentor)
    mark = "-"
    if why_not is None and not hooks.supports(instrumentor.versions, version):
        mark, why_not = "!", f"supported is {instrumentor.versions}"
    preferred = None if why_not is not None else choice.preferred_over_ours(instrumentor)
    if preferred is not None:
        yield Library("ok", title, f"instrumented by {_named(preferred)}: OBS_PREFER{_rest(others, preferred)}")
    elif why_not is None:
        asked = bool(settings.lookup("OBS_PREFER").value)
        first = "after obs-run in OBS_PREFER" if asked else "obs-run comes first unless OBS_PREFER says otherwise"
        supported = f"instrumented (supported: {instrumentor.versions})"
        yield Library("ok", title, f"{supported}{_rest(others, None, first)}")
    else:
        libraries = choice.libraries_of(instrumentor)
        winner = choice.verdict(libraries[0], ours=why_not).winner if libraries else None
        if winner is None or isinstance(winner, str):
            yield Library(mark, title, f"not instrumented: {why_not}{_rest(others, None)}")
        else:
            yield Library("ok", title, f"instrumented by {_named(winner)}: obs-run: {why_not}{_rest(others, winner)}")


def _of_others(library: str, others: list[Foreign]) -> Iterator[Library]:
    """Yield the line of a library that instrumentors of others alone are for."""
    there = [each for each in others if _version(each, library) is not None]
    if not there:
        return
    title = f"{library} {_version(there[0], library)}".rstrip()
    chosen = next((each for each in choice.ranked(library) if each in there and not _why_not(each)), None)
    if chosen is not None:
        yield Library(
            "ok", title, f"instrumented by {_named(chosen)}{_rest(there, chosen, 'later in order of preference')}"
        )
        return
    why_not = _why_not(there[0])
    mark = "-" if why_not == other_instrumentors.disabled(there[0]) else "!"
    yield Library(mark, title, f"not instrumented: {_named(there[0])}: {why_not}")


def _version(other: Foreign, library: str) -> str | None:
    """Return the version of the library that an instrumentor is for, empty if it names none; None: not installed."""
    wanted = [name for name, _, _ in other_instrumentors.instrumented_by(other.entry_points[0])]
    if library in wanted:
        wanted = [library]
    return next((version for version in map(installed, wanted) if version is not None), None) if wanted else ""


def _why_not(other: Foreign) -> str:
    return other_instrumentors.disabled(other) or other.unfit


def _is_beside(other: Foreign) -> bool:
    return third_party.may_coexist(other.package)


def _named(other: Foreign) -> str:
    return f"{other.distribution} {other.version}"


def _rest(others: Iterable[Foreign], chosen: Foreign | None, why: str = "") -> str:
    """Return who is left alone, and why: ``why`` speaks for those that would have been taken otherwise."""
    words = []
    for other in others:
        if other != chosen:
            reason = _why_not(other) or why
            words.append(f"{_named(other)} ({reason})" if reason else _named(other))
    return f"; left alone: {', '.join(words)}" if words else ""


def _misnamed() -> Iterator[Library]:
    """Yield what OBS_PREFER names and is not there."""
    distributions = {
        each.distribution
        for library in third_party.installed_instrumentors()
        for each in other_instrumentors.installed_for(library)
    }
    for _, who in settings.lookup("OBS_PREFER").value or ():
        if who not in _FAMILIES | distributions:
            yield Library("!", "OBS_PREFER", f"{who} is not installed")
