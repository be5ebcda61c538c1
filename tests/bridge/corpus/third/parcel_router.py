import json
import logging
import queue
import threading
import time

logger = logging.getLogger("parcel-router")


def setup():
    h = logging.StreamHandler()
    h.setFormatter(logging.Formatter("%(asctime)s [%(threadName)s] %(levelname)s %(message)s"))
    logger.addHandler(h)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False


DEPOTS = {"1": "Vienna", "4": "Linz", "6": "Innsbruck"}


class UnknownDepot(Exception):
    def __init__(self, zipcode):
        super().__init__(f"no depot for {zipcode}")


def find_depot(zipcode):
    logger.debug(f"Looking up depot for zip {zipcode}")  # @lookup
    depot = DEPOTS.get(zipcode[0])
    if depot is None:
        raise UnknownDepot(zipcode)
    logger.debug(f"Depot for zip {zipcode} is {depot}")  # @lookup_done
    return depot


class Router(threading.Thread):
    def __init__(self, inbox, outbox):
        super().__init__(name="router", daemon=True)
        self.inbox = inbox
        self.outbox = outbox
        self.handled = 0
        self.rejected = 0

    def run(self):
        logger.info("Router thread started")
        while True:
            try:
                raw = self.inbox.get(timeout=0.05)
            except queue.Empty:
                logger.debug("Inbox empty, still waiting for parcels")
                continue
            if raw is None:
                logger.info("Stop message received, leaving the loop")
                break
            msg = json.loads(raw)
            tracking = msg["tracking"]
            logger.info(f"Received parcel {tracking} from {msg['sender']}")  # @parcel
            t0 = time.perf_counter()
            try:
                depot = find_depot(msg["zip"])
                self.outbox.append((tracking, depot))
                self.handled += 1
                ms = (time.perf_counter() - t0) * 1000
                logger.info(f"Parcel {tracking} routed to {depot} ({ms:.1f} ms)")  # @routed
            except UnknownDepot as e:
                self.rejected += 1
                logger.error(f"Parcel {tracking} could not be routed: {e}", exc_info=True)  # @unroutable
            if self.handled % 2 == 0:
                logger.info(f"Stats: handled={self.handled}, failed={self.rejected}, uptime 0.2s")
        logger.info(f"Router finished after {self.handled + self.rejected} parcels")


def main():
    setup()
    inbox, outbox = queue.Queue(), []
    logger.info("Launching router thread...")
    r = Router(inbox, outbox)
    r.start()
    orders = [
        ("AT100", "1010", "Completed Goods GmbH"),
        ("AT101", "4020", "Muster AG"),
        ("AT102", "9020", "Muster AG"),
        ("AT103", "6020", "Failed Startups Ltd"),
    ]
    for tracking, zipcode, sender in orders:
        inbox.put(json.dumps({"tracking": tracking, "zip": zipcode, "sender": sender}))
    inbox.put(None)
    r.join()
    logger.info(f"{len(outbox)} parcels on their way")


if __name__ == "__main__":
    main()
