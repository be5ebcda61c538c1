"""Parcels from a counter thread to a van thread; the id is only in `extra`."""
import logging
import queue
import threading

fmt = logging.Formatter("%(levelname)s %(threadName)s parcel=%(parcel)s %(message)s", defaults={"parcel": "-"})
handler = logging.StreamHandler()
handler.setFormatter(fmt)
post = logging.getLogger("post")
post.addHandler(handler)
post.setLevel(logging.INFO)

shelf = queue.Queue()
shelf_full = threading.Event()
ADDRESS = {"P-1": "Oslo", "P-2": None, "P-3": "Bergen"}


def counter():
    for number, town in ADDRESS.items():
        note = {"parcel": number}
        post.info(f"taken over the counter, destination {town}", extra=note)  # @taken_over
        if number == "P-3":
            post.warning("fragile! last one failed to arrive whole", extra=note)
        shelf.put((number, town))
    shelf.put(None)
    shelf_full.set()


def van():
    shelf_full.wait(2)
    while True:
        item = shelf.get()
        if item is None:
            post.info("van empty, next tour in 2 hours")
            return
        number, town = item
        note = {"parcel": number}
        if town is None:
            post.error("returned to sender: address unreadable", extra=note)  # @returned
            continue
        ring(number, note)
        post.info("handed to its owner", extra=note)  # @handed_out


def ring(number, note):
    post.info("doorbell rung", extra=note)
    if number == "P-3":
        post.info("neighbour asked", extra=note)
    post.info("signature, please", extra=note)


def main():
    post.info("Starting counter and van threads...")
    threads = [threading.Thread(target=f, name=f.__name__) for f in (counter, van)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    post.info("parcels 3, delivered 2, failed 1, on the road 0")


main()
