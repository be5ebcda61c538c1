"""JSON of whatever was recorded."""

from __future__ import annotations

import json
import math
from typing import Any

from starlette.responses import JSONResponse


class RecordedJSON(JSONResponse):
    """An answer in JSON; what JSON or UTF-8 has not, as text or an escape of it."""

    def render(self, content: Any) -> bytes:
        """Return the body."""
        try:
            return super().render(content)
        except ValueError:  # not a number, or half of a surrogate pair
            return json.dumps(_finite(content), allow_nan=False, separators=(",", ":")).encode()


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
