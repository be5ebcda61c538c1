"""Irrigation controller of the north greenhouse (simulated valves and flow meters)."""
import logging
import sys

logging.basicConfig(stream=sys.stdout, level=logging.DEBUG,
                    format="%(asctime)s %(name)-22s %(levelname)-7s %(message)s")


class ValveStuck(RuntimeError):
    pass


class Valve:
    def __init__(self, number, sticky=False):
        self.number = number
        self.sticky = sticky
        self.log = logging.getLogger(f"greenhouse.valve.{number}")

    def open(self):
        if self.sticky:
            raise ValveStuck(f"valve {self.number} did not move, torque limit hit")
        self.log.debug(f"Opened to 100 %, start pressure {2.0 + self.number / 10:.1f} bar")

    def shut(self):
        self.log.debug("Closed, end position reached")


class Irrigator:
    def __init__(self, valves):
        self.log = logging.getLogger("greenhouse.irrigator")
        self.valves = valves
        self.open_zones = {}
        self.log.info(f"Irrigator started, {len(valves)} zones configured")

    def request_water(self, zone, litres):
        self.log.info(f"Zone {zone}: watering begins, target {litres} l, at most 90 s")  # @water
        valve = self.valves[zone]
        try:
            valve.open()
        except ValveStuck as e:
            self.log.warning(f"Zone {zone}: no water today ({e})")  # @dry
            return False
        self.open_zones[zone] = [litres, 0.0]
        return True

    def on_flow(self, zone, litres):
        state = self.open_zones[zone]
        state[1] += litres
        self.log.debug(f"Zone {zone}: {state[1]:.0f} l so far, {100 * state[1] / state[0]:.0f} % finished")
        if state[1] >= state[0]:
            self._enough(zone)

    def on_rain(self):
        self.log.info("Rain sensor: start of rain, 3 mm in 600 s")
        for zone in sorted(self.open_zones):
            self.valves[zone].shut()
            self.log.info(f"Zone {zone}: watering called off, rain does it for us")  # @rain
        self.open_zones.clear()

    def _enough(self, zone):
        litres, _ = self.open_zones.pop(zone)
        self.valves[zone].shut()
        self.log.info(f"Zone {zone}: soil has got its {litres} l")  # @enough


def soil_survey(log, zones):
    log.info("Soil survey: reading all probes")  # @survey
    wet = 0
    for zone in zones:
        moisture = 0.2 + zone * 0.07
        if moisture > 0.42:
            log.info(f"Probe of zone {zone}: {moisture:.2f}, skipped, done with it until tomorrow")
            wet += 1
            continue
        log.info(f"Probe of zone {zone}: {moisture:.2f}")
    log.info(f"Soil survey: {len(zones)} probes read, {wet} wet, 0 failed")  # @surveyed


def main():
    log = logging.getLogger("greenhouse")
    soil_survey(log, [1, 2, 3, 4])
    ctl = Irrigator({n: Valve(n, sticky=(n == 2)) for n in (1, 2, 3, 4)})
    ctl.request_water(1, 20)
    ctl.request_water(2, 35)
    ctl.request_water(3, 10)
    ctl.on_flow(1, 12)
    ctl.on_flow(3, 4)
    ctl.on_flow(1, 9)
    ctl.request_water(4, 50)
    ctl.on_flow(3, 6)
    ctl.on_flow(4, 11)
    ctl.request_water(1, 5)
    ctl.on_rain()
    log.info("Night mode. Next start of watering in 28800 s")


if __name__ == "__main__":
    main()
