"""The layers of the house: their order, what imports against it, the circles, and the picture for the documents."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent))  # where this file is run as a script

from tools.own_imports import Import, Tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parent.parent


class Layer(NamedTuple):
    """A layer: its name, what it is for, and what differs from the rule that it may import all above it."""

    name: str
    purpose: str
    modules: tuple[str, ...] = ()
    """The modules and folders of ``obs_run`` in it, where that is not the one of its name."""
    imports: tuple[str, ...] | None = None
    """The layers above that it may import, where not all."""
    importers: tuple[str, ...] | None = None
    """The layers below that may import it, where not all."""


LAYERS = (
    Layer("base", "the guard, masking, plain values, wrappers of functions: knows nothing of telemetry"),
    Layer(
        "settings",
        "the table of every variable, and how its values are read",
        modules=("settings", "setting_files", "setting_texts", "_version"),
    ),
    Layer("process", "this process: the run's identity, forks, exits, imports, and what runs beside the agent"),
    Layer("files", "files that several processes append to, rotate, or keep secret"),
    Layer("context", "the current context and its way into threads, children and headers"),
    Layer("core", "what an agent does, as operations, recordings and records; writes to a sink"),
    Layer(
        "obs_instrumentors",
        "one module or folder a library, `wire` and `clients` for what several share",
        imports=("base", "settings", "core"),
        importers=("coexistence", "launch", "cli"),
    ),
    Layer("buffer", "records in memory that another process reads: written by an agent, read by the relay"),
    Layer("privacy", "finds secrets and personal data in texts and values; knows nothing of telemetry"),
    Layer("pipeline", "the export path: queue, stages, encoder, request buffer, transport, losses"),
    Layer("telemetry", "traces, spans and log lines that were recorded, as plain records, and OTLP JSON of them"),
    Layer("store", "the local store, which is one destination, and its readers"),
    Layer("capture", "reads other people's telemetry: the logging module, the logs API, foreign spans"),
    Layer("bridge", "turns log lines into spans"),
    Layer("sdk", "OpenTelemetry's providers, resource and sampler; the sink that makes spans of its SDK"),
    Layer("prometheus", "the scrape endpoint and who may read it"),
    Layer("coexistence", "life beside other instrumentation"),
    Layer("runtime", "puts the process together: queue, pipeline, destinations, sink; start and shutdown"),
    Layer(
        "relay", "the process beside the agents that exports what they wrote into memory", importers=("launch", "cli")
    ),
    Layer("audit_trail", "the hash-chained trail and what verifies it"),
    Layer("logging", "structured logs that people write in their own code"),
    Layer("tracing", "spans that people write in their own code"),
    Layer("metrics", "instruments and alerts that people write in their own code"),
    Layer("wrapping", "instruments the functions of the agent's own code that a file names"),
    Layer("launch", "the command `obs-run`, and what it starts in the child; imports next to nothing"),
    Layer("auto", "starts obs-run by an import; the package itself", modules=("auto", "__main__", "")),
    Layer(
        "analysis",
        "pure functions over recorded traces; knows neither SDK nor store",
        imports=("base", "core", "telemetry"),
    ),
    Layer("readers", "the places that telemetry is read from: the local store, files of OTLP JSON, a Jaeger"),
    Layer(
        "view",
        "the viewer in a browser, and Jaeger's API, over whatever place telemetry is read from",
        imports=("base", "settings", "core", "telemetry", "analysis"),
    ),
    Layer("testing", "what an agent did in a test, and the budgets that a run has to keep"),
    Layer("cli", "`obsctl`"),
)
"""From the upper to the lower; a layer imports from itself and from those above it."""

SHARED = ("clients", "wire")
"""The folders of ``obs_instrumentors`` that its other modules may import; the first also imports the second."""

_ORDER = {layer.name: number for number, layer in enumerate(LAYERS)}
_LAYER_OF = {module: layer for layer in LAYERS for module in layer.modules or (layer.name,)}


def layer_of(module: str) -> Layer | None:
    """Return the layer that a module lies in, None for a new folder that the table does not have."""
    package, _, rest = module.partition(".")
    return _LAYER_OF.get(rest.partition(".")[0] if package == "obs_run" else package)


def allowed_for(layer: Layer) -> tuple[str, ...]:
    """Return the names of the layers above one that it may import."""
    above = LAYERS[: _ORDER[layer.name]]
    return tuple(
        other.name
        for other in above
        if (layer.imports is None or other.name in layer.imports)
        and (other.importers is None or layer.name in other.importers)
    )


def violations(imports: Iterable[Import]) -> Iterator[tuple[Import, str]]:
    """Yield each import against the direction, with a line that says where it is and what is allowed."""
    for one in imports:
        objection = _objection(one)
        if objection is not None:
            yield one, f"{one.file}:{one.line}: {objection} ({one.how})"


def _objection(one: Import) -> str | None:
    layer, other = layer_of(one.importer), layer_of(one.imported)
    if layer is None or other is None:
        homeless = one.importer if layer is None else one.imported
        return f"{homeless} lies in no layer; add it to LAYERS in tools/layers.py"
    if layer is other:
        return _objection_inside(one)
    allowed = allowed_for(layer)
    if other.name in allowed:
        return None
    may = f"{layer.name} may import {', '.join(allowed) or 'nothing'}"
    return f"{one.importer} ({layer.name}) imports {one.imported} ({other.name}); {may}"


def _objection_inside(one: Import) -> str | None:
    """Say what is wrong with an import of one instrumentor by another one."""
    if not one.importer.startswith("obs_instrumentors."):
        return None
    instrumentor, other = one.importer.split(".")[1], one.imported.partition(".")[2].partition(".")[0]
    allowed = (instrumentor, *(SHARED if instrumentor not in SHARED else SHARED[SHARED.index(instrumentor) :]))
    if other in allowed:
        return None
    may = f"obs_instrumentors.{instrumentor} may import of them {', '.join(dict.fromkeys(allowed))}"
    return f"{one.importer} imports {one.imported}, which is another instrumentor's; {may}"


def circles(imports: Iterable[Import]) -> list[list[str]]:
    """Return the groups of modules that import each other, on whatever way."""
    return [sorted(group) for group in _components(_graph(imports)) if len(group) > 1]


def _graph(imports: Iterable[Import]) -> dict[str, set[str]]:
    graph: dict[str, set[str]] = {}
    for one in imports:
        graph.setdefault(one.importer, set()).update(_loaded_by(one))
    return graph


def _loaded_by(one: Import) -> Iterator[str]:
    """Yield what an import loads: the module, and before it the packages that it lies in and the importer does not.

    The outermost package is left out: it is there before anything of it is.
    """
    yield one.imported
    package = one.imported.rpartition(".")[0]
    while "." in package:
        if not f"{one.importer}.".startswith(f"{package}."):
            yield package
        package = package.rpartition(".")[0]


def _components(graph: dict[str, set[str]]) -> list[set[str]]:
    """Return the strongly connected components of a graph, by Kosaraju's method."""
    left_last: list[str] = []
    seen: set[str] = set()
    for node in graph:
        left_last += _reached(node, graph, seen)
    backwards: dict[str, set[str]] = {}
    for node, others in graph.items():
        for other in others:
            backwards.setdefault(other, set()).add(node)
    seen = set()
    return [set(_reached(node, backwards, seen)) for node in reversed(left_last)]


