"""How files are read that settings name: which files those are, and what their values may be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from obs_run.setting_texts import with_nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_TEXT = 1000
_ENDINGS = (".yaml", ".yml", ".json")


class WrongError(ValueError):
    """What is wrong with a value, and at which keys below the entry that it stands in."""

    def __init__(self, keys: tuple[str, ...], what: str) -> None:
        super().__init__(what)
        self.keys = keys


def files_at(path: str, setting: str, problems: list[str]) -> list[str]:
    """Return the files that a path of ``setting`` means: itself, or those of a folder that have one of the endings."""
    try:
        if not Path(path).is_dir():
            return [path]
        found = sorted(str(file) for file in Path(path).iterdir() if file.suffix in _ENDINGS)
    except (OSError, ValueError) as error:
        problems.append(f"{setting}: {path}: cannot be read: {getattr(error, 'strerror', error)}")
        return []
    if not found:
        problems.append(f"{setting}: {path}: has no file that ends in {', '.join(_ENDINGS)}")
    return found


def check_keys(place: tuple[str, ...], value: Any, allowed: tuple[str, ...]) -> None:
    """Raise what says which key of a mapping is not allowed."""
    if not isinstance(value, dict):
        raise WrongError(place, f"must be a mapping of {', '.join(allowed)}")
    for key in value:
        if key not in allowed:
            raise WrongError((*place, str(key)), f"is not known; allowed: {with_nearest(str(key), allowed)}")


def text(body: Mapping[str, Any], *place: str) -> str | None:
    """Return the text at ``place``, whose last key ``body`` may have; None where it has not."""
    value = body.get(place[-1])
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT:
        raise WrongError(place, f"must be a text of 1 to {LONGEST_TEXT} characters")
    return value


def texts(body: Mapping[str, Any], *place: str) -> tuple[str, ...]:
    """Return a text or a list of texts, as ``text`` does one."""
    value = body.get(place[-1])
    values = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(each, str) and each for each in values):
        raise WrongError(place, "must be a text or a list of texts")
    return tuple(values)


def flag(body: Mapping[str, Any], *place: str, default: bool = False) -> bool:
    """Return true or false, as ``text`` does a text."""
    value = body.get(place[-1], default)
    if not isinstance(value, bool):
        raise WrongError(place, "is not allowed; allowed: true, false")
    return value


def choice(body: Mapping[str, Any], place: tuple[str, ...], allowed: tuple[str, ...]) -> str:
    """Return one of the words that are allowed."""
    value = body.get(place[-1])
    if not isinstance(value, str) or value not in allowed:
        said = "is missing" if value is None else "is not allowed"
        raise WrongError(place, f"{said}; allowed: {with_nearest(str(value), allowed)}")
    return value
