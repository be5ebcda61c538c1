"""The log statements of a function, read from its source: what each tells, and where it stands."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run import settings
from obs_run.bridge.phrases import Phrase, Role, read_phrases
from obs_run.bridge.templates import LEVEL_NAMES, Template, name_of, read_template
from obs_run.bridge.words import VALUE

if TYPE_CHECKING:
    from collections.abc import Iterator

LEVELS = {
    "trace": 5, "debug": 10, "info": 20, "success": 25, "warning": 30, "warn": 30, "error": 40, "exception": 40,
    "critical": 50, "fatal": 50, "print": 20, "msg": 20, "notice": 20,
}  # fmt: skip
_PRINTING = frozenset(["print", "write"])
_HELPERS = frozenset(("log", "log_info", "log_debug", "log_event", "emit_log", "say", "logline"))
"""What functions that log what they are given are called."""
_INFO = 20
_WARNING = 30
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_WITHOUT_CALLS = (ast.Constant, ast.Name, ast.expr_context, ast.operator, ast.boolop, ast.unaryop, ast.cmpop)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


class Statement(NamedTuple):
    """A log statement in a function."""

    line: int
    last_line: int
    level: int
    template: Template
    phrases: tuple[Phrase, ...]
    order: int
    """Its place among the log statements of the function."""
    loops: tuple[int, ...]
    """The lines of the loops around it."""
    handlers: tuple[tuple[int, int, int], ...]
    """Of the exception handlers around it: their line, and the first and last line of what they guard."""
    leaves: bool
    """Whether the block that it is in leaves the function or its loop."""
    is_final: bool
    """Whether it is in a ``finally``."""
    branches: tuple[tuple[int, int], ...]
    """The decisions around it, each with the number of the way that leads to it."""
    blocks: tuple[int, ...]
    """The numbers of the blocks that it is in, the innermost at the end."""
    is_last: bool = False
    """Whether nothing more is done before its function or loop is left."""
    is_cancelled: bool = False
    """Whether it is told where the work was cancelled."""
    is_endless: bool = False
    """Whether it is in a loop that nothing but a break or return ends."""
    fields: tuple[str, ...] = ()
    """The names of the keyword arguments, as structlog has them."""

    def phrase(self, *roles: Role) -> Phrase | None:
        """Return what it tells in one of these roles."""
        return next((phrase for phrase in self.phrases if phrase.role in roles), None)


class Function(NamedTuple):
    """A function's log statements, by the order of the source."""

    name: str
    statements: tuple[Statement, ...]
    owner: str = ""
    """The name of the class that it is of."""
    inside: tuple[int, int] | None = None
    """First and last line of what runs inside of it: a context manager's yield, the call of what a decorator wraps."""
    is_context_manager: bool = False

    def at(self, line: int) -> Statement | None:
        """Return the statement that spans a line."""
        return next((each for each in self.statements if each.line <= line <= each.last_line), None)


NO_FUNCTION = Function("", ())
Logged = tuple[int, ast.expr, list[ast.expr]]
"""The level, message and arguments of a call that logs."""
File = Mapping[int, Function]
"""The functions of a file by the line that they begin in, decorators included; 0 for what is outside of all."""


def read_module(body: list[ast.stmt], helpers: frozenset[str]) -> Function:
    """Return the statements of a file that are outside of all functions."""
    return Function("<module>", _read_statements(body, helpers))


def read_function(
    node: ast.FunctionDef | ast.AsyncFunctionDef, owner: str, parameters: frozenset[str], helpers: frozenset[str]
) -> Function:
    """Return a function's statements; ``parameters`` are those of the functions around it.

    ``helpers`` are names of functions that log what they are given.
    """
    is_context_manager = any("contextmanager" in ast.unparse(each) for each in node.decorator_list)
    # What a decorator is given, called with what its wrapper is given.
    wrapped = parameters if node.args.vararg or node.args.kwarg else frozenset()
    inside = _inside_of(node, wrapped, is_context_manager=is_context_manager)
    return Function(node.name, _read_statements(node.body, helpers), owner, inside, is_context_manager)


def _inside_of(node: ast.AST, wrapped: frozenset[str], *, is_context_manager: bool) -> tuple[int, int] | None:
    """Return first and last line of what runs inside of a function: its yield, or the call of one of ``wrapped``."""
    inside = None
    for each in ast.walk(node) if wrapped or is_context_manager else ():
        is_yield = is_context_manager and isinstance(each, ast.Yield)
        called = each.func if isinstance(each, ast.Call) else None
        is_wrapped = isinstance(called, ast.Name) and called.id in wrapped
        if (is_yield or is_wrapped) and isinstance(each, ast.expr):
            inside = each.lineno, each.end_lineno or each.lineno
    return inside


