"""What words tell of people: their names, addresses, papers, accounts and devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.privacy import (
    columns,
    device_names,
    document_numbers,
    full_names,
    names_of_other_scripts,
    person_names,
    postal_codes,
    street_addresses,
    structured_records,
    vehicle_plates,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Match, Subject

KINDS = frozenset({"person_name", "postal_address"}) | document_numbers.KINDS


class Finder:
    """Finds what words tell of people, but for the national ids of countries that were not chosen."""

    def __init__(self, kinds: frozenset[str]) -> None:
        self._passed_by = document_numbers.words_of_others(kinds)

    def find(self, subject: Subject) -> Iterator[Match]:
        """Find names of people, postal addresses, and numbers of papers, accounts and devices."""
        yield from person_names.find(subject)
        yield from full_names.find(subject)
        yield from columns.find(subject)
        yield from device_names.find(subject)
        if subject.has_other_script:
            yield from names_of_other_scripts.find(subject.text)
        if subject.has_digits:
            yield from street_addresses.find(subject)
            yield from postal_codes.find(subject)
            yield from structured_records.find(subject)
            yield from vehicle_plates.find(subject)
            yield from document_numbers.find(subject, self._passed_by)
            if subject.has_other_script:
                yield from street_addresses.of_other_scripts(subject)
                yield from document_numbers.of_other_scripts(subject)
