"""Records of which the form says what stands where: zones that machines read on papers, and patients in HL7."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy import telling_words
from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

# The lower line of a passport or a visa (ICAO 9303): number, country, birth, sex, expiry.
_ZONE = re.compile(
    rb"(?<![A-Z0-9<])[A-Z0-9<]{9}[0-9<][A-Z<]{3}[0-9]{2}[01][0-9][0-3][0-9][0-9<][MFX<][0-9]{2}[01][0-9][0-3][0-9][0-9]"
    rb"[A-Z0-9<]{2,16}(?![A-Z0-9<])"
)
# The first two of the three lines of a card.
_ZONE_OF_CARD = re.compile(
    rb"(?<![A-Z0-9<])[IAC][A-Z<][A-Z<]{3}[A-Z0-9<]{9}[0-9<][A-Z0-9<]{15}(?:\\n|\s){1,2}"
    rb"[0-9]{2}[01][0-9][0-3][0-9][0-9][MFX<][0-9]{6}[0-9][A-Z<]{3}[A-Z0-9<]{11}[0-9]"
)
_PATIENT = re.compile(r"(?:^|[\n\r\"]|\\[rn])(?:PID|NK1|GT1|IN1)\|[^\n\r\"]{8,2000}")
_HEALTH = telling_words.register(frozenset({b"pid", b"nk", b"gt", b"in"}).__contains__)
# Which fields of a segment tell of a person, from 1 on.
_FIELDS = {
    "PID": {
        2: "national_id", 3: "national_id", 4: "national_id", 5: "person_name", 6: "person_name", 7: "date_of_birth",
        9: "person_name", 11: "postal_address", 13: "phone", 14: "phone", 18: "bank_account", 19: "national_id",
        20: "national_id",
    },
    "NK1": {2: "person_name", 4: "postal_address", 5: "phone", 6: "phone"},
    "GT1": {3: "person_name", 5: "postal_address", 6: "phone", 8: "date_of_birth", 12: "national_id"},
    "IN1": {16: "person_name", 18: "date_of_birth", 19: "postal_address", 36: "national_id", 49: "national_id"},
}  # fmt: skip
_SHORTEST = 4


def find(subject: Subject) -> Iterator[Match]:
    """Find the lines of papers that machines read, and the fields of patients."""
    if b"<" in subject.raw:
        for pattern in (_ZONE, _ZONE_OF_CARD):
            yield from (Match(*zone.span(), "national_id") for zone in pattern.finditer(subject.raw))
    if b"|" in subject.raw and subject.words(_HEALTH):
        for segment in _PATIENT.finditer(subject.text):
            yield from _in_segment(segment)


def _in_segment(segment: re.Match[str]) -> Iterator[Match]:
    at = segment.start()
    name, *fields = segment[0].split("|")
    at += len(name) + 1
    kinds = _FIELDS[name[-3:]]
    for number, field in enumerate(fields, 1):
        kind = kinds.get(number)
        # What stands behind ``^^^`` are who gave the number and what it is for.
        value = field.partition("^^^")[0] if kind == "national_id" else field.rstrip("^")
        if kind and len(value) >= _SHORTEST:
            yield Match(at, at + len(value), kind)
        at += len(field) + 1