def _read_statements(body: list[ast.stmt], helpers: frozenset[str]) -> tuple[Statement, ...]:
    reader = _Reader(helpers)
    reader.read_block(body, _Place())
    return tuple(reader.found)


class _Place(NamedTuple):
    """Where in a function a statement stands."""

    branches: tuple[tuple[int, int], ...] = ()
    blocks: tuple[int, ...] = ()
    loops: tuple[int, ...] = ()
    handlers: tuple[tuple[int, int, int], ...] = ()
    is_final: bool = False
    leaves: bool = False
    is_last: bool = False
    is_cancelled: bool = False
    is_endless: bool = False


class _Reader:
    """Collects log statements, in the order of the source."""

    def __init__(self, helpers: frozenset[str]) -> None:
        self.found: list[Statement] = []
        self._helpers = helpers
        self._blocks = 0

    def read_block(self, body: list[ast.stmt], place: _Place) -> None:
        """Read the statements of one block."""
        self._blocks += 1
        place = place._replace(leaves=bool(body) and _leaves(body[-1]), blocks=(*place.blocks, self._blocks))
        for number, statement in enumerate(body, 1):
            is_last = _only_leaves(body[number]) if number < len(body) else len(place.blocks) == 1
            self._read(statement, place._replace(is_last=is_last))

    def _read(self, statement: ast.stmt, place: _Place) -> None:
        if isinstance(statement, _FUNCTIONS):
            return
        if isinstance(statement, _LOOPS):
            self._calls(statement.iter if hasattr(statement, "iter") else statement.test, place)
            is_endless = isinstance(statement, ast.While) and isinstance(statement.test, ast.Constant)
            inside = place._replace(loops=(*place.loops, statement.lineno), is_endless=is_endless)
            self.read_block(statement.body, inside)
            self.read_block(statement.orelse, place)
        elif isinstance(statement, ast.Try) or type(statement).__name__ == "TryStar":
            self._read_try(statement, place)
        elif isinstance(statement, (ast.With, ast.AsyncWith)):
            self.read_block(statement.body, place)
        elif isinstance(statement, (ast.If, ast.Match)):
            self._read_ways(statement, place)
        else:
            self._calls(statement, place)

    def _read_ways(self, statement: ast.If | ast.Match, place: _Place) -> None:
        ways = (
            [statement.body, statement.orelse]
            if isinstance(statement, ast.If)
            else [each.body for each in statement.cases]
        )
        for number, way in enumerate(ways):
            self.read_block(way, place._replace(branches=(*place.branches, (statement.lineno, number))))

    def _read_try(self, statement: Any, place: _Place) -> None:
        self.read_block(statement.body, place)
        first = statement.body[0].lineno
        last = statement.body[-1].end_lineno or statement.body[-1].lineno
        for handler in statement.handlers:
            around = (handler.lineno, first, last)
            is_cancelled = handler.type is not None and "Cancelled" in ast.unparse(handler.type)
            self.read_block(handler.body, place._replace(handlers=(*place.handlers, around), is_cancelled=is_cancelled))
        self.read_block(statement.orelse, place)
        self.read_block(statement.finalbody, place._replace(is_final=True))

    def _calls(self, node: ast.AST, place: _Place) -> None:
        for call in _calls_in(node):
            logged = _read_call(call, self._helpers)
            if logged is None:
                continue
            level, message, arguments = logged
            template = read_template(message, arguments) or Template(VALUE, (name_of(message),))
            line = call.lineno
            self.found.append(
                Statement(
                    line,
                    (call.end_lineno or call.lineno),
                    level,
                    template,
                    read_phrases(
                        template.text,
                        level,
                        is_handler=bool(place.handlers),
                        leaves=place.leaves and len(place.blocks) > 1,
                    ),
                    len(self.found),
                    place.loops,
                    place.handlers,
                    place.leaves,
                    place.is_final,
                    place.branches,
                    place.blocks,
                    place.is_last,
                    place.is_cancelled,
                    place.is_endless,
                    tuple(each.arg for each in call.keywords if each.arg),
                )
            )


def _only_leaves(statement: ast.stmt) -> bool:
    """Whether a statement leaves its function or loop, and does nothing else."""
    is_exit = isinstance(statement, (ast.Return, ast.Raise, ast.Break, ast.Continue))
    return is_exit and not any(isinstance(each, (ast.Call, ast.Await)) for each in ast.walk(statement))


