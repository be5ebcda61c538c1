"""IP and MAC addresses."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

KINDS = frozenset({"ip", "mac"})
# Each begins with a literal, which is searched for much faster than a choice; what stands before it is looked at then.
_AFTER_FIRST_OCTET = re.compile(rb"\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})(?![0-9A-Za-z_])(?!\.[0-9])")
# Not the minutes and seconds of a time.
_COLONS = re.compile(rb":(?![0-5][0-9]:[0-5][0-9](?![0-9a-fA-F:]))[0-9a-fA-F]{0,4}:")
_AFTER_FIRST_PAIR = (
    re.compile(rb":[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){4}(?![0-9A-Za-z:])"),
    re.compile(rb"-[0-9a-fA-F]{2}(?:-[0-9a-fA-F]{2}){4}(?![0-9A-Za-z-])"),
)
# Of three groups, as routers write them.
_DOTTED_MAC = re.compile(rb"\.(?<=[0-9a-f]{4}\.)[0-9a-f]{4}\.[0-9a-f]{4}(?![0-9A-Za-z.])")
_DIGITS = b"0123456789"
_HEX = b"0123456789abcdefABCDEF"
_IPV6 = _HEX + b":."
_LONGEST_IPV6 = 45
_VERSION = re.compile(rb"(?:\bv|version|release|ver|build|[=<>~]=|[^/]/)[ :=]{0,2}$", re.IGNORECASE)
_UPGRADE = re.compile(rb"(?:version|upgrad|releas|build).*(?:from|to) $", re.IGNORECASE)
# "section 1.2.3.4": numbers as small after a word are those of versions and chapters, unless the word is one of these.
_WORD_BEFORE = re.compile(rb"([A-Za-z]{2,}) $")
_HOSTS = frozenset(
    b"from to ip ipv4 address addr host server client via by at on peer remote gateway dns ping source destination src "
    b"dst node connect connected interface inet and or is are for with of the proxy router "
    b"visitor user von an und de desde".split()
)
_RESOLVERS = frozenset({
    (b"1", b"1", b"1", b"1"), (b"1", b"0", b"0", b"1"), (b"8", b"8", b"8", b"8"), (b"8", b"8", b"4", b"4"),
    (b"9", b"9", b"9", b"9"), (b"208", b"67", b"222", b"222"), (b"208", b"67", b"220", b"220"),
})  # fmt: skip
_PREFIX = re.compile(rb"/([89]|[12][0-9]|3[01])(?![0-9./])")
# 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 and 169.254.0.0/16 are in each house, and so name nobody.
_LEAST_OF_172, _MOST_OF_172 = 16, 31
_NO_DEVICES = frozenset(sign.join((pair,) * 6) for sign in (b":", b"-") for pair in (b"00", b"ff"))
_SMALL = 100
_MOST_OCTET = 255
_LONGEST_GROUP = 4
_LEAST_GROUPS = 4
# fc00::/7
_UNIQUE_LOCAL = 0x7E


def find(subject: Subject) -> Iterator[Match]:
    """Find IPv4, IPv6 and MAC addresses; not loopback, private and unspecified ones and masks, which name nobody."""
    raw = subject.raw
    if not subject.has_digits:
        return
    if b"." in raw:
        yield from _ipv4(raw)
        if subject.mixed_words:
            yield from _dotted_macs(raw)
    if b":" in raw or b"-" in raw:
        yield from _macs(raw)
    if b":" in raw:
        yield from _ipv6(raw)


def _macs(raw: bytes) -> Iterator[Match]:
    for pattern in _AFTER_FIRST_PAIR:
        for rest in pattern.finditer(raw):
            start = rest.start() - 2
            before = raw[max(0, start - 1) : max(0, start)]
            if (
                start >= 0
                and not raw[start : rest.start()].strip(_HEX)
                and not (before.isalnum() or before in (b":", b"-"))
                and raw[start : rest.end()].lower() not in _NO_DEVICES
                and not (rest[0][:1] == b"-" and rest[0].replace(b"-", b"").isdigit())
            ):
                yield Match(start, rest.end(), "mac")


def _dotted_macs(raw: bytes) -> Iterator[Match]:
    for rest in _DOTTED_MAC.finditer(raw):
        start = rest.start() - 4
        before = raw[start - 1 : start] if start else b""
        # Figures alone are numbers with points between.
        if not (before.isalnum() or before == b".") and not raw[start : rest.end()].replace(b".", b"").isdigit():
            yield Match(start, rest.end(), "mac")


def _ipv4(raw: bytes) -> Iterator[Match]:
    for rest in _AFTER_FIRST_OCTET.finditer(raw):
        lead = raw[max(0, rest.start() - 4) : rest.start()]
        first = lead[len(lead.rstrip(_DIGITS)) :]
        start = rest.start() - len(first)
        octets = [first, *rest.groups()]
        if not first or any(int(octet) > _MOST_OCTET for octet in octets) or int(first) in (0, 127, 255):
            continue
        before = raw[max(0, start - 24) : start]
        if before[-1:].isalnum() or before[-1:] in (b".", b"_"):
            continue
        if not _is_version(before, octets) and not _is_of_all(raw, rest.end(), octets):
            yield Match(start, rest.end(), "ip")


def _is_of_all(raw: bytes, end: int, octets: list[bytes]) -> bool:
    """Whether this names a network, or a server that everybody asks for names."""
    if tuple(octets) in _RESOLVERS or _is_private(int(octets[0]), int(octets[1])):
        return True
    prefix = _PREFIX.match(raw, end)
    # A block of addresses has zeros where a host would be.
    return prefix is not None and not int.from_bytes(map(int, octets), "big") & ((1 << (32 - int(prefix[1]))) - 1)


def _is_private(first: int, second: int) -> bool:
    """Whether this is the beginning of an address that any network may have inside."""
    if first == 172:  # noqa: PLR2004 (RFC 1918)
        return _LEAST_OF_172 <= second <= _MOST_OF_172
    return first == 10 or (first, second) in ((192, 168), (169, 254))  # noqa: PLR2004 (RFC 1918, RFC 3927)


def _is_version(before: bytes, octets: list[bytes]) -> bool:
    if _VERSION.search(before) or _UPGRADE.search(before):
        return True
    word = _WORD_BEFORE.search(before)
    return word is not None and word[1].lower() not in _HOSTS and all(int(octet) < _SMALL for octet in octets)


def _ipv6(raw: bytes) -> Iterator[Match]:
    done = 0
    for match in _COLONS.finditer(raw):
        if match.start() < done:
            continue
        lead = raw[max(done, match.start() - _LONGEST_IPV6) : match.start()]
        rest = raw[match.start() : match.start() + _LONGEST_IPV6]
        start = match.start() - len(lead) + len(lead.rstrip(_IPV6))
        end = match.start() + len(rest) - len(rest.lstrip(_IPV6))
        done = end
        text = raw[start:end].rstrip(b".")
        if text.endswith(b":") and not text.endswith(b"::"):
            text = text[:-1]
        around = raw[max(0, start - 1) : start] + raw[end : end + 1]
        if not any(chr(sign).isalnum() or sign == 95 for sign in around) and _is_ipv6(text.decode()):  # noqa: PLR2004 (_)
            yield Match(start, start + len(text), "ip")


def _is_ipv6(text: str) -> bool:
    """Whether this is an address; ``a::b`` of programming languages could be one as well."""
    groups = [group for group in text.split(":") if group]
    telling = any(len(group) >= 3 and any(sign.isdigit() for sign in group) for group in groups)  # noqa: PLR2004 (hex)
    if len(groups) < 2 or not (telling or len(groups) >= _LEAST_GROUPS):  # noqa: PLR2004 (two ends)
        return False
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return False
    if address.is_loopback or address.is_unspecified or address.is_link_local or address.is_multicast:
        return False
    # What begins with so many zeros is a port behind the address of this machine, ::1:631.
    return int(address) >> 121 != _UNIQUE_LOCAL and int(address) >> 32 != 0
