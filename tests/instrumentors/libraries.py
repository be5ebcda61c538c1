"""The libraries with a scenario set, by the folder that holds it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.instrumentors.scenarios import Library

HERE = Path(__file__).parent

LIBRARIES: dict[str, Library] = {
    path.parent.name: import_module(f"tests.instrumentors.{path.parent.name}.library").LIBRARY
    for path in sorted(HERE.glob("*/library.py"))
}
