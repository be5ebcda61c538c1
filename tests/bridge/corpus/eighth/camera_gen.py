"""Reads a stream of sensor values by generators; a reader is not inside of what it reads."""
import logging
import time

logger = logging.getLogger("sensors")
logging.basicConfig(level=logging.INFO)


def samples(sensor, count):
    logger.info(f"Opening stream of {sensor}")  # @open
    try:
        for n in range(count):
            yield n * 1.5
    finally:
        logger.info(f"Stream of {sensor} closed")  # @open_ok


def calibrate(sensor):
    logger.info(f"Calibrating {sensor}, this may take up to 120 seconds")  # @cal
    time.sleep(0.001)
    if sensor == "ph":
        logger.error(f"Calibration of {sensor} failed: drift 0.8 over 5s")  # @cal_bad
        return None
    logger.info(f"Calibration of {sensor} successful, offset 0.02")  # @cal_ok
    return 0.02


def average(sensor, limit):
    logger.info(f"Computing average of {sensor}")  # @avg
    total, n = 0.0, 0
    for value in samples(sensor, 10):
        total += value
        n += 1
        if n == limit:
            break
    logger.info(f"Average of {sensor}: {total / n:.2f} over {n} samples")  # @avg_ok
    return total / n


def report(values):
    logger.info("Generating report")  # @rep
    path = "report.txt"
    with open(path, "w") as f:
        for name, value in values.items():
            if value is None:
                logger.warning(f"No value for {name}")
                continue
            f.write(f"{name} {value}\n")
    logger.info(f"Report saved to {path}")  # @rep_ok


def main():
    logger.info("Station awake, uptime 3s")
    values = {}
    for sensor in ("temp", "ph", "salt"):
        values[sensor] = average(sensor, 4) if calibrate(sensor) is not None else None
    report(values)
    logger.info("Station going to sleep for 600 seconds")


main()
