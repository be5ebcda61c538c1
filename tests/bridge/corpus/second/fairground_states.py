"""Rides of a fairground as state machines."""
import logging

log = logging.getLogger("fair")
logging.basicConfig(level=logging.INFO, format="%(levelname)-7s %(name)s: %(message)s")

FLOW = {
    "IDLE": {"BOARDING"},
    "BOARDING": {"RUNNING", "FAULT"},
    "RUNNING": {"IDLE", "FAULT"},
    "FAULT": {"IDLE"},
}


class Bar(Exception):
    pass


class Ride:
    def __init__(self, name, seats):
        self.name, self.seats = name, seats
        self.state = "IDLE"
        self.turns = 0

    def board(self, guests):
        self._allow("BOARDING")
        log.info(f"{self.name}: IDLE -> BOARDING")  # @boarding
        for g in guests:
            log.debug(f"{self.name}: seat for {g}")
        if len(guests) > self.seats:
            self._allow("FAULT")
            log.error(f"{self.name}: BOARDING -> FAULT ({len(guests)} guests, {self.seats} seats)")  # @overfull
            return False
        return True

    def go(self):
        self._allow("RUNNING")
        log.info(f"{self.name}: BOARDING -> RUNNING")  # @running
        try:
            self.spin()
        except Bar as e:
            self._allow("FAULT")
            log.error(f"{self.name}: RUNNING -> FAULT ({e})")  # @fault
            return
        self._allow("IDLE")
        log.info(f"{self.name}: RUNNING -> IDLE")  # @idle

    def spin(self):
        self.turns += 1
        if self.name == "Octopus":
            raise Bar("safety bar 7 loose")
        log.info(f"{self.name}: lap camera, {self.seats} photographs...")  # @camera
        shots = [f"{self.name}-{i}.jpg" for i in range(self.seats)]
        log.info(f"{self.name}: {len(shots)} photographs done")  # @photos

    def reset(self):
        self._allow("IDLE")
        log.info(f"{self.name}: FAULT -> IDLE (reset by hand)")

    def _allow(self, new):
        if new not in FLOW[self.state]:
            raise ValueError(f"{self.state} to {new}")
        self.state = new


def evening():
    wheel, octopus, cups = Ride("Wheel", 4), Ride("Octopus", 8), Ride("Teacups", 1)
    log.info("Evening shift, 3 rides on the list")
    if wheel.board(["ann", "bo"]):
        wheel.go()
    if octopus.board(["cy"]):
        octopus.go()
    octopus.reset()
    if not cups.board(["di", "ed"]):
        cups.reset()
    log.info(f"Takings: turns {wheel.turns + octopus.turns + cups.turns}, faults 2, started 2, finished 1")


evening()
