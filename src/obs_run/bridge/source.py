"""The log statements of a function, read from its source: what each tells, and where it stands."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Mapping
from logging import WARNING
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.bridge.clauses import spoken_words_of
from obs_run.bridge.log_calls import Logged, last_name, read_call
from obs_run.bridge.phrases import Phrase, Role, read_phrases, read_subject
from obs_run.bridge.templates import Template, name_of, read_template
from obs_run.bridge.words import SUMMARIES, VALUE

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_WITHOUT_CALLS = (ast.Constant, ast.Name, ast.expr_context, ast.operator, ast.boolop, ast.unaryop, ast.cmpop)
_BUILTIN_FUNCTIONS = frozenset(dir(builtins)) - {"open", "exec", "eval", "input", "next", "__import__"}
_LOOKING = frozenset(dir(str)).union(
    dir(dict), dir(list), ("time", "perf_counter", "monotonic", "now", "utcnow", "uuid4", "getLogger", "bind", "opt",
    "process_time", "time_ns", "current_thread", "current_task", "fromtimestamp", "today", "getpid", "randint",
    "contextualize", "bound_contextvars", "bind_contextvars", "clear_contextvars", "loads", "dumps", "decode",
     "strftime", "isoformat"),
) - {"get", "pop", "remove"}  # fmt: skip
"""Methods that only look at what is there, or put it together."""
_WAITING = re.compile(
    r"recv|receive|accept|poll|sleep|wait|get|listen|consume|select|next|fetch|read|pop", re.IGNORECASE
)
_OF_HOW_MANY = re.compile(r"\0 ?(?:/|of\b) ?(?:\0|\d)")
_NEAR_LOOP = 3
"""How many statements after a line its loop may begin."""
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
    """The names of its fields: of the keyword arguments, as structlog has them, and in ``extra``."""
    returns: tuple[int, ...] = ()
    """Those of its blocks that leave the function."""
    breaks: tuple[tuple[int, int], ...] = ()
    """Those of its blocks that leave a pass of a loop, each with the line of that loop."""
    guarded: tuple[int, int] = (0, 0)
    """First and last line of what it is the ``finally`` of."""
    work_before: int = 0
    """How much its function has done before, as the number of calls that do something."""
    is_first_of_pass: bool = False
    """Whether the pass of its loop has done nothing before."""

    @property
    def is_first_work(self) -> bool:
        """Whether its function has done nothing before."""
        return not self.work_before

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
    work: int = 0
    """How much it does, as the number of calls that do something."""
    given: frozenset[str] = frozenset()
    """The names of what it is called with, and of what is made of that."""
    serves: bool = False
    """Whether it has a loop that goes on until it is told to stop, and waits in each pass for what comes."""

    def at(self, line: int) -> Statement | None:
        """Return the statement that spans a line."""
        return next((each for each in self.statements if each.line <= line <= each.last_line), None)


NO_FUNCTION = Function("", ())
File = Mapping[int, Function]
"""The functions of a file by the line that they begin in, decorators included; 0 for what is outside of all."""


def read_module(body: list[ast.stmt], helpers: frozenset[str]) -> Function:
    """Return the statements of a file that are outside of all functions."""
    reader = _read_statements(body, helpers)
    return Function("<module>", tuple(reader.found), work=reader.work, serves=reader.serves)


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
    reader = _read_statements(node.body, helpers)
    return Function(
        node.name, tuple(reader.found), owner, inside, is_context_manager, reader.work, _given_to(node), reader.serves
    )


def _given_to(node: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[str]:
    """Return the names of what a function is called with, and of what it makes of that, in small letters."""
    arguments = node.args
    given = {each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    given |= {each.arg for each in (arguments.vararg, arguments.kwarg) if each is not None}
    given -= {"self", "cls"}
    for each in ast.walk(node):
        if isinstance(each, ast.Assign) and _names_in(each.value) & given:
            given.update(*map(_names_in, each.targets))
    return frozenset(name.lower() for name in given)


def _names_in(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


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


def _read_statements(body: list[ast.stmt], helpers: frozenset[str]) -> _Reader:
    """Return what has read the log statements of a body."""
    reader = _Reader(helpers)
    reader.read_block(body, _Place())
    return reader


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
    returns: tuple[int, ...] = ()
    breaks: tuple[tuple[int, int], ...] = ()
    guarded: tuple[int, int] = (0, 0)
    work_before_pass: int = 0
    counted: frozenset[str] = frozenset()
    """What names the number of the pass of the loop, and "" for what is computed of it; nothing where it has none."""


class _Reader:
    """Collects log statements, in the order of the source."""

    def __init__(self, helpers: frozenset[str]) -> None:
        self.found: list[Statement] = []
        self._helpers = helpers
        self._blocks = 0
        self._texts: dict[str, ast.expr] = {}
        """What texts with words of their own the names of the function stand for where it is read."""
        self._serving: ast.stmt | None = None
        self.work = 0
        """How many calls that do something have been met."""
        self.serves = False
        """Whether there is a loop that serves."""
        self._waited: dict[int, int] = {}
        """How many calls had been met when the loop in a line had got what it waits for."""

    def read_block(self, body: list[ast.stmt], place: _Place) -> None:
        """Read the statements of one block."""
        self._blocks += 1
        place = _inside(place, self._blocks, body)
        for number, statement in enumerate(body, 1):
            is_last = _only_leaves(body[number]) if number < len(body) else len(place.blocks) == 1
            following = body[number : number + _NEAR_LOOP]
            self._serving = next(filter(_is_serving_loop, following), None)
            self._read(statement, place._replace(is_last=is_last))

    def _read(self, statement: ast.stmt, place: _Place) -> None:
        if isinstance(statement, _FUNCTIONS):
            return
        if isinstance(statement, _LOOPS):
            self.serves = self.serves or _is_serving_loop(statement)
            self._calls(statement.iter if hasattr(statement, "iter") else statement.test, place)
            is_endless = isinstance(statement, ast.While) and isinstance(statement.test, ast.Constant)
            inside = place._replace(
                loops=(*place.loops, statement.lineno),
                is_endless=is_endless,
                work_before_pass=self.work,
                counted=_counted_by(statement),
            )
            self.read_block(statement.body, inside)
            self.read_block(statement.orelse, place)
        elif isinstance(statement, ast.Try) or type(statement).__name__ == "TryStar":
            self._read_try(statement, place)
        elif isinstance(statement, (ast.With, ast.AsyncWith)):
            for each in statement.items:
                self._calls(each.context_expr, place)
            self.read_block(statement.body, place)
        elif isinstance(statement, (ast.If, ast.Match)):
            self._calls(statement.test if isinstance(statement, ast.If) else statement.subject, place)
            self._read_ways(statement, place)
        else:
            self._calls(statement, place)
            self._note_texts(statement)

    def _note_texts(self, statement: ast.stmt) -> None:
        """Note what text a name stands for from here on, and that it stands for none known."""
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    self._texts.pop(target.id, None)
                    if isinstance(statement.value, (ast.JoinedStr, ast.Constant, ast.BinOp)):
                        self._texts[target.id] = statement.value
        elif isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            self._texts.pop(statement.target.id, None)

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
        self.read_block(statement.finalbody, place._replace(is_final=True, guarded=(first, last)))

    def _calls(self, node: ast.AST, place: _Place) -> None:
        is_first_of_pass = self._is_first_of_pass(place)
        has_waited = False
        for call in _calls_in(node):
            logged = read_call(call, self._helpers)
            if logged is not None and _is_ruler(logged[1]):
                continue
            if logged is None:
                self.work += _does_something(call)
                has_waited = has_waited or _WAITING.match(last_name(call.func)) is not None
                continue
            self.found.append(self._read_statement(call, logged, place))
        if is_first_of_pass and has_waited:
            # What a pass waits for at first comes before its work.
            self._waited[place.loops[-1]] = self.work

    def _read_statement(self, call: ast.Call, logged: Logged, place: _Place) -> Statement:
        level, message, arguments = logged
        if isinstance(message, ast.Name):
            message = self._texts.get(message.id, message)
        template = read_template(message, arguments) or Template(VALUE, (name_of(message),))
        is_left = place.leaves and len(place.blocks) > 1
        phrases = read_phrases(template.text, level, is_handler=bool(place.handlers), leaves=is_left)
        has_worked = self.work > place.work_before_pass
        if has_worked:
            # What a number tells of that comes amid the work is how far that has come.
            phrases = tuple(each for each in phrases if not each.is_iteration)
        elif not phrases and level < WARNING and _tells_pass(template, place.counted):
            phrases = (read_subject(template.text)._replace(role=Role.START, is_iteration=True),)
        if self._serving is not None:
            phrases = tuple(each for each in phrases if not self._is_serving(each))
        return Statement(
            line=call.lineno,
            last_line=call.end_lineno or call.lineno,
            level=level,
            template=template,
            phrases=phrases,
            order=len(self.found),
            loops=place.loops,
            handlers=place.handlers,
            leaves=place.leaves,
            is_final=place.is_final,
            branches=place.branches,
            blocks=place.blocks,
            is_last=place.is_last,
            is_cancelled=place.is_cancelled,
            is_endless=place.is_endless,
            fields=_fields_of(call),
            returns=place.returns,
            breaks=place.breaks,
            guarded=place.guarded,
            work_before=self.work,
            is_first_of_pass=self._is_first_of_pass(place),
        )

    def _is_first_of_pass(self, place: _Place) -> bool:
        if not place.loops:
            return False
        return self.work <= self._waited.get(place.loops[-1], place.work_before_pass)

    def _is_serving(self, phrase: Phrase) -> bool:
        """Whether what is said to start is the loop that follows, which serves: a state."""
        is_generic = phrase.verb in ("", "start")
        is_stopped = isinstance(self._serving, ast.While) and not isinstance(self._serving.test, ast.Constant)
        return phrase.role is Role.START and (is_generic or is_stopped)


def _is_ruler(message: ast.expr) -> bool:
    """Whether a line is drawn for the eye and says nothing: ``"=" * 40``, an empty one."""
    if isinstance(message, ast.BinOp) and isinstance(message.op, ast.Mult):
        sides = (message.left, message.right)
        return any(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in sides)
    if not isinstance(message, ast.Constant) or not isinstance(message.value, str):
        return False
    return not any(map(str.isalnum, message.value)) and "%" not in message.value and "{" not in message.value


def _counted_by(loop: ast.stmt) -> frozenset[str]:
    """Return what names the number of a loop's pass, and "" for what is computed of it; nothing where it has none."""
    iterated = getattr(loop, "iter", None)
    if not isinstance(iterated, ast.Call) or last_name(iterated.func) not in ("range", "enumerate"):
        return frozenset()
    target = loop.target if isinstance(loop, (ast.For, ast.AsyncFor)) else None
    if isinstance(target, ast.Tuple):
        target = target.elts[0]
    return frozenset(("", target.id.lower())) if isinstance(target, ast.Name) else frozenset()


