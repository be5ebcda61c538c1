"""Holds the keys of the clients that instrumentors see, so that they are taken out wherever they turn up.

It runs at each call on the agent's thread. Only what objects have in their own ``__dict__`` is read, because a property
may do anything; where a class keeps its key is found at its first call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import guard, held_values

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEYS = frozenset({
    "api_key", "_api_key", "auth_token", "_auth_token", "token", "_token", "api_token", "_api_token", "access_token",
    "bearer_token", "aws_secret_key", "aws_session_token",
})  # fmt: skip
_INNER = frozenset({
    "_client", "client", "_api_client", "config", "_config", "_client_wrapper", "sdk_configuration", "security",
    "credentials", "_credentials",
})  # fmt: skip
_CUSTOM_HEADERS = frozenset({"_custom_headers", "_extra_headers", "headers"})
_AUTHORIZATION = ("Authorization", "authorization", "x-api-key", "api-key", "X-Api-Key")
_KEY_HEADERS = frozenset({"authorization", "x-api-key", "api-key", "x-goog-api-key"})
_HIDDEN = "_secret_value"
"""Where pydantic's SecretStr keeps it."""
_DEEPEST = 2
_MOST_CLASSES = 512


_Path = tuple[str, ...]
_Places = tuple[tuple[str, ...], tuple[str, ...], bool]
"""The names of keys, and of headers of the user's, that an object has; and whether there are more further inside."""


_by_class: dict[type, _Places] = {}
_inner: dict[type, tuple[list[_Path], list[_Path]]] = {}
_noted = held_values.noted


def note(instance: Any, arguments: Mapping[str, Any]) -> None:
    """Hold the keys of ``instance`` and of a call's ``arguments``; nearly always they are known already."""
    try:
        keys, headers, is_deep = _by_class.get(type(instance)) or _places_of(instance)
        if keys or headers:
            values = instance.__dict__
            for name in keys:
                key = values.get(name)
                if key is not None and hash(key) not in _noted:
                    held_values.hold(key)
            for name in headers:
                if values.get(name):
                    _hold_headers(values[name])
        if is_deep:
            _note_inner(instance)
        if "api_key" in arguments:
            held_values.hold(arguments["api_key"])
        if "extra_headers" in arguments:
            _hold_headers(arguments["extra_headers"])
    except Exception as error:  # noqa: BLE001 (the call is recorded all the same; a guard of its own would cost as much)
        guard.failed("client secrets", error)


def note_headers(headers: Any) -> None:
    """Hold the keys in the headers of a request, which any mapping may be."""
    for name, value in dict(headers or {}).items():
        if str(name).lower() in _KEY_HEADERS:
            held_values.hold(str(value).rpartition(" ")[2])


def note_query(query: str) -> None:
    """Hold the key that Google's APIs take with the URL."""
    for field in query.split("&"):
        name, _, value = field.partition("=")
        if name == "key":
            held_values.hold(value)


def _note_inner(instance: Any) -> None:
    keys, headers = _inner[type(instance)]
    for path in keys:
        key = _at(instance, path)
        if key is not None and hash(key) not in _noted:
            held_values.hold(key)
    for path in headers:
        _hold_headers(_at(instance, path))


def _at(instance: Any, path: _Path) -> Any:
    found = instance
    for name in path:
        own = getattr(found, "__dict__", None)
        found = own.get(name) if type(own) is dict else None
    return found


def _places_of(instance: Any) -> _Places:
    """Return where the class of ``instance`` keeps secrets, and remember it."""
    keys: list[_Path] = []
    headers: list[_Path] = []
    _look(instance, (), keys, headers)
    if len(_by_class) >= _MOST_CLASSES:
        _by_class.clear()
        _inner.clear()
    inner = [path for path in keys if len(path) > 1], [path for path in headers if len(path) > 1]
    _inner[type(instance)] = inner
    own = tuple(path[0] for path in keys if len(path) == 1), tuple(path[0] for path in headers if len(path) == 1)
    return _by_class.setdefault(type(instance), (*own, any(inner)))


def _look(found: Any, path: _Path, keys: list[_Path], headers: list[_Path]) -> None:
    own = getattr(found, "__dict__", None)
    if type(own) is not dict:
        return
    for name, value in list(own.items()):
        here = (*path, name)
        if name in _KEYS:
            hidden = type(getattr(value, "__dict__", None)) is dict and _HIDDEN in value.__dict__
            keys.append((*here, _HIDDEN) if hidden else here)
        elif name in _CUSTOM_HEADERS:
            headers.append(here)
        elif name in _INNER and len(path) < _DEEPEST:
            _look(value, here, keys, headers)


def _hold_headers(headers: Any) -> None:
    if type(headers) is not dict:
        return
    for name in _AUTHORIZATION:
        value = headers.get(name)
        if type(value) is str and hash(value) not in _noted:
            held_values.hold(value)
            # The scheme before it is no secret; with it the value is never held, but noted as seen.
            held_values.hold(value.rpartition(" ")[2])
