"""Reads files of rules; whatever is wrong in one is a line that says where and what is allowed, and the rest holds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_run.base.documents import UnreadableError, read_document
from obs_run.bridge import durations, pattern_check, rules
from obs_run.bridge.rules import Rule
from obs_run.setting_files import WrongError, check_keys, choice, files_at, flag, text, texts
from obs_run.setting_texts import with_nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from obs_run.base.documents import Document

_NAME = re.compile(r"[\w.:-]{1,80}")
_ATTRIBUTE = re.compile(r"[a-zA-Z_][\w.-]{0,99}")
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
_MOST_RULES = 1000
SETTING = "OBS_BRIDGE_RULES"
SECTIONS = ("rules", "enable", "disable")
MATCH_KEYS = (
    "logger", "level", "file", "function", "line", "contains", "equals", "pattern", "ignore_case", "fields",
)  # fmt: skip
RULE_KEYS = (
    "match", "become", "name", "key", "of", "parent", "timeout", "scope", "trace", "unit", "attributes", "metric",
    "unless", "continue", "enabled",
)  # fmt: skip
_NEEDS_OF = (rules.END,)
_MAY_HAVE_OF = (rules.END, rules.FAILURE, rules.ATTRIBUTE)
_HAVE_PARENT = (rules.START, rules.SPAN)


@dataclass
class Loaded:
    """What files say, and what is wrong in them."""

    rules: dict[str, Rule] = field(default_factory=dict)
    enabled: dict[str, bool] = field(default_factory=dict)
    """The rules, also the built-in ones, that are switched on or off by name."""
    problems: list[str] = field(default_factory=list)


def load(paths: Iterable[str], built_in: Mapping[str, Rule]) -> Loaded:
    """Read the files and folders at ``paths``; a rule of a ``built_in`` one's name takes its place."""
    loaded = Loaded()
    for path in paths:
        for file in files_at(path, SETTING, loaded.problems):
            _read(file, loaded)
    known = {**built_in, **loaded.rules}
    for name in [name for name, rule in loaded.rules.items() if not _has_what_it_names(rule, known, loaded)]:
        del loaded.rules[name]
    _take_over_keys(loaded.rules.values(), {**built_in, **loaded.rules})
    for name in [name for name in loaded.enabled if name not in known]:
        del loaded.enabled[name]
        loaded.problems.append(f"OBS_BRIDGE_RULES: enable or disable: no rule {name!r}{_nearest(name, known)}")
    return loaded


def _nearest(name: str, known: Iterable[str]) -> str:
    allowed = with_nearest(name, known, "")
    return f";{allowed}" if allowed else ""


def _read(path: str, loaded: Loaded) -> None:
    try:
        document = read_document(path)
    except UnreadableError as error:
        loaded.problems.append(f"OBS_BRIDGE_RULES: {error}")
        return
    loaded.problems += [f"OBS_BRIDGE_RULES: {problem}" for problem in document.problems]
    content = document.content
    if content is None or content in ({}, []):
        loaded.problems.append(f"OBS_BRIDGE_RULES: {path}: is empty; allowed: a mapping of {', '.join(SECTIONS)}")
        return
    if not isinstance(content, dict):
        loaded.problems.append(f"OBS_BRIDGE_RULES: {path}: the file must be a mapping of {', '.join(SECTIONS)}")
        return

    def say(keys: tuple[Any, ...], what: str) -> None:
        name = ".".join(map(str, keys))
        loaded.problems.append(f"OBS_BRIDGE_RULES: {document.place(keys)}: {name} {what}")

    for section in content:
        if section not in SECTIONS:
            say((section,), f"is not known; allowed: {with_nearest(str(section), SECTIONS)}")
    for section, is_on in (("enable", True), ("disable", False)):
        names = content.get(section) or []
        if isinstance(names, str):
            names = [names]
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            loaded.enabled.update(dict.fromkeys(names, is_on))
        else:
            say((section,), "must be a list of names of rules")
    _read_rules(document, content.get("rules") or {}, loaded, say)


