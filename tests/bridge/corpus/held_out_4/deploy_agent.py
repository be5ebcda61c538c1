"""Deploys services step by step and rolls back when a step goes wrong."""
import logging
import subprocess
import sys
import time

log = logging.getLogger("deploy")
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")


class DeployError(Exception):
    pass


class Deployment:
    def __init__(self, service, version):
        self.service, self.version = service, version

    def build(self):
        log.info(f"{self.service}: building image {self.version}")  # @build
        done = subprocess.run([sys.executable, "-c", "print('build started'); print('error: 0')"], capture_output=True, text=True)
        for line in done.stdout.splitlines():
            log.info(f"{self.service}: | {line}")
        log.info(f"{self.service}: image built")  # @build_ok

    def migrate(self):
        log.info(f"{self.service}: applying migrations")  # @mig
        if self.service == "billing":
            raise DeployError("migration 0042 is not reversible")
        log.info(f"{self.service}: no migrations to apply")  # @mig_ok

    def switch(self):
        log.info(f"{self.service}: switching traffic to {self.version}")  # @sw
        for percent in (10, 50, 100):
            log.info(f"{self.service}: {percent}% of traffic on {self.version}")
            if self.service == "search" and percent == 50:
                log.error(f"{self.service}: error rate 12% exceeds limit 5%")  # @sw_bad
                raise DeployError("error rate")
        log.info(f"{self.service}: traffic switched")  # @sw_ok

    def rollback(self, reason):
        log.warning(f"{self.service}: rolling back ({reason})")  # @rb
        time.sleep(0.001)
        log.warning(f"{self.service}: rolled back to previous version")  # @rb_ok

    def run(self):
        log.info(f"{self.service}: deployment of {self.version} started")  # @dep
        try:
            self.build()
            self.migrate()
            self.switch()
        except DeployError as e:
            self.rollback(e)
            log.error(f"{self.service}: deployment of {self.version} failed")  # @dep_bad
            return False
        log.info(f"{self.service}: deployment of {self.version} succeeded")  # @dep_ok
        return True


results = {s: Deployment(s, "v7").run() for s in ("web", "billing", "search")}
log.info(f"deployed: {sum(results.values())}/{len(results)}")
