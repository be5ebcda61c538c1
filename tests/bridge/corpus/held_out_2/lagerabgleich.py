#!/usr/bin/env python3
# Nächtlicher Abgleich: Bestand aus der Warenwirtschaft gegen die Zählung im Lager
import logging
import sys
import time
from decimal import Decimal

logging.basicConfig(stream=sys.stdout, level=logging.DEBUG, format="%(asctime)s %(levelname)s %(message)s", datefmt="%H:%M:%S")
log = logging.getLogger("lagerabgleich")

BESTAND = {
    "Halle A": {"Schraube M4": 1200, "Mutter M4": 950, "Scheibe": 400},
    "Halle B": {"Kabel 3m": 75, "Stecker": 210},
    "Halle C": {"Palette": 33},
}
ZAEHLUNG = {
    "Halle A": {"Schraube M4": 1188, "Mutter M4": 950, "Scheibe": 402},
    "Halle B": {"Kabel 3m": 75, "Stecker": 210},
}


class ZaehlungFehlt(Exception):
    pass


def dauer(seit):
    return f"{time.perf_counter() - seit:.3f}".replace(".", ",")


def lade_zaehlung(halle):
    log.debug(f"Zählung für {halle} wird geladen")  # @laden
    time.sleep(0.001)
    if halle not in ZAEHLUNG:
        log.error(f"Zählung für {halle} konnte nicht geladen werden: Datei fehlt")  # @laden_fehler
        raise ZaehlungFehlt(halle)
    log.debug(f"Zählung für {halle} geladen, {len(ZAEHLUNG[halle])} Positionen")  # @laden_ok
    return ZAEHLUNG[halle]


def vergleiche(halle, soll, ist):
    seit = time.perf_counter()
    abweichungen = {}
    for artikel, menge in soll.items():
        diff = ist.get(artikel, 0) - menge
        if diff:
            log.warning(f"{halle}: {artikel} weicht um {diff:+d} ab")
            abweichungen[artikel] = diff
    log.info(f"Vergleich für {halle} in {dauer(seit)} s abgeschlossen, {len(abweichungen)} Abweichungen")  # @vergleich
    return abweichungen


def buche(halle, abweichungen):
    log.info(f"Starte Buchung von {len(abweichungen)} Korrekturen für {halle}")  # @buchen
    for nr, (artikel, diff) in enumerate(abweichungen.items(), 1):
        log.debug(f"  Beleg {nr}: {artikel} {diff:+d}")
        BESTAND[halle][artikel] += diff
    log.info(f"Buchung für {halle} beendet")  # @buchen_ok


def abgleich(halle):
    seit = time.perf_counter()
    log.info(f"Abgleich {halle} gestartet")  # @halle
    try:
        ist = lade_zaehlung(halle)
        abw = vergleiche(halle, BESTAND[halle], ist)
        if abw:
            buche(halle, abw)
        else:
            log.info(f"{halle}: keine Korrektur nötig")
        log.debug(f"{halle}: Bestand nach Abgleich {sum(BESTAND[halle].values())} Stück")
        return len(abw)
    except ZaehlungFehlt:
        log.error(f"Abgleich {halle} fehlgeschlagen")
        return None
    finally:
        log.info(f"Abgleich {halle} beendet nach {dauer(seit)} s")  # @halle_ende


def main():
    log.info("Lagerabgleich Version 3.1, Zeitlimit 60 s, Toleranz 0 Stück")
    for halle, artikel in BESTAND.items():
        log.debug(f"{halle}: {len(artikel)} Artikel im Soll, Summe {sum(artikel.values())} Stück")
    ergebnisse = {halle: abgleich(halle) for halle in BESTAND}
    fehler = [h for h, n in ergebnisse.items() if n is None]
    wert = sum(n or 0 for n in ergebnisse.values()) * Decimal("0.12")
    log.info(f"Zusammenfassung: {len(ergebnisse)} Hallen, {len(fehler)} fehlgeschlagen, Korrekturwert {wert} EUR")
    if fehler:
        log.warning(f"Bitte nachzählen: {', '.join(fehler)}")
    return 1 if fehler else 0


if __name__ == "__main__":
    sys.exit(main())
