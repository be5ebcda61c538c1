"""Modules that are waited for stay what they are, however they are imported."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import inspect
import pickle
import sys
import threading
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from obs_run.process import import_hooks
from obs_run.process.import_hooks import when_imported

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

NAME = "obs_case_module"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [each for each in sys.meta_path if each is not import_hooks._finder])
    monkeypatch.setattr(import_hooks, "_waiting", {})
    monkeypatch.setattr(import_hooks, "_called", {})
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith(NAME):
            del sys.modules[name]


def module(folder: Path, source: str = "value = 1\n") -> list[ModuleType]:
    """Write the module, wait for it, and return the list to which it comes."""
    (folder / f"{NAME}.py").write_text(source)
    came: list[ModuleType] = []
    when_imported(NAME, came.append)
    return came


def test_the_callback_gets_the_finished_module_once(folder: Path) -> None:
    came = module(folder)
    imported = importlib.import_module(NAME)
    importlib.import_module(NAME)
    assert came == [imported]
    assert imported.value == 1
    assert import_hooks.waiting() == []


class FinderBefore:
    """Finds modules by itself, as test runners and type checkers do for those that they rewrite."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        return importlib.machinery.PathFinder.find_spec(name, path, target) if name.startswith(NAME) else None


def test_a_module_that_a_finder_before_ours_found_comes_with_the_next_import(folder: Path) -> None:
    (folder / f"{NAME}_inner.py").touch()
    came = module(folder, f"import wave, sys; sys.modules.pop('wave'); import {NAME}_inner, wave\nvalue = 1\n")
    sys.meta_path.insert(0, FinderBefore())
    imported = importlib.import_module(NAME)
    assert not came
    sys.modules.pop("wave")
    importlib.import_module("wave")
    assert came == [imported]
    importlib.reload(imported)
    sys.modules.pop("wave")
    importlib.import_module("wave")
    assert came == [imported]


def test_an_imported_module_comes_at_once() -> None:
    came: list[ModuleType] = []
    when_imported("threading", came.append)
    assert came == [threading]


def test_callbacks_run_in_their_order_and_none_stops_another(folder: Path) -> None:
    order: list[object] = []
    (folder / f"{NAME}.py").write_text("")
    when_imported(NAME, lambda _: order.append(1))
    when_imported(NAME, lambda _: order[99].nothing)  # type: ignore[attr-defined]
    when_imported(NAME, lambda _: order.append(2))
    importlib.import_module(NAME)
    assert order == [1, 2]


def test_loader_and_spec_are_the_original(folder: Path) -> None:
    module(folder)
    imported = importlib.import_module(NAME)
    assert imported.__spec__ is not None
    loader = imported.__spec__.loader
    assert type(loader) is importlib.machinery.SourceFileLoader
    assert "exec_module" not in vars(loader)
    assert imported.__loader__ is loader
    assert pickle.loads(pickle.dumps(loader)).path == loader.path
    assert inspect.getsource(imported) == "value = 1\n"


def test_reload_executes_again_and_calls_back_no_more(folder: Path) -> None:
    came = module(folder)
    imported = importlib.import_module(NAME)
    (folder / f"{NAME}.py").write_text("value = 22\n")
    importlib.invalidate_caches()
    assert importlib.reload(imported).value == 22
    assert len(came) == 1


def test_from_a_zip_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        archive.writestr(f"{NAME}.py", "value = 1\n")
        archive.writestr(f"{NAME}_other.py", "value = 2\n")
    monkeypatch.syspath_prepend(folder / "all.zip")
    came: list[ModuleType] = []
    when_imported(NAME, came.append)
    other = importlib.import_module(f"{NAME}_other")
    imported = importlib.import_module(NAME)
    assert came == [imported]
    assert (imported.value, other.value) == (1, 2)
    assert inspect.getsource(imported) == "value = 1\n"


def test_a_namespace_package_and_a_module_in_it(folder: Path) -> None:
    (folder / NAME).mkdir()
    (folder / NAME / "inner.py").write_text("value = 1\n")
    came: list[ModuleType] = []
    when_imported(NAME, came.append)
    when_imported(f"{NAME}.inner", came.append)
    inner = importlib.import_module(f"{NAME}.inner")
    assert inner in came
    assert inner.value == 1
    package = sys.modules[NAME]
    assert list(package.__path__) == [str(folder / NAME)]


def test_a_module_that_fails_and_then_succeeds(folder: Path) -> None:
    came = module(folder, "1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        importlib.import_module(NAME)
    assert NAME not in sys.modules
    assert came == []
    (folder / f"{NAME}.py").write_text("value = 'mended'\n")
    importlib.invalidate_caches()
    assert importlib.import_module(NAME).value == "mended"
    assert len(came) == 1


def test_a_traceback_shows_the_modules_own_frames_as_before(folder: Path) -> None:
    module(folder, "1 / 0\n")
    with pytest.raises(ZeroDivisionError) as caught:
        importlib.import_module(NAME)
    assert caught.traceback[-1].path == folder / f"{NAME}.py"


def test_a_module_that_is_not_there_is_as_before() -> None:
    when_imported(NAME, lambda _: None)
    with pytest.raises(ModuleNotFoundError, match=NAME):
        importlib.import_module(NAME)
    assert importlib.util.find_spec(NAME) is None


def test_asking_for_a_spec_imports_nothing(folder: Path) -> None:
    came = module(folder)
    spec = importlib.util.find_spec(NAME)
    assert spec is not None
    assert came == []
    imported = importlib.import_module(NAME)
    assert came == [imported]


def test_threads_that_import_at_once_see_it_finished(folder: Path) -> None:
    came = module(folder, "import time\ntime.sleep(0.1)\nvalue = 1\n")
    when_imported(NAME, lambda module: setattr(module, "patched", True))
    seen: list[bool] = []

    def work() -> None:
        seen.append(getattr(importlib.import_module(NAME), "patched", False))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 8
    assert len(came) == 1
