"""How long runs took before, in a JSON file beside the tests: names, and the seconds of the last runs."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_KEPT = 20


class BaselineError(ValueError):
    """The file is none of baselines; the text is one line."""


def read(path: Path, name: str) -> float | None:
    """Return the seconds that runs of that name took, the median of the last; None if there are none."""
    seconds = sorted(_load(path).get(name, ()))
    return seconds[len(seconds) // 2] if seconds else None


def record(path: Path, name: str, seconds: float) -> None:
    """Add how long a run took."""
    known = _load(path)
    known[name] = [*known.get(name, []), round(seconds, 6)][-_KEPT:]
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    part.replace(path)


def _load(path: Path) -> dict[str, list[float]]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BaselineError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not isinstance(known, dict) or not all(map(_are_seconds, known.values())):
        raise BaselineError(f"{path} holds no baselines")
    return known


def _are_seconds(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, (int, float)) for one in value)