def _tells_pass(template: Template, counted: frozenset[str]) -> bool:
    """Whether a line tells which pass of how many of its loop begins, as "File 3 of 5"."""
    match = _OF_HOW_MANY.search(template.text) if counted else None
    if match is None or template.names[template.text.count(VALUE, 0, match.start())] not in counted:
        return False
    said = spoken_words_of(template.text)
    return bool(said) and said[0] not in SUMMARIES


def _inside(place: _Place, number: int, body: list[ast.stmt]) -> _Place:
    """Return the place of what stands in a block."""
    last = body[-1] if body else None
    leaves = last is not None and _leaves(last)
    place = place._replace(leaves=leaves, blocks=(*place.blocks, number))
    if isinstance(last, (ast.Break, ast.Continue)):
        return place._replace(breaks=(*place.breaks, (number, place.loops[-1] if place.loops else 0)))
    return place._replace(returns=(*place.returns, number)) if leaves else place


def _fields_of(call: ast.Call) -> tuple[str, ...]:
    fields = [each.arg for each in call.keywords if each.arg]
    for each in call.keywords:
        if each.arg == "extra" and isinstance(each.value, ast.Dict):
            keys = (key.value for key in each.value.keys if isinstance(key, ast.Constant))
            fields += [key for key in keys if isinstance(key, str)]
    return tuple(fields)


def _does_something(call: ast.Call) -> bool:
    """Whether a call may be a part of the work, and does not only look at what is there."""
    name = last_name(call.func)
    if isinstance(call.func, ast.Name) and name in _BUILTIN_FUNCTIONS:
        return False
    # A value of a mapping, but not the next one of a queue.
    return name not in _LOOKING and not (name == "get" and call.args)


def _is_serving_loop(statement: ast.stmt) -> bool:
    """Whether a loop goes on until it is told to stop, and waits in each pass for what comes."""
    if not isinstance(statement, ast.While) or not _is_flag(statement.test):
        return False
    calls = (each for each in ast.walk(statement) if isinstance(each, ast.Call))
    return any(_WAITING.match(last_name(each.func)) for each in calls)


def _is_flag(test: ast.expr) -> bool:
    """Whether what a loop goes on for is true, a flag, or that an event has not been set."""
    if isinstance(test, ast.UnaryOp):
        test = test.operand
    if isinstance(test, ast.Call):
        return last_name(test.func) in ("is_set", "is_alive", "is_running")
    return isinstance(test, (ast.Constant, ast.Attribute)) or (isinstance(test, ast.Name) and "run" in test.id)


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
    return last_name(call.func) in ("exit", "_exit", "quit", "abort")


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
