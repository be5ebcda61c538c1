"""Eine Bäckerei, deren Protokoll deutsch ist."""
import logging
import sys

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s")
protokoll = logging.getLogger("bäckerei")

REZEPTE = {"Roggen": ["Mehl", "Wasser", "Sauerteig"], "Zopf": ["Mehl", "Milch", "Hefe"], "Stein": []}


class Backfehler(Exception):
    pass


def komma(zahl):
    return f"{zahl:.2f}".replace(".", ",")


class Ofen:
    def __init__(self):
        self.grad = 20

    def heizen(self, grad):
        protokoll.info(f"Ofen wird auf {grad} °C vorgeheizt")  # @heizen
        while self.grad < grad:
            self.grad = min(grad, self.grad + 100)
            protokoll.info(f"  Ofen bei {self.grad} °C")
        protokoll.info("Ofen vorgeheizt")  # @geheizt

    def backen(self, nummer, brot):
        protokoll.info(f"Backvorgang {nummer}: Beginn ({brot}), Restzeit 40 min")  # @beginn
        if brot == "Stein":
            protokoll.error(f"Backvorgang {nummer}: Abbruch, zu hart")  # @abbruch
            raise Backfehler("zu hart")
        protokoll.info(f"Backvorgang {nummer}: Ende nach {komma(38.5)} min")  # @ende


class Stube:
    def __init__(self):
        self.ofen = Ofen()
        self.fertig = 0

    def teig(self, brot):
        protokoll.info(f"Setze Teig für {brot} an")  # @teig
        zutaten = REZEPTE[brot]
        for zutat in zutaten:
            protokoll.info(f"  {zutat} zugegeben")
        if not zutaten:
            protokoll.warning(f"Teig für {brot} ist ohne Zutaten, Fehler des Lehrlings?")
        protokoll.info(f"Teig für {brot} angesetzt, Gehzeit: 30 s")  # @angesetzt

    def auftrag(self, nummer, brot):
        protokoll.info(f"Auftrag {nummer} angenommen: {brot}")  # @angenommen
        self.teig(brot)
        try:
            self.ofen.backen(nummer, brot)
        except Backfehler as e:
            protokoll.error(f"Auftrag {nummer} gescheitert: {e}")  # @gescheitert
            return
        self.fertig += 1
        protokoll.info(f"Auftrag {nummer} erledigt")  # @erledigt

    def putzen(self):
        protokoll.info(f"Backstube geputzt in {komma(1.25)} s")  # @geputzt


def main():
    protokoll.info("Bäckerei geöffnet seit 5 Uhr")
    stube = Stube()
    stube.ofen.heizen(230)
    for nummer, brot in enumerate(REZEPTE, 40):
        stube.auftrag(nummer, brot)
    stube.putzen()
    protokoll.info(f"Aufträge: begonnen 3, erledigt {stube.fertig}, gescheitert 1")


main()
