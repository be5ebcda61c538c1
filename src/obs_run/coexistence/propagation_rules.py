"""Which hosts the trace context may go to, as the user says, and what that means for the headers of a request."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from obs_run import settings

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    Headers = MutableMapping[str, Any]

# What no public DNS answers for: names of one word, and the endings that are kept for private use.
_PRIVATE_ENDINGS = (".localhost", ".local", ".internal", ".svc", ".lan", ".home.arpa", ".test", ".intranet", ".corp")
_TRACE_ID = slice(3, 35)


def is_allowed(host: str | None) -> bool:
    """Whether the user allows the trace context to go to ``host``."""
    return host is None or _allowed(host.strip("[]").rstrip(".").lower(), settings.get("OBS_PROPAGATE_HOSTS"))


@lru_cache(maxsize=256)
def _allowed(host: str, words: tuple[str, ...]) -> bool:
    return any(_matches(host, word) for word in words)


def _matches(host: str, word: str) -> bool:
    if word in ("*", "none"):
        return word == "*"
    if word == "private":
        return _is_private(host)
    if "/" in word:
        return _lies_in(host, word)
    word = word.removeprefix("*")
    return host.endswith(word) if word.startswith(".") else host == word.strip("[]")


def _is_private(host: str) -> bool:
    import ipaddress

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(_PRIVATE_ENDINGS)
    return address.is_private or address.is_loopback or address.is_link_local


def _lies_in(host: str, network: str) -> bool:
    import ipaddress

    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def restrict_headers(host: str | None, headers: Headers) -> None:
    """Take the trace context out of ``headers`` if ``host`` must not have it; add it where a hidden span did not."""
    from obs_run.coexistence import http_spans

    current = _current()
    if not is_allowed(host):
        for name in [name for name in headers if _is_current(name, headers[name], current)]:
            del headers[name]
    elif http_spans.hidden():
        present = {_text(name).lower() for name in headers}
        for name, value in current.items():
            if name.lower() not in present:
                headers[name] = value


def _current() -> dict[str, str]:
    from opentelemetry.propagate import inject

    carrier: dict[str, str] = {}
    inject(carrier)
    return carrier


def _is_current(name: Any, value: Any, current: dict[str, str]) -> bool:
    """Whether a header carries the trace that is going on; what the agent wrote of another trace is its own."""
    found = next((each for each in current if each.lower() == _text(name).lower()), None)
    if found is None:
        return False
    text, now = _text(value), current[found]
    return text == now or (found == "traceparent" and text[_TRACE_ID] == now[_TRACE_ID])


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
