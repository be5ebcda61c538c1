"""Finds the secrets that this process holds: what its environment names as secrets, and the keys of its clients."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from obs_run.base import guard, held_values
from obs_run.privacy.field_names import secret_name
from obs_run.privacy.field_values import fits
from obs_run.privacy.matches import Match
from obs_run.privacy.values import is_free

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from obs_run.privacy.matches import Subject

KIND = "held_secret"
KINDS = frozenset({KIND})
_USERINFO = re.compile(r"://[^\s/:@]{0,256}:([^\s/@]{1,1024})@")
_AUTHORIZATION = re.compile(r"(?:bearer|basic|token|apikey)[ \t]+(\S+)$|([^\s,;=]+)$", re.IGNORECASE)
_HEADERS = ("OTEL_EXPORTER_OTLP_HEADERS", "ANTHROPIC_CUSTOM_HEADERS")
_last_size: list[int] = []


def find(subject: Subject) -> Iterator[Match]:
    """Find held values."""
    for start, end in held_values.find(subject.raw):
        yield Match(start, end, KIND)


def refresh() -> None:
    """Look at the environment again if it has grown or shrunk, as it does when a program reads its ``.env``."""
    size = len(os.environ)
    if _last_size != [size]:
        guard.call("held secrets", hold_environment)
        _last_size[:] = [size]


def hold_environment(environ: Mapping[str, str] = os.environ) -> None:
    """Hold the values of variables with the names of secrets, and the passwords of addresses."""
    for name, value in list(environ.items()):
        rule = secret_name(name)
        if rule is not None and fits(rule, value):
            held_values.hold(value)
        for match in _USERINFO.finditer(value):
            if not is_free(match[1].lower().encode("ascii", "replace")):
                held_values.hold(match[1])
        if name in _HEADERS or name.endswith("_HEADERS"):
            _hold_headers(value)


def _hold_headers(value: str) -> None:
    for pair in re.split(r"[,\n]", value):
        name, _, content = pair.replace(":", "=", 1).partition("=")
        if secret_name(name.strip()) is not None:
            match = _AUTHORIZATION.search(content.replace("%20", " ").strip())
            held_values.hold(match[1] or match[2] if match else None)


def forget() -> None:
    """Look at the environment anew at the next call."""
    _last_size.clear()
