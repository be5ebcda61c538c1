"""A courier office: one event loop per letter, two carriers each."""
import asyncio
import logging
import queue
import threading

logging.basicConfig(level=logging.INFO, format="%(levelname)s:%(name)s: %(message)s")
office = logging.getLogger("courier.office")
street = logging.getLogger("courier.street")

ROUTES = {"north": 0.01, "south": 0.03, "swamp": 5.0}


async def carrier(route):
    street.info(f"{route}: carrier sets off")  # @set_off
    try:
        await asyncio.sleep(ROUTES[route])
    except asyncio.CancelledError:
        street.info(f"{route}: carrier called back")  # @called_back
        raise
    street.info(f"{route}: carrier is back")  # @back
    return route


async def deliver(letter):
    tasks = [asyncio.create_task(carrier(r)) for r in letter["routes"]]
    done, late = await asyncio.wait(tasks, timeout=0.08)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    if late:
        raise TimeoutError(f"{len(late)} carrier missing after 80 ms")
    return sorted(t.result() for t in done)


def seal(letter):
    office.info("Wax is melting")  # @wax
    office.info("Looking for the right stamp")  # @stamp
    mark = f"{letter['number']}-{len(letter['text'])}"
    office.info(f"Seal {mark} set, wax cools for 3 s")  # @sealed
    return mark


def desk(inbox, outbox):
    office.info("Desk is manned")
    while True:
        letter = inbox.get()
        if letter is None:
            office.info("Desk closes its shutters")
            return
        office.info(f"No. {letter['number']} on the desk: {letter['text']}")  # @on_desk
        try:
            mark = seal(letter)
            routes = asyncio.run(deliver(letter)) if letter["routes"] else []
        except TimeoutError as e:
            office.error(f"No. {letter['number']} lost: {e}")  # @lost
            outbox.put(None)
            continue
        if not routes:
            office.info("Nobody had to walk, poste restante")
            continue
        outbox.put((mark, routes))
        office.info(f"No. {letter['number']} receipt sent, {len(routes)} signatures")  # @receipt


def main():
    inbox, outbox = queue.Queue(), queue.Queue()
    for number, (text, routes) in enumerate([
        ("Dear aunt, the bridge is finished", ["south", "north"]),
        ("Start of the harvest failed", ["north", "swamp"]),
        ("to be fetched", []),
        ("Timeout!", ["south"]),
    ], 1):
        inbox.put({"number": number, "text": text, "routes": routes})
    inbox.put(None)
    clerk = threading.Thread(target=desk, args=(inbox, outbox), name="clerk")
    clerk.start()
    clerk.join()
    office.info(f"{outbox.qsize()} receipts, 1 of them empty; errors: 1; elapsed: 0s")


main()
