"""Zwei Agenten, einer spricht Deutsch, l'autre parle français."""
import logging
import time

logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
de = logging.getLogger("bestellung")
fr = logging.getLogger("courrier")


def pruefen(nummer):
    de.info(f"Bestellung {nummer} wird geprüft")  # @pruef
    time.sleep(0.001)
    if nummer == 12:
        de.error(f"Prüfung der Bestellung {nummer} fehlgeschlagen: Adresse fehlt")  # @pruef_bad
        return False
    de.info(f"Bestellung {nummer} geprüft")  # @pruef_ok
    return True


def bearbeiten(nummer):
    de.info(f"Beginne Bearbeitung von Bestellung {nummer}")  # @bearb
    if not pruefen(nummer):
        de.warning(f"Bearbeitung von Bestellung {nummer} abgebrochen")  # @bearb_bad
        return
    de.info("Warte auf Lagerbestand, höchstens 2,5 Sekunden")
    time.sleep(0.05)
    de.info(f"Bearbeitung von Bestellung {nummer} abgeschlossen (Dauer: 0,05 s)")  # @bearb_ok


def envoyer(lettre):
    fr.info(f"Envoi de la lettre {lettre} en cours...")  # @env
    time.sleep(0.001)
    try:
        if lettre == "B":
            raise RuntimeError("boîte pleine")
        fr.info(f"Lettre {lettre} envoyée avec succès")  # @env_ok
    except RuntimeError as e:
        fr.error(f"Échec de l'envoi de la lettre {lettre} : {e}")  # @env_bad


if __name__ == "__main__":
    de.info("Dienst gestartet")
    for n in (11, 12):
        bearbeiten(n)
    fr.info("Démarrage terminé")
    for name in "AB":
        envoyer(name)
    de.info("2 Bestellungen, davon 1 fehlgeschlagen")
