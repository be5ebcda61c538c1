"""Dataclasses whose instances hold only what they were given are as others."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from obs_run.core.sparse_dataclasses import sparse_dataclass

if TYPE_CHECKING:
    from collections.abc import Callable


@sparse_dataclass
class Base:
    name: str
    tags: list[str] = field(default_factory=list)
    told: str | None = field(default=None, init=False)
    KIND: ClassVar[str] = "base"


@sparse_dataclass
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


def test_what_is_given_twice_or_too_much_is_said() -> None:
    with pytest.raises(TypeError, match=r"Base.__init__\(\) got multiple values for an argument"):
        Base("a", name="b")  # type: ignore[misc]
    with pytest.raises(TypeError, match=r"Base.__init__\(\) takes 2 values by position, not 3"):
        Base("a", [], "c")  # type: ignore[call-arg]


def double(number: int) -> int:
    return 2 * number


@sparse_dataclass
class Reading:
    read: Callable[[int], int] = double
    more: int | None = None


def test_an_instance_holds_what_it_was_given_and_no_default() -> None:
    assert vars(Reading(more=None)) == {"read": double, "more": None}
    assert vars(Derived("n", [])) == {"name": "n", "tags": [], "count": 1}


def test_a_function_that_is_a_default_is_no_method() -> None:
    assert Reading().read(4) == 8
