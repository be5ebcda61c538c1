"""What libraries send to their vendors about agents, and the variables by which that is switched off."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

SETTING = "OBS_VENDOR_TELEMETRY"
SWITCHES = {
    "agno": (("AGNO_TELEMETRY", "false"),),
    "browser-use": (("ANONYMIZED_TELEMETRY", "false"),),
    "chromadb": (("ANONYMIZED_TELEMETRY", "false"),),
    "claude-agent-sdk": (("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),),
    "crewai": (("CREWAI_DISABLE_TELEMETRY", "true"), ("CREWAI_DISABLE_TRACKING", "true")),
    "gradio": (("GRADIO_ANALYTICS_ENABLED", "False"),),
    "haystack-ai": (("HAYSTACK_TELEMETRY_ENABLED", "False"),),
    "huggingface-hub": (("HF_HUB_DISABLE_TELEMETRY", "1"),),
    "langsmith": (("LANGSMITH_TRACING", "false"), ("LANGCHAIN_TRACING_V2", "false")),
    "mem0ai": (("MEM0_TELEMETRY", "False"),),
    "openai-agents": (("OPENAI_AGENTS_DISABLE_TRACING", "1"),),
    "unstructured": (("SCARF_NO_ANALYTICS", "true"), ("DO_NOT_TRACK", "true")),
}
"""By distribution: the variables, and the values by which the library sends nothing."""
ONLY_WHEN_ASKED = frozenset({"langsmith"})
"""Those that send nothing unless the user says so."""


def switch_off(environ: MutableMapping[str, str] = os.environ) -> None:
    """Set the variables that the user has not set himself, for this process and its children."""
    for switches in SWITCHES.values():
        for name, value in switches:
            environ.setdefault(name, value)


def state_of(distribution: str, environ: MutableMapping[str, str] = os.environ) -> Iterator[tuple[str, str | None]]:
    """Give the variables of a distribution and their values, None where one is not set."""
    for name, _ in SWITCHES[distribution]:
        yield name, environ.get(name)
