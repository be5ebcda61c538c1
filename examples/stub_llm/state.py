"""What the stub remembers between requests."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .wire import Json


class State:
    """Counters for ids, requests received, responses stored, and failures still owed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self.requests: list[Json] = []
        self.responses: dict[str, Json] = {}

    def next_id(self, prefix: str) -> str:
        """Return the next id of a kind, such as `chatcmpl-000001`."""
        with self._lock:
            self._ids[prefix] += 1
            return f"{prefix}{self._ids[prefix]:06d}"

    def record(self, request: Json) -> None:
        """Keep a request for `GET /_requests`."""
        with self._lock:
            self.requests.append(request)

    def fails_again(self, key: str, times: int) -> bool:
        """Tell whether this request, known by its key, still has to fail; after `times` failures it starts anew."""
        with self._lock:
            self._failures[key] += 1
            if self._failures[key] <= times:
                return True
            del self._failures[key]
            return False
