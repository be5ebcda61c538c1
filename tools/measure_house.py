"""Measure source trees of the house side by side: how they are tied together, and how dense they are to read.

``python tools/measure_house.py [TREE ...]`` prints a table; without a tree it measures this one.
"""

from __future__ import annotations

import argparse
import ast
import sys
import tokenize
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent))  # where this file is run as a script

from tools import layers
from tools.own_imports import IN_FUNCTION, LOOKUP, Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_TOO_COMPLEX = 15
_NOT_CODE = (
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
)
_TO_TOOLS = ("# noqa", "# type:")
_BRANCHES = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.IfExp, ast.match_case)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPES = (*_FUNCTIONS, ast.ClassDef, ast.Lambda)


class Function(NamedTuple):
    """A function, and in how many ways it can go."""

    name: str
    complexity: int


class Measures:
    """What is counted in the files of a tree."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.functions: list[Function] = []

    def add(self, module: str, text: str) -> None:
        """Count what is in a module."""
        tree = ast.parse(text)
        self.counts["modules"] += 1
        self.counts["lines"] += text.count("\n")
        for node in ast.walk(tree):
            self._add_node(module, node)
        self._add_tokens(text, _docstring_lines(tree))

    def too_complex(self) -> list[Function]:
        """Return the functions that can go in too many ways, the worst first."""
        return sorted((each for each in self.functions if each.complexity > _TOO_COMPLEX), key=lambda each: -each[1])

    def per(self, what: str, number: int, of: str = "code lines") -> float:
        """Return how many there are for each ``number`` of something else."""
        return number * self.counts[what] / max(self.counts[of], 1)

    def _add_node(self, module: str, node: ast.AST) -> None:
        counts = self.counts
        if isinstance(node, _FUNCTIONS):
            self.functions.append(Function(f"{module}.{node.name}", _complexity(node)))
        counts["functions"] += isinstance(node, _FUNCTIONS)
        counts["globals"] += isinstance(node, ast.Global)
        counts["ternaries"] += isinstance(node, ast.IfExp)
        counts["comprehensions"] += isinstance(node, _COMPREHENSIONS)
        counts["Any"] += isinstance(node, ast.Name) and node.id == "Any"
        counts["fork hooks"] += isinstance(node, ast.Call) and _name_of(node.func) == "register_at_fork"

    def _add_tokens(self, text: str, docstring_lines: set[int]) -> None:
        tokens = list(tokenize.generate_tokens(StringIO(text).readline))
        code = [token for token in tokens if token.type not in _NOT_CODE]
        code_lines = {line for token in code for line in range(token.start[0], token.end[0] + 1)}
        comments = sum(_is_for_readers(token) for token in tokens)
        self.counts["tokens"] += len(code)
        self.counts["code lines"] += len(code_lines - docstring_lines)
        self.counts["comments"] += comments
        self.counts["files without a comment"] += comments == 0


def _name_of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _is_for_readers(token: tokenize.TokenInfo) -> bool:
    return token.type == tokenize.COMMENT and not token.string.startswith(_TO_TOOLS)


def _docstring_lines(tree: ast.Module) -> set[int]:
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def _complexity(function: ast.AST) -> int:
    """Return 1, and 1 more for each branch, loop, handler, ternary, comprehension and its conditions, ``and``, ``or``.

    What is defined inside counts for itself.
    """
    return 1 + sum(_ways(child) for child in ast.iter_child_nodes(function))


def _ways(node: ast.AST) -> int:
    if isinstance(node, _SCOPES):
        return 0
    own = int(isinstance(node, _BRANCHES))
    if isinstance(node, ast.BoolOp):
        own = len(node.values) - 1
    elif isinstance(node, ast.comprehension):
        own = 1 + len(node.ifs)
    return own + sum(_ways(child) for child in ast.iter_child_nodes(node))


class House:
    """A tree with what is measured of it."""

    def __init__(self, root: Path) -> None:
        tree = Tree(root)
        self.source, self.instrumentors, self.whole = Measures(), Measures(), Measures()
        for module, path in tree.modules.items():
            text = path.read_text(encoding="utf-8")
            part = self.source if module.partition(".")[0] == "obs_run" else self.instrumentors
            for measures in (part, self.whole):
                measures.add(module, text)
        imports = tree.imports()
        self.in_functions = {one[:2] for one in imports if one.how == IN_FUNCTION}
        self.lookups = [one for one in imports if one.how == LOOKUP]
        self.circles = layers.circles(imports)
        self.against = [one for one, _ in layers.violations(imports)]


def _rows() -> Iterator[tuple[str, Callable[[House], str]]]:
    yield "fork hooks", lambda house: _count(house.whole, "fork hooks")
    yield "`global` statements", lambda house: _count(house.whole, "globals")
    yield "imports against the direction", lambda house: str(len(house.against))
    yield "imports of own modules inside functions", lambda house: str(len(house.in_functions))
    yield "look-ups of own modules in `sys.modules`", lambda house: str(len(house.lookups))
    yield "circles of modules", lambda house: str(len(house.circles))
    yield "modules in them", lambda house: str(sum(len(circle) for circle in house.circles))
    yield "modules in the largest", lambda house: str(max(map(len, house.circles), default=0))
    yield "modules", lambda house: _count(house.whole, "modules")
    yield "lines", lambda house: _count(house.whole, "lines")
    yield "tokens", lambda house: _count(house.whole, "tokens")
    yield "functions", lambda house: _count(house.whole, "functions")
    yield f"functions over complexity {_TOO_COMPLEX}", lambda house: str(len(house.whole.too_complex()))
    yield "files without a comment", lambda house: _count(house.whole, "files without a comment")
    for name, part in _PARTS:
        for what, number in _DENSITIES:
            every = "line" if number == 1 else f"{number:,} lines"
            yield f"{what} per {every}, {name}", _density(part, what, number)


_PARTS: tuple[tuple[str, Callable[[House], Measures]], ...] = (
    ("src", lambda house: house.source),
    ("instrumentors", lambda house: house.instrumentors),
)
_DENSITIES = (("tokens", 1), ("ternaries", 1000), ("comprehensions", 1000), ("Any", 1000), ("comments", 100))


def _count(measures: Measures, what: str) -> str:
    return f"{measures.counts[what]:,}"


def _density(part: Callable[[House], Measures], what: str, number: int) -> Callable[[House], str]:
    return lambda house: f"{part(house).per(what, number):.1f}"


def table(roots: Iterable[Path]) -> str:
    """Return the measures of trees as a table, with the names of the functions that are too complex below it."""
    trees = list(roots)
    houses = [House(root) for root in trees]
    header = ["Measure", *(f"`{root.resolve().name}`" for root in trees)]
    rows = [header, ["---", *("---:" for _ in trees)]]
    rows += [[name, *(measure(house) for house in houses)] for name, measure in _rows()]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    for root, house in zip(trees, houses, strict=True):
        names = ", ".join(f"{each.name} {each.complexity}" for each in house.whole.too_complex())
        lines += ["", f"Over {_TOO_COMPLEX} in `{root.resolve().name}`: {names or 'none'}"]
    return "\n".join(lines)


def main() -> None:
    """Print the table of the trees named."""
    parser = argparse.ArgumentParser(description="Measure source trees of the house.")
    parser.add_argument("trees", metavar="TREE", nargs="*", type=Path, default=[layers.ROOT])
    print(table(parser.parse_args().trees))  # noqa: T201 (its output)


if __name__ == "__main__":
    main()
