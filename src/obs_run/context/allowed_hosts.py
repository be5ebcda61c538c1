"""Which hosts the trace context may go to, as the user says."""

from __future__ import annotations

from functools import lru_cache

from obs_run import settings

# What no public DNS answers for: names of one word, and the endings that are kept for private use.
_PRIVATE_ENDINGS = (".localhost", ".local", ".internal", ".svc", ".lan", ".home.arpa", ".test", ".intranet", ".corp")


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
