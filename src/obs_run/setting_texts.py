"""How the text of a setting is read that is more than a word or a number."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Parse = Callable[[str], Any]


class PartlyAllowedError(ValueError):
    """A list of which some is allowed; its text says what may stand there."""

    def __init__(self, allowed: str, value: object, instead: str, wrong: str = "") -> None:
        super().__init__(allowed)
        self.value = value
        self.wrong = wrong
        """The part that is not allowed, where the whole is not to be shown."""
        self.instead = instead


def with_nearest(wrong: str, allowed: Iterable[str], described: str | None = None) -> str:
    """Return what is allowed, with the one of it that looks most like ``wrong`` if there is such a one."""
    from difflib import get_close_matches

    names = tuple(dict.fromkeys(allowed))
    text = ", ".join(names) if described is None else described
    near = get_close_matches(wrong.lower(), [name.lower() for name in names], 1, _NEAR)
    if not near:
        return text
    (name,) = (name for name in names if name.lower() == near[0])
    return f"{text} (did you mean {name!r}?)"


def words(text: str) -> tuple[str, ...]:
    """Return the words of a comma list."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


_FAMILIES = ("obs-run", "official", "openllmetry", "openinference")
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-_."


def paths(text: str) -> tuple[str, ...]:
    """Return the paths of a list that is written as PATH is."""
    if "://" in text:
        # It may have a password, which the parts would show.
        raise ValueError("files and folders, separated as in PATH")
    return tuple(path.strip() for path in text.split(os.pathsep) if path.strip())


def preferences(text: str) -> tuple[tuple[str, str], ...]:
    """Read ``who`` and ``library=who`` as pairs of library, empty for all, and who."""
    found = words(text)
    pairs = [(of.strip(), who.strip().lower()) for of, _, who in (word.rpartition("=") for word in found)]
    are_right = [bool(who) and not who.strip(_LETTERS) for _, who in pairs]
    allowed = f"a comma list of {', '.join(_FAMILIES)} or distributions, or library=..."
    _check_members(found, are_right, allowed, tuple(pairs))
    return tuple(pairs)


def hosts(text: str) -> tuple[str, ...]:
    """Return the names, patterns and address ranges that a list of hosts has."""
    found = words(text.lower())
    are_right = [not ("://" in word or " " in word or _has_path(word)) for word in found]
    allowed = "a comma list of private, none, *, names, *.suffixes, addresses and ranges"
    _check_members(found, are_right, allowed, found)
    return found


def functions(text: str) -> tuple[tuple[str, str], ...]:
    """Read ``module:function`` as pairs; the function's name may be dotted."""
    found = words(text)
    pairs = [(module.strip(), name.strip()) for module, _, name in (word.partition(":") for word in found)]
    are_right = [all(part.isidentifier() for part in ".".join(pair).split(".")) for pair in pairs]
    _check_members(found, are_right, "a comma list of module:function", tuple(pairs))
    return tuple(pairs)


def _has_path(word: str) -> bool:
    return "/" in word and not word.rpartition("/")[2].isdigit()


def _check_members(found: Sequence[str], are_right: Sequence[bool], allowed: str, values: Sequence[object]) -> None:
    """Raise what says which members of a list are wrong, with the values of the others, if there are wrong ones."""
    if all(are_right):
        return
    good = tuple(value for value, is_right in zip(values, are_right, strict=True) if is_right)
    if not good:
        raise ValueError(allowed)
    wrong = ",".join(word for word, is_right in zip(found, are_right, strict=True) if not is_right)
    raise PartlyAllowedError(allowed, good, "the rest of the list", wrong)


def attributes(text: str) -> dict[str, str]:
    """Read ``key=value,key=value`` as W3C baggage is written (values may be percent-encoded)."""
    return _pairs(text, "key=value pairs with commas between", _is_any)


def headers(text: str) -> dict[str, str]:
    """Read ``key=value,key=value`` that HTTP can carry as headers."""
    return _pairs(text, "key=value pairs with commas between, in ASCII, no line breaks", _is_header)


def _is_any(_key: str, _value: str) -> bool:
    return True


def _is_header(key: str, value: str) -> bool:
    return is_header_name(key) and is_header_value(value)


def _pairs(text: str, allowed: str, is_right: Callable[[str, str], bool]) -> dict[str, str]:
    """Return the pairs of a list; where some are wrong, the error has the others."""
    found: dict[str, str] = {}
    wrong: list[str] = []
    for word in words(text):
        name, equals, value = word.partition("=")
        key = name.strip()
        if "%" in value:
            from urllib.parse import unquote

            value = unquote(value)
        value = value.strip()
        if equals and key and is_right(key, value):
            found[key] = value
        else:
            wrong.append(word)
    if wrong and found:
        raise PartlyAllowedError(allowed, found, "the other pairs", ",".join(wrong))
    if wrong:
        raise ValueError(allowed)
    return found


