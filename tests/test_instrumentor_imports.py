"""What instrumentors may import: the core, the base and their own shared folders, never one another."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent / "instrumentors" / "obs_instrumentors"
# Ours, and what only the core makes telemetry with.
WATCHED = ("obs_instrumentors", "obs_run", "opentelemetry")
CORE = ("obs_run.base", "obs_run.core")
WIRE = "obs_instrumentors.wire"
CLIENTS = "obs_instrumentors.clients"
# A client family asks the settings who is behind a host that the user named.
SETTINGS = "obs_run.settings"


def allowed_for(module: str) -> tuple[str, ...]:
    """Return the modules, with all that is beneath them, that a module may import of ours."""
    owner = ".".join(module.split(".")[:2])
    if owner == "obs_instrumentors":
        return ()
    if owner == WIRE:
        return (*CORE, WIRE)
    if owner == CLIENTS:
        return (*CORE, SETTINGS, WIRE, CLIENTS)
    return (*CORE, WIRE, CLIENTS, owner)


def imports_of(module: str, *, is_package: bool, source: str) -> Iterator[str]:
    """Yield the modules of ours and of OpenTelemetry that a module imports, inside functions and for types too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parent = _origin(module, node, is_package=is_package)
            # A name may be a module of its own: `from obs_run import settings`.
            names = [f"{parent}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in WATCHED)


def _origin(module: str, node: ast.ImportFrom, *, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    steps = node.level - 1 if is_package else node.level
    package = ".".join(parts[: len(parts) - steps])
    return f"{package}.{node.module}" if node.module else package


def is_allowed(name: str, allowed: tuple[str, ...]) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in allowed)


def forbidden(module: str, *, is_package: bool, source: str) -> list[str]:
    allowed = allowed_for(module)
    names = imports_of(module, is_package=is_package, source=source)
    return [f"{module} imports {name}" for name in names if not is_allowed(name, allowed)]


def test_instrumentors_import_only_what_they_share() -> None:
    problems: list[str] = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        module = ".".join(parts[:-1] if is_package else parts)
        problems += forbidden(module, is_package=is_package, source=path.read_text())
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("obs_instrumentors.groq", "from obs_instrumentors.openai import calls"),
        ("obs_instrumentors.groq", "from . import openai"),
        ("obs_instrumentors.groq", "def begin():\n    import obs_instrumentors.openai.calls"),
        ("obs_instrumentors.bedrock.bodies", "from ..anthropic import tools"),
        ("obs_instrumentors.wire.openai.chat", "from obs_instrumentors.clients import stainless"),
        ("obs_instrumentors.wire.openai.chat", "from obs_run import settings"),
        ("obs_instrumentors.clients.hosts", "from obs_instrumentors import openai"),
        ("obs_instrumentors.ollama", "from obs_run.pipeline import queue"),
        ("obs_instrumentors.ollama", "from opentelemetry import trace"),
        ("obs_instrumentors.ollama", "if TYPE_CHECKING:\n    from obs_run.sdk import providers"),
    ],
)
def test_an_import_in_the_wrong_direction_is_seen(module: str, source: str) -> None:
    assert forbidden(module, is_package=False, source=source)


def test_an_import_of_its_own_folder_is_fine() -> None:
    source = "from . import calls\nfrom obs_instrumentors.wire import endpoint\nfrom obs_run.core import streams"
    assert not forbidden("obs_instrumentors.openai", is_package=True, source=source)
