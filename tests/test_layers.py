from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest
from obs_instrumentors import TABLE

from tools import layers
from tools.own_imports import Import, Tree

ROOT = Path(__file__).parent.parent

# What one module may say, and the only one.
ATTRIBUTE_NAMES = "src/obs_run/core/semconv.py"
VOCABULARIES = "src/obs_run/pipeline/vocabularies/"
FORK_HOOKS = "src/obs_run/process/fork.py"
# Layers that have a place in the order and no module yet.
TO_COME: list[str] = []
# Names at module level that functions rebind: state that a process has once. Objects that hold it are better.
REBOUND: dict[str, set[str]] = {
    "src/obs_run/core/content.py": {"_mode"},
    "src/obs_run/pipeline/redact.py": {"_is_loaded", "_shared"},
    "src/obs_run/pipeline/redact_items.py": {"_of", "_shared"},
    "src/obs_run/pipeline/redact_metrics.py": {"_of", "_shared"},
}


@cache
def tree() -> Tree:
    return Tree(ROOT)


@cache
def house() -> tuple[Import, ...]:
    return tuple(tree().imports())


@cache
def modules() -> tuple[tuple[str, ast.Module], ...]:
    paths = tree().modules.values()
    return tuple((path.relative_to(ROOT).as_posix(), tree().parse(path)) for path in paths)


def test_no_import_goes_against_the_direction() -> None:
    faults = [text for _, text in layers.violations(house())]
    assert not faults, "\n" + "\n".join(faults)


def test_no_modules_import_each_other_in_a_circle() -> None:
    circles = list(layers.circles(house()))
    assert not circles, "\n" + "\n\n".join(described(circle) for circle in circles)


def described(circle: list[str]) -> str:
    lines = [one for one in house() if one.importer in circle and one.imported in circle]
    return "\n".join(
        [f"a circle of {len(circle)} modules:", *(f"{one.file}:{one.line}: {one.imported}" for one in lines)]
    )


def test_every_layer_is_there() -> None:
    present = {layer.name for module in tree().modules if (layer := layers.layer_of(module)) is not None}
    assert [layer.name for layer in layers.LAYERS if layer.name not in present] == TO_COME


def test_attribute_names_are_written_in_one_module() -> None:
    written = {file: names for file, parsed in modules() if (names := attribute_names(parsed))}
    # What others write, or what the conventions had once, is read there and never written.
    ours = {file: names for file, names in written.items() if not file.startswith(VOCABULARIES)}
    assert list(ours) == [ATTRIBUTE_NAMES], ours


def attribute_names(tree: ast.Module) -> list[str]:
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [text for text in texts if text.startswith(("gen_ai.", "mcp.")) and text not in TABLE]


def test_forks_are_watched_by_one_module() -> None:
    name = "register_at_fork"
    hooks = [
        file
        for file, parsed in modules()
        if name in (ROOT / file).read_text(encoding="utf-8") and mentions(parsed, name)
    ]
    assert hooks == [FORK_HOOKS]


def mentions(tree: ast.Module, name: str) -> bool:
    fields = (value for node in ast.walk(tree) for _, value in ast.iter_fields(node))
    return any(value == name for value in fields)


def test_module_level_state_is_rebound_only_where_it_is_listed() -> None:
    rebound = {file: names for file, parsed in modules() if (names := global_names(parsed))}
    unlisted = {file: sorted(names - REBOUND.get(file, set())) for file, names in rebound.items()}
    assert not {file: names for file, names in unlisted.items() if names}


def global_names(tree: ast.Module) -> set[str]:
    return {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}


# What follows proves that the checks find what they look for, in a house made for it.

