"""Warehouse floor: robots pick, the dock confirms. Event names, details in extra; records go through a queue."""
import logging
import logging.handlers
import queue
import sys
import threading

records = queue.SimpleQueue()
log = logging.getLogger("floor")
log.setLevel(logging.DEBUG)
log.propagate = False
log.addHandler(logging.handlers.QueueHandler(records))


class EventFormatter(logging.Formatter):
    def format(self, record):
        keys = ("task_id", "robot", "bin", "reason")
        tail = " ".join(f"{k}={getattr(record, k)}" for k in keys if hasattr(record, k))
        return f"{record.levelname:<7} {record.getMessage():<16} {tail}"


screen = logging.StreamHandler(sys.stdout)
screen.setFormatter(EventFormatter())
listener = logging.handlers.QueueListener(records, screen)

dock = queue.Queue()
turn = {"r1": threading.Event(), "r2": threading.Event()}
arrived = threading.Event()


def robot(name, task_id, bin_no):
    log.info(  # @pick
        "pick.begin",
        extra={"task_id": task_id, "robot": name, "bin": bin_no},
    )
    arrived.set()
    turn[name].wait(5)
    log.debug("drive.begin", extra={"task_id": task_id, "robot": name})  # @drive
    log.debug("drive.position", extra={"task_id": task_id, "bin": bin_no})
    log.debug("drive.end", extra={"task_id": task_id, "robot": name})  # @driven
    if bin_no == 13:
        log.error("pick.fault", extra={"task_id": task_id, "reason": "bin is empty"})  # @fault
        dock.put(None)
        return
    dock.put(task_id)


def dock_clerk(n):
    while n:
        task_id = dock.get()
        n -= 1
        if task_id:
            log.info("pick.end", extra={"task_id": task_id})  # @picked
        arrived.set()
    log.info("dock.idle", extra={"reason": "shift end"})


def shift(orders):
    log.info("shift.begin", extra={"reason": "calendar"})  # @shift
    clerk = threading.Thread(target=dock_clerk, args=(len(orders),), name="dock")
    clerk.start()
    robots = []
    for name, task_id, bin_no in orders:
        t = threading.Thread(target=robot, args=(name, task_id, bin_no), name=name)
        arrived.clear()
        t.start()
        arrived.wait(5)
        robots.append(t)
    log.info("battery.level", extra={"reason": "r1 81%, r2 64%"})
    for name in ("r2", "r1"):
        arrived.clear()
        turn[name].set()
        arrived.wait(5)
    for t in robots + [clerk]:
        t.join()
    log.info("shift.end", extra={"reason": "2 tasks, 1 fault"})  # @shift_end


if __name__ == "__main__":
    listener.start()
    try:
        shift([("r1", "T-88", 4), ("r2", "T-89", 13)])
    finally:
        listener.stop()