_MARKS = frozenset("!#$%&'*+-.^_`|~")


def is_header_name(text: str) -> bool:
    """Whether HTTP can carry a header of this name (RFC 9110, section 5.6.2)."""
    return bool(text) and text.isascii() and all(sign.isalnum() or sign in _MARKS for sign in text)


def is_header_value(text: str) -> bool:
    """Whether every HTTP implementation carries this value."""
    return text.isascii() and text.isprintable()


def url(text: str) -> str:
    """Return the URL; ``host:port`` alone, which gRPC's users write, means http."""
    from urllib.parse import urlsplit

    allowed = "http://host:port or https://host:port"
    host, _, port = text.rpartition(":")
    whole = f"http://{text}" if host and port.isdigit() and "/" not in text else text
    try:
        parts = urlsplit(whole)
        fits = parts.scheme in ("http", "https") and is_host(parts.hostname or "") and parts.port != 0
    except ValueError:
        raise ValueError(allowed) from None
    if parts.scheme not in ("http", "https") and parts.hostname:
        raise ValueError(with_nearest(parts.scheme, ("http", "https"), allowed))
    if not fits or not (whole.isascii() and whole.isprintable()) or " " in whole:
        raise ValueError(allowed)
    return whole


_LONGEST_LABEL, _LONGEST_HOST = 63, 253  # RFC 1035; what is longer no name server will ever know


def is_host(name: str) -> bool:
    """Whether a host can be called so."""
    labels = name.removesuffix(".").split(".")
    return bool(name) and len(name) <= _LONGEST_HOST and all(0 < len(label) <= _LONGEST_LABEL for label in labels)


def plain(text: str) -> str:
    """Return the text as it is."""
    return text


_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")


def flag(text: str) -> bool:
    """Read true or false, in the words that people use."""
    word = text.lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(with_nearest(word, (*_TRUE, *_FALSE), "true or false"))


_LARGEST = 2**53
_LONGEST = 366 * 86400
_OLDEST = 36525 * 86400  # a hundred years; in nanoseconds since 1970 a few hundred do not fit any more
_MOST_DIGITS = 18


def _number(text: str, allowed: str, low: float, high: float = _LARGEST) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(allowed) from None
    if not low <= number <= high:
        raise ValueError(allowed)
    return number


def seconds(longest: int) -> Parse:
    """Return what reads seconds, up to ``longest``."""

    def parse(text: str) -> float:
        return _number(text, f"seconds, from 0 to {longest}", 0, longest)

    return parse


def lifetime(text: str) -> float:
    """Read seconds that something lasts; 0 means for ever."""
    allowed = f"seconds, from 1 to {_LONGEST}, or 0"
    number = _number(text, allowed, 0, _LONGEST)
    if 0 < number < 1:
        raise ValueError(allowed)
    return number


def ratio(text: str) -> float:
    """Read a number from 0 to 1."""
    return _number(text, "a number from 0 to 1", 0, 1)


def milliseconds(text: str) -> float:
    """Return seconds; the OpenTelemetry specification gives durations in milliseconds."""
    # Waiting for more than the clock can count is an error in Python.
    return _number(text, f"milliseconds, from 0 to {_LONGEST}000", 0, _LONGEST * 1000) / 1000


def interval(text: str) -> float:
    """Return seconds, as ``milliseconds`` does; 0 would keep a processor busy, or leave no time at all."""
    return _number(text, f"milliseconds, from 1 to {_LONGEST}000", 1, _LONGEST * 1000) / 1000


def whole(low: int, high: int = _LARGEST) -> Parse:
    """Return what reads a whole number within bounds."""
    allowed = f"a whole number, {low} or more" if high == _LARGEST else f"a whole number from {low} to {high}"

    def parse(text: str) -> int:
        number = _number(text, allowed, low, high)
        if number != int(number):
            raise ValueError(allowed)
        return int(number)

    return parse


def budget(*, is_whole: bool) -> Parse:
    """Return what reads amounts by the names that they are for, as ``5,writer=2`` has them; "" is for all others."""
    kind = "whole numbers" if is_whole else "numbers"
    allowed = f"{kind} above 0 with commas between, each for all runs or as name=..."

    def parse(text: str) -> dict[str, float]:
        pairs = [(name.strip(), _amount(amount)) for name, _, amount in (word.rpartition("=") for word in words(text))]
        are_right = [number > 0 and not (is_whole and number % 1) for _, number in pairs]
        try:
            _check_members(words(text), are_right, allowed, tuple(pairs))
        except PartlyAllowedError as partly:
            good = {name: number for name, number in pairs if number > 0 and not (is_whole and number % 1)}
            raise PartlyAllowedError(allowed, good, partly.instead, partly.wrong) from None
        return {name: int(number) if is_whole else number for name, number in pairs}

    return parse


