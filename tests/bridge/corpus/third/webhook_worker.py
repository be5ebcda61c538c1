"""Processes payment webhooks; each message gets an event loop of its own."""
import asyncio
import json
import logging
import queue

LOG = logging.getLogger("webhooks")


def setup_logging():
    logging.basicConfig(
        level=logging.DEBUG,
        format="{asctime} {levelname:<7} {message}",
        style="{",
    )
    logging.getLogger("asyncio").setLevel(logging.WARNING)


class BadSignature(Exception):
    pass


class Gateway:
    def __init__(self):
        self.slow_calls = 1

    async def capture(self, payment):
        if self.slow_calls and payment == "p-32":
            self.slow_calls -= 1
            await asyncio.sleep(1)
        await asyncio.sleep(0.002)
        return "captured"


async def capture(gateway, payment):
    for attempt in (1, 2):
        try:
            LOG.debug(f"capture {payment}: calling gateway, try {attempt}")  # @gateway
            state = await asyncio.wait_for(gateway.capture(payment), timeout=0.02)
            LOG.debug(f"capture {payment}: gateway says {state}")  # @gateway_ok
            return state
        except asyncio.TimeoutError:
            LOG.warning(f"capture {payment}: gateway timed out after 0.02s")  # @gateway_slow
    raise RuntimeError("gateway unreachable")


async def notify(customer):
    LOG.info(f"notifying {customer}")  # @notify
    await asyncio.sleep(0.004)
    LOG.info(f"{customer} notified")  # @notified


async def book(payment):
    LOG.info(f"booking {payment} in ledger")  # @book
    await asyncio.sleep(0.002)
    LOG.info(f"{payment} booked")  # @booked


async def handle(msg, gateway):
    if msg.get("sig") != "ok":
        raise BadSignature(f"signature {msg.get('sig')!r} rejected")
    await capture(gateway, msg["payment"])
    await asyncio.gather(notify(msg["customer"]), book(msg["payment"]))


def worker(inbox, gateway):
    counts = {"done": 0, "failed": 0}
    while not inbox.empty():
        msg = json.loads(inbox.get())
        event_id = msg["event"]
        LOG.info(f"⬇ webhook {event_id} received ({msg['payment']})")  # @hook
        try:
            asyncio.run(handle(msg, gateway))
            counts["done"] += 1
            LOG.info(f"⬆ webhook {event_id} answered 200")  # @hook_200
        except BadSignature as e:
            counts["failed"] += 1
            LOG.error(f"⬆ webhook {event_id} answered 401: {e}")  # @hook_401
        LOG.debug(f"queue length {inbox.qsize()}")
    LOG.info(f"worker idle, counts {counts}")


if __name__ == "__main__":
    setup_logging()
    q = queue.Queue()
    for event, payment, customer, sig in [
        ("ev_1", "p-31", "Completed Ltd", "ok"),
        ("ev_2", "p-32", "Error & Sons", "ok"),
        ("ev_3", "p-33", "Nobody", "forged"),
    ]:
        q.put(json.dumps({"event": event, "payment": payment, "customer": customer, "sig": sig}))
    LOG.info(f"worker up, {q.qsize()} webhooks waiting")
    worker(q, Gateway())