def _reached(start: str, graph: dict[str, set[str]], seen: set[str]) -> list[str]:
    """Return the nodes not yet ``seen`` that can be reached, each after all that can be reached from it."""
    if start in seen:
        return []
    seen.add(start)
    order: list[str] = []
    path = [(start, iter(sorted(graph.get(start, ()))))]
    while path:
        node, others = path[-1]
        following = next((other for other in others if other not in seen), None)
        if following is None:
            order.append(node)
            path.pop()
        else:
            seen.add(following)
            path.append((following, iter(sorted(graph.get(following, ())))))
    return order


def edges(imports: Iterable[Import]) -> dict[str, list[str]]:
    """Return which layers each layer imports, without those that it reaches through another one of them."""
    direct: dict[str, set[str]] = {layer.name: set() for layer in LAYERS}
    for one in imports:
        layer, other = layer_of(one.importer), layer_of(one.imported)
        if layer is not None and other is not None and _ORDER[other.name] < _ORDER[layer.name]:
            direct[layer.name].add(other.name)
    reachable: dict[str, set[str]] = {}
    shown: dict[str, list[str]] = {}
    for name, others in direct.items():
        # The layers above came first: what they reach is complete.
        beyond = {far for other in others for far in reachable[other]}
        reachable[name] = others | beyond
        shown[name] = sorted(others - beyond, key=_ORDER.__getitem__)
    return shown


def picture(root: Path = ROOT) -> str:
    """Return the picture of the layers as a Mermaid graph, which can be read as text too."""
    imports = Tree(root).imports()
    lines = [f"    {name} --> {' & '.join(others)}" for name, others in edges(imports).items() if others]
    return "\n".join(["```mermaid", "flowchart BT", *lines, "```"])


def purposes() -> str:
    """Return the list of the layers with what each is for."""
    present = {layer_of(module) for module in Tree(ROOT).modules}
    rows = ["| Layer | What it is for |", "| --- | --- |"]
    rows += [f"| `{layer.name}` | {layer.purpose} |" for layer in LAYERS if layer in present]
    return "\n".join(rows)


def main() -> int:
    """Print the picture, and what imports against the direction or in a circle."""
    imports = Tree(ROOT).imports()
    faults = [text for _, text in violations(imports)]
    faults += [f"a circle: {', '.join(circle)}" for circle in circles(imports)]
    print(picture())  # noqa: T201 (its output)
    for fault in faults:
        print(fault)  # noqa: T201 (its output)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
