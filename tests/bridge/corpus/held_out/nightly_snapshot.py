"""Nightly snapshot job. Ends with exit code 3 when the archive cannot be sealed."""
import logging
import sys
import threading
import time
import traceback

NOTICE = 25
logging.addLevelName(NOTICE, "NOTICE")
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="nightly %(levelname)s %(message)s")
jobs = logging.getLogger("nightly.jobs")


class SealError(Exception):
    pass


def replicate(volume, up):
    jobs.info(f"replication of {volume} to the other site is on its way")  # @replicate
    up.set()
    for n in range(1000):
        time.sleep(0.05)
        if n % 200 == 199:
            jobs.info(f"replication: {n} blocks sent, elapsed: {n}s")


def freeze(volume):
    msg = f"freezing {volume}"
    jobs.log(NOTICE, msg)  # @freeze
    msg = f"{volume} is frozen"
    jobs.log(NOTICE, msg)  # @frozen


def checksum(volume, blocks):
    jobs.info(f"checksumming {blocks} blocks of {volume}")  # @checksum
    total = 0
    for b in range(blocks):
        total ^= b * 31
    return total


def seal(volume, digest):
    jobs.info(f"sealing archive of {volume} with {digest:04x}")  # @seal
    try:
        raise OSError(28, "No space left on device")
    except OSError as e:
        jobs.error(f"seal: {e}")
        jobs.error(traceback.format_exc())
        raise SealError(f"archive of {volume} is not sealed") from e


def thaw(volume):
    jobs.log(NOTICE, f"thawing {volume}")  # @thaw
    jobs.log(NOTICE, f"{volume} thawed, writes completed during freeze: 0")  # @thawed


def snapshot(volume):
    jobs.info("#" * 40)
    jobs.info(f"# SNAPSHOT OF {volume.upper()}")  # @snapshot
    jobs.info("#" * 40)
    freeze(volume)
    try:
        seal(volume, checksum(volume, 64))
        jobs.info(f"snapshot of {volume} taken")
    except SealError as e:
        jobs.critical(f"NO SNAPSHOT OF {volume.upper()} TONIGHT: {e}")  # @no_snapshot
        thaw(volume)
        return False
    thaw(volume)
    return True


def main():
    jobs.critical("nightly 4.2 on host tape-3, last run finished 86399 s ago")
    up = threading.Event()
    jobs.info("Starting background thread for replication...")
    threading.Thread(target=replicate, args=("home", up), daemon=True).start()
    up.wait(5)
    ok = snapshot("home")
    if not ok:
        jobs.info("leaving with 3")
        sys.exit(3)
    jobs.info("next run at 03:00")


if __name__ == "__main__":
    main()
