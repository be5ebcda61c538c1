from __future__ import annotations

from typing import TYPE_CHECKING

from tools import measure_house

if TYPE_CHECKING:
    from pathlib import Path

GUARD = '''"""A docstring is no line of code."""

import os  # noqa: F401
from typing import Any


def f(a: Any) -> None:
    global b
    from obs_run.core import recorder  # a reason

    b = [x for x in a if x] if a and recorder else None


os.register_at_fork(before=f)
'''
TOO_COMPLEX = (
    "def g(a):\n    def inner():\n        return 1 if a else 2\n" + "    a = a and 1 or 2\n" * 7 + "    if a: pass\n"
)


def test_the_measures_of_a_small_house(tmp_path: Path) -> None:
    files = {
        "src/obs_run/__init__.py": "",
        "src/obs_run/base/guard.py": GUARD,
        "src/obs_run/core/recorder.py": "import sys\nsys.modules.get('obs_run.base.guard')\n",
        "instrumentors/obs_instrumentors/ollama.py": TOO_COMPLEX,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    table = measure_house.table([tmp_path])
    rows = dict(line.strip("| ").rsplit(" | ", 1) for line in table.splitlines() if line.startswith("|"))
    assert {name: rows[name] for name in EXPECTED} == EXPECTED
    assert table.endswith(f"Over 15 in `{tmp_path.name}`: obs_instrumentors.ollama.g 16")


EXPECTED = {
    "fork hooks": "1",
    "`global` statements": "1",
    "imports against the direction": "1",
    "imports of own modules inside functions": "1",
    "look-ups of own modules in `sys.modules`": "1",
    "circles of modules": "1",
    "modules in the largest": "2",
    "modules": "4",
    "functions": "3",
    "functions over complexity 15": "1",
    "files without a comment": "3",
    "ternaries per 1,000 lines, src": "111.1",
    "comprehensions per 1,000 lines, src": "111.1",
    "Any per 1,000 lines, src": "111.1",
    "comments per 100 lines, src": "11.1",
    "tokens per line, instrumentors": "6.4",
}