def _amount(text: str) -> float:
    """Return a number that may be an amount; 0, which none is, for everything else."""
    try:
        return _number(text, "", 0)
    except ValueError:
        return 0.0


_UNITS: dict[str, int] = {"": 1, "B": 1}
for _power, _letter in enumerate("KMG", 1):
    _UNITS.update(dict.fromkeys((_letter, f"{_letter}B", f"{_letter}IB"), 1024**_power))


_AGES = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def age(text: str) -> float:
    """Return seconds."""
    unit = text[-1:].lower()
    number, factor = (text[:-1], _AGES[unit]) if unit in _AGES else (text, 1)
    allowed = f"an age such as 30d, 12h, 90m or seconds, up to {_OLDEST // 86400}d; 0: without end"
    return _number(number.strip(), allowed, 0, _OLDEST / factor) * factor


def size(low: int = 1, high: int = 1 << 40) -> Parse:
    """Return what reads a size in bytes within bounds."""
    allowed = f"a size such as 65536, 512KiB or 64MiB, from {low} to {high >> 30}GiB"

    def parse(text: str) -> int:
        digits = text.rstrip("BKMGIbkmgi ")
        unit = text[len(digits) :].strip().upper()
        if not (digits.isascii() and digits.isdigit() and len(digits) < _MOST_DIGITS) or unit not in _UNITS:
            raise ValueError(allowed)
        number = int(digits) * _UNITS[unit]
        if not low <= number <= high:
            raise ValueError(allowed)
        return number

    return parse


_NEAR = 0.7


def choice(*allowed: str) -> Parse:
    """Return what reads one of some words."""

    def parse(text: str) -> str:
        for word in allowed:
            if word.lower() == text.lower():
                return word
        raise ValueError(with_nearest(text, allowed))

    return parse


def exporters(*allowed: str) -> Parse:
    """Return what reads a list of some words."""

    def parse(text: str) -> tuple[str, ...]:
        return _those_of(allowed, words(text.lower()))

    return parse


def _those_of(allowed: Iterable[str], found: tuple[str, ...]) -> tuple[str, ...]:
    """Return what was found; where some of it is not allowed, the error has the rest."""
    names = tuple(allowed)
    wrong = [word for word in found if word not in names]
    if not wrong:
        return found
    text = with_nearest(wrong[0], names, "a comma list of " + ", ".join(names))
    good = tuple(word for word in found if word in names)
    raise PartlyAllowedError(text, good, ",".join(good)) if good else ValueError(text)


_PROPAGATORS = ("tracecontext", "baggage", "obs_run", "none")


def propagators(text: str) -> tuple[str, ...]:
    """Read the names of propagators: built-in ones, and those that installed packages declare and that load."""
    found = tuple(word.lower() if word.lower() in _PROPAGATORS else word for word in words(text))
    if all(word in _PROPAGATORS for word in found):
        return found
    return _those_of((*_PROPAGATORS, *_declared("opentelemetry_propagator", found)), found)


def runtime_context(text: str) -> str:
    """Read the name of what keeps OpenTelemetry's current context."""
    names = ("contextvars_context", *_declared("opentelemetry_context", (text,)))
    if text not in names:
        raise ValueError(with_nearest(text, names))
    return text


def _declared(group: str, wanted: tuple[str, ...]) -> list[str]:
    """Return the names that installed packages declare in ``group``, those that are wanted and do not load left out."""
    from importlib.metadata import entry_points

    names: list[str] = []
    for point in entry_points(group=group):
        if point.name in wanted and point.name not in _PROPAGATORS:
            try:
                point.load()
            except Exception:  # noqa: BLE001, S112 (whatever their module does)
                continue
        if point.name not in (*_PROPAGATORS, *names):
            names.append(point.name)
    return sorted(names)


_CONTENT = {"no_content": "none", "span_only": "span", "event_only": "event", "span_and_event": "both"}


def content_mode(text: str) -> str:
    """Read where content goes: "none", "span", "event" or "both"."""
    word = text.lower()
    if word in _TRUE:
        return "span"
    if word in _FALSE:
        return "none"
    if word in _CONTENT:
        return _CONTENT[word]
    names = (*(name.upper() for name in _CONTENT), *_TRUE, *_FALSE)
    raise ValueError(with_nearest(word, names, "NO_CONTENT, SPAN_ONLY, EVENT_ONLY or SPAN_AND_EVENT"))
