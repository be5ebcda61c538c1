"""Runs the user's own patterns, each within a budget of time; one that is too slow is switched off and said."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Sequence

    from obs_run.privacy.actions import Action
    from obs_run.privacy.matches import Subject

SECONDS_PER_TEXT = 0.1
SECONDS_BEFORE_AVERAGE = 1.0
SECONDS_PER_CHARACTER = 1e-6
"""About a millisecond per kilobyte, a hundred times what all built-in rules take."""
_SHARE_OF_PROCESSOR = 0.5


WITHHELD_KIND = "withheld"


class OwnRule:
    """One kind of the user's: patterns of the library ``regex``, and names of fields."""

    def __init__(
        self, kind: str, patterns: Sequence[Any], fields: Sequence[re.Pattern[str]], *, withhold: bool = True
    ) -> None:
        self.kind = kind
        self.disabled = False
        self._patterns = tuple(patterns)
        self._fields = tuple(fields)
        self._withhold = withhold
        self._seconds = 0.0
        self._characters = 0

    def names(self, field: str) -> bool:
        """Whether the field of this name, in lower case, is of the kind."""
        return any(name.match(field) for name in self._fields)

    @property
    def searches(self) -> bool:
        """Whether it looks into texts."""
        return bool(self._patterns)

    def find(self, subject: Subject) -> Iterator[Match]:
        """Find what the patterns match; all of the text where that cannot be told in time."""
        if not self._patterns:
            return
        if self.disabled:
            if self._withhold:
                yield Match(0, len(subject.text), WITHHELD_KIND)
            return
        began = time.thread_time()  # that others are busy is not the rule's fault
        try:
            yield from self._matches(subject)
        except Exception as error:  # noqa: BLE001 (the pattern is the user's)
            busy = time.thread_time() - began > SECONDS_PER_TEXT * _SHARE_OF_PROCESSOR
            if not isinstance(error, TimeoutError) or busy:
                self._disable(self._reason(error, subject))
            yield Match(0, len(subject.text), WITHHELD_KIND)
            return
        self._seconds += time.thread_time() - began
        self._characters += len(subject.text)
        if self._seconds > max(SECONDS_BEFORE_AVERAGE, self._characters * SECONDS_PER_CHARACTER):
            self._disable(f"{self._seconds:.1f} s for {self._characters} characters so far")

    def _matches(self, subject: Subject) -> list[Match]:
        matches = []
        for pattern in self._patterns:
            for match in pattern.finditer(subject.text, timeout=SECONDS_PER_TEXT, concurrent=True):
                start, end = match.span()
                if end > start:
                    matches.append(Match(start, end, self.kind))
        return matches

    def _disable(self, reason: str) -> None:
        self.disabled = True
        then = "texts are withheld from now on" if self._withhold else "it is not applied from now on"
        guard.warn(f"OBS_PRIVACY_RULES: rule {self.kind} is switched off: {reason}; {then}")

    @staticmethod
    def _reason(error: Exception, subject: Subject) -> str:
        if isinstance(error, TimeoutError):
            return f"more than {SECONDS_PER_TEXT * 1000:.0f} ms for a text of {len(subject.text)} characters"
        return f"{type(error).__name__}: {guard.shown(error)}"


@dataclass
class Rules:
    """What the file says."""

    own: list[OwnRule] = field(default_factory=list)
    actions: dict[str, Action | None] = field(default_factory=dict)
    """Of kinds and presets; None switches off."""
    presets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    allowed_texts: frozenset[str] = frozenset()
    allowed_fields: tuple[re.Pattern[str], ...] = ()

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds that the file adds."""
        return frozenset(rule.kind for rule in self.own)
