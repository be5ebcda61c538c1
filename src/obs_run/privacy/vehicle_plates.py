"""Plates of vehicles, in the forms of many countries, where a word tells of vehicles."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy import telling_words
from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

_VEHICLES = telling_words.folded(
    "car cars truck lorry vehicle motorbike motorcycle scooter taxi cab parked parking garage dvla fahrzeug "
    "auto wagen pkw lkw motorrad halter schranke parkplatz falschparker bußgeld voiture véhicule camion moto garé "
    "coche vehículo camión aparcado macchina veicolo autoveicolo furgone parcheggiata bil bilen bilar samochód pojazd "
    "carro veículo caminhão araç araba aracı jármű autó vozidlo auta ticketed towed speeding number-plate kierowca "
    "bestelbus geparkeerd"
)
_TOPIC = telling_words.register(_VEHICLES.__contains__)
_PLATE = re.compile(
    rb"(?<![\w./-])(?<![A-Z]{3} )(?:"
    rb"[A-Z?]{1,3}-[A-Z]{1,2} ?[0-9]{1,4}[EH]?"  # Germany
    rb"|[A-Z]{2}[0-9]{2} ?[A-Z]{3}"  # United Kingdom
    rb"|[A-Z]{2}[ -]?[0-9]{3}[ -]?[A-Z]{2}"  # France, Italy
    rb"|(?!19|20)[0-9]{4}[ -]?[BCDFGHJKLMNPRSTVWXYZ]{3}"  # Spain
    rb"|[A-Z]{2}-[0-9]{2}-[A-Z]{2}|[A-Z]{1,2}-[0-9]{3}-[A-Z]{1,2}|[0-9]{1,2}-[A-Z]{2,3}-[0-9]{1,2}"  # Netherlands
    rb"|[A-Z]{2} ?[0-9]{2} ?[A-Z]{1,2} ?[0-9]{4}"  # India
    rb"|[A-Z]{3}-?[0-9][A-Z][0-9]{2}"  # Brazil
    rb"|[A-Z]{2,3} (?=[0-9]{0,4}[A-Z])[0-9][0-9A-Z]{3,4}"  # Poland
    rb"|[A-Z]{1,2} [0-9]{4} [A-Z]{3}"  # Indonesia
    rb"|[0-9][A-Z]{3}[0-9]{3}"  # California
    rb")(?![\w-]|\.[0-9])"
)
_NO_PLATE = re.compile(
    rb"(?:ISO|DIN|EN|RFC|USD|EUR|GBP|IEC|SAE|AM|PM|UTC|GMT|KM|KG|HP|PS|ID|NO|VAT|TAX|FY|CW|KW)[ -]"
    rb"|[A-Z0-9]{1,3}[ -]?[0-9]{1,4}[ -]?(?:HP|PS|KW|KM|KG|MB|GB)"
    rb"|[0-9]{1,4}[ -]?(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC|GMT|FPS|RPM|PDF|CSV)"
)
_SHORTEST = 5


def find(subject: Subject) -> Iterator[Match]:
    """Find plates beside a word for vehicles."""
    if not subject.words(_TOPIC):
        return
    for plate in _PLATE.finditer(subject.raw):
        if len(plate[0]) > _SHORTEST and not _NO_PLATE.match(plate[0]):
            yield Match(*plate.span(), "national_id")
