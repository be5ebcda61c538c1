"""A greenhouse that already has spans of its own in places."""
import logging

from opentelemetry import trace

tracer = trace.get_tracer("greenhouse")
logger = logging.getLogger("greenhouse")
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")

BEDS = {"tomato": 1.5, "basil": 0.4, "orchid": -1.0}


def pump(litres):
    with tracer.start_as_current_span("pump"):
        logger.info(f"Valve 3: opening for {litres} l")  # @valve
        if litres < 0:
            raise ValueError("cannot pump backwards")
        logger.info("Valve 3: shut again")  # @shut
    return litres


def water(bed, litres):
    logger.info(f"💧 {bed}: water")  # @water
    try:
        used = pump(litres)
    except ValueError as err:
        logger.error(f"💧 {bed}: dry, {err}")  # @dry
        return 0
    logger.info(f"💧 {bed}: wet, {used} l")  # @wet
    return used


def tend():
    logger.info("Morning round, sunrise 12 minutes ago")  # @morning
    with tracer.start_as_current_span("tend beds") as span:
        total = 0.0
        for bed, litres in BEDS.items():
            total += water(bed, litres)
        span.set_attribute("litres", total)
    feed(total)
    logger.info(f"Morning round: all seen, {total:.1f} l used, failed beds 1, next round in 8h")  # @all_seen


def feed(litres):
    with tracer.start_as_current_span("feed"):
        doses = int(litres)
        logger.info(  # @mixing
            "Mixing %d doses of fertiliser "
            "(shelf life: 90 days)",
            doses,
        )
        for i in range(doses):
            logger.info(f"dose {i + 1}/{doses} stirred")
        logger.info(f"Fertiliser mixed in {0.75} s")  # @mixed


def diary(text):
    with tracer.start_as_current_span("diary"):
        logger.info(f"Diary: {text}")


def main():
    tend()
    diary("Started tomatoes, finished basil, failed orchid")
    logger.info("Greenhouse vents: CLOSED")


main()
