"""What a span of somebody else says, on its way into the conventions' words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Word(NamedTuple):
    """How one attribute is said in the conventions."""

    name: str
    read: Callable[[Any], Any]
    """Returns the value as the conventions have it, None where it is malformed and stays as it is."""


class Draft:
    """A span's attributes, and what is said of them in the conventions' words so far."""

    def __init__(self, span_name: str, given: Mapping[str, Any], *, wants_content: bool = False) -> None:
        self.span_name = span_name
        self.given = given
        self.wants_content = wants_content
        self.said: dict[str, Any] = {}
        """What is said anew, by the conventions' names."""
        self.content: dict[str, Any] = {}
        """The same of prompts, answers, arguments and results, as objects."""
        self.told: set[str] = set()
        """The names of the attributes that need not stay, for what they say is said otherwise."""
        self.denied: set[str] = set()
        """The names of the conventions by which nothing may be said."""

    def get(self, name: str) -> Any:
        """Return what is known so far under a name of the conventions."""
        return self.said.get(name) if name in self.told else self.said.get(name, self.given.get(name))

    def put(self, name: str, value: Any, *sources: str) -> None:
        """Say ``value``, which ``sources`` told, unless it is None.

        Where something else is said by that name already, that counts, and the sources stay.
        """
        if value is None:
            return
        before = self.get(name)
        if before is None:
            self.said[name] = value
        if before is None or before == value or (isinstance(before, list) and tuple(before) == value):
            self.told.update(sources)

    def replace(self, name: str, value: Any) -> None:
        """Say something else by a name that the span uses itself; None says nothing."""
        self.told.add(name)
        self.said.pop(name, None)
        if value is None:
            self.denied.add(name)
        else:
            self.said[name] = value

    def put_content(self, name: str, value: Any, *sources: str) -> None:
        """Say content, if it is wanted; else it stays under the names that its author gave it."""
        if value is None or not self.wants_content:
            return
        if name not in self.given:
            self.content.setdefault(name, value)
        self.told.update(sources)

    def translate(self, words: Mapping[str, Word]) -> None:
        """Say each attribute that is in a table of words, and that nobody has told otherwise."""
        given = self.given
        for old, word in words.items():
            if old in given and old not in self.told:
                self.put(word.name, word.read(given[old]), old)

    def remove_repeated(self, *names: str) -> None:
        """Remove attributes that say only what is said already."""
        self.told.update(name for name in names if name in self.given)

    def attributes(self, *, keeps: bool) -> dict[str, Any]:
        """Return the attributes of the span as it leaves; ``keeps`` says whether with those that are told otherwise."""
        gone = self.denied if keeps else self.told
        return {**{name: value for name, value in self.given.items() if name not in gone}, **self.said}
