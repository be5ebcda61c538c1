#!/usr/bin/env python3
# -*- coding: utf-8 -*-
"""Nächtliche Sicherung: packen, prüfen, hochladen, aufräumen."""
import hashlib
import io
import logging
import sys
import tarfile
import time

protokoll = logging.getLogger("sicherung")

DATEIEN = {
    "kunden.db": b"x" * 4000,
    "rechnungen.db": b"y" * 2500,
    "fehler.log": b"Fehler beim Starten: abgeschlossen\n" * 20,
}


def sag(text, stufe=logging.INFO):
    protokoll.log(stufe, text, stacklevel=2)


def komma(zahl, stellen=2):
    return f"{zahl:.{stellen}f}".replace(".", ",")


class Zeitueberschreitung(Exception):
    pass


class Sicherung:
    def __init__(self, ziel, behalten=3):
        self.ziel, self.behalten = ziel, behalten
        self.bestand = ["mo.tar.gz", "di.tar.gz", "mi.tar.gz", "do.tar.gz", "fr.tar.gz"]
        self.versuch = 0
        sag(f"Ziel {ziel}, aufbewahrt werden {behalten} Stände, Zeitlimit 900 s")

    def ausfuhr(self):
        for tabelle in ("kunden", "rechnungen"):
            sag(f"Tabelle {tabelle} wird ausgelesen")  # @tab
            time.sleep(0.001)
            sag(f"  {tabelle}: 1200 Zeilen", logging.DEBUG)

    def packen(self):
        anfang = time.perf_counter()
        puffer = io.BytesIO()
        sag(f"Archiv mit {len(DATEIEN)} Dateien wird erstellt")  # @pack
        with tarfile.open(fileobj=puffer, mode="w:gz") as tar:
            for name, inhalt in DATEIEN.items():
                info = tarfile.TarInfo(name)
                info.size = len(inhalt)
                tar.addfile(info, io.BytesIO(inhalt))
                sag(f"  + {name} ({komma(len(inhalt) / 1024)} KB)", logging.DEBUG)
        dauer = time.perf_counter() - anfang
        sag(f"Archiv erstellt in {komma(dauer, 3)} s")  # @pack_ok
        return puffer.getvalue()

    def pruefen(self, daten):
        sag("Prüfsumme wird berechnet")  # @sum
        summe = hashlib.sha256(daten).hexdigest()
        sag(f"Prüfsumme berechnet: sha256 ({len(summe)} Zeichen)")  # @sum_ok

    def _senden(self, daten):
        self.versuch += 1
        time.sleep(0.002)
        if self.versuch == 1:
            raise Zeitueberschreitung("keine Antwort vom Server")

    def hochladen(self, daten):
        for n in (1, 2, 3):
            sag(f"Archiv wird hochgeladen (Versuch {n} von 3)")  # @up
            try:
                self._senden(daten)
            except Zeitueberschreitung as grund:
                sag(f"Hochladen fehlgeschlagen: {grund}; nächster Versuch in 5 s", logging.WARNING)  # @up_no
                continue
            sag("Archiv hochgeladen")  # @up_ok
            self.bestand.append("sa.tar.gz")
            return

    def aufraeumen(self):
        sag("Alte Stände werden gelöscht")  # @clean
        while len(self.bestand) > self.behalten:
            alt = self.bestand.pop(0)
            if alt == "di.tar.gz":
                sag(f"{alt} kann nicht gelöscht werden: schreibgeschützt", logging.ERROR)
                continue
            sag(f"  - {alt}", logging.DEBUG)
        sag(f"Alte Stände gelöscht, es bleiben {len(self.bestand)}")  # @clean_ok

    def lauf(self):
        sag("-" * 46)
        sag("Sicherung gestartet")  # @run
        self.ausfuhr()
        daten = self.packen()
        self.pruefen(daten)
        self.hochladen(daten)
        self.aufraeumen()
        sag("Sicherung erfolgreich beendet")  # @run_ok
        sag("-" * 46)


if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(asctime)s %(levelname)s: %(message)s")
    Sicherung("sftp://archiv.lan/laden").lauf()
    sag("Nächster Lauf um 02:30 Uhr")
