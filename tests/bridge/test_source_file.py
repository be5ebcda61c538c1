"""Of a long file only what is around a line is read, and that tells what it does in a short one."""

from __future__ import annotations

import linecache
import warnings
from typing import TYPE_CHECKING

import pytest

from obs_run.bridge import source_file
from obs_run.bridge.source_file import SourceFile

if TYPE_CHECKING:
    import ast
    from pathlib import Path

NO_HELPERS: frozenset[str] = frozenset()
FILLING = "".join(f"def get_{number}():\n    return {number}\n\n" for number in range(300))
METHODS = "".join(f"    def get_{number}(self):\n        return {number}\n\n" for number in range(300))
SOURCE = '''\
@decorated
@also(
    "so",
)
def boil(name):
    log.info(f"Boiling {name}")
    text = """
@ is how a decorator begins,
def how a function does
"""
    log.info("Boiled")

class Kettle:
    def __enter__(self):
        log.info("lid on")

    def around(self, function):
        def wrapper(*args, **kwargs):
            log.info("before")
            result = function(*args, **kwargs)
            log.info("after")
            return result
        return wrapper

if True:
    def freeze():
        log.info("Freezing")

log.info("Outside of all")
'''
TOLD = {
    "boil": ["Boiling", "Boiled"],
    "__enter__": ["lid on"],
    "around": [],
    "wrapper": ["before", "after"],
    "freeze": ["Freezing"],
}
LINES = {"boil": 1, "__enter__": 14, "around": 17, "wrapper": 18, "freeze": 26}
OWNERS = {"boil": "", "__enter__": "Kettle", "around": "Kettle", "wrapper": "Kettle", "freeze": ""}


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many lines each text has that is parsed, but for those left empty."""
    lengths = []
    original = source_file._parse

    def parse(text: str) -> ast.Module:
        lengths.append(len(text.strip("\n").split("\n")))
        return original(text)

    monkeypatch.setattr(source_file, "_parse", parse)
    return lengths


@pytest.mark.parametrize("filling", ["", FILLING], ids=["short", "long"])
def test_functions_are_found_by_the_line_that_they_begin_in(tmp_path: Path, filling: str, parsed: list[int]) -> None:
    path = tmp_path / "agent.py"
    path.write_text(filling + SOURCE + filling, encoding="utf-8")
    before = filling.count("\n")
    file = SourceFile(str(path))
    for name, line in LINES.items():
        function = file.block_at(before + line, NO_HELPERS)[before + line]
        assert (function.name, function.owner) == (name, OWNERS[name])
        told = [each.template.text for each in function.statements]
        assert [text.startswith(begin) for text, begin in zip(told, TOLD[name], strict=True)] == [True] * len(told)
        if name == "wrapper":
            assert function.inside == (before + 20, before + 20)
    outside = file.block_at(before + 29, NO_HELPERS)[0]
    assert [(each.template.text, each.line) for each in outside.statements] == [("Outside of all", before + 29)]
    # What was too little of the long one is parsed once more.
    assert max(parsed) < 40
    assert len(parsed) == (3 if filling else 1)


def test_of_a_long_class_only_the_method_is_read(tmp_path: Path, parsed: list[int]) -> None:
    path = tmp_path / "agent.py"
    method = '    @cached\n    def boil(self):\n        log.info("Boiling")\n        return 1\n\n'
    path.write_text(f"class Kettle:\n{METHODS}{method}{METHODS}", encoding="utf-8")
    function = SourceFile(str(path)).block_at(902, NO_HELPERS)[902]
    assert (function.name, function.owner) == ("boil", "Kettle")
    assert [each.line for each in function.statements] == [904]
    assert max(parsed) < 10


def test_what_does_not_parse_tells_nothing(tmp_path: Path) -> None:
    path = tmp_path / "agent.py"
    for text in ("{% if so %}\n", f"{FILLING}{{% if so %}}\n{FILLING}", "\0"):
        path.write_text(text, encoding="utf-8")
        assert list(SourceFile(str(path)).block_at(text[: text.find("{%")].count("\n") + 1, NO_HELPERS)) == [0]


def test_python_does_not_warn_of_the_agents_source_again(tmp_path: Path) -> None:
    path = tmp_path / "agent.py"
    path.write_text('TEXT = "\\d"\n', encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before = warnings.filters[:]
        assert list(SourceFile(str(path)).block_at(1, NO_HELPERS)) == [0]
        assert warnings.filters == before


def test_the_source_of_a_cell_is_what_was_kept_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = 'def boil():\n    log.info("Boiling")\n'
    monkeypatch.setitem(linecache.cache, "<ipython-input-1>", (len(cell), None, cell.splitlines(keepends=True), "x"))
    function = SourceFile("<ipython-input-1>").block_at(1, NO_HELPERS)[1]
    assert [each.template.text for each in function.statements] == ["Boiling"]