CLEAN = {
    "src/obs_run/__init__.py": "",
    "src/obs_run/core/__init__.py": "",
    "src/obs_run/core/recorder.py": "from obs_run.base import guard\n",
    "src/obs_run/core/other.py": "",
    "src/obs_run/base/__init__.py": "",
    "src/obs_run/base/guard.py": "import os\nfrom opentelemetry import trace\n",
    "src/obs_run/sdk/__init__.py": "",
    "src/obs_run/sdk/providers.py": "from ..core import recorder\n",
    "src/obs_run/cli/__init__.py": "",
    "instrumentors/obs_instrumentors/__init__.py": "",
    "instrumentors/obs_instrumentors/openai/__init__.py": "from obs_instrumentors.wire import chat\n",
    "instrumentors/obs_instrumentors/openai/calls.py": "from obs_instrumentors.openai import VERSION\n",
    "instrumentors/obs_instrumentors/ollama.py": "from obs_run.core import recorder\n",
    "instrumentors/obs_instrumentors/wire/__init__.py": "",
    "instrumentors/obs_instrumentors/wire/chat.py": "",
    "instrumentors/obs_instrumentors/clients/__init__.py": "from ..wire import chat\n",
}


def built(root: Path, files: dict[str, str]) -> list[Import]:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Tree(root).imports()


def test_a_house_in_order_passes(tmp_path: Path) -> None:
    imports = built(tmp_path, CLEAN)
    assert list(layers.violations(imports)) == []
    assert layers.circles(imports) == []
    assert layers.edges(imports)["sdk"] == ["core"]


CORE = "src/obs_run/core/recorder.py"
AGAINST = {
    "at the top": (CORE, "from obs_run.sdk import providers", "import"),
    "of a module": (CORE, "import obs_run.sdk.providers", "import"),
    "of a name": (CORE, "from obs_run.sdk.providers import set_up", "import"),
    "of all names": (CORE, "from obs_run.sdk.providers import *", "import"),
    "relative": (CORE, "from ..sdk import providers", "import"),
    "in try": (CORE, "try:\n    from obs_run.sdk import providers\nexcept ImportError: pass", "import"),
    "in a function": (CORE, "def f():\n    from obs_run.sdk import providers", "import in a function"),
    "in a coroutine": (CORE, "async def f():\n    from obs_run.sdk import providers", "import in a function"),
    "in a method": (
        CORE,
        "class A:\n    def f(self):\n        import obs_run.sdk.providers as p",
        "import in a function",
    ),
    "for types": (CORE, "if TYPE_CHECKING:\n    from obs_run.sdk import providers", "import for types"),
    "for types, qualified": (CORE, "if typing.TYPE_CHECKING:\n    import obs_run.sdk.providers", "import for types"),
    "not for types": (CORE, "if TYPE_CHECKING:\n    pass\nelse:\n    import obs_run.sdk.providers", "import"),
    "by name": (CORE, "importlib.import_module('obs_run.sdk.providers')", "import by name"),
    "by relative name": (CORE, "import_module('..sdk.providers', __package__)", "import by name"),
    "by __import__": (CORE, "def f():\n    __import__('obs_run.sdk', fromlist=['providers'])", "import by name"),
    "by a table": (CORE, "LATE = {'logging': ('obs_run.sdk.providers', 'install')}", "import by name"),
    "by an entry point": (CORE, "LATE = 'obs_run.sdk.providers:install'", "import by name"),
    "looked up": (CORE, "sys.modules.get('obs_run.sdk.providers')", "look-up in sys.modules"),
    "looked up by index": (CORE, "sys.modules['obs_run.sdk']", "look-up in sys.modules"),
    "asked for": (CORE, "'obs_run.sdk.providers' in sys.modules", "look-up in sys.modules"),
    "looked up by a formatted name": (CORE, "sys.modules.get(f'obs_run.sdk.{name}')", "look-up in sys.modules"),
}


@pytest.mark.parametrize("kind", AGAINST)
def test_an_import_against_the_direction_is_seen(tmp_path: Path, kind: str) -> None:
    file, text, how = AGAINST[kind]
    [(one, message)] = layers.violations(built(tmp_path, {**CLEAN, file: f"\n{text}\n"}))
    line = 2 + text[: text.rindex("sdk")].count("\n")
    assert message.startswith(f"{file}:{line}: obs_run.core.recorder (core) imports obs_run.sdk")
    assert message.endswith(f"(sdk); core may import base, settings, process, files, context ({how})")
    assert one.how == how


