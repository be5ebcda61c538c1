"""Reads the files that OBS_WRAP names; what is wrong in one is a line that says where, and the other entries hold."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_run.base.documents import UnreadableError, read_document
from obs_run.setting_files import WrongError, check_keys, choice, files_at, flag, text, texts
from obs_run.setting_texts import with_nearest
from obs_run.wrapping.entries import (
    BREAKER,
    CACHE,
    CONTRACT,
    KINDS,
    LIMITER,
    POOL,
    RECORDED,
    RESULT,
    Entry,
    Target,
    ValuePath,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from obs_run.base.documents import Document

SETTING = "OBS_WRAP"
SECTION = "wrap"
KEYS = (
    "target", "kind", "name", "attributes", "content", "met", "release", "connection", "state", "rejects", "allows",
    "hit", "enabled",
)  # fmt: skip
_KINDS_OF_KEYS = {
    "attributes": RECORDED, "content": RECORDED, "met": (CONTRACT,), "release": (POOL,), "connection": (POOL,),
    "state": (BREAKER,), "rejects": (BREAKER, LIMITER), "allows": (BREAKER, LIMITER), "hit": (CACHE,),
}  # fmt: skip
_OF_RESULT = ("met", "allows", "hit")
_MOST_ENTRIES = 1000
_NAME = r"[A-Za-z_]\w*"
_PATTERN = r"[A-Za-z_*?][\w*?]*"
_TARGET = re.compile(
    rf"(?P<module>{_NAME}(?:\.{_NAME})*):(?:(?P<owner>{_PATTERN}(?:\.{_NAME})*)(?P<derived>\+?)\.)?(?P<function>{_PATTERN})"
)
_PATH = re.compile(rf"{_NAME}(?:\.[\w-]+)*")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_ATTRIBUTE = re.compile(r"[a-zA-Z_][\w.-]{0,99}")
_TARGET_FORM = "package.module:function, package.module:Class.method, package.module:Class+.method (derived ones too)"
_PATH_FORM = "a parameter's name, self or result, and keys or attributes behind it, as request.action"


@dataclass
class Loaded:
    """What files say, and what is wrong in them."""

    entries: dict[str, Entry] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def load(paths: Iterable[str]) -> Loaded:
    """Read the files and folders at ``paths``."""
    loaded = Loaded()
    for path in paths:
        for file in files_at(path, SETTING, loaded.problems):
            _read(file, loaded)
    return loaded


def _read(path: str, loaded: Loaded) -> None:
    try:
        document = read_document(path)
    except UnreadableError as error:
        loaded.problems.append(f"{SETTING}: {error}")
        return
    loaded.problems += [f"{SETTING}: {problem}" for problem in document.problems]
    content = document.content
    if not isinstance(content, dict) or not content:
        said = "is empty" if content in (None, {}, []) else "is no mapping"
        loaded.problems.append(f"{SETTING}: {path}: {said}; allowed: a mapping with the key {SECTION}")
        return
    for key in content:
        if key != SECTION:
            _say(document, (key,), f"is not known; allowed: {with_nearest(str(key), (SECTION,))}", loaded)
    section = content.get(SECTION) or {}
    if not isinstance(section, dict):
        _say(document, (SECTION,), "must be a mapping of names to entries", loaded)
        return
    for name, body in section.items():
        _read_entry(document, name, body, loaded)


def _read_entry(document: Document, name: Any, body: Any, loaded: Loaded) -> None:
    place = (SECTION, name)
    if len(loaded.entries) >= _MOST_ENTRIES:
        _say(document, place, f"is one too many; at most {_MOST_ENTRIES} entries", loaded)
    elif name in loaded.entries:
        _say(document, place, f"is there already, in {loaded.entries[name].where}; names of entries differ", loaded)
    else:
        try:
            entry = read_entry(str(name), body, document.place(place))
        except WrongError as error:
            _say(document, (*place, *error.keys), str(error), loaded)
        else:
            if entry is not None:
                loaded.entries[entry.name] = entry


def _say(document: Document, keys: tuple[Any, ...], what: str, loaded: Loaded) -> None:
    loaded.problems.append(f"{SETTING}: {document.place(keys)}: {'.'.join(map(str, keys))} {what}")


def read_entry(name: str, body: Any, where: str) -> Entry | None:
    """Return an entry, None for one that is switched off; raise ``WrongError`` where something is wrong with it."""
    check_keys((), body, KEYS)
    entry = Entry(
        name=name,
        where=where,
        targets=_targets(body, "target"),
        kind=choice(body, ("kind",), KINDS),
        span_name=_template(text(body, "name")),
        attributes=_named_paths(body, "attributes"),
        content=_named_paths(body, "content"),
        met=_single_path(body, "met"),
        release=_targets(body, "release"),
        connection=_single_path(body, "connection"),
        state=_single_path(body, "state"),
        rejects=texts(body, "rejects"),
        allows=_single_path(body, "allows"),
        hit=_single_path(body, "hit"),
    )
    _check_use(entry, body)
    return entry if flag(body, "enabled", default=True) else None


def _check_use(entry: Entry, body: Mapping[str, Any]) -> None:
    for key, kinds in _KINDS_OF_KEYS.items():
        if key in body and entry.kind not in kinds:
            raise WrongError((key,), f"is only for {' and '.join(kinds)}, and the kind is {entry.kind}")
    if not entry.targets:
        raise WrongError(("target",), f"is missing; allowed: {_TARGET_FORM}")
    if entry.kind == BREAKER and entry.state is None:
        raise WrongError(("state",), "is missing; it names the value that is closed, open or half_open, as self.state")
    for key in _OF_RESULT:
        path = getattr(entry, key)
        if path is not None and path.root != RESULT:
            raise WrongError((key,), f"is {body[key]}; allowed: result, and keys or attributes behind it")
    if any(isinstance(piece, ValuePath) and piece.root == RESULT for piece in entry.span_name):
        raise WrongError(("name",), "names the result, which is not known when the span begins")


def _targets(body: Mapping[str, Any], key: str) -> tuple[Target, ...]:
    return tuple(_target(each, key) for each in texts(body, key))


def _single_path(body: Mapping[str, Any], key: str) -> ValuePath | None:
    return None if body.get(key) is None else _path(body[key], (key,))


def _target(written: str, key: str) -> Target:
    match = _TARGET.fullmatch(written.strip())
    if match is None:
        raise WrongError((key,), f"{written!r} names no function; allowed: {_TARGET_FORM}")
    return Target(match["module"], match["owner"] or "", bool(match["derived"]), match["function"])


def _path(written: Any, place: tuple[str, ...]) -> ValuePath:
    if not isinstance(written, str) or not _PATH.fullmatch(written):
        raise WrongError(place, f"{written!r} names no value; allowed: {_PATH_FORM}")
    root, *keys = written.split(".")
    return ValuePath(root, tuple(keys))


def _named_paths(body: Mapping[str, Any], key: str) -> dict[str, ValuePath]:
    value = body.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise WrongError((key,), "must be a mapping of names of attributes to values")
    for attribute in value:
        if not _ATTRIBUTE.fullmatch(str(attribute)):
            raise WrongError((key, str(attribute)), "is no name of an attribute; allowed: letters, digits and _ . -")
    return {str(attribute): _path(path, (key, str(attribute))) for attribute, path in value.items()}


def _template(written: str | None) -> tuple[str | ValuePath, ...]:
    """Return the pieces of a name in which ``{request.action}`` stands for a value."""
    if written is None:
        return ()
    pieces: list[str | ValuePath] = []
    for number, piece in enumerate(_PLACEHOLDER.split(written)):
        if number % 2:
            pieces.append(_path(piece, ("name",)))
        elif piece:
            pieces.append(piece)
    return tuple(pieces)
