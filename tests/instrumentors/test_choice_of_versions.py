"""What ``make test`` leaves to other days it leaves to those days alone."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from unittest.mock import Mock

import pytest

from tests.instrumentors import choice_of_versions, conftest
from tests.instrumentors.choice_of_versions import DAYS, MOST_OLDER, chosen, days_to_wait, touched_libraries
from tests.instrumentors.libraries import LIBRARIES

CASES = {(folder, label) for folder, library in LIBRARIES.items() for label in library.environments}
NEWEST = {(folder, list(library.environments)[-1]) for folder, library in LIBRARIES.items()}


def chosen_with(
    monkeypatch: pytest.MonkeyPatch, changed: list[str] | None, today: str = "2026-01-01"
) -> set[tuple[str, str]]:
    monkeypatch.setattr(choice_of_versions, "changed_files", lambda: changed)
    monkeypatch.setenv("OBS_TESTS_DAY", today)
    return set(chosen(LIBRARIES))


@pytest.fixture(autouse=True)
def no_wishes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VERSIONS", "SINCE", "DAY"):
        monkeypatch.delenv(f"OBS_TESTS_{name}", raising=False)


@pytest.mark.parametrize("first", [date(2026, 1, 1), date(2026, 12, 29)])
def test_each_older_version_has_its_turn_once_in_a_round(first: date) -> None:
    older = sorted(CASES - NEWEST)
    waits = [days_to_wait(older, first + timedelta(days=number)) for number in range(DAYS)]
    days = [[case for case, wait in each.items() if wait == 0] for each in waits]
    assert sorted(case for turn in days for case in turn) == older
    assert max(map(len, days)) - min(map(len, days)) <= 1


def test_the_newest_of_each_and_a_share_where_nothing_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monday, tuesday = (chosen_with(monkeypatch, [], day) for day in ("2026-11-23", "2026-11-24"))
    assert monday & tuesday == NEWEST
    assert len(NEWEST) < len(monday) < len(CASES)


def test_what_the_change_touched_runs_in_all_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = ["instrumentors/obs_instrumentors/ollama.py", "tests/instrumentors/weaviate/server.py", "README.md"]
    both = {case for case in CASES if case[0] in ("ollama", "weaviate")}
    assert both <= chosen_with(monkeypatch, changed)
    assert touched_libraries(LIBRARIES, changed) == {"ollama", "weaviate"}


def test_what_an_instrumentor_imports_of_another_belongs_to_it_too() -> None:
    touched = touched_libraries(LIBRARIES, ["instrumentors/obs_instrumentors/clients/stainless.py"])
    assert {"anthropic", "groq", "cerebras"} <= touched
    assert touched.isdisjoint({"ollama", "qdrant_client"})


def test_a_change_of_all_runs_as_many_older_ones_as_there_is_time_for(monkeypatch: pytest.MonkeyPatch) -> None:
    touched = chosen_with(monkeypatch, None)
    assert NEWEST | chosen_with(monkeypatch, []) <= touched
    older = touched - NEWEST
    assert len(older) == MOST_OLDER
    oldest = {(folder, next(iter(LIBRARIES[folder].environments))) for folder, _ in older}
    assert len(older & oldest) > MOST_OLDER / 2


def test_all_where_all_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_TESTS_VERSIONS", "all")
    assert chosen_with(monkeypatch, []) == CASES


def test_without_git_the_change_is_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(choice_of_versions, "ROOT", tmp_path)
    assert choice_of_versions.changed_files() is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert choice_of_versions.changed_files() is None


def test_the_change_since_a_commit_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_TESTS_SINCE", "no-such-commit")
    assert choice_of_versions.changed_files() is None


@pytest.mark.parametrize(("worker", "is_only_collected"), [("gw0", False), ("gw0", True), ("gw1", False)])
def test_environments_are_made_once_for_tests_that_will_run(
    monkeypatch: pytest.MonkeyPatch, worker: str, *, is_only_collected: bool
) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
    made: list[tuple[object, ...]] = []
    monkeypatch.setattr(conftest, "_make_environments", lambda *arguments: made.append(arguments))
    monkeypatch.setattr(threading.Thread, "start", threading.Thread.run)
    item = Mock(spec=pytest.Function, path=Path("test_versions.py"))
    item.callspec = SimpleNamespace(params={"folder": "openai", "label": "newest"})
    config = SimpleNamespace(option=SimpleNamespace(collectonly=is_only_collected))
    conftest.pytest_collection_finish(cast("pytest.Session", SimpleNamespace(config=config, items=[item])))
    is_made_here = worker == "gw0" and not is_only_collected
    assert made == ([([(LIBRARIES["openai"], "newest")],)] if is_made_here else [])
