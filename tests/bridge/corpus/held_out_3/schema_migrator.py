"""Schema migrations on a real in-memory SQLite: a bad one rolls back, a second run repairs it."""
import logging
import sqlite3
import time

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-5s [%(name)s] %(message)s")
LOG = logging.getLogger("migrate.runner")
DB_LOG = logging.getLogger("migrate.db")

BAD = [
    ("V1__init", "create table cats (id integer primary key, name text)"),
    ("V2__age", "alter table cats add column age integer"),
    ("V3__tail", "alter table catz add column tail real"),
    ("V4__index", "create index by_name on cats (name)"),
]
GOOD = [(v, s.replace("catz", "cats")) for v, s in BAD]


class Migrator:
    def __init__(self):
        DB_LOG.info("Opening database :memory:")  # @open
        self.db = sqlite3.connect(":memory:")
        self.db.execute("create table applied (version text)")
        DB_LOG.info("Database opened (SQLite, 1 table)")  # @open_ok

    def lock(self):
        DB_LOG.info("Acquiring migration lock")  # @lock
        time.sleep(0.003)
        DB_LOG.info("Migration lock acquired")  # @lock_ok

    def unlock(self):
        DB_LOG.info("Releasing migration lock")  # @unlock
        time.sleep(0.001)

    def done(self):
        return {row[0] for row in self.db.execute("select version from applied")}

    def roll_back(self, version):
        LOG.warning(f"Rolling back {version}")  # @back
        time.sleep(0.002)
        self.db.rollback()
        LOG.warning(f"{version} rolled back, schema is as before")  # @back_ok

    def apply(self, version, sql):
        LOG.info(f"Applying {version}")  # @ap
        t0 = time.perf_counter()
        try:
            time.sleep(0.003)
            self.db.execute(sql)
            self.db.execute("insert into applied values (?)", (version,))
            self.db.commit()
        except sqlite3.Error as e:
            self.roll_back(version)
            LOG.exception(f"Migration {version} failed: {e}")  # @ap_bad
            raise
        LOG.info(f"{version} applied in {(time.perf_counter() - t0) * 1000:.0f} ms")  # @ap_ok

    def migrate(self, steps):
        pending = [(v, s) for v, s in steps if v not in self.done()]
        LOG.info(f"Running migrations: {len(pending)} pending of {len(steps)}")  # @mig
        self.lock()
        try:
            for version, sql in steps:
                if (version, sql) not in pending:
                    LOG.info(f"Skipping {version} (already applied)")
                    continue
                self.apply(version, sql)
        except sqlite3.Error:
            LOG.error("Migration run aborted, fix the script and start again")  # @mig_bad
            return False
        finally:
            self.unlock()
        LOG.info(f"Schema is at {steps[-1][0]}, migrations finished")  # @mig_ok
        return True


if __name__ == "__main__":
    migrator = Migrator()
    if not migrator.migrate(BAD):
        migrator.migrate(GOOD)
    LOG.info(f"applied: {sorted(migrator.done())}")
    migrator.db.close()
    DB_LOG.info("Database closed")
