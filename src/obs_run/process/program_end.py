"""How a program ended, as the place tells where its outermost frame was left, and its text.

The exception is freed before atexit. Loaded only where something hints at another end than the usual one.
"""

from __future__ import annotations

import sys

from obs_run.process import own_imports

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import Any

_NAME = "SystemExit"
_OPNAME = own_imports.load("opcode").opname
_ONLY_TREE = 0x400  # PyCF_ONLY_AST; the module ast is not loaded for it


def end_of(outermost: FrameType, call: tuple[object, int] | None) -> tuple[int | None, BaseException | None]:
    """Return the code and the exception of a program by its outermost frame and the last call of sys.exit in it."""
    error = getattr(sys, "last_value", None)
    last = _OPNAME[outermost.f_code.co_code[outermost.f_lasti]]
    if last.startswith("RETURN"):
        return 0, None
    is_call_here = call is not None and call[1] == outermost.f_lasti
    if isinstance(error, BaseException) and _ended(error, outermost, sure=not is_call_here):
        return 1, error
    # At the end of a `with` or `finally` the exception goes on its way from there.
    if call is not None and (is_call_here or last == "RERAISE"):
        return _as_status(call[0]), None
    if last == "RAISE_VARARGS":
        return code_at(outermost), None
    return None, None


def innermost_frames() -> Iterator[FrameType]:
    """Yield the innermost frame of each thread, and of each greenlet that waits for the one that runs.

    No thread shows the program while it waits for a greenlet.
    """
    yield from sys._current_frames().values()  # noqa: SLF001 (public but for its name)
    greenlet = sys.modules.get("greenlet")
    waiting = greenlet.getcurrent().parent if greenlet is not None else None
    while waiting is not None:
        if waiting.gr_frame is not None:
            yield waiting.gr_frame
        waiting = waiting.parent


def reached_the_top(error: BaseException, outermost_of: Callable[[FrameType], FrameType | None]) -> bool:
    """Whether ``error``, the last that was printed, left the program; an interactive interpreter prints others, too."""
    if hasattr(sys, "ps1"):
        return False
    stack = error.__traceback__
    # Code that does not compile never ran.
    return stack is None or outermost_of(stack.tb_frame) is stack.tb_frame


def code_of_program() -> int | None:
    """Return the code that all places which raise SystemExit in the program give, None if only running tells."""
    tree = _tree(_text_of_program())
    codes = set() if tree is None else {_code_of(statement) for statement in _raises(tree)}
    if len(codes) != 1:
        return None
    code = codes.pop()
    # Of code on the command line nothing tells whether it came to its end.
    return None if code and sys.argv[:1] == ["-c"] else code


def code_at(frame: FrameType) -> int | None:
    """Return the code of the SystemExit that a frame was left by, None if only running tells."""
    tree = _tree(_text_of(frame))
    if tree is None:
        return None
    line = frame.f_lineno
    codes = {_code_of(each) for each in _raises(tree) if each.lineno <= line <= each.end_lineno}
    return codes.pop() if len(codes) == 1 else None


def _text_of_program() -> str | bytes:
    main = sys.modules.get("__main__")
    path = getattr(main, "__file__", None)
    return _of_file(path) if isinstance(path, str) else _of_command_line()


def _text_of(frame: FrameType) -> str | bytes:
    path = frame.f_code.co_filename
    return _of_command_line() if path == "<string>" else _of_file(path)


def _of_command_line() -> str:
    for place, word in enumerate(sys.orig_argv):
        if _NAME in word:
            is_attached = place > 0 and word.startswith("-c")
            return word[2:] if is_attached else word
    return ""


def _of_file(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except (OSError, ValueError):
        return b""


def _tree(text: str | bytes) -> Any:
    try:
        return compile(text, "program", "exec", _ONLY_TREE, dont_inherit=True) if text else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _raises(tree: Any) -> Iterator[Any]:
    """Yield the statements that raise SystemExit by its name."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if type(node).__name__ == "Raise" and _is_named(node.exc):
            yield node
        for field in node._fields:
            value = getattr(node, field, None)
            members = value if isinstance(value, list) else (value,)
            waiting.extend(each for each in members if hasattr(each, "_fields"))


def _is_named(raised: Any) -> bool:
    called = getattr(raised, "func", raised)
    return getattr(called, "id", None) == _NAME


def _code_of(statement: Any) -> int | None:
    """Return the code that a statement gives as a constant: Python's own for nothing, for texts and for others."""
    arguments = getattr(statement.exc, "args", [])
    if not arguments:
        return 0
    kind = type(arguments[0]).__name__
    if len(arguments) > 1 or kind == "JoinedStr":
        return 1
    if kind != "Constant":
        return None
    value = arguments[0].value
    if value is None:
        return 0
    return value & 0xFF if isinstance(value, int) else 1


def _ended(error: BaseException, outermost: FrameType, *, sure: bool) -> bool:
    """Whether ``error``, the last that was printed, is the one that left the outermost frame."""
    stack = error.__traceback__
    return stack is not None and stack.tb_frame is outermost and (sure or stack.tb_lasti == outermost.f_lasti)


def _as_status(code: object) -> int | None:
    if code is None:
        return 0
    return code & 0xFF if isinstance(code, int) else None
