"""Fields of operations, with the name of an attribute beside them."""

from __future__ import annotations

from dataclasses import MISSING, Field, field
from typing import Any, ClassVar

ATTRIBUTE = "attribute"
CONTENT = "content"


def attribute(name: str, default: Any = None) -> Any:
    """Return a field that telemetry shows as the attribute ``name``."""
    return field(default=default, metadata={ATTRIBUTE: name})


def attribute_metadata(name: str) -> dict[str, str]:
    """Return the ``metadata`` of a field without default that telemetry shows as the attribute ``name``."""
    return {ATTRIBUTE: name}


def content(name: str) -> Any:
    """Return a field that holds content: it is filled, and shown as the attribute ``name``, only where it is wanted."""
    return field(default=None, metadata={CONTENT: name})


class Described:
    """What has such fields; the map from fields to attributes is derived once, when a class is created.

    A subclass that gives a field another default keeps its attribute.
    """

    ATTRIBUTES: ClassVar[dict[str, str]] = {}
    CONTENT: ClassVar[dict[str, str]] = {}
    DEFAULTS: ClassVar[dict[str, Any]] = {}
    """What fields that have attributes are where nobody set them; those that are None are left out."""

    def __init_subclass__(cls) -> None:
        """Derive the maps; ``dataclass`` has not yet replaced the fields by their defaults."""
        super().__init_subclass__()
        cls.ATTRIBUTES = {**cls.ATTRIBUTES, **_names(cls, ATTRIBUTE)}
        cls.CONTENT = {**cls.CONTENT, **_names(cls, CONTENT)}
        defaults = {**cls.DEFAULTS, **_defaults(cls)}
        cls.DEFAULTS = {key: value for key, value in defaults.items() if value is not None}

    def field_attributes(self) -> dict[str, Any]:
        """Return the fields that have a value under their attribute names."""
        names, values = self.ATTRIBUTES, self.__dict__
        attributes = {names[key]: value for key, value in values.items() if value is not None and key in names}
        for key, default in self.DEFAULTS.items():
            if key not in values:
                attributes[names[key]] = default
        return attributes


def _names(cls: type, kind: str) -> dict[str, str]:
    names = {}
    for key, value in vars(cls).items():
        if isinstance(value, Field) and kind in value.metadata:
            names[key] = value.metadata[kind]
    return names


def _defaults(cls: type[Described]) -> dict[str, Any]:
    defaults = {}
    for key, value in vars(cls).items():
        if key in cls.ATTRIBUTES:
            default = value.default if isinstance(value, Field) else value
            defaults[key] = None if default is MISSING else default
    return defaults
