"""Three threads calibrate and read sensors; a supervisor waits for them."""
import logging
import threading
import time

logging.basicConfig(level=logging.INFO, format="%(threadName)s %(levelname)s %(message)s")
log = logging.getLogger("sensors")


class Sensor(threading.Thread):
    def __init__(self, name, drift):
        super().__init__(name=name)
        self.drift = drift

    def calibrate(self):
        log.info("Calibrating sensor %s (drift %.1f)", self.name, self.drift)  # @cal
        time.sleep(0.004)
        if self.drift > 5:
            log.error("Calibration of %s failed: drift too large", self.name)  # @cal_bad
            return False
        log.info("Sensor %s calibrated", self.name)  # @cal_ok
        return True

    def read(self):
        log.info("Reading %s...", self.name)  # @read
        time.sleep(0.003)
        log.info("Read 12 samples from %s", self.name)  # @read_ok

    def run(self):
        log.info("Thread of sensor %s up", self.name)
        if not self.calibrate():
            return
        for _ in range(2):
            self.read()


def supervise(sensors):
    log.info("Starting measurement with %d sensors", len(sensors))  # @measure
    for each in sensors:
        each.start()
    for each in sensors:
        each.join()
    log.info("Measurement finished")  # @measure_ok


supervise([Sensor("north", 0.5), Sensor("east", 7.0), Sensor("south", 1.5)])
