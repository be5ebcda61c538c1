"""Every way in which a module of ours names another one, read from the source and not by importing it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = {"obs_run": "src", "obs_instrumentors": "instrumentors"}
"""Package -> the folder of the tree that it lies in."""

STATEMENT, IN_FUNCTION, FOR_TYPES, BY_NAME, LOOKUP = (
    "import",
    "import in a function",
    "import for types",
    "import by name",
    "look-up in sys.modules",
)

_IMPORTERS = ("import_module", "__import__")


class Import(NamedTuple):
    """One line in which a module names another one."""

    file: str
    line: int
    importer: str
    imported: str
    how: str


class Tree:
    """The modules of a source tree by name."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.modules: dict[str, Path] = {}
        self._parsed: dict[Path, ast.Module] = {}
        for package, folder in SOURCES.items():
            source = root / folder
            for path in sorted((source / package).rglob("*.py")):
                self.modules[_module_name(path.relative_to(source))] = path

    def is_package(self, name: str) -> bool:
        """Whether the module has modules below it."""
        return self.modules[name].name == "__init__.py"

    def nearest(self, name: str) -> str | None:
        """Return the module that ``name`` is or lies in, None where it is not one of ours."""
        while name and name not in self.modules:
            name = name.rpartition(".")[0]
        return name or None

    def parse(self, path: Path) -> ast.Module:
        """Return what a file holds; parsed once, as that takes longer than all that is looked for in it."""
        if path not in self._parsed:
            self._parsed[path] = ast.parse(path.read_text(encoding="utf-8"), str(path))
        return self._parsed[path]

    def imports(self) -> list[Import]:
        """Return every import of every module."""
        every: list[Import] = []
        for name, path in self.modules.items():
            reader = _Reader(self, name)
            reader.visit(self.parse(path))
            every += reader.imports
        return every


def _module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


class _Reader(ast.NodeVisitor):
    """Reads the imports of one module."""

    def __init__(self, tree: Tree, name: str) -> None:
        self.imports: list[Import] = []
        self._tree = tree
        self._name = name
        self._file = tree.modules[name].relative_to(tree.root).as_posix()
        self._package = name if tree.is_package(name) else name.rpartition(".")[0]
        self._how = STATEMENT

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._visit_as(IN_FUNCTION, node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._visit_as(IN_FUNCTION, node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_as(IN_FUNCTION, node)

    def visit_If(self, node: ast.If) -> None:
        if not _is_type_checking(node.test):
            self.generic_visit(node)
            return
        for child in node.body:
            self._visit_as(FOR_TYPES, child)
        for child in node.orelse:
            self.visit(child)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(node, alias.name, self._how)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = self._absolute("." * node.level + (node.module or ""))
        for alias in node.names:
            # A name that is no module of ours is one that the module ``base`` defines.
            self._add(node, f"{base}.{alias.name}", self._how)

    def visit_Call(self, node: ast.Call) -> None:
        if _last_name(node.func) in _IMPORTERS and node.args:
            self._add_text(node.args[0], BY_NAME)
        elif isinstance(node.func, ast.Attribute) and _is_sys_modules(node.func.value) and node.args:
            self._add_text(node.args[0], LOOKUP)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if _is_sys_modules(node.value):
            self._add_text(node.slice, LOOKUP)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        if _is_sys_modules(node.comparators[-1]):
            self._add_text(node.left, LOOKUP)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """Take the name of a module for an import, as in the tables of what is imported late.

        A package's name may be meant otherwise: for a logger, or for the scope of what is recorded.
        """
        if isinstance(node.value, str):
            name = node.value.partition(":")[0]
            if name in self._tree.modules and not self._tree.is_package(name):
                self._add(node, name, BY_NAME)

    def _visit_as(self, how: str, node: ast.AST) -> None:
        outer, self._how = self._how, FOR_TYPES if self._how == FOR_TYPES else how
        if how == FOR_TYPES:
            self.visit(node)
        else:
            self.generic_visit(node)
        self._how = outer

    def _add_text(self, node: ast.expr, how: str) -> None:
        """Add the module that an expression names, as far as it is written out."""
        for value in _beginnings(node):
            self._add(node, self._absolute(value).rstrip("."), how)

    def _add(self, node: ast.stmt | ast.expr, name: str, how: str) -> None:
        imported = self._tree.nearest(name)
        if imported is None or imported == self._name:
            return
        same_line = [one for one in self.imports if (one.line, one.imported) == (node.lineno, imported)]
        # A call that imports by name is met before the text in it.
        if not any(how in (one.how, BY_NAME) for one in same_line):
            self.imports.append(Import(self._file, node.lineno, self._name, imported, how))

    def _absolute(self, name: str) -> str:
        """Return the whole name of a module that may be named in relation to this one."""
        dots = len(name) - len(name.lstrip("."))
        if not dots:
            return name
        parents = self._package.split(".")
        above = parents[: len(parents) - dots + 1]
        return ".".join([*above, name[dots:]]).rstrip(".")


def _is_type_checking(test: ast.expr) -> bool:
    return _last_name(test) == "TYPE_CHECKING"


def _is_sys_modules(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "modules" and _last_name(node.value) == "sys"


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _beginnings(node: ast.expr) -> list[str]:
    """Return the text of a literal, or what a formatted text begins with."""
    if isinstance(node, ast.JoinedStr):
        node = node.values[0]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    return []
