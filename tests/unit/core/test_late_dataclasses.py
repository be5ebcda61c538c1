"""Dataclasses whose ``__init__`` comes with the first instance are as others."""

from __future__ import annotations

import dataclasses
import threading
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from obs_run.core.late_dataclasses import late_dataclass


@late_dataclass
class Base:
    name: str
    tags: list[str] = field(default_factory=list)
    told: str | None = field(default=None, init=False)
    KIND: ClassVar[str] = "base"


@late_dataclass
class Derived(Base):
    name: str = "derived"
    count: int = 0

    def __post_init__(self) -> None:
        self.count += 1


class Plain(Base):
    """Derived without a decorator."""


@dataclass
class Others(Derived):
    """What a package of others derives."""

    more: int = 7


def test_fields_and_defaults_are_those_of_a_dataclass() -> None:
    one, other = Base("a"), Base(name="b", tags=["x"])
    assert vars(one) == {"name": "a", "tags": []}
    assert vars(other) == {"name": "b", "tags": ["x"]}
    assert one.tags is not Base("c").tags
    assert one.told is None
    assert [each.name for each in dataclasses.fields(Base)] == ["name", "tags", "told"]
    assert dataclasses.replace(other, name="c").tags == ["x"]


@pytest.mark.parametrize(("kind", "expected"), [(Derived, ("derived", 1)), (Others, ("derived", 1))])
def test_derived_classes(kind: type[Derived], expected: tuple[Any, ...]) -> None:
    made = kind()
    assert (made.name, made.count) == expected
    assert kind("n", ["t"], 4).count == 5
    assert Others(more=8).more == 8


def test_a_class_derived_without_a_decorator_before_any_instance_of_its_base() -> None:
    assert Plain("p").name == "p"


def test_what_is_missing_or_unknown_is_said_of_the_class() -> None:
    with pytest.raises(TypeError, match=r"__init__\(\) missing 1 required positional argument: 'name'"):
        Base()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword argument 'told'"):
        Base("a", told="b")  # type: ignore[call-arg]


def test_threads_that_make_the_first_instances_at_once() -> None:
    for _ in range(50):

        @late_dataclass
        class Fresh:
            items: list[int] = field(default_factory=list)
            name: str = "x"

        barrier = threading.Barrier(4)
        made: list[Fresh] = []

        def work(barrier: threading.Barrier = barrier, made: list[Fresh] = made, fresh: type[Fresh] = Fresh) -> None:
            barrier.wait()
            made.append(fresh(name="y"))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [vars(each) for each in made] == [{"items": [], "name": "y"}] * 4
