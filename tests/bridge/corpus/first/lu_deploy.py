"""loguru, default sink: a deployer with SUCCESS lines and caught failures."""
import time

from loguru import logger

HOSTS = {"alpha": "fine", "beta": "slow", "gamma": "dead"}


@logger.catch(message="Smoke test blew up")
def smoke_test(host):
    logger.info(f"Smoke-testing {host}")  # @smoke
    time.sleep(0.001)
    if HOSTS[host] == "slow":
        raise TimeoutError("no answer within 3s")
    logger.success(f"Smoke test of {host} passed")  # @smoke_ok


def copy(host):
    logger.debug("Copying 14 files to {}", host)  # @copy
    if HOSTS[host] == "dead":
        logger.error("Copy to {} failed: no route to host", host)  # @copy_bad
        return False
    time.sleep(0.002)
    logger.debug("Copied 14 files to {} in {:.1f}s", host, 0.002)  # @copy_ok
    return True


def deploy(host, version):
    logger.info(f"Deploying {version} to {host}")  # @dep
    if not copy(host):
        logger.critical(f"Deployment to {host} rolled back")  # @dep_bad
        return
    smoke_test(host)
    logger.success(f"{host} now has {version}")  # @dep_ok


def notify():
    logger.info("Telling the team")  # @note
    logger.warning("Chat is down. Trying mail...")  # @mail
    time.sleep(0.001)
    logger.info("Mail went out to 3 people")  # @mail_ok
    logger.success("Team told")  # @note_ok


logger.info("deploy job started!")
for name in HOSTS:
    deploy(name, "v1.9")
notify()
logger.info("Result: 2 deployed, 1 failed")
