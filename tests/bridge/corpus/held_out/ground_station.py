"""Satellite ground station: the scheduler hands passes to receiver threads."""
import logging
import queue
import sys
import threading

LOG = logging.getLogger("station")
LOG.setLevel("DEBUG")
handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(logging.Formatter("%(asctime)s %(threadName)-12s %(message)s"))
LOG.addHandler(handler)

orders = {"rx-a": queue.Queue(), "rx-b": queue.Queue()}
ready = threading.Event()
stored = threading.Event()


class Scheduler:
    def __init__(self):
        self.given = 0

    def hand_over(self, pass_id, receiver, elevation):
        LOG.info(f"PASS {pass_id} acquisition of signal, elevation {elevation} deg, receiver {receiver}")  # @aos
        self.given += 1
        orders[receiver].put(pass_id)


def demodulate(pass_id, frames):
    LOG.debug(f"demodulator locked onto {pass_id}")  # @lock
    bad = sum(1 for f in frames if f % 7 == 0)
    LOG.debug(f"frame sync 99 %, {bad} frames with errors, 0 restarts")
    LOG.debug(f"demodulator let go of {pass_id}, {len(frames) - bad} good frames")  # @let_go
    return len(frames) - bad


def receiver_loop(name):
    LOG.info(f"{name} thread running")
    while True:
        pass_id = orders[name].get()
        if pass_id is None:
            LOG.info(f"{name} thread finished")
            return
        if name == "rx-a":
            ready.wait(5)
        if pass_id.startswith("GHOST"):
            LOG.error(f"PASS {pass_id} no carrier found within 30 s, giving up")  # @no_carrier
            stored.set()
            continue
        good = demodulate(pass_id, list(range(1, 40 if name == "rx-a" else 22)))
        LOG.info(f"PASS {pass_id} loss of signal, {good} frames on disk")  # @los
        if name == "rx-b":
            ready.set()
        else:
            stored.set()


def dish_check():
    LOG.info("dish self-test under way")  # @dish
    for axis in ("azimuth", "elevation"):
        LOG.info(f"{axis}: 1.5 s later than planned, limit: 3s, within tolerance")
    LOG.info("dish self-test passed")  # @dish_ok


def main():
    dish_check()
    LOG.info("Starting receiver threads...")
    threads = [threading.Thread(target=receiver_loop, args=(n,), name=n) for n in orders]
    for t in threads:
        t.start()
    s = Scheduler()
    s.hand_over("NOAA19-4711", "rx-a", 34)
    s.hand_over("METEOR2-0815", "rx-b", 71)
    stored.wait(5)
    stored.clear()
    s.hand_over("GHOST1-0001", "rx-a", 12)
    stored.wait(5)
    for q in orders.values():
        q.put(None)
    for t in threads:
        t.join()
    LOG.info(f"Station goes to sleep, {s.given} passes today, next pass starts in 5400 s")


if __name__ == "__main__":
    main()
