#!/usr/bin/env python3
"""Applies SQL migrations in order; the one that breaks is undone and the tool exits with 1."""
import contextlib
import logging
import sqlite3
import sys
import time

try:
    from opentelemetry import trace

    tracer = trace.get_tracer("schema-migrate")
except ImportError:
    tracer = None

log = logging.getLogger("migrate")

MIGRATIONS = [
    ("0001_users", "CREATE TABLE users(id INTEGER PRIMARY KEY, mail TEXT)"),
    ("0002_index", "CREATE INDEX users_mail ON users(mail)"),
    ("0003_orders", "CREATE TABEL orders(id INTEGER)"),
    ("0004_never", "DROP TABLE users"),
]


def span(name):
    return tracer.start_as_current_span(name) if tracer else contextlib.nullcontext()


class Migrator:
    def __init__(self, db):
        self.db = db
        self.applied = []

    def lock(self):
        log.info("acquiring migration lock (timeout 30s)")  # @lock
        time.sleep(0.001)
        self.db.execute("CREATE TABLE migration_lock(owner TEXT)")
        log.info("migration lock acquired")  # @lock_ok

    def backup(self):
        log.info("backing up schema")  # @bak
        with span("schema.dump"):
            dump = "\n".join(self.db.iterdump())
            log.debug("dump has %d characters", len(dump))
        log.info("schema backed up")  # @bak_ok

    def apply(self, name, sql):
        log.info("applying %(name)s", {"name": name})  # @app
        log.debug("sql: %s", sql)
        self.db.execute("SAVEPOINT m")
        try:
            self.db.execute(sql)
        except sqlite3.Error as e:
            log.error("migration %(name)s failed: %(why)s", {"name": name, "why": e})  # @app_bad
            self.undo(name)
            raise
        self.applied.append(name)
        log.debug("revision is now %s", name)
        log.info("applied %(name)s", {"name": name})  # @app_ok

    def undo(self, name):
        log.warning("undoing %(name)s", {"name": name})  # @undo
        self.db.execute("ROLLBACK TO m")
        log.warning("%(name)s undone", {"name": name})  # @undo_ok

    def run(self):
        with span("db.migrate"):
            pending = [m for m in MIGRATIONS if m[0] not in self.applied]
            log.info("%d migrations pending, current revision: none", len(pending))
            self.backup()
            log.debug("order: %s", " < ".join(n for n, _ in pending))
            for name, sql in pending:
                self.apply(name, sql)


def main():
    logging.basicConfig(level=logging.DEBUG, format="%(levelname)-7s %(message)s")
    log.debug("sqlite %s, autocommit off", sqlite3.sqlite_version)
    m = Migrator(sqlite3.connect(":memory:", isolation_level=None))
    m.lock()
    try:
        m.run()
    except sqlite3.Error:
        log.critical("stopped at revision %s, fix the file and run again", m.applied[-1])
        return 1
    log.info("schema is up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
