"""Reads scanned supplier invoices and posts them to accounting."""
import logging
import sys

logging.basicConfig(
    stream=sys.stdout, level=logging.DEBUG,
    format="%(asctime)s | %(levelname)-8s | %(name)s | %(message)s",
)


class StageError(Exception):
    pass


class Stage:
    title = "stage"

    def __init__(self):
        self.logger = logging.getLogger(f"invoices.{type(self).__name__}")

    def run(self, doc):
        raise NotImplementedError


class Scan(Stage):
    def run(self, doc):
        self.logger.info(f"Extracting text from {doc['file']}")  # @scan
        pages = doc["pages"]
        for n in range(1, pages + 1):
            self.logger.debug(f"page {n}/{pages} recognised, confidence 0.9{n}")
        doc["text"] = f"INVOICE {doc['no']} Processing fee failed payment reminder"
        self.logger.info(f"Extracted {len(doc['text'])} characters from {doc['file']}")  # @scanned
        self.logger.debug(f"Raw text: {doc['text']}")
        return doc


class Validate(Stage):
    def run(self, doc):
        self.logger.info(f"Checking totals of invoice {doc['no']}")  # @check
        net = sum(doc["lines"])
        if net != doc["net"]:
            self.logger.error(f"Totals of invoice {doc['no']} do not add up: {net} != {doc['net']}")  # @check_bad
            raise StageError(f"net amount differs by {abs(net - doc['net'])}")
        self.logger.info(f"Totals of invoice {doc['no']} verified")  # @check_ok
        return doc


class Post(Stage):
    def __init__(self, ledger):
        super().__init__()
        self.ledger = ledger

    def run(self, doc):
        if doc["no"] in self.ledger:
            self.logger.warning(f"Invoice {doc['no']} was already posted, ignoring it")
            return doc
        self.logger.info(f"Posting invoice {doc['no']} to ledger (timeout: 5s)")  # @post
        self.ledger[doc["no"]] = doc["net"]
        self.logger.info(f"Invoice {doc['no']} posted, ledger now holds {len(self.ledger)} entries")  # @posted
        return doc


class InvoicePipeline:
    def __init__(self, stages):
        self.logger = logging.getLogger("invoices")
        self.stages = stages
        self.ok = self.bad = 0
        self.logger.info(f"Pipeline initialized with {len(stages)} stages")

    def feed(self, docs):
        self.logger.info("=" * 40)
        self.logger.info(f"Starting batch of {len(docs)} invoices")  # @batch
        for doc in docs:
            try:
                for stage in self.stages:
                    doc = stage.run(doc)
                self.ok += 1
            except StageError as e:
                self.logger.warning(f"Failed to handle {doc['file']}: {e}. Moving it to the review folder")
                self.bad += 1
        self.logger.info(f"Batch completed: {self.ok} ok, {self.bad} failed")  # @batch_done
        self.logger.info("=" * 40)


if __name__ == "__main__":
    ledger = {}
    pipeline = InvoicePipeline([Scan(), Validate(), Post(ledger)])
    pipeline.feed([
        {"file": "acme_loading_completed.pdf", "no": "A-17", "pages": 2, "lines": [10, 20], "net": 30},
        {"file": "brandt.pdf", "no": "B-02", "pages": 1, "lines": [5, 5], "net": 12},
        {"file": "acme_copy.pdf", "no": "A-17", "pages": 1, "lines": [10, 20], "net": 30},
    ])
    logging.getLogger("invoices").info(f"Ledger total: {sum(ledger.values())} EUR")
