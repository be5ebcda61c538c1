"""Forward-only schema migrations with a checksum table, on SQLite."""
import logging
import sqlite3
import sys
import time
import zlib

logging.basicConfig(stream=sys.stdout, level=logging.DEBUG, format="%(levelname)-8s [migrate] %(message)s")
logger = logging.getLogger("migrate.runner")

MIGRATIONS = [
    (1, "create customers", ["create table customers (id integer primary key, mail text)"]),
    (2, "create orders", ["create table orders (id integer primary key, customer_id int, state text)",
                          "create index orders_by_customer on orders (customer_id)"]),
    (3, "seed states", ["insert into orders values (1, 1, 'failed'), (2, 1, 'completed')"]),
    (4, "unique mails", ["insert into customers values (1, 'a@x'), (2, 'a@x')",
                         "create unique index customer_mail on customers (mail)"]),
    (5, "drop legacy", ["drop table legacy"]),
]


class Lock:
    def __init__(self, db):
        self.db = db

    def __enter__(self):
        logger.info("Acquiring migration lock...")  # @lock
        self.db.execute("create table if not exists migration_lock (owner text)")
        self.db.execute("insert into migration_lock values ('runner-1')")
        logger.info("Lock acquired")  # @lock_ok
        return self

    def __exit__(self, *exc):
        self.db.execute("delete from migration_lock")
        logger.info("Lock released")
        return False


class Runner:
    def __init__(self, db, migrations):
        self.db = db
        self.migrations = migrations
        db.isolation_level = None
        db.execute("create table schema_version (no int, name text, crc int)")

    def current(self):
        return self.db.execute("select coalesce(max(no), 0) from schema_version").fetchone()[0]

    def backup(self):
        t = time.perf_counter()
        copy = sqlite3.connect(":memory:")
        self.db.backup(copy)
        logger.info("Backup taken in %.4f s", time.perf_counter() - t)  # @backup
        return copy

    def apply(self, no, name, statements):
        logger.info("Applying migration %03d '%s' (%d statements)", no, name, len(statements))  # @mig
        self.db.execute("begin")
        try:
            for sql in statements:
                logger.debug("SQL: %s", sql)
                self.db.execute(sql)
        except sqlite3.Error as err:
            logger.error("Statement failed: %s", err)
            self.rollback(no)
            logger.error("Migration %03d could not be applied", no)  # @mig_bad
            raise
        crc = zlib.crc32("".join(statements).encode())
        self.db.execute("insert into schema_version values (?,?,?)", (no, name, crc))
        self.db.execute("commit")
        logger.info("Migration %03d applied, checksum %08x", no, crc)  # @mig_ok

    def rollback(self, no):
        logger.warning("Rolling back migration %03d", no)  # @rb
        self.db.execute("rollback")
        logger.warning("Rollback of %03d complete", no)  # @rb_ok

    def upgrade(self):
        start = self.current()
        pending = [m for m in self.migrations if m[0] > start]
        logger.info("Schema version is %d, %d migrations pending", start, len(pending))
        with Lock(self.db):
            self.backup()
            for m in pending:
                self.apply(*m)


def main():
    for no, name, _ in MIGRATIONS:
        logger.debug("found %03d_%s.sql", no, name.replace(" ", "_"))
    logger.info("migrate 1.4.2, sqlite %s, statement timeout 30 s", "3")
    db = sqlite3.connect(":memory:")
    runner = Runner(db, MIGRATIONS)
    logger.info("Schema upgrade started")  # @up
    try:
        runner.upgrade()
    except sqlite3.Error:
        logger.critical("Schema upgrade aborted at version %d", runner.current())  # @up_bad
        return 1
    logger.info("Schema upgrade completed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
