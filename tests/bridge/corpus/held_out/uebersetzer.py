# Übersetzungsagent: nimmt Aufträge aus einer Liste, zwei Maschinen, Prüfung am Ende
import logging
import sys

logging.basicConfig(stream=sys.stdout, level=logging.DEBUG, format="%(asctime)s %(name)s %(levelname)s: %(message)s")


class MaschineFehlt(Exception):
    pass


class Uebersetzer:
    def __init__(self):
        self.logger = logging.getLogger("uebersetzer")
        self.glossar = None

    def glossar_holen(self):
        self.logger.info("Glossar wird geladen")  # @glossar
        self.glossar = {"Ladefehler": "loading error", "Anfang": "start"}
        self.logger.info(f"Glossar geladen ({len(self.glossar)} Einträge, Wartezeit höchstens 5 s)")  # @glossar_da

    def _gross(self, text):
        if "Anfang" in text:
            raise MaschineFehlt("Dienst nicht erreichbar (Zeitlimit 3 s)")
        return text.upper()

    def _klein(self, text):
        return " ".join(self.glossar.get(w, w) for w in text.split())

    def uebersetzen(self, nr, text):
        self.logger.info(f"Auftrag {nr}: Übersetzung von {len(text)} Zeichen beginnt")  # @auftrag
        if not text.strip():
            self.logger.warning(f"Auftrag {nr}: leer, nichts zu tun")  # @leer
            return ""
        self.logger.debug(f"Auftrag {nr}: Text lautet \"{text}\"")
        try:
            ergebnis = self._gross(text)
        except MaschineFehlt as e:
            self.logger.warning(f"Auftrag {nr}: große Maschine fehlt ({e}). Versuche es mit der kleinen")  # @klein
            ergebnis = self._klein(text)
            self.logger.info(f"Auftrag {nr}: kleine Maschine lieferte {len(ergebnis)} Zeichen")  # @geliefert
        if "???" in ergebnis:
            self.logger.error(f"Auftrag {nr} abgebrochen: unlesbare Zeichen")  # @abgebrochen
            return None
        self.logger.info(f"Auftrag {nr} übersetzt")  # @uebersetzt
        return ergebnis

    def pruefen(self, texte, messung):
        for sprache, dauer in messung.items():
            self.logger.info(f"Rechtschreibprüfung {sprache} dauerte {dauer} s")  # @pruefung
        self.logger.info(f"{len(texte)} Texte geprüft, Fehler: 0, nächste Prüfung in 3600 s")


def tageslauf(auftraege):
    log = logging.getLogger("tageslauf")
    log.info("Tageslauf gestartet")  # @tag
    u = Uebersetzer()
    u.glossar_holen()
    fertig = []
    for nr, text in auftraege:
        t = u.uebersetzen(nr, text)
        if t:
            fertig.append(t)
    u.pruefen(fertig, {"en": "0,35", "fr": "1,20"})
    log.info(f"Tageslauf beendet, {len(fertig)} von {len(auftraege)} Aufträgen erledigt")  # @tag_ende


if __name__ == "__main__":
    tageslauf([(7, "Ein Ladefehler wurde beendet"), (8, "   "), (9, "Am Anfang war der Ladefehler"), (10, "Wer ??? fehlgeschlagen")])
