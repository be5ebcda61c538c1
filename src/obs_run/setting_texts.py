"""How the text of a setting is read that is more than a word or a number."""

from __future__ import annotations


def words(text: str) -> tuple[str, ...]:
    """Return the words of a comma list."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def preferences(text: str) -> tuple[tuple[str, str], ...]:
    """Read ``who`` and ``library=who`` as pairs of library, empty for all, and who."""
    pairs = [(of.strip(), who.strip().lower()) for of, _, who in (word.rpartition("=") for word in words(text))]
    if not all(who and not who.strip("abcdefghijklmnopqrstuvwxyz0123456789-_.") for _, who in pairs):
        raise ValueError(
            "a comma list of obs-run, official, openllmetry, openinference or distributions, or library=..."
        )
    return tuple(pairs)


def hosts(text: str) -> tuple[str, ...]:
    """Return the names, patterns and address ranges that a list of hosts has."""
    found = words(text.lower())
    if any("://" in word or " " in word or ("/" in word and not word.rpartition("/")[2].isdigit()) for word in found):
        raise ValueError("a comma list of private, none, *, names, *.suffixes, addresses and ranges")
    return found


def attributes(text: str) -> dict[str, str]:
    """Read ``key=value,key=value`` as W3C baggage is written (values may be percent-encoded)."""
    found: dict[str, str] = {}
    for word in words(text):
        key, equals, value = word.partition("=")
        if not equals or not key.strip():
            raise ValueError("key=value pairs with commas between")
        if "%" in value:
            from urllib.parse import unquote

            value = unquote(value)
        found[key.strip()] = value.strip()
    return found


def headers(text: str) -> dict[str, str]:
    """Read ``key=value,key=value`` that HTTP can carry as headers."""
    found = attributes(text)
    for key, value in found.items():
        if not (key.isascii() and key.isprintable() and " " not in key and value.isascii() and value.isprintable()):
            raise ValueError("key=value pairs with commas between, in ASCII, no line breaks")
    return found


def url(text: str) -> str:
    """Return the URL; ``host:port`` alone, which gRPC's users write, means http."""
    from urllib.parse import urlsplit

    allowed = "http://host:port or https://host:port"
    host, _, port = text.rpartition(":")
    whole = f"http://{text}" if host and port.isdigit() and "/" not in text else text
    try:
        parts = urlsplit(whole)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ValueError(allowed) from None
    if not fits or not (whole.isascii() and whole.isprintable()) or " " in whole:
        raise ValueError(allowed)
    return whole
