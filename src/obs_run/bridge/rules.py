"""Rules: which log lines become what."""

from __future__ import annotations

import math
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from obs_run.base import passive_values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

START, END, EVENT, SPAN, FAILURE, ATTRIBUTE, METRIC, NOTHING = BECOMES = (
    "start", "end", "event", "span", "failure", "attribute", "metric", "nothing",
)  # fmt: skip
"""What a line may become."""
HISTOGRAM, COUNTER = METRICS = ("histogram", "counter")
FUNCTION, PROCESS = SCOPES = ("function", "process")
"""How far a span reaches that no line ends: its function, or the whole process."""
NEW, CURRENT = TRACES = ("new", "current")
"""In which trace a span begins."""
AUTOMATIC = "automatic"
"""What stands for a rule where the automatic part has paired lines."""
VALUE = "value"
"""The group that holds the figure of a metric."""
DURATION = "duration"
"""The group that holds how long something took."""
LONGEST_TEXT = 2_000
"""As much of a message is matched."""
_LONGEST_VALUE = 256
_MARKS = "#'\"`{}[]()<>.,;: "
"""What ids may stand in."""
_WILD = frozenset("*?[")
_FIELD = re.compile(r"\{(\w+)\}")


class Rule:
    """What lines it is for, and what becomes of them."""

    where: str = ""
    """File and line, for what is said of it."""
    logger: str | None = None
    level: int = 0
    file: str | None = None
    function: str | None = None
    line: int | None = None
    contains: str | None = None
    equals: str | None = None
    pattern: str | None = None
    ignore_case: bool = False
    fields: tuple[str, ...] = ()
    """What the record must have been given beside its text."""
    literal: str = ""
    """What is in every text that it is for, "" where that is not known."""
    span_name: str | None = None
    key: tuple[str, ...] | None = ()
    """The groups by which lines belong together; None for those of the rule that it is ``of``."""
    of: tuple[str, ...] = ()
    """The rules whose spans it ends, fails or describes."""
    parent: str | None = None
    timeout: float | None = None
    scope: str | None = None
    """How far a span of it reaches, None where its ends tell."""
    trace: str = CURRENT
    unit: str | None = None
    attributes: Mapping[str, str] = MappingProxyType({})
    metric: str | None = None
    unless: tuple[str, ...] = ()
    """Modules that record the same; where one is loaded the rule is not applied."""
    goes_on: bool = False
    """Whether rules that come after it are tried as well."""
    enabled: bool = True

    def __init__(self, name: str, become: str, **given: Any) -> None:
        self.name = name
        self.become = become
        for field, value in given.items():
            setattr(self, field, value)
        self._logger = _glob(self.logger)
        self._file = _glob(self.file)
        self._function = _glob(self.function)
        self._compiled: re.Pattern[str] | None = None

    @property
    def is_trace(self) -> bool:
        """Whether its span begins a trace."""
        return self.trace == NEW

    def is_for(self, logger: str, level: int, file: str, function: str, line: int) -> bool:
        """Whether it is for lines from such a place."""
        return (
            level >= self.level
            and (self._logger is None or self._logger(logger))
            and (self.line is None or self.line == line)
            and (self._function is None or self._function(function))
            and (self._file is None or self._file(file.replace("\\", "/")))
        )

    def read(self, text: str, given: Mapping[str, Any]) -> dict[str, str] | None:
        """Return the groups of a text and the fields that came with it, None where the rule is not for it."""
        if (self.equals is not None and text.strip() != self.equals) or (
            self.contains is not None and self.contains not in text
        ):
            return None
        groups: dict[str, str] = {}
        for name in self.fields:
            if name not in given or given[name] is None:
                return None
            groups[name] = str(passive_values.attribute(given[name]))[:_LONGEST_VALUE]
        if self.pattern is None:
            return groups
        match = self._pattern().search(text, 0, LONGEST_TEXT)
        if match is None:
            return None
        found = match.groupdict().items()
        groups.update((name, value[:_LONGEST_VALUE]) for name, value in found if value is not None)
        return groups

    def _pattern(self) -> re.Pattern[str]:
        # Most rules of the pack are for libraries that an agent does not use.
        if self._compiled is None:
            self._compiled = re.compile(self.pattern or "", re.IGNORECASE if self.ignore_case else 0)
        return self._compiled

    def shown_name(self, groups: Mapping[str, str]) -> str:
        """Return the name of what it makes."""
        if self.span_name is None:
            return self.name
        return " ".join(_FIELD.sub(lambda match: groups.get(match.group(1), ""), self.span_name).split()) or self.name

    def key_of(self, groups: Mapping[str, str]) -> dict[str, str]:
        """Return what a line says of the key, in one case and without the marks around."""
        by_lower = {name.lower(): value.strip(_MARKS).lower() for name, value in groups.items()}
        found = {name: by_lower.get(name, "") for name in map(str.lower, self.key or ())}
        return {name: value for name, value in found.items() if value}

    def seconds(self, groups: Mapping[str, str], text: str) -> float | None:
        """Return how long it took what a line tells of, None where that is not told."""
        from obs_run.bridge import durations

        text_of_group = groups.get(DURATION)
        return durations.find(text) if text_of_group is None else durations.parse(text_of_group, self.unit)

    def value(self, groups: Mapping[str, str]) -> float | None:
        """Return the figure that a line tells, None where it tells none."""
        text_of_group = groups.get(VALUE)
        try:
            number = math.nan if text_of_group is None else float(text_of_group.replace(",", "."))
        except ValueError:
            return None
        return number if number >= 0 and math.isfinite(number) else None

    def attributes_of(self, groups: Mapping[str, str]) -> dict[str, str]:
        """Return the groups by the names of their attributes."""
        return {self.attributes.get(name, name): value for name, value in groups.items() if name != DURATION}


def named_groups(pattern: str) -> frozenset[str]:
    """Return the names of a pattern's groups."""
    return frozenset(re.compile(pattern).groupindex)


def fields_of(name: str) -> list[str]:
    """Return the groups that a span's name is made of."""
    return _FIELD.findall(name)


def _glob(pattern: str | None) -> Callable[[str], bool] | None:
    """Return what tells whether a text is of a pattern such as ``celery.*``, None where there is no pattern."""
    if pattern is None:
        return None
    tests = list(map(_test, pattern.split("|")))
    return tests[0] if len(tests) == 1 else lambda text: any(test(text) for test in tests)


def _test(pattern: str) -> Callable[[str], bool]:
    if not set(pattern) & _WILD:
        return pattern.__eq__
    before, star, after = pattern.partition("*")
    if star and not after and not set(before) & _WILD:
        return lambda text: text.startswith(before)
    from fnmatch import translate

    match = re.compile(translate(pattern)).match
    return lambda text: match(text) is not None
