"""End-of-day posting with a base class and its heirs."""
import logging
from decimal import Decimal

logging.basicConfig(level=logging.INFO, format="%(asctime)s [%(levelname)s] %(name)s - %(message)s")

BOOK = [(101, "EUR", "19.90"), (102, "USD", "250.00"), (103, "XTS", "1.00"), (104, "EUR", "-7.15")]
RATES = {"EUR": Decimal(1), "USD": Decimal("0.92")}


class Run:
    kind = "generic"

    def __init__(self, day):
        self.day = day
        self.logger = logging.getLogger(f"eod.{type(self).__name__}")
        self.posted, self.rejected = [], []

    def execute(self):
        self.logger.info(f"Business day {self.day}: {self.kind} run opened")  # @opened
        for entry in self.entries():
            try:
                self.post(*entry)
            except KeyError as e:
                self.rejected.append(entry)
                self.logger.error(f"Entry {entry[0]} failed: no rate for {e}")
        self.logger.info(f"Business day {self.day}: {self.kind} run closed")  # @closed
        return self.totals()

    def entries(self):
        return list(BOOK)

    def post(self, number, currency, amount):
        self.posted.append((number, Decimal(amount) * RATES[currency]))

    def totals(self):
        self.logger.info(f"Totals: posted {len(self.posted)}, failed {len(self.rejected)}, completed 1 of 1")
        return sum((a for _, a in self.posted), Decimal())


class Settlement(Run):
    kind = "settlement"

    def execute(self):
        self.logger.info(f"Cut-off for {self.day} reached, handing over to settlement")  # @handover
        total = super().execute()
        self.logger.info(f"Settlement handed over, EUR {total:.2f}")  # @handed
        return total

    def entries(self):
        rows = super().entries()
        self.logger.info(f"{len(rows)} entries, oldest is 3.5 hours old")
        return rows


class Reconciliation(Run):
    kind = "reconciliation"

    def __init__(self, day, expected):
        super().__init__(day)
        self.expected = expected

    def post(self, number, currency, amount):
        if currency == "USD":
            self.logger.info(f"Nostro statement for entry {number}: request sent to correspondent")  # @nostro
            super().post(number, currency, amount)
            self.logger.info(f"Nostro statement for entry {number}: answer received")  # @nostro_back
            return
        super().post(number, currency, amount)

    def totals(self):
        total = super().totals()
        if total != self.expected:
            self.logger.warning(f"Break of EUR {total - self.expected:.2f}, will be retried in 24h")
        return total


total = Settlement("2024-09-30").execute()
Reconciliation("2024-09-30", total + 1).execute()
