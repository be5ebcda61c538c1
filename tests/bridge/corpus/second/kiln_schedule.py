"""A pottery's scheduler: jobs by decorator, a clock of its own."""
import heapq
import itertools
import logging
import sys

handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(logging.Formatter("%(levelname).1s %(message)s"))
L = logging.getLogger("pottery")
L.addHandler(handler)
L.setLevel(logging.INFO)
L.propagate = False

JOBS = []
KILNS = {"A": 1222, "B": None, "C": "thermocouple"}


def every(seconds, first=0):
    def register(fn):
        JOBS.append((first, seconds, fn))
        L.info(f"job {fn.__name__} scheduled, runs every {seconds}s")
        return fn
    return register


@every(60)
def fire_kilns():
    for name, peak in KILNS.items():
        if peak is None:
            L.info(f"kiln {name} still hot; its firing begins next time")
            continue
        L.info(f"firing of kiln {name} commenced, ramp 150 °C per hour")  # @commence
        try:
            if not isinstance(peak, int):
                raise ValueError(f"{peak} reads nothing")
            for pct in (30, 60, 90):
                L.info(f"kiln {name}: {peak * pct // 100} °C ({pct} %)")
            weigh(name)
        except ValueError as e:
            L.warning(f"kiln {name} switched off early: {e}")  # @off_early
        else:
            L.info(f"firing of kiln {name} over, shelves cracked: 0")  # @over


def weigh(kiln):
    L.info(f"On the scales: the ware of kiln {kiln}")  # @scales
    grams = [310, 455, 290]
    L.info(f"{len(grams)} pieces weighed, {sum(grams)} g")  # @weighed
    return grams


@every(45, first=10)
def count_glazes():
    L.info("Counting glaze buckets")  # @count
    buckets = {"celadon": 3, "tenmoku": 0}
    for colour, left in buckets.items():
        if not left:
            L.error(f"out of {colour}")
    return buckets


def run(until):
    tick = itertools.count()
    clock = 0
    heap = [(first, next(tick), step, fn) for first, step, fn in JOBS]
    heapq.heapify(heap)
    while heap:
        due, _, step, fn = heapq.heappop(heap)
        if due > until:
            break
        clock = due
        L.info(f"[t+{clock}] {fn.__name__} is due, and again in {step}s")
        fn()
        heapq.heappush(heap, (due + step, next(tick), step, fn))
    L.info(f"Nothing left before t+{until}; elapsed: {clock}s, idle for {until - clock}s")


L.info("Scheduler started")
run(70)
