#!/usr/bin/env python3
# bridge between the thermostats in the building and the energy portal
import asyncio
import logging

logging.basicConfig(level=logging.INFO, format="%(levelname)s:%(name)s:%(message)s")
_LOG = logging.getLogger("bridge.thermo")

DEVICES = {
    "th-attic": {"delay": 0.03, "temp": 24.5},
    "th-cellar": {"delay": 0.01, "temp": 14.0},
    "th-lobby": {"delay": 0.02, "temp": None},
}


class DeviceOffline(ConnectionError):
    pass


async def read_device(dev_id):
    d = DEVICES[dev_id]
    await asyncio.sleep(d["delay"])
    if d["temp"] is None:
        raise DeviceOffline("no answer on bus")
    return d["temp"]


async def poll(dev_id, readings):
    _LOG.info(f"[{dev_id}] polling sensor")  # @poll
    try:
        temp = await read_device(dev_id)
    except DeviceOffline as exc:
        _LOG.error(f"[{dev_id}] poll failed: {exc}")  # @poll_failed
        return None
    readings[dev_id] = temp
    _LOG.info(f"[{dev_id}] poll finished, {temp:.1f} C")  # @polled
    return temp


async def upload(readings):
    _LOG.info(f"Uploading {len(readings)} readings to portal")  # @upload
    for attempt in range(1, 4):
        await asyncio.sleep(0.005)
        if attempt == 1:
            _LOG.warning(f"Portal answered 503 (attempt {attempt}/3), retrying in 0.01s")
            await asyncio.sleep(0.01)
            continue
        break
    _LOG.info(f"Upload done, portal acknowledged {len(readings)} readings")  # @uploaded


async def round_(no, readings):
    _LOG.info(f"--- Round {no} begins ---")  # @round
    tasks = [asyncio.create_task(poll(dev, readings), name=dev) for dev in DEVICES]
    results = await asyncio.gather(*tasks)
    missing = sum(1 for r in results if r is None)
    if missing:
        _LOG.warning(f"{missing} device(s) did not answer")
    await upload(readings)
    _LOG.info(f"--- Round {no} over, next one in 60 seconds ---")  # @round_over


async def blink():
    """keeps the watchdog LED alive"""
    try:
        while True:
            _LOG.info("heartbeat: bridge running, elapsed: 5s")
            await asyncio.sleep(0.02)
    except asyncio.CancelledError:
        _LOG.info("heartbeat task cancelled")
        raise


async def main():
    _LOG.info("Bridge ready, listening on bus 0")
    led = asyncio.create_task(blink())
    readings = {}
    for no in (1, 2):
        await round_(no, readings)
        DEVICES["th-lobby"]["temp"] = 20.5
    led.cancel()
    try:
        await led
    except asyncio.CancelledError:
        pass
    _LOG.info(f"Bye. Last values: {readings}")


if __name__ == "__main__":
    asyncio.run(main())