def _leaves(statement: ast.stmt) -> bool:
    """Whether a statement leaves its function or loop."""
    if isinstance(statement, (ast.Return, ast.Raise, ast.Break)):
        return True
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call):
        return False
    return _last_name(call.func) in ("exit", "_exit", "quit", "abort")


def _calls_in(node: ast.AST) -> Iterator[ast.Call]:
    pending = [node]
    # What is added meanwhile is gone through, too.
    for each in pending:
        if isinstance(each, _FUNCTIONS):
            continue
        if isinstance(each, ast.Call):
            yield each
        for field in each._fields:
            value = getattr(each, field, None)
            children = value if type(value) is list else (value,)
            pending.extend(
                child for child in children if isinstance(child, ast.AST) and not isinstance(child, _WITHOUT_CALLS)
            )


def _read_call(call: ast.Call, helpers: frozenset[str]) -> Logged | None:
    """Return what a call logs, None where it does not log."""
    name = _last_name(call.func)
    if not call.args or (name in _PRINTING and not settings.get("OBS_BRIDGE_STDOUT")):
        return None
    return (
        _logged_at_level(call, name)
        or _written_past_logging(call, name)
        or _logged_by_method(call, name)
        or _logged_by_helper(call, name, helpers)
    )


def _logged_at_level(call: ast.Call, name: str) -> Logged | None:
    """Return what ``log`` is given, whose first argument is the level."""
    arguments = call.args
    if name != "log" or not isinstance(call.func, ast.Attribute) or len(arguments) == 1:
        return None
    level = _level_of(arguments[0])
    return None if level is None else (level or _INFO, arguments[1], arguments[2:])


def _logged_by_method(call: ast.Call, name: str) -> Logged | None:
    """Return what a method is given that is named for its level, or ``print``."""
    if name not in LEVELS or not (isinstance(call.func, ast.Attribute) or name == "print"):
        return None
    return LEVELS[name], call.args[0], call.args[1:]


def _logged_by_helper(call: ast.Call, name: str, helpers: frozenset[str]) -> Logged | None:
    """Return what a function of the agent's own is given that logs it."""
    plain_name = name.lstrip("_")
    if name not in helpers and plain_name not in _HELPERS:
        return None
    level = next((found for each in call.args if (found := _level_of(each)) is not None), None)
    texts = [each for each in call.args if _level_of(each) is None and read_template(each, []) is not None]
    if not texts:
        return None
    guessed = LEVELS.get(plain_name.removeprefix("log_"), _INFO)
    return guessed if level is None else level, texts[0], []


def _written_past_logging(call: ast.Call, name: str) -> Logged | None:
    """Return what methods are given that only loguru and structlog have, and functions that print."""
    function, arguments = call.func, call.args
    if name == "print" and len(arguments) > 1:
        return _INFO, _joined_by_spaces(arguments), []
    if not isinstance(function, ast.Attribute):
        return None
    if name == "write" and getattr(function.value, "attr", "") == "stdout":
        return _INFO, arguments[0], []
    if name == "log" and len(arguments) > 1 and isinstance(arguments[0], (ast.Constant, ast.Attribute)):
        return _INFO, arguments[1], arguments[2:]  # a level of the agent's own
    if name[:1] == "a" and name[1:] in LEVELS:  # structlog's methods that are awaited
        return LEVELS[name[1:]], arguments[0], arguments[1:]
    return None


def _joined_by_spaces(arguments: list[ast.expr]) -> ast.JoinedStr:
    """Return what is printed as one text."""
    parts: list[ast.expr] = []
    for each in arguments:
        if parts:
            parts.append(ast.Constant(" "))
        if isinstance(each, ast.JoinedStr):
            parts.extend(each.values)
        elif isinstance(each, ast.Constant):
            parts.append(ast.Constant(str(each.value)))
        else:
            parts.append(ast.FormattedValue(each, -1))
    return ast.JoinedStr(parts)


def _level_of(node: ast.expr) -> int | None:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str) and node.value.upper() in LEVEL_NAMES:
            return LEVEL_NAMES[node.value.upper()]
        return node.value if isinstance(node.value, int) and not isinstance(node.value, bool) else None
    name = _last_name(node)
    return LEVEL_NAMES.get(name.upper()) if name.isupper() else None


def _last_name(node: ast.expr) -> str:
    """Return the name that an expression ends with, "" where it is of another kind."""
    name: str = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name