@pytest.mark.parametrize(
    ("file", "text", "objection"),
    [
        (
            "instrumentors/obs_instrumentors/ollama.py",
            "from obs_run.sdk import providers",
            "obs_instrumentors may import base, settings, core",
        ),
        (
            "instrumentors/obs_instrumentors/ollama.py",
            "from obs_instrumentors.openai import calls",
            "obs_instrumentors.ollama imports obs_instrumentors.openai.calls, which is another instrumentor's",
        ),
        (
            "instrumentors/obs_instrumentors/wire/chat.py",
            "import obs_instrumentors.openai.calls",
            "obs_instrumentors.wire may import of them wire",
        ),
        (
            "instrumentors/obs_instrumentors/wire/chat.py",
            "from .. import clients",
            "obs_instrumentors.wire may import of them wire",
        ),
        (
            "src/obs_run/sdk/providers.py",
            "from obs_instrumentors import TABLE",
            "obs_run.sdk.providers (sdk) imports obs_instrumentors (obs_instrumentors)",
        ),
        ("src/obs_run/attic/old.py", "import obs_run.core", "obs_run.attic.old lies in no layer; add it to LAYERS"),
    ],
)
def test_the_narrower_rules_are_kept(tmp_path: Path, file: str, text: str, objection: str) -> None:
    [(_, message)] = layers.violations(built(tmp_path, {**CLEAN, file: text}))
    assert message.startswith(f"{file}:1: ")
    assert objection in message


@pytest.mark.parametrize(
    ("files", "circle"),
    [
        (
            {CORE: "import obs_run.core.other", "src/obs_run/core/other.py": "def f():\n    from . import recorder"},
            ["obs_run.core.other", "obs_run.core.recorder"],
        ),
        (
            {
                CORE: "LATE = 'obs_run.core.other'",
                "src/obs_run/core/other.py": "from obs_run.core import NAME",
                "src/obs_run/core/__init__.py": "if TYPE_CHECKING:\n    from obs_run.core import recorder",
            },
            ["obs_run.core", "obs_run.core.other", "obs_run.core.recorder"],
        ),
        (
            # Who imports a module of a package loads the package first.
            {
                "instrumentors/obs_instrumentors/wire/__init__.py": "from obs_instrumentors.clients import a",
                "instrumentors/obs_instrumentors/clients/__init__.py": "from obs_instrumentors.wire import chat",
            },
            ["obs_instrumentors.clients", "obs_instrumentors.wire"],
        ),
    ],
)
def test_a_circle_is_seen(tmp_path: Path, files: dict[str, str], circle: list[str]) -> None:
    assert layers.circles(built(tmp_path, {**CLEAN, **files})) == [circle]


def test_what_only_one_module_may_say_is_seen() -> None:
    said = ast.parse("""f(f'gen_ai.{name}', {'mcp.method.name': 1}, "gen_ai.usage", "about gen_ai.")""")
    assert sorted(attribute_names(said)) == ["gen_ai.", "gen_ai.usage", "mcp.method.name"]
    for text in ("os.register_at_fork()", "from os import register_at_fork as r", "getattr(os, 'register_at_fork')"):
        assert mentions(ast.parse(text), "register_at_fork")
    assert global_names(ast.parse("class A:\n    def f(self):\n        global a, b\n")) == {"a", "b"}


def test_the_picture_leaves_out_what_goes_without_saying(tmp_path: Path) -> None:
    built(tmp_path, {**CLEAN, "src/obs_run/cli/main.py": "from obs_run import base, sdk\nimport obs_run.core"})
    assert layers.picture(tmp_path).splitlines() == [
        "```mermaid",
        "flowchart BT",
        "    core --> base",
        "    obs_instrumentors --> core",
        "    sdk --> core",
        "    cli --> sdk",
        "```",
    ]
