"""Applies schema migrations to a toy database, with a context manager that tells each step."""
import logging
import sys
from contextlib import contextmanager

logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
L = logging.getLogger()

MIGRATIONS = {
    "0001_create_jobs": ["CREATE TABLE jobs (id, state, started_at, finished_at)"],
    "0002_add_failed": ["ALTER TABLE jobs ADD failed", "UPDATE jobs SET failed = 0"],
    "0003_drop_start": ["ALTER TABLE jobs DROP start"],
    "0004_never_reached": ["SELECT 1"],
}


class Sql(Exception):
    pass


@contextmanager
def step(title):
    L.info(f"==> {title}")  # @step
    try:
        yield
    except Exception:
        L.info(f"<== {title} ✗")  # @step_bad
        raise
    else:
        L.info(f"<== {title} ✓")  # @step_good


class Database:
    timings = {"CREATE": 12, "ALTER": 3, "UPDATE": 1500}

    def __init__(self):
        self.columns = set()

    def execute(self, sql):
        verb = sql.split()[0]
        if "DROP start" in sql and "start" not in self.columns:
            raise Sql('column "start" does not exist')
        L.info(f"    {sql} ... OK ({self.timings[verb]} ms)")  # @sql

    def backup(self):
        L.info("Dumping the database, statement_timeout = 30s")  # @dump
        L.info("pg_dump: last built-in OID is 16383")
        L.info("pg_dump: started reading extensions")
        L.info("Dump has 0 rows")  # @dumped


def migrate(db):
    L.info("")
    L.info("*" * 30)
    L.info("*** MIGRATIONS: 4 pending ***")  # @migrations
    L.info("*" * 30)
    applied = []
    try:
        with step("safety net"):
            db.backup()
        for name, statements in MIGRATIONS.items():
            with step(name):
                for sql in statements:
                    db.execute(sql)
                applied.append(name)
    except Sql as e:
        L.error(f"Stopping here, database says: {e}")
        L.info("Undoing what was applied")  # @undo
        for name in reversed(applied):
            L.info(f"    {name} reverted")
        L.info(f"Undone, {len(applied)} steps back")  # @undone
        L.error("*** MIGRATIONS FAILED ***")  # @migrations_bad
        return 1
    L.info("*** MIGRATIONS COMPLETE ***")
    return 0


def main():
    rc = migrate(Database())
    with step("vacuum"):
        L.info("1 of 1 tables")
    L.info(f"result code {rc}, lock was held for 2.1 s")


if __name__ == "__main__":
    main()
