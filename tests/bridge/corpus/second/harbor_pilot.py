"""Voyages of a small harbour, as context managers."""
import logging

logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(name)s | %(message)s")
port = logging.getLogger("port.authority")


class Fog(Exception):
    pass


class Voyage:
    def __init__(self, vessel, errand):
        self.vessel = vessel
        self.errand = errand
        self.log = []

    def __enter__(self):
        port.info(f"⚓ {self.vessel}: cast off for {self.errand}")  # @cast_off
        return self

    def __exit__(self, kind, exc, tb):
        if exc is None:
            port.info(f"⚓ {self.vessel}: moored again after {self.errand}")  # @moored
            return False
        if isinstance(exc, Fog):
            port.warning(f"{self.vessel}: turned back, {exc}")  # @turned_back
            return True
        port.error(f"{self.vessel}: ran aground during {self.errand}: {exc}")  # @aground
        return False

    def sound(self, spot, depth):
        self.log.append((spot, depth))
        port.debug(f"{self.vessel}: {spot} {depth:.1f} m")


def chart(soundings):
    port.info(f"Drawing a chart of {len(soundings)} soundings")  # @draw
    shallow = [s for s, d in soundings if d < 3]
    if shallow:
        port.warning(f"Shallow spots, failed to stay clear last year: {', '.join(shallow)}")
    port.info(f"Chart drawn, scale 1:{5000 * len(soundings)}")  # @drawn
    return shallow


def survey():
    with Voyage("Marigold", "the spring survey") as mother:
        port.info("Tide table: next high water in 40 minutes, low water in 6.2 hours")
        for n, spots in enumerate(([("Old Pier", 4.2), ("Bar", 2.1)], [("Fairway", 9.0), ("Rock", None)]), 1):
            with Voyage(f"Skiff {n}", "soundings") as skiff:
                for spot, depth in spots:
                    if depth is None:
                        raise Fog("cannot see the bow")
                    skiff.sound(spot, depth)
            mother.log += skiff.log
        chart(mother.log)
    return mother


def salvage():
    try:
        with Voyage("Titan", "the wreck of the 'Completed'"):
            port.info("Divers' slate: started 3, finished 2, failed 1")
            raise RuntimeError("tow line parted")
    except RuntimeError as e:
        port.error(f"Harbour master notes: {e}")


if __name__ == "__main__":
    port.info("2 pilots on duty, flag is green")
    survey()
    salvage()
    port.info("Vessels out: 0, uptime 9h")
