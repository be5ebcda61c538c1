"""Targets that mean a class and all that are derived from it."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from obs_run.core import hooks
from obs_run.core.callback_wrappers import wrap_before

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.core.outcomes import Call


class Base:
    def ask(self) -> str:
        raise NotImplementedError


class Before(Base):
    def ask(self) -> str:
        return "before"


@pytest.fixture
def asked() -> Iterator[list[str]]:
    module: Any = ModuleType("a_framework")
    module.Base = Base
    seen: list[str] = []

    def note(call: Call) -> None:
        seen.append(type(call.instance).__name__)

    targets = tuple(hooks.Target("a_framework", f"Base+.{name}", wrap_before(note)) for name in ("ask", "ask_later"))
    # A library whose modules the agent may have too: that the base has not each of the methods is no sign of that.
    library = hooks.Instrumentor("a_framework", "no-such-distribution", ">=1", targets, has_common_name=True)
    hooks.add(library, module)
    yield seen
    hooks.undo()


def test_classes_derived_before_and_afterwards_are_watched_once_each(asked: list[str]) -> None:
    class After(Before):
        def ask(self) -> str:
            return f"after {super().ask()}"

    class Without(After):
        pass

    assert Before().ask() == "before"
    assert Without().ask() == "after before"
    assert asked == ["Before", "Without", "Without"]


def test_what_a_class_does_with_those_derived_from_it_is_done(asked: list[str]) -> None:
    told: list[Any] = []

    class Telling(Base):
        def __init_subclass__(cls, word: str, **kwargs: Any) -> None:
            super().__init_subclass__(**kwargs)
            told.append((cls.__name__, word))

    class Told(Telling, word="yes"):
        def ask(self) -> str:
            return "told"

    assert told == [("Told", "yes")]
    assert Told().ask() == "told"
    assert asked == ["Told"]


def test_taken_back_nothing_is_left(asked: list[str]) -> None:
    class After(Base):
        def ask(self) -> str:
            return "after"

    hooks.undo()

    class Later(Base):
        def ask(self) -> str:
            return "later"

    assert [Before().ask(), After().ask(), Later().ask()] == ["before", "after", "later"]
    assert asked == []
    assert "__init_subclass__" not in vars(Base)
