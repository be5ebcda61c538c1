"""Why the log lines of a trace became what they did: of spans the lines that made them, of other lines the reason."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from obs_run.bridge import rules
from obs_run.bridge.log_lines import Line
from obs_run.bridge.phrase import Role
from obs_run.bridge.phrases import read_phrases
from obs_run.bridge.replay import template_of
from obs_run.bridge.rules import AUTOMATIC
from obs_run.cli import words
from obs_run.core import semconv
from obs_run.telemetry.values import encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from obs_run.bridge.phrase import Phrase
    from obs_run.bridge.rule_index import RuleIndex
    from obs_run.bridge.rules import Rule
    from obs_run.telemetry.records import LogLine, Span

_WIDEST = 100
_PLACE = ("logger", "level", "file", "function", "line")
"""What tells where a line comes from, of rules and of lines."""
_WITH_PAIRS = ("automatic", "safe")
_ENDS = {
    "return": "its function was left, and no line had told its end",
    "next": "the next one began, and no line had told its end",
    "parent": "the span around it ended, and no line had told its end",
    "timeout": "the timeout of its rule was over, and no line had told its end",
}
_ROLES = {
    Role.START: "that it begins",
    Role.RECEIVED: "that a request has come",
    Role.END: "that it is over",
    Role.FAILURE: "that it has failed",
}


class Explanation:
    """What is known of the lines of one trace; the rules of an index, and ``OBS_BRIDGE``, are those of now."""

    def __init__(self, spans: Sequence[Span], logs: Sequence[LogLine], index: RuleIndex, setting: str) -> None:
        self._spans = [span for span in spans if semconv.OBS_BRIDGE_RULE in span.attributes]
        self._lines = [(log, _line(number, log)) for number, log in enumerate(logs, 1) if log.event_name is None]
        self._index = index
        self._setting = setting
        self._used: set[int] = set()

    def texts(self) -> Iterator[str]:
        """Yield the lines of the explanation."""
        if not self._spans:
            yield "no span of this trace was made of log lines"
        for span in self._spans:
            yield from self._span(span)
        reasons = Counter(
            (_shown(line), reason) for _, line in self._lines if line.number not in self._used
            for reason in [self._reason(line)]
        )  # fmt: skip
        if reasons:
            yield "lines that became no span:"
        for (shown, reason), count in reasons.items():
            yield f"  {shown}" + (f"  ({words.count(count, 'time')})" if count > 1 else "")
            yield f"    {reason}"

    def _span(self, span: Span) -> Iterator[str]:
        name, attributes = str(span.attributes[semconv.OBS_BRIDGE_RULE]), span.attributes
        how = "" if span.status != "error" else f"  ERROR {words.one_line(span.status_text or '')}".rstrip()
        yield f"{words.one_line(span.name)}  {words.duration(span.seconds)}  by {self._origin(span, name)}{how}"
        start, end = attributes.get(semconv.CODE_LINE_NUMBER), attributes.get(semconv.OBS_BRIDGE_END_LINE)
        begun = self._at(span, start, span.start_ns, attributes.get(semconv.CODE_FILE_PATH))
        over = self._at(span, end, span.end_ns or span.start_ns, None)
        if end is None and attributes.get(semconv.OBS_BRIDGE_END) == "line":
            # Told by one line, when it was over.
            over, start = self._at(span, start, span.end_ns or span.start_ns, None), None
        if start is not None:
            yield f"  begun by  {self._told(begun, name, start)}"
        if over is not None or attributes.get(semconv.OBS_BRIDGE_END) == "line":
            yield f"  {'ended by' if start is not None else 'told by '}  {self._told(over, name, end)}"
        else:
            yield f"  ended     {_guessed(span)}"

    def _origin(self, span: Span, name: str) -> str:
        if name == AUTOMATIC:
            evidence = span.attributes.get(semconv.OBS_BRIDGE_EVIDENCE)
            return "the automatic part" + (f" (evidence: {evidence})" if evidence else "")
        rule = self._index.rule(name)
        return f"rule {name}" + (", which is not in force here" if rule is None else f" ({rule.where or 'built-in'})")

    def _at(self, span: Span, number: Any, time_ns: int, file: Any) -> Line | None:
        """Return the line that was written at a line of code nearest to a moment, of the same span if there is one."""
        found = [
            (log.span_id != span.span_id, abs(log.time_ns - time_ns), line)
            for log, line in self._lines
            if number is not None and line.line == number and file in (None, line.file)
        ]
        nearest = min(found, key=lambda each: each[:2], default=None)
        if nearest is None:
            return None
        self._used.add(nearest[2].number)
        return nearest[2]

    def _told(self, line: Line | None, name: str, number: Any) -> str:
        if line is None:
            return f"a line of code line {number} that is not in the store"
        if name == AUTOMATIC:
            return f"{_shown(line)}{_said(_phrases(line))}"
        found = [rule.name for rule, _ in self._read(line) if rule.name != name]
        return _shown(line) + (f"  by rule {', '.join(found)}" if found else "")

    def _read(self, line: Line) -> list[tuple[Rule, dict[str, str]]]:
        candidates = self._index.candidates(line.logger, line.level, line.file, line.function, line.line)
        return self._index.read(candidates, line.text[: rules.LONGEST_TEXT], dict(line.fields))

    def _reason(self, line: Line) -> str:
        """Return why a line became no span."""
        found = [rule for rule, _ in self._read(line)]
        if found:
            return "; ".join(map(_outcome, found))
        reason = self._nearly(line) or "no rule is for it"
        if self._setting not in _WITH_PAIRS:
            return f"{reason}; the automatic part is off (OBS_BRIDGE)"
        phrases = _phrases(line)
        if not phrases:
            return f"{reason}; its words tell of no beginning, end or failure"
        unsure = "; pairs that are not sure are left out (OBS_BRIDGE is safe)" if self._setting == "safe" else ""
        return f"{reason}; {_unpaired(phrases[0])}{unsure}"

    def _nearly(self, line: Line) -> str | None:
        """Return which rule is for the text of a line, and not for where it comes from."""
        for rule in self._index.rules:
            if rule.read(line.text[: rules.LONGEST_TEXT], dict(line.fields)) is None:
                continue
            where = {key: getattr(line, key) for key in _PLACE}
            for key, here in where.items():
                if not _only(rule, key).is_for(**where):
                    return f"rule {rule.name} is for its text, and for {key} {getattr(rule, key)} only, which is {here}"
        return None


def _only(rule: Rule, key: str) -> Rule:
    """Return a rule for the same places as far as one key tells them."""
    return rules.Rule(rule.name, rule.become, **{key: getattr(rule, key)})


def _line(number: int, log: LogLine) -> Line:
    text = log.body if isinstance(log.body, str) else "" if log.body is None else encode(log.body)
    attributes = log.attributes
    return Line(
        number,
        text,
        max(5, ((log.severity or 9) - 1) // 4 * 10),  # as the logging module numbers levels
        "" if log.scope is None else log.scope.name,
        log.time_ns / 1e9,
        attributes,
        str(attributes.get(semconv.CODE_FILE_PATH) or ""),
        str(attributes.get(semconv.CODE_FUNCTION_NAME) or ""),
        int(attributes.get(semconv.CODE_LINE_NUMBER) or 0),
    )


def _shown(line: Line) -> str:
    file = line.file.replace("\\", "/").rpartition("/")[2]
    place = f"{file}:{line.line}" if file else line.logger or "?"
    return f"{place}  {words.one_line(line.text)[:_WIDEST]}"


def _phrases(line: Line) -> tuple[Phrase, ...]:
    return read_phrases(template_of(line.text)[0], line.level)


def _said(phrases: Sequence[Phrase]) -> str:
    said = [_ROLES[phrase.role] for phrase in phrases if phrase.role in _ROLES]
    return f"  (its words say {' and '.join(said)})" if said else "  (by its place in the code)"


def _guessed(span: Span) -> str:
    how = str(span.attributes.get(semconv.OBS_BRIDGE_END) or "")
    if span.unfinished:
        by = span.attributes.get(semconv.OBS_SPAN_ENDED_BY)
        return f"with the process ({by}), and no line had told its end"
    return _ENDS.get(how, "in a way that is not known") + (f" (obs.bridge.end is {how})" if how else "")


def _outcome(rule: Rule) -> str:
    """Return what a rule made of a line that became no span."""
    if rule.become == rules.START:
        return f"rule {rule.name} begins a span by it, which is not in this trace"
    if rule.become in (rules.END, rules.FAILURE):
        of = " or ".join(rule.of) or "any rule"
        return f"rule {rule.name} made an event of it: no span of {of} was open that it could be about"
    if rule.become == rules.SPAN:
        return f"rule {rule.name} made an event of it: it tells no duration"
    made = {rules.EVENT: "an event", rules.ATTRIBUTE: "attributes", rules.METRIC: "a metric", rules.NOTHING: "nothing"}
    return f"rule {rule.name} made {made[rule.become]} of it"


def _unpaired(phrase: Phrase) -> str:
    about = f" ({phrase.name})" if phrase.name else ""
    if phrase.role in (Role.START, Role.RECEIVED):
        return f"its words say {_ROLES[phrase.role]}{about}, and no line belongs to it that says that it is over"
    return f"its words say {_ROLES.get(phrase.role, 'something')}{about}, and nothing like it was open"