def _read_rules(document: Document, section: Any, loaded: Loaded, say: Callable[[tuple[Any, ...], str], None]) -> None:
    if not isinstance(section, dict):
        say(("rules",), "must be a mapping of names to rules")
        return
    for name, body in section.items():
        place = ("rules", name)
        if len(loaded.rules) >= _MOST_RULES:
            say(place, f"is one too many; at most {_MOST_RULES} rules")
            return
        if name in loaded.rules:
            say(place, f"is there already, in {loaded.rules[name].where}; names of rules differ")
            continue
        try:
            loaded.rules[name] = read_rule(name, body, document.place(place))
        except WrongError as error:
            say((*place, *error.keys), str(error))


def read_rule(name: Any, body: Any, where: str, *, checks: bool = True) -> Rule:
    """Return a rule, or raise a ``ValueError`` that says what is wrong; ``checks`` unless it is known to be right."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise WrongError((), "is no name for a rule; allowed: letters, digits and _ . : -")
    check_keys((), body, RULE_KEYS)
    match = body.get("match")
    check_keys(("match",), match, MATCH_KEYS)
    become = choice(body, ("become",), rules.BECOMES)
    rule = Rule(
        name=name,
        become=become,
        where=where,
        logger=text(match, "match", "logger"),
        level=_level(match.get("level")),
        file=text(match, "match", "file"),
        function=text(match, "match", "function"),
        line=_line(match.get("line")),
        contains=text(match, "match", "contains"),
        equals=text(match, "match", "equals"),
        pattern=text(match, "match", "pattern"),
        ignore_case=flag(match, "match", "ignore_case"),
        fields=texts(match, "match", "fields"),
        span_name=text(body, "name"),
        of=texts(body, "of"),
        parent=text(body, "parent"),
        timeout=_timeout(body.get("timeout")),
        unit=_unit(body.get("unit")),
        scope=choice(body, ("scope",), rules.SCOPES) if "scope" in body else None,
        trace=choice(body, ("trace",), rules.TRACES) if "trace" in body else rules.CURRENT,
        metric=choice(body, ("metric",), rules.METRICS) if "metric" in body else None,
        unless=texts(body, "unless"),
        goes_on=flag(body, "continue"),
        enabled=flag(body, "enabled", default=True),
    )
    if not any((rule.contains, rule.equals, rule.pattern, rule.fields, rule.line)):
        raise WrongError(
            ("match",), "says nothing of the text; one of contains, equals, pattern, fields or line is needed"
        )
    groups = (_groups(rule, checks=checks) if rule.pattern is not None else frozenset()) | set(rule.fields)
    rule.literal = _literal(rule)
    rule.key = _known_groups(rule, ("key",), texts(body, "key"), groups) if "key" in body or not rule.of else None
    _known_groups(rule, ("name",), rules.fields_of(rule.span_name or ""), groups)
    rule.attributes = _attributes(rule, body.get("attributes"), groups)
    _check_use(rule, body, groups)
    return rule


def _level(value: Any) -> int:
    if value is None:
        return 0
    if type(value) is int and 0 <= value <= 100:  # noqa: PLR2004 (Python's go to fifty)
        return value
    if isinstance(value, str) and value.lower() in _LEVELS:
        return _LEVELS[value.lower()]
    raise WrongError(("match", "level"), f"is not allowed; allowed: {with_nearest(str(value), _LEVELS)}, or 0 to 100")


def _line(value: Any) -> int | None:
    if value is not None and (type(value) is not int or value < 1):
        raise WrongError(("match", "line"), "must be the number of a line")
    return value


def _timeout(value: Any) -> float | None:
    if value is None:
        return None
    seconds = durations.parse(str(value), "s") if type(value) in (str, int, float) else None
    if not seconds:
        raise WrongError(("timeout",), "is no duration; allowed: 30s, 5min, 1h, or seconds (at most 7 days)")
    return seconds


def _unit(value: Any) -> str | None:
    if value is not None and (not isinstance(value, str) or value not in durations.UNITS):
        raise WrongError(("unit",), "is not known; allowed: µs, ms, s, min, h")
    return value


def _groups(rule: Rule, *, checks: bool) -> frozenset[str]:
    pattern = rule.pattern or ""
    place = ("match", "pattern")
    try:
        if checks:
            pattern_check.check(pattern, ignore_case=rule.ignore_case)
        return rules.named_groups(pattern)
    except pattern_check.DangerousError as error:
        raise WrongError(place, f"is refused: {error}") from None
    except (re.error, OverflowError, RecursionError) as error:
        raise WrongError(place, f"is no regular expression: {error}") from None


def _literal(rule: Rule) -> str:
    literals = [rule.equals or "", rule.contains or ""]
    if rule.pattern is not None:
        literals.append(pattern_check.required_text(rule.pattern, ignore_case=rule.ignore_case))
    return max(literals, key=len)


def _known_groups(rule: Rule, place: tuple[str, ...], names: Iterable[str], groups: Iterable[str]) -> tuple[str, ...]:
    """Return the groups as the pattern writes them; they may be named in whatever case."""
    by_lower = {group.lower(): group for group in groups}
    for name in names:
        if name.lower() not in by_lower:
            allowed = with_nearest(name, sorted(groups)) or "none, as its match has no named groups (?P<name>...)"
            raise WrongError(place, f"names the group {name!r}, which rule {rule.name} has not; allowed: {allowed}")
    return tuple(by_lower[name.lower()] for name in names)


def _attributes(rule: Rule, value: Any, groups: Iterable[str]) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(
        isinstance(name, str) and _ATTRIBUTE.fullmatch(str(attribute)) for name, attribute in value.items()
    ):
        raise WrongError(("attributes",), "must be a mapping of groups to names of attributes")
    _known_groups(rule, ("attributes",), value, groups)
    return {name: str(attribute) for name, attribute in value.items()}


def _check_use(rule: Rule, body: Mapping[str, Any], groups: Iterable[str]) -> None:
    for key, becomes in (
        ("of", _MAY_HAVE_OF), ("parent", _HAVE_PARENT), ("timeout", (rules.START,)), ("scope", (rules.START,)),
        ("trace", (rules.START,)), ("metric", (rules.METRIC,)),
    ):  # fmt: skip
        if key in body and rule.become not in becomes:
            raise WrongError((key,), f"is only for {' and '.join(becomes)}, and the rule becomes {rule.become}")
    if rule.is_trace and rule.parent is not None:
        raise WrongError(("trace",), "is new, and the rule names a parent; allowed: one of them")
    if rule.become in _NEEDS_OF and not rule.of:
        raise WrongError(("of",), "is missing; it names the rule whose span ends")
    if rule.become == rules.METRIC and rule.metric is None:
        raise WrongError(("metric",), f"is missing; allowed: {', '.join(rules.METRICS)}")
    if rule.become == rules.ATTRIBUTE and not set(groups) - {rules.DURATION}:
        raise WrongError(("match",), "has no named groups (?P<name>...) that could become attributes")


def _has_what_it_names(rule: Rule, known: Mapping[str, Rule], loaded: Loaded) -> bool:
    starts = [name for name, each in known.items() if each.become == rules.START]
    for key, names in (("of", rule.of), ("parent", (rule.parent,) if rule.parent else ())):
        for name in names:
            if name not in starts:
                loaded.problems.append(
                    f"OBS_BRIDGE_RULES: {rule.where}: rules.{rule.name}.{key} names {name!r}, which is no rule that "
                    f"becomes start{_nearest(name, starts)}"
                )
                return False
    return True


def _take_over_keys(found: Iterable[Rule], known: Mapping[str, Rule]) -> None:
    """Have lines that end or describe a span pair by its key, as far as they have it and no key is given."""
    for rule in found:
        if rule.key is not None:
            continue
        keys = {name.lower() for of in rule.of for name in known[of].key or ()}
        groups = [*(rules.named_groups(rule.pattern) if rule.pattern else ()), *rule.fields]
        rule.key = tuple(sorted(group for group in groups if group.lower() in keys))
