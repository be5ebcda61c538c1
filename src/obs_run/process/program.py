"""What program this process runs, read from the interpreter's own command line."""

from __future__ import annotations

import os
import sys
from typing import Any, NamedTuple

# Options of the interpreter that take the next word as their value.
_WITH_VALUE = ("-W", "-X", "--check-hash-based-pycs")
_SERVERS = frozenset((
    "uvicorn", "gunicorn", "hypercorn", "granian", "daphne", "waitress-serve", "waitress", "uwsgi", "sanic",
    "streamlit", "chainlit", "gradio", "jupyter", "jupyter-lab", "jupyter-notebook", "ipykernel_launcher",
    "dramatiq", "arq", "huey_consumer", "http.server",
))  # fmt: skip
_SERVER_COMMANDS = {
    "celery": ("worker", "beat", "flower"),
    "django": ("runserver",),
    "django-admin": ("runserver",),
    "fastapi": ("run", "dev"),
    "flask": ("run",),
    "langgraph": ("dev", "up"),
    "litestar": ("run",),
    "manage": ("runserver",),
    "mcp": ("run", "dev"),
    "rq": ("worker", "worker-pool"),
    "taskiq": ("worker", "scheduler"),
}


class Program(NamedTuple):
    """A program: its name for people, how it was started, its file if any, its arguments, whether it serves."""

    name: str
    kind: str  # script, module, command, stdin, interactive, zipapp, multiprocessing
    path: str | None
    argv: list[str]
    server: bool


def describe() -> Program:
    """Describe the program of this process; children made by fork have their parent's."""
    words = _after_options(sys.orig_argv[1:])
    first = words[0] if words else ""
    if first.startswith("-c"):
        return _of_code(words)
    if first.startswith("-m"):
        module = first[2:] or (words[1] if len(words) > 1 else "")
        return _named(module, "module", None, words[1 if first[2:] else 2 :])
    if not first or first == "-":
        interactive = not first and is_terminal(sys.stdin)
        return Program("python", "interactive" if interactive else "stdin", None, words[1:], server=False)
    return _of_file(first, words[1:])


def is_terminal(stream: Any) -> bool:
    """Whether a stream is one, open and connected to a terminal; the agent may put anything in a stream's place."""
    try:
        return bool(stream.isatty())
    except Exception:  # noqa: BLE001 (closed, None, or an object that only writes)
        return False


def _after_options(words: list[str]) -> list[str]:
    """Drop the interpreter's options that stand before the program."""
    index = 0
    while index < len(words):
        word = words[index]
        if word in _WITH_VALUE:
            index += 2
        elif word.startswith("--") or (len(word) > 1 and word[0] == "-" and not _names_program(word)):
            index += 1
        else:
            return _split(words[index:])
    return []


def _names_program(word: str) -> bool:
    """Whether -c or -m ends this group of short options, as in -Im or -uc."""
    if word[1] in "WX":
        return False
    return "c" in word or "m" in word


def _split(words: list[str]) -> list[str]:
    """Turn -Im and -uc into -m and -c."""
    word = words[0]
    if word[0] != "-" or word == "-":
        return words
    place = min(word.find(letter) for letter in "cm" if letter in word)
    return ["-" + word[place:], *words[1:]]


def _of_code(words: list[str]) -> Program:
    code = words[0][2:] or (words[1] if len(words) > 1 else "")
    if "from multiprocessing." in code:
        path = sys.argv[0] if sys.argv else ""
        known = path not in ("", "-c")
        return Program(_stem(path) if known else "python", "multiprocessing", path if known else None, [], server=False)
    return Program("python", "stdin", None, words[1 if words[0][2:] else 2 :], server=False)


def _of_file(path: str, argv: list[str]) -> Program:
    if path.endswith(".pyz") or os.path.isdir(path):
        return _named(_stem(path.rstrip(os.sep)), "zipapp", path, argv)
    is_command = not path.endswith((".py", ".pyw")) and os.path.basename(os.path.dirname(path)) in ("bin", "Scripts")
    if path.endswith("__main__.py"):
        path = os.path.dirname(path) or path
    return _named(_stem(path), "command" if is_command else "script", path, argv)


def _named(name: str, kind: str, path: str | None, argv: list[str]) -> Program:
    short = name.removesuffix(".__main__")
    commands = _SERVER_COMMANDS.get(short, ())
    return Program(short, kind, path, argv, short in _SERVERS or any(word in commands for word in argv))


def _stem(path: str) -> str:
    name = os.path.basename(path)
    for ending in (".py", ".pyw", ".pyz", ".exe"):
        name = name.removesuffix(ending)
    return name or "python"
