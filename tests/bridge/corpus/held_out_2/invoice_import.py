#!/usr/bin/env python
"""Import supplier invoices (CSV) into the ledger database."""
import csv
import io
import logging
import sqlite3
import sys

FILES = {
    "acme_2025-02.csv": "no;date;amount\n1001;2025-02-03;119.00\n1002;2025-02-11;80.50\n",
    "borealis_2025-02.csv": "no;date;amount\nB-7;2025-02-20;abc\nB-8;2025-02-21;45.00\nB-9;2025-02-25;12.10\n",
    "cargo_2025-02.csv": "number,date\n1,2025-02-01\n",
}

log = logging.getLogger("invoice_import")


class LayoutError(Exception):
    pass


def open_db():
    log.debug("Opening ledger database")  # @db
    db = sqlite3.connect(":memory:")
    db.execute("create table invoice (file text, no text, day text, cents integer)")
    log.debug("Ledger database opened, schema version 4")  # @db_ok
    return db


def parse(name, text):
    log.info("Parsing %s", name)  # @parse
    reader = csv.DictReader(io.StringIO(text), delimiter=";")
    if reader.fieldnames != ["no", "date", "amount"]:
        log.error("Parsing of %s failed: unexpected header %s", name, reader.fieldnames)  # @parse_bad
        raise LayoutError(name)
    rows = []
    for line, row in enumerate(reader, 2):
        try:
            rows.append((name, row["no"], row["date"], round(float(row["amount"]) * 100)))
            log.debug("%s line %d: invoice %s of %s", name, line, row["no"], row["date"])
        except ValueError as exc:
            log.warning("%s line %d: %s - row skipped", name, line, exc)
    log.info("Parsed %s: %d rows", name, len(rows))  # @parse_ok
    return rows


def store(db, rows):
    log.debug("Inserting %d rows", len(rows))  # @ins
    with db:
        db.executemany("insert into invoice values (?,?,?,?)", rows)
    log.debug("Inserted %d rows", len(rows))  # @ins_ok
    return len(rows)


def import_file(db, name, text):
    log.info("Import of %s started", name)  # @file
    count = store(db, parse(name, text))
    total = db.execute("select sum(cents) from invoice where file = ?", (name,)).fetchone()[0]
    log.info("%s: total amount %.2f EUR", name, total / 100)
    log.info("Import of %s finished, %d invoices", name, count)  # @file_ok
    return count


def main():
    logging.basicConfig(stream=sys.stdout, level=logging.DEBUG, format="%(asctime)s %(levelname)-7s %(message)s")
    log.info("%d files in inbox, encoding utf-8, delimiter ';'", len(FILES))
    for name, text in FILES.items():
        log.debug("inbox: %s, %d bytes", name, len(text))
    db = open_db()
    done, broken = 0, []
    for name, text in sorted(FILES.items()):
        try:
            done += import_file(db, name, text)
        except LayoutError:
            log.error("Import of %s failed, file moved to rejected/", name)  # @file_bad
            broken.append(name)
    log.info("Summary: %d invoices imported, %d files rejected, 1 row skipped", done, len(broken))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
