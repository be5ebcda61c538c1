"""Monthly billing: compute, issue and charge invoices. structlog, one JSON object a line."""
import sys
import time
from decimal import Decimal

import structlog

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.JSONRenderer(),
    ],
    logger_factory=structlog.PrintLoggerFactory(sys.stdout),
)
log = structlog.get_logger()

CUSTOMERS = [
    {"id": "cus_ada", "plan": Decimal("20.00"), "extra_gb": 3, "card": "ok"},
    {"id": "cus_bob", "plan": Decimal("20.00"), "extra_gb": 0, "card": "declined"},
    {"id": "cus_cyd", "plan": Decimal("0.00"), "extra_gb": 0, "card": None},
]
GB_PRICE = Decimal("0.50")


class CardDeclined(Exception):
    pass


def compute(customer):
    return customer["plan"] + customer["extra_gb"] * GB_PRICE


def charge(clog, customer, amount):
    clog.info("charge_started", amount=str(amount), provider="fakepay")  # @charge
    time.sleep(0.003)
    if customer["card"] == "declined":
        clog.warning("charge_declined", code="insufficient_funds", next_retry_days=3)  # @charge_no
        raise CardDeclined(customer["id"])
    clog.info("charge_succeeded", receipt=f"rcpt-{customer['id'][-3:]}")  # @charge_ok


def bill(customer, period):
    clog = log.bind(invoice=f"{period}-{customer['id'][4:]}")
    clog.info("invoice_processing_started", customer=customer["id"])  # @inv
    amount = compute(customer)
    clog.debug("amount_computed", lines=2, vat_rate="0.19")
    if not amount:
        clog.info("invoice_processing_finished", outcome="nothing due")  # @inv_zero
        return "zero"
    try:
        charge(clog, customer, amount)
    except CardDeclined:
        clog.error("invoice_processing_failed", outcome="unpaid", dunning_level=1)  # @inv_fail
        return "unpaid"
    clog.info("mail_queued", template="receipt_v2")
    clog.info("invoice_processing_finished", outcome="paid")  # @inv_ok
    return "paid"


def main(period="2026-11"):
    structlog.contextvars.bind_contextvars(run="br-0042")
    log.info("service_configured", currency="EUR", charge_timeout=30, dry_run=False)
    log.info("billing_run_started", period=period, customers=len(CUSTOMERS))  # @run
    totals = {"paid": 0, "unpaid": 0, "zero": 0}
    for n, customer in enumerate(CUSTOMERS, 1):
        totals[bill(customer, period)] += 1
        log.debug("progress", done=n, of=len(CUSTOMERS))
    log.info("billing_run_completed", **totals)  # @run_ok
    log.info("report_link", url="https://billing.invalid/runs/br-0042")


if __name__ == "__main__":
    main()
