import logging
import sys

log = logging.getLogger("invoices")
log.setLevel(logging.DEBUG)
_h = logging.StreamHandler(sys.stdout)
_h.setFormatter(logging.Formatter("%(levelname).1s %(asctime)s %(message)s"))
log.addHandler(_h)
log.propagate = False

BATCHES = {
    "in/acme": ["a-001.tif", "a-002-blurry.tif"],
    "in/globex": ["g-774.tif", "g-775-torn.tif", "g-776-started-twice.tif"],
}
LEDGER = {"a-001": 120.0}


class BookingError(Exception):
    pass


def scans(folder):
    log.info(f"opening batch {folder}")  # @batch
    seen = 0
    for name in BATCHES[folder]:
        log.debug(f"next scan up: {name}")
        yield name
        seen += 1
    log.info(f"batch {folder} exhausted after {seen} scans")  # @exhausted


def slow_recogniser(name):
    return "Invoice no. 2\ntotal failed to print 88.10"


def recognise(name):
    log.info(f"[{name}] running OCR")  # @ocr
    if "torn" in name:
        log.error(f"[{name}] page is torn, nothing to recognise")  # @torn
        return None
    if "blurry" in name:
        log.warning(f"[{name}] confidence 0.31 is below 0.60. Trying the slow recogniser, may take up to 20 s")  # @slow
        text = slow_recogniser(name)
        log.info(f"[{name}] slow recogniser gave {len(text.split())} words: {text!r}")  # @slow_words
    else:
        text = "Invoice\ntotal 120.00 paid, completed"
    log.debug(f"[{name}] raw text: {text}")
    fields = {"total": 88.1 if "blurry" in name else 120.0}
    log.info(f"[{name}] OCR gave {len(fields)} field(s)")  # @ocr_fields
    return fields


def book(name, fields):
    key = name.rsplit(".", 1)[0]
    log.info(f"[{name}] to the ledger: {fields['total']:.2f}")  # @book
    if key in LEDGER:
        raise BookingError(f"{key} is already in the ledger (state=completed)")
    LEDGER[key] = fields["total"]
    log.info(f"[{name}] booked under {key}")  # @booked


def accounting_run(month):
    log.info(f"=== accounting run {month} ===")  # @run
    good, bad = 0, 0
    for folder in BATCHES:
        for name in scans(folder):
            fields = recognise(name)
            if fields is None:
                bad += 1
                continue
            try:
                book(name, fields)
                good += 1
            except BookingError as e:
                log.error(f"[{name}] not booked: {e}")  # @not_booked
                bad += 1
    log.info(f"=== accounting run {month} over: {good} good, {bad} failed ===")  # @over
    return bad


if __name__ == "__main__":
    accounting_run("2026-11")
    log.info("bye")
