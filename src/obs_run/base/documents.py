"""YAML and JSON files as plain values, with the line of each, bounded in size and depth."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any

LARGEST = 512 * 1024
_MOST_VALUES = 50_000
_DEEPEST = 20
_MERGE = "tag:yaml.org,2002:merge"


class UnreadableError(ValueError):
    """A file cannot be read; the text is the line for the user."""


class Document:
    """What a file holds; ``lines`` has the line of each value by the keys that lead to it."""

    def __init__(self, path: str, content: Any, lines: dict[tuple[Any, ...], int], problems: list[str]) -> None:
        self.path = path
        self.content = content
        self.problems = problems
        self._lines = lines

    def place(self, keys: tuple[Any, ...]) -> str:
        """Return file and line of a value, or of the nearest one around it that is known."""
        while keys:
            if keys in self._lines:
                return f"{self.path}:{self._lines[keys]}"
            keys = keys[:-1]
        return self.path


def read_document(path: str) -> Document:
    """Return what a file holds, by its ending as JSON, else as YAML."""
    data = _read_bytes(path)
    if len(data) > LARGEST:
        raise UnreadableError(f"{path}: is too large; allowed: at most {LARGEST // 1024} KiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableError(f"{path}:{line}: is no UTF-8 text; allowed: UTF-8") from None
    return _read_json(path, text) if path.lower().endswith(".json") else _read_yaml(path, text)


def _read_bytes(path: str) -> bytes:
    """Return the bytes of a file, one more than it may have if there are more."""
    try:
        # A pipe might never give anything.
        is_file = stat.S_ISREG(Path(path).stat().st_mode)
        if is_file:
            with Path(path).open("rb") as file:
                return file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise UnreadableError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    raise UnreadableError(f"{path}: is no file; allowed: files and folders")


def _read_json(path: str, text: str) -> Document:
    problems: list[str] = []
    lines: dict[tuple[Any, ...], int] = {}

    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                problems.append(f"{path}:{_last_line(text, key)}: {key} is there twice; the first one holds")
            else:
                found[key] = value
        return found

    try:
        content = json.loads(text, object_pairs_hook=mapping)
    except json.JSONDecodeError as error:
        raise UnreadableError(f"{path}:{error.lineno}: is no JSON: {error.msg}") from None
    except (RecursionError, ValueError) as error:
        raise UnreadableError(f"{path}: is no JSON: {type(error).__name__}") from None
    for section, values in content.items() if isinstance(content, dict) else ():
        for name in values if isinstance(values, dict) else ():
            found = re.search(re.escape(json.dumps(name, ensure_ascii=False)) + r"\s*:\s*\{", text)
            if found is not None:
                lines[section, name] = text.count("\n", 0, found.start()) + 1
    return Document(path, content, lines, problems)


def _last_line(text: str, key: str) -> int:
    places = [match.start() for match in re.finditer(re.escape(json.dumps(key, ensure_ascii=False)) + r"\s*:", text)]
    return text.count("\n", 0, places[-1]) + 1 if places else 1


def _read_yaml(path: str, text: str) -> Document:
    try:
        import yaml
    except ImportError:
        raise UnreadableError(f"{path}: needs PyYAML (pip install pyyaml); JSON files need nothing") from None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root = yaml.compose(text, Loader=loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else path
        raise UnreadableError(f"{place}: is no YAML: {getattr(error, 'problem', None) or 'unknown text'}") from None
    except (RecursionError, ValueError) as error:
        raise UnreadableError(f"{path}: is no YAML: {type(error).__name__}") from None
    reading = _YamlReading(path, loader(""))
    return Document(path, {} if root is None else reading.value(root, ()), reading.lines, reading.problems)


class _YamlReading:
    """Makes plain values of the nodes of a YAML text."""

    def __init__(self, path: str, constructor: Any) -> None:
        self.lines: dict[tuple[Any, ...], int] = {}
        self.problems: list[str] = []
        self._path = path
        self._constructor = constructor
        self._count = 0

    def value(self, node: Any, keys: tuple[Any, ...]) -> Any:
        """Return the value of a node."""
        self._count += 1
        self.lines.setdefault(keys, node.start_mark.line + 1)
        if self._count > _MOST_VALUES or len(keys) > _DEEPEST:
            raise UnreadableError(f"{self._path}:{node.start_mark.line + 1}: has too many values inside of each other")
        if node.id == "mapping":
            return self._mapping(node, keys)
        if node.id == "sequence":
            return [self.value(each, (*keys, place)) for place, each in enumerate(node.value)]
        try:
            value = self._constructor.construct_object(node)
        except Exception as error:  # noqa: BLE001 (the library's work on the user's text)
            line = node.start_mark.line + 1
            problem = getattr(error, "problem", None) or "a value is not what its tag says"
            raise UnreadableError(f"{self._path}:{line}: is no YAML: {problem}") from None
        return value

    def _mapping(self, node: Any, keys: tuple[Any, ...]) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        merged = [value for key, value in node.value if key.tag == _MERGE]
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                continue
            # As it is written: "on" and "off" may be names.
            key = key_node.value if key_node.id == "scalar" else "?"
            line = key_node.start_mark.line + 1
            if key in found:
                first = self.lines.get((*keys, key))
                self.problems.append(
                    f"{self._path}:{line}: {key} is there twice, first in line {first}; the first holds"
                )
                continue
            place = (*keys, key)
            self.lines[place] = line
            found[key] = self.value(value_node, place)
        for value_node in merged:
            # "<<": what another mapping has and this has not.
            others = self.value(value_node, keys)
            for other in others if isinstance(others, list) else [others]:
                for key, value in other.items() if isinstance(other, dict) else ():
                    found.setdefault(key, value)
        return found
