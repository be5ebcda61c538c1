"""An order worker that writes events by one helper: a kind and fields."""
import logging
import time

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger("orders")


def log_event(kind, order=None, **fields):
    rest = " ".join(f"{k}={v}" for k, v in fields.items())
    log.info(f"{kind} order={order} {rest}")


def reserve(order):
    log_event("reserve_started", order)  # @reserve
    time.sleep(0.002)
    if order == 12:
        log_event("reserve_failed", order, reason="sold_out")  # @reserve_bad
        return False
    log_event("reserve_finished", order, shelf="B4")  # @reserve_ok
    return True


def charge(order, cents):
    log_event("charge_started", order, cents=cents)  # @charge
    for attempt in range(2):
        time.sleep(0.001)
        if order == 13 and attempt == 0:
            log_event("card_busy", order, attempt=attempt)
            continue
        break
    log_event("charge_finished", order)  # @charge_ok


def work(order, cents):
    log_event("order_started", order)  # @order
    if not reserve(order):
        log_event("order_failed", order)  # @order_bad
        return
    charge(order, cents)
    log_event("order_finished", order)  # @order_ok


log_event("worker_ready")
for number, price in ((11, 990), (12, 450), (13, 2000)):
    work(number, price)
log_event("worker_idle", seconds=30)
