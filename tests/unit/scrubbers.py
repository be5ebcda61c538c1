"""A scrubber as small as can be: SECRET and digits are secret, and so is what a field named password holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECRET = re.compile(r"SECRET\d+", re.IGNORECASE)  # the SDK writes names of metrics in lower case


class Small:
    """Keeps to the contract of ``obs_run.privacy.Scrubber``; ``asked`` counts what it was asked."""

    active = True

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def renew(self) -> None:
        """Nothing new is ever held."""

    def text(self, text: str) -> str:
        self.asked.append(text)
        return _SECRET.sub("[secret]", text) if _SECRET.search(text) else text

    def value(self, name: str | None, value: Any) -> Any:
        if name == "password":
            return "[password]"
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            told = {self.text(key): self.value(key, inner) for key, inner in value.items()}
            same = list(told) == list(value) and all(told[key] is inner for key, inner in value.items())
            return value if same else told
        if isinstance(value, (list, tuple)):
            items = [self.value(None, inner) for inner in value]
            return value if all(map(lambda one, other: one is other, items, value)) else type(value)(items)
        return value

    def attributes(self, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        told = {self.text(name): self.value(name, value) for name, value in attributes.items() if name != "dropped"}
        same = list(told) == list(attributes) and all(told[name] is value for name, value in attributes.items())
        return attributes if same else told


class Failing(Small):
    """Fails at whatever has the word in it."""

    def text(self, text: str) -> str:
        if "unlucky" in text:
            raise ValueError(text)
        return super().text(text)
